"""Each worker answers for the whole cluster, also when no master lives."""
from lab.davit import hello
from lab.dns import addresses, dig
from lab.waiting import holds_for, wait_for

SERVER = '172.30.0.1'  # of every host's engine


def test_every_worker_answers_for_all_and_goes_on_without_masters(cluster):
    cluster.create('web', hello(3))
    cluster.wait_running('web', 3)
    everybody = sorted(host.address for host in cluster.workers)

    def knows(host):
        return addresses(SERVER, 'web.davit', inside=host.net.inside()) == everybody
    for host in cluster.workers:
        wait_for(lambda host=host: knows(host), 10, f'{host.name} knows all: {host.worker.log_tail()}')
    for host in cluster.masters:
        host.master.kill()
    holds_for(lambda: all(knows(host) for host in cluster.workers), 15, 'names live on without masters', every=1)
    first = cluster.workers[0]
    first.worker.restart()
    wait_for(lambda: dig(SERVER, 'web.davit', inside=first.net.inside())[0] == 'SERVFAIL', 20, 'it was told nothing, and says so')
