"""A cluster to play with: three masters and five workers on this machine, until Ctrl-C. `make lab` runs it."""
import signal
import sys
from pathlib import Path

sys.dont_write_bytecode = True
sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parents[1] / 'integration')]

from hosts.cluster import Cluster  # noqa: E402
from lab.davit import BINARY  # noqa: E402
from lab.engine import missing_tools  # noqa: E402
from lab.ledger import Ledger  # noqa: E402

HOW = """
A cluster runs: masters {masters}, workers {workers}. Ctrl-C takes all of it away again.

  export DAVIT_HOST={hosts}
  {davit} node ls
  {davit} service create --name web --instances 10 -p 80 davit/hello:1

Break it, in another terminal:
  kill -9 $(pgrep -f 'davit master.*/m1/master')                                   # a master
  nsenter --net=/run/netns/{netns}-w1 ip link set eth0 down                        # a worker's cable; up brings it back
  nsenter --net=/run/netns/{netns}-w2 iptables -I OUTPUT -o eth0 -j DROP           # it hears, and is not heard; iptables -F heals
  kill -STOP $(pgrep -f 'davit master.*/m2/master')                                # it stands still; -CONT wakes it

Logs: {folder}/<host>/*.log. A host's own engine: docker -H unix://{folder}/w1/docker/docker.sock ps
"""


def main():
    if why := missing_tools('etcd', 'iptables', 'nsenter'):
        sys.exit(f'the lab cannot run: {why}')
    ledger = Ledger.open()
    cluster = None
    try:
        print('starting three etcds, three masters, five engines and five workers: half a minute', flush=True)
        cluster = Cluster(ledger, masters=3, workers=5)
        cluster.start()
        print(HOW.format(masters=', '.join(host.name for host in cluster.masters), workers=', '.join(host.name for host in cluster.workers),
                         hosts=','.join(f'{host.address}:4820' for host in cluster.masters), davit=BINARY, netns=f'dvc{cluster.network.tag}', folder=ledger.folder), flush=True)
        signal.pause()
    except KeyboardInterrupt:
        print('\ntaking it away')
    finally:
        if cluster:
            cluster.stop()
        ledger.sweep()


if __name__ == '__main__':
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    main()
