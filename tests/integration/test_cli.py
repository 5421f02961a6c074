"""The command line: docker's grammar, tables, JSON, and exit codes 0 converged, 1 refused, 2 usage, 3 not converged, 4 unreachable."""
import json
import os
import select
import signal
import subprocess
import time

import pytest

from lab.davit import BINARY, free_port, hello, idle, page
from lab.waiting import wait_for

NEVER_FITS = ['--reserve-memory', '1000g']
QUICK = ['--update-monitor', '300ms', '--drain-delay', '0s']


def run(davit, *arguments, code=0, **more):
    got, said, error = davit.cli(*arguments, **more)
    assert got == code, f'davit {" ".join(map(str, arguments))}: exit code {got}, not {code}\n{said}\n{error}'
    return said if code == 0 else error


def create(davit, name='web', instances=2, *more):
    return run(davit, 'service', 'create', '--name', name, '--instances', instances, '-p', 80, *QUICK, *more, 'davit/hello:1')


def test_create_waits_and_prints_urls_that_answer(clean):
    said = create(clean)
    assert 'web: 2/2 ready in' in said and '(generation 1)' in said
    for instance in clean.wait_running('web', 2)['instances']:
        assert f"http://127.0.0.1:{instance['ports'][0]['published']}" in said
        assert page(instance)


def test_create_detached_prints_the_name_at_once(clean):
    assert create(clean, 'web', 1, '--detach') == 'web\n'
    clean.wait_running('web', 1)


def test_create_with_a_command_after_the_image(clean):
    run(clean, 'service', 'create', '--name', 'w', '--replicas', 1, '-e', 'A=1', '-l', 'team=blue', *QUICK, 'davit/hello:1', 'sh', '-c',
        'trap "exit 0" TERM; while :; do sleep 1 & wait $!; done')
    spec = clean.service('w')['spec']
    assert spec['command'][:2] == ['sh', '-c'] and spec['environment'] == {'A': '1'} and spec['labels'] == {'team': 'blue'}


def test_ls_shows_a_table_json_names_and_a_template(clean):
    clean.create('web', hello(1))
    clean.create('db', hello(0))
    clean.wait_running('web', 1)
    table = run(clean, 'service', 'ls').splitlines()
    assert table[0].split() == ['NAME', 'IMAGE', 'READY', 'STATE', 'PORTS', 'MESSAGE']
    assert next(line for line in table if line.startswith('web')).split()[:5] == ['web', 'davit/hello:1', '1/1', 'running', '80/tcp']
    assert [service['name'] for service in json.loads(run(clean, 'service', 'ls', '-o', 'json'))] == ['db', 'web']
    assert run(clean, 'service', 'ls', '-q').split() == ['db', 'web']
    assert run(clean, 'service', 'ls', '--filter', 'name=web', '--format', '{{.Name}}={{.Ready}}') == 'web=1/1\n'


def test_ps_and_inspect_show_the_instances(clean):
    clean.create('web', hello(2))
    service = clean.wait_running('web', 2)
    table = run(clean, 'service', 'ps', 'web').splitlines()
    assert table[0].split() == ['NAME', 'ID', 'REV', 'NODE', 'STATE', 'SINCE', 'RESTARTS', 'ENDPOINT', 'MESSAGE']
    for line, instance in zip(table[1:], service['instances'], strict=True):
        assert line.startswith(f"web.{instance['slot']}") and instance['id'][:8] in line and f"127.0.0.1:{instance['ports'][0]['published']}→80" in line
    assert [i['id'] for i in json.loads(run(clean, 'service', 'ps', 'web', '-o', 'json'))] == [i['id'] for i in service['instances']]
    inspected = json.loads(run(clean, 'service', 'inspect', 'web'))
    assert (inspected[0] if isinstance(inspected, list) else inspected)['uid'] == service['uid']


def test_scale_takes_several_services(clean):
    clean.create('one', idle(1))
    clean.create('two', idle(1))
    said = run(clean, 'service', 'scale', 'one=2', 'two=0')
    assert 'one: 2/2 ready' in said and 'two: 0/0 ready' in said
    assert clean.status('one')['ready'] == 2 and clean.status('two')['running'] == 0


def test_update_rollback_restart_and_history(clean):
    create(clean)
    run(clean, 'service', 'update', '--image', 'davit/hello:2', 'web')
    assert all('version 2' in page(i) for i in clean.wait_running('web', 2)['instances'])
    run(clean, 'service', 'rollback', 'web')
    assert all('version 1' in page(i) for i in clean.wait_running('web', 2)['instances'])
    before = clean.engine.ids('web')
    run(clean, 'service', 'restart', 'web')
    clean.wait_running('web', 2)
    assert not before & clean.engine.ids('web')
    history = run(clean, 'service', 'history', 'web')
    assert 'created' in history and len(history.splitlines()) >= 5
    assert len(json.loads(run(clean, 'service', 'history', 'web', '-o', 'json'))) >= 4


def test_update_changes_only_what_flags_name(clean):
    clean.create('web', hello(0, environment={'A': '1', 'B': '2'}, labels={'team': 'blue'}))
    run(clean, 'service', 'update', '--env-add', 'C=3', '--env-rm', 'A', '--label-add', 'tier=front', '--limit-memory', '64m', 'web')
    spec = clean.service('web')['spec']
    assert spec['environment'] == {'B': '2', 'C': '3'} and spec['labels'] == {'team': 'blue', 'tier': 'front'}
    assert spec['resources'] == {'limits': {'memory': 64 << 20}}


def test_update_to_an_image_that_is_missing_says_why_with_exit_code_3(clean):
    create(clean)
    started = time.monotonic()
    error = run(clean, 'service', 'update', '--image', 'davit-never-there/nope:1', '--pull', 'never', 'web', code=3)
    assert 'nope' in error and 'rolled back' in error and time.monotonic() - started < 60
    assert clean.status('web')['ready'] == 2
    assert clean.wait_running('web', 2)['spec']['image'] == 'davit/hello:1'


def test_time_out_is_exit_code_3_and_the_service_goes_on(clean):
    error = run(clean, 'service', 'create', '--name', 'slow', '--timeout', '1s', *NEVER_FITS, 'davit/hello:1', code=3)
    assert 'slow' in error and clean.get('/services/slow').status == 200


def test_crash_loop_ends_the_waiting_and_names_the_logs(clean):
    started = time.monotonic()
    error = run(clean, 'service', 'create', '--name', 'bad', 'davit/hello:1', 'sh', '-c', 'exit 7', code=3)
    assert 'exit 7' in error and 'davit service logs bad' in error and time.monotonic() - started < 60


def test_what_ends_right_after_its_start_is_not_ready(clean):
    error = run(clean, 'service', 'create', '--name', 'bad', '--timeout', '8s', '--restart-delay', '1m', 'davit/hello:1', 'sh', '-c', 'sleep 0.3; exit 7', code=3)
    assert 'bad: 0/1 ready after 8s: bad.1: exit 7' in error
    said, error = clean.cli('service', 'scale', '--timeout', '1s', 'bad=2')[1:]
    assert 'ready in' not in said and 'exit 7' in error


def test_create_waits_on_when_an_instance_ends_at_first(clean, tmp_path):
    script = 'mkdir /shared/was-here && exit 7; trap "exit 0" TERM; while :; do sleep 1 & wait $!; done'
    said = run(clean, 'service', 'create', '--name', 'late', '-v', f'{tmp_path}:/shared', 'davit/hello:1', 'sh', '-c', script)
    assert 'exit 7' in said and 'late: 1/1 ready in' in said
    assert clean.instances('late')[0]['restarts'] == 1


def test_rm_waits_until_they_are_gone(clean):
    clean.create('one', idle(1))
    clean.create('two', idle(1))
    clean.wait_running('one', 1)
    said = run(clean, 'service', 'rm', 'one', 'two')
    assert 'one: removed' in said and 'two: removed' in said
    assert clean.get('/services').json == [] and clean.engine.containers('one') == []


def test_logs_prints_and_follows(clean):
    clean.create('talk', idle(1, command=['sh', '-c', 'echo hello from $DAVIT_SLOT; echo again >&2; trap "exit 0" TERM; while :; do sleep 1 & wait $!; done']))
    clean.wait_running('talk', 1)
    wait_for(lambda: 'hello from 1' in run(clean, 'service', 'logs', 'talk') and 'again' in run(clean, 'service', 'logs', 'talk'))
    assert 'talk.1@' in run(clean, 'service', 'logs', '--timestamps', '--tail', 1, 'talk.1')
    follower = subprocess.Popen([BINARY, 'service', 'logs', '-f', 'talk'], env=clean.environment() | {'DAVIT_HOST': f'127.0.0.1:{clean.port}'},
                                stdout=subprocess.PIPE, text=True)
    clean.lab.ledger.note_process(follower.pid, 'cli')
    assert any('hello from 1' in follower.stdout.readline() for _ in range(2))
    follower.kill()
    follower.communicate()


def test_ctrl_c_ends_the_watching_alone_and_says_so(clean):
    watcher = subprocess.Popen([BINARY, 'service', 'create', '--name', 'never', *NEVER_FITS, 'davit/hello:1'],
                               env=clean.environment() | {'DAVIT_HOST': f'127.0.0.1:{clean.port}'}, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    clean.lab.ledger.note_process(watcher.pid, 'cli')
    wait_for(lambda: clean.get('/services/never').status == 200 and clean.instances('never'))
    time_to_watch = time.monotonic() + 1
    wait_for(lambda: time.monotonic() > time_to_watch)
    os.kill(watcher.pid, signal.SIGINT)
    _, error = watcher.communicate(timeout=10)
    assert watcher.returncode == 130 and 'goes on' in error
    assert clean.get('/services/never').status == 200


def test_events_prints_a_line_for_each(clean):
    follower = subprocess.Popen([BINARY, 'events', '--service', 'web', '-o', 'json'], env=clean.environment() | {'DAVIT_HOST': f'127.0.0.1:{clean.port}'},
                                stdout=subprocess.PIPE, text=True)
    clean.lab.ledger.note_process(follower.pid, 'cli')
    connected = time.monotonic() + 5
    wait_for(lambda: time.monotonic() > connected)
    clean.create('web', hello(0))
    assert select.select([follower.stdout], [], [], 30)[0], 'no event was printed'
    assert json.loads(follower.stdout.readline())['type'] == 'service.created'
    follower.kill()
    follower.communicate()


def test_node_ls_and_inspect(clean):
    table = run(clean, 'node', 'ls').splitlines()
    assert table[0].split() == ['NAME', 'ROLES', 'STATUS', 'AVAILABILITY', 'INSTANCES', 'CPU', 'MEMORY', 'ENGINE', 'ADDRESS']
    assert table[1].split()[:4] == [clean.name, 'master,worker', 'up', 'active']
    assert clean.name in run(clean, 'node', 'inspect', clean.name)


def test_refusal_is_exit_code_1_and_names_the_flag(clean):
    clean.create('web', hello(0))
    assert 'exists' in run(clean, 'service', 'create', '--name', 'web', 'davit/hello:1', code=1)
    assert '--instances' in run(clean, 'service', 'create', '--name', 'other', '--instances', -1, 'davit/hello:1', code=1)
    assert 'none' in run(clean, 'service', 'ps', 'none', code=1)
    assert 'none' in run(clean, 'service', 'rm', 'none', code=1)


@pytest.mark.parametrize('arguments', [['service', 'create'], ['service', 'create', '--name', 'web'], ['service', 'lss'], ['nonsense'], ['service', 'ls', '--bogus'],
                                       ['service', 'scale', 'web'], ['up', '--listen', 'nowhere'], ['service', 'ls', '-o', 'xml'], ['service', 'ps']])
def test_wrong_usage_is_exit_code_2(clean, arguments):
    assert 'davit' in run(clean, *arguments, code=2)


def test_unreachable_server_is_exit_code_4(clean):
    assert str(port := free_port()) in run(clean, 'service', 'ls', code=4, host=f'http://127.0.0.1:{port}')


def test_list_of_servers_is_tried_in_turn(clean):
    run(clean, 'service', 'ls', host=f'http://127.0.0.1:{free_port()},http://127.0.0.1:{clean.port}')
    run(clean, 'service', 'ls', host=f'unix://{clean.data_dir}/davit.sock')


def test_version_and_help(clean):
    assert 'Client:' in run(clean, 'version') and 'Engine:' in run(clean, 'version')
    assert json.loads(run(clean, 'version', '-o', 'json'))['client']['version']
    for arguments in (['--help'], ['service', '--help'], ['service', 'create', '--help'], ['up', '--help'], ['apply', '--help']):
        assert 'Usage' in run(clean, *arguments)
    assert 'davit service create' in run(clean, 'service', 'create', '--help')


@pytest.mark.parametrize('shell', ['bash', 'zsh'])
def test_completion_prints_a_script(clean, shell):
    script = run(clean, 'completion', shell)
    assert 'davit' in script
    if shell == 'bash':
        assert subprocess.run(['bash', '-n'], input=script, text=True).returncode == 0


def test_bash_completes_commands_and_service_names(clean, tmp_path):
    clean.create('webshop', hello(0))
    script = run(clean, 'completion', 'bash')
    (tmp_path / 'davit').symlink_to(os.path.abspath(BINARY))

    def complete(*words):
        line = script + '\nCOMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _davit; printf "%s\\n" "${COMPREPLY[@]}"'
        environment = clean.environment() | {'DAVIT_HOST': f'http://127.0.0.1:{clean.port}', 'PATH': f'{tmp_path}:{os.environ["PATH"]}'}
        return subprocess.run(['bash', '-c', line, 'bash', *words], env=environment, capture_output=True, text=True).stdout.split()
    assert {'create', 'ls', 'ps', 'scale'} <= set(complete('davit', 'service', ''))
    assert complete('davit', 'service', 'ps', 'web') == ['webshop']
    assert '--instances' in complete('davit', 'service', 'create', '--inst')
