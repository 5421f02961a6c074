"""Readiness by the agent's own probes, against real containers."""
from lab.davit import hello, idle
from lab.waiting import holds_for, wait_for

QUICK = {'interval': '300ms', 'start_interval': '100ms', 'retries': 2, 'timeout': '2s'}


def health(davit, name):
    return [(i['health'], i['ready']) for i in davit.instances(name)]


def test_a_get_request_makes_an_instance_ready(clean):
    clean.create('web', hello(2, healthcheck={'http': {'port': 80, 'path': '/'}} | QUICK))
    clean.wait_running('web', 2)
    assert health(clean, 'web') == [('healthy', True)] * 2


def test_one_that_answers_with_an_error_is_restarted_and_says_what_it_answered(clean, engine):
    clean.create('web', hello(1, healthcheck={'http': {'port': 80, 'path': '/nothing-here'}} | QUICK))
    instance = clean.wait_reason('web', 'unhealthy')
    assert 'GET /nothing-here answers 404' in instance['message']
    wait_for(lambda: clean.instances('web')[0]['restarts'] >= 1, 30)
    assert not clean.instances('web')[0]['ready']


def test_a_connection_is_enough_where_it_is_asked_for(clean):
    clean.create('web', hello(1, healthcheck={'tcp': {'port': 80}} | QUICK))
    clean.wait_running('web', 1)
    assert health(clean, 'web') == [('healthy', True)]
    clean.create('deaf', idle(1, healthcheck={'tcp': {'port': 81}, 'start_period': '60s'} | QUICK))
    wait_for(lambda: health(clean, 'deaf') == [('starting', False)], 30)
    holds_for(lambda: health(clean, 'deaf') == [('starting', False)], 2)


def test_an_instance_that_hangs_leaves_the_ready_ones_and_comes_back(clean, engine):
    clean.create('web', hello(1, healthcheck={'http': {'port': 80}} | QUICK | {'timeout': '300ms'}, restart_policy={'condition': 'none'}))
    clean.wait_running('web', 1)
    container = engine.by_slot('web')[1]
    engine.docker('exec', container, 'sh', '-c', 'kill -STOP $(pidof httpd)')
    wait_for(lambda: health(clean, 'web') == [('unhealthy', False)], 30)
    engine.docker('exec', container, 'sh', '-c', 'kill -CONT $(pidof httpd)')
    wait_for(lambda: health(clean, 'web') == [('healthy', True)], 30)
    assert engine.by_slot('web')[1] == container


def test_what_cannot_be_meant_is_refused(clean):
    for check, pointer in (({'http': {'port': 80}, 'tcp': {'port': 80}}, '#/healthcheck/tcp'), ({'http': {'port': 80}, 'test': 'true'}, '#/healthcheck/test'),
                           ({'http': {'port': 80, 'path': 'x'}}, '#/healthcheck/http/path'), ({'tcp': {}}, '#/healthcheck/tcp/port')):
        answer = clean.call('POST', '/services', {'name': 'web'} | hello(1, healthcheck=check))
        assert answer.status == 422 and pointer in [e['pointer'] for e in answer.json['errors']], answer


def test_the_command_line_sets_probes(clean):
    code, _, error = clean.cli('service', 'create', '--name', 'web', '--health-http', '80', '--health-http-path', '/?from=davit', '--health-interval', '1s', 'davit/hello:1')
    assert code == 0, error
    assert clean.service('web')['spec']['healthcheck']['http'] == {'port': 80, 'path': '/?from=davit'}
    assert health(clean, 'web') == [('healthy', True)]
