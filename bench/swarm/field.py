"""The hosts on which all contenders stand: three control hosts and the workers, each with a Docker Engine of its own."""
import json
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from pathlib import Path
from urllib.parse import quote

BENCH = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(BENCH), str(BENCH.parent / 'tests' / 'cluster'), str(BENCH.parent / 'tests' / 'integration')]

from hosts.cluster import Cluster  # noqa: E402
from lab.davit import BINARY  # noqa: E402, F401
from lab.engine import missing_tools  # noqa: E402, F401
from lab.waiting import wait_for  # noqa: E402

IMAGE = 'davit/hello:1'
COMMAND = ['sh', '-c', 'trap "exit 0" TERM; sleep 1000000 & wait $!']  # does nothing, and ends at once when it is asked to
PATIENCE = 600  # seconds: what is slow is a figure as well
LOOK_EVERY = 0.2  # seconds; what is reported is the engine's own stamp of each start, so this adds nothing to a figure


class Field(Cluster):
    def __init__(self, ledger, workers):
        super().__init__(ledger, masters=3, workers=workers)
        for host in self.hosts:
            host.add_worker(self.masters)

    def start_engines(self):
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(lambda host: host.engine.start(), self.hosts))
        self.share_image()

    def share_image(self):
        """One image, with one id, on all engines: Swarm looks for it at a registry unless it is asked for by id."""
        first, *others = [host.engine for host in self.hosts]
        first.make_demo_images()
        archive = self.ledger.folder / 'image.tar'
        first.docker('save', '--output', archive, IMAGE)
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(lambda engine: engine.docker('load', '--input', archive), others))
        self.image_id = first.docker('image', 'inspect', '--format', '{{.Id}}', IMAGE)

    # ---- what runs, by the engines' word
    def listed(self, label, hosts=None, everything=False):
        """{container's id: host} of those that carry the label, running ones only unless `everything`."""
        filters = {'label': [label]} | ({} if everything else {'status': ['running']})
        path = f'/containers/json?all=1&filters={quote(json.dumps(filters))}'
        found = {}
        for host in hosts or self.hosts:
            answer = host.engine.api.get(path)
            assert answer.status == 200, answer
            found.update({container['Id']: host for container in answer.json})
        return found

    def wait_listed(self, label, count, hosts=None, but=(), patience=PATIENCE):
        """{id: host} once so many run that are not among `but`."""
        def seen():
            found = {container: host for container, host in self.listed(label, hosts).items() if container not in but}
            return found if len(found) >= count else None
        return wait_for(seen, patience, f'{count} containers with {label} run', every=LOOK_EVERY)

    @staticmethod
    def started_at(host, container):
        """When the engine says that it started, on the clock of stage.wall()."""
        return seconds_of(host.engine.inspect(container)['State']['StartedAt'])

    def last_start(self, label, count, hosts=None, but=(), patience=PATIENCE):
        """When the `count`th container that is not among `but` was running."""
        found = self.wait_listed(label, count, hosts, but, patience)
        return sorted(self.started_at(host, container) for container, host in found.items())[count - 1]

    def first_creation(self, label, hosts, but):
        """When an engine was first asked for one that is not among `but`."""
        return min(seconds_of(host.engine.inspect(container)['Created']) for container, host in self.listed(label, hosts).items() if container not in but)

    def wait_none(self, label, patience=PATIENCE):
        wait_for(lambda: not self.listed(label, everything=True), patience, f'no container with {label} is left', every=LOOK_EVERY)


def seconds_of(stamp):
    """An engine's time, 2026-11-23T09:09:28.523804094Z, in seconds since the epoch."""
    whole, _, fraction = stamp.removesuffix('Z').partition('.')
    return datetime.fromisoformat(f'{whole}+00:00').timestamp() + float(f'0.{fraction or 0}')
