"""kill -9 of davit at any moment while 20 instances are created: the next one brings exactly 20, and restarts none."""
import pytest

from lab.davit import idle
from lab.waiting import holds_for, wait_for

INSTANCES = 20


def containers_there(engine, at_least):
    return lambda: len(engine.containers('many')) >= at_least


# Moments spread over the creation: right after the answer, then as so many containers exist in any state.
@pytest.mark.parametrize('at_least', [0, 1, 4, 9, 14, 19])
def test_exactly_twenty_run_when_davit_was_killed_while_creating(clean, engine, at_least):
    clean.create('many', idle(INSTANCES))
    wait_for(containers_there(engine, at_least), every=0.005, what=f'{at_least} containers exist')
    clean.kill()
    survivors = engine.by_slot('many')
    clean.start()
    clean.wait_running('many', INSTANCES)
    after = engine.by_slot('many')
    assert sorted(after) == list(range(1, INSTANCES + 1))
    assert survivors.items() <= after.items(), 'a container that ran was restarted or replaced'
    wait_for(lambda: len(engine.containers('many')) == INSTANCES, what='nothing half-made is left')


def test_exactly_twenty_run_when_davit_is_killed_again_and_again(clean, engine):
    clean.create('many', idle(INSTANCES))
    kept = {}
    for at_least in (3, 8, 13, 18):
        wait_for(containers_there(engine, at_least), every=0.005, what=f'{at_least} containers exist')
        clean.kill()
        running = engine.by_slot('many')
        assert kept.items() <= running.items()
        kept = running
        clean.start()
    clean.wait_running('many', INSTANCES)
    assert kept.items() <= engine.by_slot('many').items()
    wait_for(lambda: len(engine.containers('many')) == INSTANCES, what='nothing half-made is left')
    holds_for(lambda: len(engine.running('many')) == INSTANCES, 1)


@pytest.mark.parametrize('removed', [0, 5, 15])
def test_nothing_is_left_when_davit_was_killed_while_removing(clean, engine, removed):
    clean.create('many', idle(INSTANCES))
    clean.wait_running('many', INSTANCES)
    clean.call('DELETE', '/services/many')
    wait_for(lambda: len(engine.running('many')) <= INSTANCES - removed, every=0.005)
    clean.kill()
    clean.start()
    clean.wait_gone('many')
