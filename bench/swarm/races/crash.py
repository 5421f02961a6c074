"""A container whose first process is killed: until its successor runs."""
import os
import signal

from lab.waiting import wait_for
from races.turns import BARE, DAVIT, SWARM, TUNED, Turns, table_of
from stage import wall

RUNS, QUICK_RUNS = 5, 2


def measure(contest):
    runs = contest.runs or (QUICK_RUNS if contest.is_quick else RUNS)
    turns = Turns('killed container')
    for number in range(runs):
        for who in contest.in_turn(number, (BARE, SWARM, TUNED, DAVIT)):
            contest.round([turns], who, run)
    table = table_of('A container\'s first process killed (kill -9): until its successor runs', [turns])
    table.note('bare: the engine is asked until it says the end, then a new one is created and started')
    return table


def run(contest, contender):
    name, instances = contest.next_name(), len(contest.field.workers)
    label = contender.label(name)
    contender.create(name, instances)
    contest.wait_settled(contender, name, instances)
    before = contest.field.listed(label)
    container, host = next(iter(before.items()))
    began = wall()
    os.kill(host.engine.inspect(container)['State']['Pid'], signal.SIGKILL)
    if contender is contest.bare:
        wait_for(lambda: not host.engine.inspect(container)['State']['Running'], every=0.01)
        contender.start_alone(host, name, instances)
    took = contest.field.last_start(label, 1, but=before) - began
    contender.remove(name)
    return took,
