"""10, 50 and 100 instances: Davit, from the POST on, against the bare Docker API at its best concurrency."""
from bare import Bare, Sightings, timed_start
from figures import Figure, Table, verdict
from stage import cpu_seconds

AIM = 1.05
CONCURRENCIES = (1, 2, 4, 8, 16)
SPEC = {'image': 'davit/hello:1', 'ports': [80], 'drain_delay': '0s'}


class Race:
    """Davit and the bare API take turns on one engine, so that a noisy moment hits both alike."""

    def __init__(self, stage):
        self.davit = stage.davit('starts')
        self.bare = Bare(stage.engine, stage.free_ports(100))
        self.sightings = Sightings(stage.engine)
        self.runs = 0

    def name(self):
        self.runs += 1
        return f'run{self.runs}'

    def run_bare(self, count, at_once):
        name = self.name()
        took = timed_start(self.sightings, name, count, lambda: self.bare.start_all(name, count, at_once))
        self.bare.remove_all()
        return took

    def run_davit(self, count):
        """(running by the engine's word, ready by Davit's, Davit's processor time), in seconds."""
        name, pid = self.name(), self.davit.process.pid
        cpu = cpu_seconds(pid)
        ready = None

        def create():
            nonlocal ready
            answer = self.davit.call('POST', '/services?wait=120s', {'name': name, 'instances': count} | SPEC, timeout=130)
            ready = answer.json['status']['ready'] == count
            assert answer.status == 201 and ready, answer
        ...
