"""All that a run has: the hosts, who stands on them, and what the run was asked for."""
import os
import time
from http.client import HTTPException
from itertools import count
from pathlib import Path

from contenders.bare import Bare
from contenders.davit import Davit
from contenders.swarm import Swarm
from field import PATIENCE, Field
from lab.ledger import Ledger
from lab.waiting import wait_for
from races.cost import Cost
from races.turns import BARE, DAVIT, TUNED


class Contest:
    def __init__(self, is_quick, runs, workers):
        self.is_quick, self.runs, self.workers = is_quick, runs, workers
        self.ledger = Ledger.open()
        self.field, self.names, self.began = None, count(1), time.monotonic()

    def start(self, with_cost):
        self.field = Field(self.ledger, self.workers)
        self.bare, self.swarm, self.davit = Bare(self.field), Swarm(self.field), Davit(self.field)
        self.clusters = (self.swarm, self.davit)
        self.cost = Cost(self)
        for step, begin in (('bare', self.field.start_engines), ('swarm', self.swarm.start), ('davit', self.davit.start)):
            self.say(f'starting: {step}')
            begin()
            if with_cost:
                self.cost.take(step, self.processes())

    def stop(self):
        try:
            if self.field:
                self.field.stop()
        finally:  # also of what an overloaded engine did not take away in time
            self.ledger.sweep()

    def processes(self):
        """{kind: process ids} of what stands now."""
        masters, workers = self.field.masters, self.field.workers
        kinds = {'control engines': [host.engine for host in masters], 'worker engines': [host.engine for host in workers]}
        if masters[0].master.runs():
            kinds |= {'masters': [host.master for host in masters], 'etcd': [host.etcd for host in masters], 'agents': [host.worker for host in workers]}
        ids = {kind: [program.process.pid for program in programs] for kind, programs in kinds.items()}
        return ids | ({'guards': [guard_of(host) for host in workers]} if 'agents' in ids else {})

    # ---- what the races ask for
    def contender(self, who):
        """The contender of this name, set up as the name says."""
        if who in (BARE, DAVIT):
            return self.bare if who is BARE else self.davit
        self.swarm.tune(who is TUNED)
        return self.swarm

    def round(self, all_turns, who, run, *more):
        """One figure for each of these by run(contest, contender, *more). A round that comes to nothing is told and counted."""
        try:
            figures = run(self, self.contender(who), *more)
        except (AssertionError, OSError, HTTPException) as error:
            self.say(f'FAILED: {all_turns[0].what}, {who}: {error}')
            figures = [None] * len(all_turns)
            self.mend()
        for turns, figure in zip(all_turns, figures, strict=True):
            turns.add(who, figure)
            if figure is not None:
                self.say(f'{turns.what}, {who}: {figure:.2f} s')

    def mend(self):
        """Whole links, everything runs, and nothing is left of any round."""
        for host in self.field.hosts:
            host.heal()
        for contender in self.clusters:
            contender.mend()
        for contender in (self.bare, *self.clusters):
            contender.remove_all()

    @staticmethod
    def in_turn(number, contenders):
        """Each round begins with another one."""
        order = list(contenders)
        first = number % len(order)
        return order[first:] + order[:first]

    def next_name(self):
        return f'run{next(self.names)}'

    @staticmethod
    def wait_settled(contender, name, instances):
        try:
            wait_for(lambda: contender.settled(name) == instances, PATIENCE, every=0.1)
        except AssertionError as error:
            raise AssertionError(f'{contender.name} says of {name} {contender.settled(name)}/{instances}: {contender.describe(name)}') from error

    def wait_whole(self):
        for contender in self.clusters:
            contender.wait_whole()

    # ---- progress
    def say(self, text):
        print(f'[{time.monotonic() - self.began:5.0f} s, load {os.getloadavg()[0]:.1f}] {text}', flush=True)


def guard_of(host):
    """The guard is no child of the worker's: it outlives it. Its command line names the host's folder."""
    for entry in Path('/proc').iterdir():
        if entry.name.isdigit():
            words = (entry / 'cmdline').read_bytes().split(b'\0') if (entry / 'cmdline').exists() else []
            if b'guard' in words and any(word.startswith(bytes(host.folder) + b'/') for word in words):
                return int(entry.name)
    raise AssertionError(f'no guard runs on {host.name}')
