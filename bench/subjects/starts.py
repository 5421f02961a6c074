"""10, 50 and 100 instances: Davit, from the POST on, against the bare Docker API at its best concurrency."""
from bare import Bare, Sightings
from figures import Figure, Table, verdict
from stage import cpu_seconds, wall

AIM = 1.05
CONCURRENCIES = (1, 2, 4, 8, 16)
SPEC = {'image': 'davit/hello:1', 'ports': [80], 'drain_delay': '0s'}
FULL, QUICK = {10: 5, 50: 3, 100: 3}, {10: 5}  # instances: rounds


class Race:
    """Davit and the bare API take turns on one engine, so that a noisy moment hits both alike."""

    def __init__(self, stage):
        self.davit = stage.davit('starts')
        self.bare = Bare(stage.engine, stage.free_ports(max(FULL)))
        self.sightings = Sightings(stage.engine)
        self.runs = 0

    def next_name(self):
        self.runs += 1
        return f'run{self.runs}'

    def run_bare(self, count, at_once):
        """Seconds until all run, by the engine's word."""
        name, began = self.next_name(), wall()
        self.bare.start_all(name, count, at_once)
        took = self.sightings.started(name, count) - began
        self.bare.remove_all()
        return took

    def run_davit(self, count):
        """Seconds until all run by the engine's word, until all are ready by Davit's, and of processor time that Davit took."""
        name, pid = self.next_name(), self.davit.process.pid
        cpu, began = cpu_seconds(pid), wall()
        answer = self.davit.call('POST', '/services?wait=120s', {'name': name, 'instances': count} | SPEC, timeout=130)
        ready, cpu = wall() - began, cpu_seconds(pid) - cpu
        assert answer.status == 201 and answer.json['status']['ready'] == count, answer
        running = self.sightings.started(name, count) - began
        self.davit.remove(name)
        return running, ready, cpu

    def best_concurrency(self, count, candidates):
        took = {at_once: self.run_bare(count, at_once) for at_once in candidates}
        return min(took, key=took.get), took


def measure(stage):
    race = Race(stage)
    table = Table('Instances: seconds from the order until all run, by the engine\'s events', 'instances', 'bare Docker API', 'at once', 'davit', 'davit ready',
                  'davit / bare', f'aim <= {AIM}', 'davit\'s CPU each')
    race.run_bare(2, 2)  # the first ones on a fresh engine are slow
    race.run_davit(2)
    candidates = CONCURRENCIES
    for count, rounds in (QUICK if stage.is_quick else FULL).items():
        at_once, tried = race.best_concurrency(count, candidates)
        candidates = [each for each in CONCURRENCIES if at_once <= 2 * each <= 4 * at_once]  # for the next size: it and its neighbours
        bare, davit = [], []
        for _ in range(rounds):
            bare.append(race.run_bare(count, at_once))
            davit.append(race.run_davit(count))
        running, ready, cpu = zip(*davit, strict=True)
        ratio = Figure([d / b for d, b in zip(running, bare, strict=True)])
        table.row(count, Figure(bare), at_once, Figure(running), Figure(ready), ratio, verdict(ratio.median <= AIM),
                  Figure([each * 1000 / count for each in cpu], '.1f', ' ms'))
        said = ', '.join(f'{at} at once {took:.2f}' for at, took in tried.items())
        table.note(f'bare, {count} instances, one run each, of which the best concurrency was taken: {said}')
    race.davit.stop()
    return table
