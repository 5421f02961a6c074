"""Pulling from a real registry on loopback, with and without a password."""
import pytest

from lab.davit import hello, page
from lab.registry import Registry
from lab.waiting import wait_for


@pytest.fixture(scope='module')
def open_registry(lab):
    registry = Registry(lab, 'registry-open').start()
    yield registry
    registry.stop()


@pytest.fixture(scope='module')
def guarded_registry(lab):
    registry = Registry(lab, 'registry-guarded', password=True).start()
    yield registry
    registry.stop()


def test_image_is_pulled_and_its_digest_resolved(clean, open_registry):
    reference, digest = open_registry.push('davit/hello:1', 'demo/hello:1')
    clean.create('pulled', hello(2, image=reference))
    service = clean.wait_running('pulled', 2)
    assert 'version 1' in page(service['instances'][0])
    assert service['status']['image_digest'] == digest


def test_tag_that_moves_does_not_change_a_revision(clean, open_registry):
    reference, first = open_registry.push('davit/hello:1', 'demo/moving:latest')
    clean.create('moving', hello(1, image=reference))
    clean.wait_running('moving', 1)
    _, second = open_registry.push('davit/hello:2', 'demo/moving:latest')
    assert first != second
    clean.scale('moving', 2)
    service = clean.wait_running('moving', 2)
    assert [page(i).split(',')[1] for i in service['instances']] == [' version 1', ' version 1']
    assert service['status']['image_digest'] == first
    assert clean.call('POST', '/services/moving/restart').status == 200


def test_local_image_that_was_pushed_under_another_name_is_still_run_as_what_it_is(clean, open_registry, engine):
    open_registry.push('davit/hello:1', 'demo/elsewhere:1', also='local/page:1')
    clean.create('local', hello(1, image='local/page:1', pull_policy='missing'))
    clean.wait_running('local', 1)
    engine.docker('kill', *engine.ids('local'))
    wait_for(lambda: clean.instances('local')[0]['restarts'] > 0)
    clean.wait_running('local', 1, 20)
    clean.scale('local', 2)
    clean.wait_running('local', 2, 20)


def test_image_that_the_registry_lacks_is_not_found(clean, open_registry):
    clean.create('nope', hello(1, image=f'{open_registry.host}/demo/nope:1'))
    instance = clean.wait_reason('nope', 'image_not_found')
    assert 'nope' in instance['message'] and instance['next_start_at']


def test_image_that_appears_later_is_pulled_then(clean, open_registry):
    open_registry.push('davit/hello:2', 'demo/late:early')
    clean.create('late', hello(1, image=f'{open_registry.host}/demo/late:1', restart_policy={'delay': '300ms', 'max_delay': '1s'}))
    clean.wait_reason('late', 'image_not_found')
    open_registry.retag('demo/late', 'early', '1')
    assert 'version 2' in page(clean.wait_running('late', 1)['instances'][0])


def test_registry_that_is_down_is_a_failed_pull_until_it_is_up(clean, lab):
    registry = Registry(lab, 'registry-away').start()
    reference, _ = registry.push('davit/hello:1', 'demo/hello:1')
    registry.stop()
    clean.create('away', hello(1, image=reference, restart_policy={'delay': '300ms', 'max_delay': '1s'}))
    clean.wait_reason('away', 'pull_failed')
    registry.start()
    try:
        clean.wait_running('away', 1)
    finally:
        registry.stop()


def test_password_comes_from_the_docker_config_file(new_davit, guarded_registry):
    reference, digest = guarded_registry.push('davit/hello:1', 'demo/secret:1')
    davit = new_davit()
    guarded_registry.write_docker_config(davit.folder / 'docker')
    davit.start()
    davit.create('secret', hello(1, image=reference))
    assert davit.wait_running('secret', 1)['status']['image_digest'] == digest
    davit.remove('secret')


@pytest.mark.parametrize('password', [None, 'wrong'])
def test_missing_or_wrong_password_is_said(new_davit, guarded_registry, password):
    reference, _ = guarded_registry.push('davit/hello:1', 'demo/private:1')
    davit = new_davit()
    if password:
        guarded_registry.write_docker_config(davit.folder / 'docker', password)
    davit.start()
    davit.create('private', hello(1, image=reference))
    assert reference.split('/')[0] in davit.wait_reason('private', 'registry_auth')['message'] or davit.status('private')['message']
    guarded_registry.write_docker_config(davit.folder / 'docker')
    davit.put('private', {'restart_policy': {'delay': '300ms', 'max_delay': '1s'}})
    davit.wait_running('private', 1)
    davit.remove('private')


def test_pull_policy_always_asks_the_registry_and_never_does_not(clean, open_registry):
    reference, _ = open_registry.push('davit/hello:1', 'demo/policy:1')
    clean.create('never', hello(1, image=reference, pull_policy='never'))
    clean.wait_reason('never', 'image_not_found')
    clean.create('always', hello(1, image=reference, pull_policy='always'))
    clean.wait_running('always', 1)
    wait_for(lambda: clean.status('never')['ready'] == 1, 70)
