"""False downs: both clusters stand, nothing is wrong, and all cores are busy with something else."""
import os
import subprocess
import time

from figures import Table, verdict
from races.turns import DAVIT, SWARM

MINUTES, QUICK_MINUTES = 10, 1
INSTANCES = 10
LOOK_EVERY = 0.5  # seconds


def measure(contest):
    minutes = QUICK_MINUTES if contest.is_quick else MINUTES
    cores = len(os.sched_getaffinity(0))
    contest.swarm.tune(False)
    contest.say(f'{minutes} minutes with busy cores')
    watches = [Watch(contest, who) for who in (SWARM, DAVIT)]
    loops = [subprocess.Popen(['sh', '-c', 'while :; do :; done']) for _ in range(2 * cores)]
    try:
        for loop in loops:
            contest.ledger.note_process(loop.pid, 'busy loop')
        until = time.monotonic() + minutes * 60
        while time.monotonic() < until:
            for watch in watches:
                watch.look()
            time.sleep(LOOK_EVERY)
    finally:
        for loop in loops:
            loop.kill()
            loop.wait()
    table = Table(f'{minutes} minutes with {2 * cores} busy loops on {cores} cores, {INSTANCES} instances each, both clusters at once', 'cluster', 'false downs',
                  'containers replaced', 'of looks answered', 'aim', '')
    for watch in watches:
        watch.row(table)
    table.note(f'each node is looked at each {LOOK_EVERY} s or so; a container replaced also shows a down that was shorter')
    return table


class Watch:
    def __init__(self, contest, who):
        self.contest, self.who, self.contender = contest, who, contest.contender(who)
        self.name = contest.next_name()
        self.contender.create(self.name, INSTANCES)
        contest.wait_settled(self.contender, self.name, INSTANCES)
        self.first = self.running()
        self.down, self.downs, self.looks, self.answered = set(), [], 0, 0

    def running(self):
        return set(self.contest.field.listed(self.contender.label(self.name)))

    def look(self):
        self.looks += 1
        try:
            now = self.contender.down_names()
        except (OSError, AssertionError):
            return
        self.answered += 1
        self.downs += sorted(now - self.down)
        self.down = now

    def row(self, table):
        replaced = len(self.first - self.running())
        self.contender.remove(self.name)
        is_davit = self.who is DAVIT
        table.row(self.who, len(self.downs), replaced, f'{self.answered / self.looks:.1%}', 'none' if is_davit else '',
                  verdict(not self.downs and not replaced) if is_davit else '')
