"""Instances: from the order until the last of them runs."""
import time

from races.turns import BARE, DAVIT, SWARM, Turns, table_of
from stage import wall

AIM = 1.05
FULL, QUICK = {10: 7, 50: 5, 100: 3, 200: 3}, {10: 3, 50: 1}  # instances: rounds
TIME_FOR_A_SIZE = 300  # seconds: no other round begins after so many
CONCURRENCIES = (1, 2, 4, 8)  # of the bare starts on each engine
TRIED_WITH, TRIES = 50, 2  # the faster one counts: a noisy moment must not lower the ceiling


def measure(contest):
    contest.swarm.tune(False)
    for contender in (contest.bare, contest.swarm, contest.davit):  # the first ones on fresh engines are slow
        run(contest, contender, len(contest.field.workers))
    tried = {at_once: min(run_bare(contest, at_once) for _ in range(TRIES)) for at_once in CONCURRENCIES}
    contest.bare.at_once = min(tried, key=tried.get)
    rows = []
    for instances, rounds in (QUICK if contest.is_quick else FULL).items():
        rows.append(Turns(f'{instances} instances', f'<= {AIM} bare, <= Swarm', is_met))
        race(contest, rows[-1], instances, contest.runs or rounds)
    table = table_of('Instances: from the order until all run', rows)
    table.note(f'bare, {TRIED_WITH} instances: ' + ', '.join(f'{at_once} at once on each engine {took:.2f}' for at_once, took in tried.items())
               + '; the fastest of these was taken. Swarm\'s tuning does not concern starts.')
    return table


def race(contest, turns, instances, rounds):
    began = time.monotonic()
    for number in range(rounds):
        for who in contest.in_turn(number, (BARE, SWARM, DAVIT)):
            contest.round([turns], who, run, instances)
        if time.monotonic() - began > TIME_FOR_A_SIZE and number + 1 < rounds:
            contest.say(f'{instances} instances: {number + 1} rounds of {rounds}, for want of time')
            return


def is_met(turns):
    ratios = turns.ratio(BARE), turns.ratio(SWARM)
    return None not in ratios and ratios[0].median <= AIM and ratios[1].median <= 1


def run_bare(contest, at_once):
    contest.bare.at_once = at_once
    took, = run(contest, contest.bare, TRIED_WITH)
    contest.say(f'the bare engines with {at_once} at once: {took:.2f} s')
    return took


def run(contest, contender, instances):
    name, began = contest.next_name(), wall()
    contender.create(name, instances)
    took = contest.field.last_start(contender.label(name), instances) - began
    contender.remove(name)
    return took,
