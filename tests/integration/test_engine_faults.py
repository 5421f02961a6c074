"""The Docker Engine dies and comes back: no instance is declared dead because the engine was away, and all run again."""
import pytest

from lab.davit import hello, idle, page
from lab.waiting import holds_for, wait_for


@pytest.fixture
def engine_back(engine):
    yield engine
    if engine.process.poll() is not None:
        engine.start()


def all_containers_of(engine, name, count):
    return lambda: len(engine.containers(name)) == count and len(engine.running(name)) == count


def test_all_run_again_without_duplicates_when_dockerd_was_killed(clean, engine_back):
    clean.create('web', hello(5))
    clean.wait_running('web', 5)
    engine_back.kill()
    assert clean.get('/services/web').status == 200
    engine_back.start()
    service = clean.wait_running('web', 5, 90)
    assert sorted(engine_back.by_slot('web')) == [1, 2, 3, 4, 5]
    assert page(service['instances'][0]).startswith('web.1 ')
    # What is kept for `logs --previous` has ended, and there is one for each slot at most.
    wait_for(lambda: len(engine_back.containers('web')) <= 10)
    holds_for(lambda: len(engine_back.running('web')) == 5, 1)


def test_instances_are_not_declared_dead_while_dockerd_is_away(clean, engine_back):
    clean.create('web', hello(2))
    first = clean.wait_running('web', 2)
    engine_back.kill()
    ids = [i['id'] for i in first['instances']]
    holds_for(lambda: [i['id'] for i in clean.instances('web')] == ids, 3)
    assert [i['restarts'] for i in clean.instances('web')] == [0, 0]
    engine_back.start()
    clean.wait_running('web', 2, 90)


def test_what_was_asked_while_dockerd_was_away_is_done_when_it_is_back(clean, engine_back):
    clean.create('old', idle(2))
    clean.wait_running('old', 2)
    engine_back.kill()
    clean.create('new', idle(2))
    assert clean.scale('old', 1).status == 200
    assert clean.instances('new') == [] or not any(i['ready'] for i in clean.instances('new'))
    engine_back.start()
    clean.wait_running('new', 2, 90)
    clean.wait_running('old', 1, 90)


def test_davit_started_before_its_engine_waits_for_it(clean, engine_back):
    clean.create('web', hello(2))
    clean.wait_running('web', 2)
    clean.kill()
    engine_back.kill()
    clean.start(wait=False)
    wait_for(lambda: (health := clean.get('/healthz')).status == 503 and 'engine' in health.text, 30, 'it says what it waits for')
    wait_for(lambda: clean.get('/services/web').status == 200 and clean.service('web')['status']['desired'] == 2, 30)
    engine_back.start()
    clean.wait_running('web', 2, 90)


def test_service_converges_when_dockerd_dies_while_creating(clean, engine_back):
    clean.create('many', idle(12))
    wait_for(lambda: len(engine_back.containers('many')) >= 4, every=0.01)
    engine_back.kill()
    engine_back.start()
    clean.wait_running('many', 12, 120)
    assert sorted(engine_back.by_slot('many')) == list(range(1, 13))
