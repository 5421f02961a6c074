"""Containers that are not this installation's are never touched, however much they look like it."""
import pytest

from lab.davit import hello, idle
from lab.waiting import holds_for, wait_for


@pytest.fixture
def stranger(engine):
    """Runs containers of nobody's, and says whether they are as they were."""
    names = []

    def run(name, *options, image='davit/hello:1'):
        engine.docker('run', '-d', '--name', name, *options, image)
        names.append(name)
        started = engine.inspect(name)['State']['StartedAt']
        return lambda: (there := engine.inspect(name)) is not None and there['State']['Running'] and there['State']['StartedAt'] == started

    yield run
    for name in names:
        engine.docker('rm', '-fv', name)


def restart_and_change(davit, name):
    davit.kill()
    davit.start()
    davit.wait_running(name, 2)
    davit.scale(name, 1)
    davit.wait_running(name, 1)
    davit.remove(name)


def test_container_with_a_davit_like_name_is_never_touched(clean, stranger):
    clean.create('web', idle(2))
    clean.wait_running('web', 2)
    untouched = stranger('web.3.k3v9x1c0qp7d')
    restart_and_change(clean, 'web')
    holds_for(untouched, 1)


def test_container_committed_from_one_of_davits_is_never_touched(clean, engine, stranger):
    clean.create('web', hello(2))
    service = clean.wait_running('web', 2)
    image = engine.docker('commit', service['instances'][0]['container']['id'])
    untouched = stranger('copy', image=image)
    assert engine.inspect('copy')['Config']['Labels']['davit.service'] == 'web'
    clean.kill()
    clean.start()
    holds_for(untouched, 2, 'the copy of a container was touched')
    assert len(clean.instances('web')) == 2
    clean.call('DELETE', '/services/web')
    holds_for(untouched, 3, 'the copy of a container was removed with the service')


def test_container_with_all_of_davits_labels_but_another_name_is_never_touched(clean, engine, stranger):
    clean.create('web', hello(2))
    labels = engine.inspect(clean.wait_running('web', 2)['instances'][0]['container']['id'])['Config']['Labels']
    options = [word for key, value in labels.items() if key.startswith('davit.') for word in ('--label', f'{key}={value}')]
    untouched = stranger('another', *options)
    clean.kill()
    clean.start()
    clean.call('DELETE', '/services/web')
    holds_for(untouched, 3)


def test_stranger_that_holds_the_containers_name_does_not_stop_the_service(clean, engine, stranger):
    clean.create('web', hello(1))
    name = clean.wait_running('web', 1)['instances'][0]['container']['name']
    clean.kill()
    engine.docker('rm', '-f', name)
    untouched = stranger(name)
    clean.start()
    # Two running containers bear the service's colours: ours, and nobody's, which has no labels.
    clean.wait_running('web', 1)
    assert untouched()


def test_two_installations_on_one_engine_leave_each_other_alone(clean, new_davit, engine):
    other = new_davit().start()
    clean.create('web', hello(2))
    other.create('web', hello(3))
    mine = lambda davit, count: davit.get('/services/web').json['status']['ready'] == count  # noqa: E731
    wait_for(lambda: mine(clean, 2) and mine(other, 3), 60)
    mine_before = {i['container']['id'] for i in clean.instances('web')}
    assert len(engine.ids('web')) == 5
    other.kill()
    other.start()
    clean.kill()
    clean.start()
    wait_for(lambda: mine(clean, 2) and mine(other, 3), 60)
    assert {i['container']['id'] for i in clean.instances('web')} == mine_before
    other.call('DELETE', '/services/web')
    wait_for(lambda: other.get('/services/web').status == 404)
    assert engine.ids('web') == mine_before
