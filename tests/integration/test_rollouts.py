"""What a failed update leads to, and holding one: automatic rollback, pause, resume, delay; by API and command line."""
import time

from lab.davit import hello, idle
from lab.waiting import holds_for, wait_for

NOWHERE = {'image': 'davit-never-there/nope:1', 'pull_policy': 'never'}


def updating(spec, **config):
    return spec | {'update_config': {'monitor': '300ms'} | config}


def wait_updated(davit, count, name='web'):
    return wait_for(lambda: (status := davit.status(name))['updated'] >= count and status, 30, f'{name} has {count} updated', every=0.01)


def act(davit, verb, **more):
    answer = davit.call('POST', f'/services/web/{verb}', **more)
    assert answer.status == 200, answer
    return answer


def test_bad_image_is_rolled_back_with_the_reason_and_exit_code_3(clean):
    clean.create('web', hello(3))
    clean.wait_running('web', 3)
    before = clean.engine.by_slot('web')
    with clean.events('?service=web&type=service.rolled_back') as events:
        code, said, error = clean.cli('service', 'update', '--image', NOWHERE['image'], '--pull', 'never', 'web')
        event = events.next()
    assert code == 3 and 'rolled back to revision 1' in error and 'nope' in error, (code, said, error)
    assert event.data['reason'] == 'image_not_found' and 'nope' in event.data['message']
    service = clean.wait_running('web', 3)
    assert (service['revision'], service['spec']['image']) == (1, 'davit/hello:1')
    assert 'update to revision 2 was rolled back: web.1 failed' in service['status']['message']
    assert clean.engine.by_slot('web') == before, 'those that served all the while were touched'
    back = [entry for entry in clean.get('/services/web/history').json if entry['type'] == 'rolled_back']
    assert [entry['author'] for entry in back] == ['davit'] and 'nope' in back[0]['message']


def test_crashing_update_is_rolled_back_from_the_instances_that_it_reached(clean):
    clean.create('web', updating(idle(3), order='stop-first', parallelism=2, monitor='5s'))  # longer than an end takes to be seen
    clean.wait_running('web', 3)
    clean.put('web', {'command': ['sh', '-c', 'exit 5']}, '?wait=30s')
    service = clean.wait_running('web', 3)
    assert service['revision'] == 1 and 'exit 5' in service['status']['message']
    assert service['status']['rollout']['state'] == 'rolled_back'


def test_pause_holds_an_update_and_resume_ends_it(clean):
    clean.create('web', updating(idle(4), delay='500ms'))
    clean.wait_running('web', 4)
    clean.put('web', {'environment': {'NEW': '1'}})
    wait_updated(clean, 1)
    act(clean, 'pause')
    assert clean.status('web')['state'] == 'paused'
    held = wait_for(lambda: len(clean.instances('web')) == 4 and clean.status('web')['updated'], 10)
    holds_for(lambda: clean.status('web')['updated'] == held and clean.status('web')['ready'] == 4, 2)
    assert f'is paused: {held}/4 updated' in clean.status('web')['message']
    act(clean, 'resume')
    wait_updated(clean, 4)
    assert clean.wait_running('web', 4)['status']['message'] == ''
    assert clean.call('POST', '/services/web/pause').status == 422, 'nothing is left to pause'


def test_pause_and_resume_on_the_command_line(clean):
    clean.create('web', updating(idle(3), delay='500ms'))
    clean.wait_running('web', 3)
    assert clean.cli('service', 'update', '--detach', '--env-add', 'NEW=1', 'web')[0] == 0
    code, said, error = clean.cli('service', 'pause', 'web')
    assert code == 0 and 'update to revision 2 is paused' in said, error
    code, said, error = clean.cli('service', 'resume', 'web')
    assert code == 0 and 'web: 3/3 ready' in said and '/3 updated' in said, (said, error)
    code, said, error = clean.cli('service', 'resume', 'web')
    assert code == 1 and 'no update' in error


def test_failed_update_that_pauses_is_tried_again_when_resumed(clean):
    clean.create('web', updating(hello(2), failure_action='pause'))
    clean.wait_running('web', 2)
    code, _, error = clean.cli('service', 'update', '--image', NOWHERE['image'], '--pull', 'never', 'web')
    assert code == 3 and 'paused' in error and 'nope' in error
    assert clean.status('web')['ready'] == 2
    code, _, error = clean.cli('service', 'resume', 'web')
    assert code == 3 and 'nope' in error
    clean.put('web', {'image': 'davit/hello:2'})
    assert clean.wait_running('web', 2)['revision'] == 3


def test_continue_leaves_what_could_not_be_replaced(clean):
    clean.create('web', updating(hello(2), failure_action='continue'))
    clean.wait_running('web', 2)
    code, _, error = clean.cli('service', 'update', '--image', NOWHERE['image'], '--pull', 'never', 'web')
    assert code == 3 and 'nope' in error
    status = wait_for(lambda: (s := clean.status('web'))['state'] == 'degraded' and s)
    assert 'update to revision 2 is incomplete, 0/2 updated' in status['message']
    assert status['ready'] == 2


def test_delay_lies_between_two_replacements(clean):
    clean.create('web', updating(idle(3), delay='1500ms'))
    clean.wait_running('web', 3)
    clean.put('web', {'environment': {'NEW': '1'}})
    wait_updated(clean, 1)
    started = time.monotonic()
    wait_updated(clean, 3)
    assert time.monotonic() - started >= 2 * 1.5
    assert clean.wait_running('web', 3)['revision'] == 2


def test_rollback_survives_a_killed_davit(clean):
    clean.create('web', updating(idle(3), delay='300ms'))
    clean.wait_running('web', 3)
    clean.put('web', {'environment': {'NEW': '1'}})
    wait_updated(clean, 2)
    act(clean, 'rollback')
    clean.kill()
    clean.start()
    service = clean.wait_running('web', 3)
    assert service['revision'] == 1 and all(instance['revision'] == 1 for instance in service['instances'])
