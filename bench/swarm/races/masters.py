"""The leading master killed: until a service of its own is served again, and what the others' services feel of it."""
import threading
import time
from itertools import cycle

from races.turns import DAVIT, SWARM, TUNED, Turns, at_most, table_of
from stage import wall

RUNS, QUICK_RUNS = 3, 1
WATCHED = 12  # seconds of writes after the kill
WRITE_EVERY = 0.05


def measure(contest):
    rows = []
    for with_store, served, gap in ((False, 4, 0.5), (True, 7, 4)):
        death = 'leader killed' + (' together with etcd\'s leader' if with_store else '')
        answered, running = Turns(f'{death}: next service of its own answered', **at_most(served)), Turns(f'{death}: it runs')
        silence = Turns(f'{death}: longest gap in writes through the others', **at_most(gap))
        for number in range(contest.runs or (QUICK_RUNS if contest.is_quick else RUNS)):
            for who in contest.in_turn(number, (DAVIT,) if with_store else (SWARM, TUNED, DAVIT)):  # Swarm's store dies with its leader anyway
                contest.round([answered, running, silence], who, run, with_store)
        rows += [answered, running, silence]
    for with_etcd, without in zip(rows[3:], rows[:3], strict=True):
        with_etcd.taken |= {who: without.taken[who] for who in (SWARM, TUNED)}
    table = table_of('The leader killed (kill -9)', rows)
    table.note('Davit: the master that is coordinator and owns the service. Swarm: the leader\'s dockerd, in which its store is, so the same runs stand in both groups of rows.')
    table.note(f'clients ask the surviving control hosts in turn; writes go each {WRITE_EVERY} s through each of them to a service of its own, in Swarm to any')
    return table


def run(contest, contender, with_store):
    victim = contender.make_ready_for_death(with_store)
    name = contender.name_owned_by(victim, contest.next_name())
    survivors = [host for host in contest.field.masters if host is not victim]
    streams = [Stream(write) for write in contender.writers(victim)]
    for stream in streams:
        stream.begin()
    began = wall()
    contender.kill_leader(victim, with_store)
    try:
        answered = first_answer(contender, survivors, name)
        running = contest.field.last_start(contender.label(name), 1, [host for host in contest.field.hosts if host is not victim])
        time.sleep(max(0, began + WATCHED - wall()))
        gap = max(stream.end() for stream in streams)
    finally:
        contender.mend()
    contender.remove(name)
    contender.drop_writers()
    return answered - began, running - began, gap


def first_answer(contender, survivors, name, patience=60):
    until = time.monotonic() + patience
    for host in cycle(survivors):
        if contender.try_create(host, name):
            return wall()
        assert time.monotonic() < until, f'no control host takes a service within {patience} s of its leader\'s death'
        time.sleep(WRITE_EVERY)


class Stream(threading.Thread):
    """Writes one after the other; what counts is the longest time from one that was answered to the next."""

    def __init__(self, write):
        super().__init__(daemon=True)
        self.write, self.times, self.ends = write, [], threading.Event()

    def begin(self):
        self.start()
        while not self.times:  # the first one is before the kill
            time.sleep(WRITE_EVERY)

    def run(self):
        while not self.ends.wait(WRITE_EVERY):
            if self.write():
                self.times.append(time.monotonic())

    def end(self):
        """Seconds. One that had no answer to the end counts up to now."""
        self.times.append(time.monotonic())
        self.ends.set()
        self.join()
        return max(later - earlier for earlier, later in zip(self.times, self.times[1:], strict=False))
