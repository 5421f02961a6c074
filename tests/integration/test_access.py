"""Who may speak to the API: token, Host header, socket; and who may have the data directory."""
import http.client
import signal
import subprocess

import pytest

from lab.davit import BINARY, free_port, hello
from lab.http import Api
from lab.waiting import wait_for

TOKEN = 'a-token-of-more-than-sixteen-characters'


@pytest.fixture(scope='module')
def guarded(lab):
    """A Davit with a token, and its clients' file of it."""
    davit = lab.davit('guarded', headers={'Authorization': f'Bearer {TOKEN}'})
    davit.token_file = davit.folder / 'token'
    davit.token_file.write_text(TOKEN + '\n')
    davit.arguments += ['--api-token-file', str(davit.token_file)]
    yield davit.start()
    davit.stop()


@pytest.mark.parametrize('header', [{}, {'Authorization': 'Bearer wrong'}, {'Authorization': f'Basic {TOKEN}'}, {'Authorization': f'Bearer {TOKEN}x'}])
def test_request_without_the_right_token_gets_401(guarded, header):
    stranger = Api(guarded.api.address)
    for method, path in (('GET', '/services'), ('POST', '/services'), ('DELETE', '/services/web'), ('GET', '/events')):
        answer = stranger.call(method, path, headers=header)
        assert answer.status == 401 and answer.headers['WWW-Authenticate'].startswith('Bearer'), answer


def test_request_with_the_token_is_served_and_health_needs_none(guarded):
    assert guarded.get('/services').status == 200
    assert Api(guarded.api.address).get('/healthz').status == 200


def test_command_line_reads_the_token_from_its_file(guarded):
    assert guarded.cli('service', 'ls')[0] == 1
    assert guarded.cli('service', 'ls', '--token-file', guarded.token_file)[0] == 0
    assert guarded.cli('service', 'ls', environment={'DAVIT_API_TOKEN_FILE': str(guarded.token_file)})[0] == 0


def host_header(davit, host):
    connection = http.client.HTTPConnection(*davit.api.address, timeout=10)
    connection.putrequest('GET', '/services', skip_host=True)
    connection.putheader('Host', host)
    connection.endheaders()
    status = connection.getresponse().status
    connection.close()
    return status


@pytest.mark.parametrize('host, status', [('localhost', 200), ('127.0.0.1:4820', 200), ('[::1]:4820', 200), ('evil.example', 421), ('evil.example:4820', 421),
                                          ('localhost.evil.example', 421)])
def test_loopback_listener_answers_its_own_names_only(davit, host, status):
    assert host_header(davit, host) == status


def test_write_of_another_sites_page_is_refused(davit):
    answer = davit.call('POST', '/services', {'name': 'web'} | hello(0), {'Origin': 'http://evil.example'})
    assert answer.status == 403, answer
    assert davit.get('/services').json == []


def test_listening_beyond_this_machine_demands_a_token_or_insecure(new_davit):
    davit = new_davit()
    davit.arguments += ['--listen', f'0.0.0.0:{davit.port}']
    davit.start(wait=False)
    assert davit.process.wait(10) == 2
    assert '--api-token-file' in davit.log_tail() and '--insecure' in davit.log_tail()
    davit.arguments += ['--insecure']
    davit.start()


def test_second_davit_on_the_same_data_directory_is_refused_with_the_pid(davit, new_davit):
    second = new_davit(data_dir=davit.data_dir)
    second.start(wait=False)
    assert second.process.wait(10) == 1
    assert str(davit.process.pid) in second.log_tail()
    assert davit.get('/healthz').status == 200


def test_lock_of_a_killed_davit_holds_nobody_up(new_davit):
    davit = new_davit().start()
    davit.kill()
    davit.start()


def test_stop_services_takes_the_containers_along_and_the_next_start_brings_them_back(new_davit, engine):
    davit = new_davit(arguments=['--stop-services']).start()
    davit.create('taken', hello(3))
    davit.wait_running('taken', 3)
    assert davit.terminate(30) == 0
    assert engine.running('taken') == []
    davit.start()
    davit.wait_running('taken', 3)
    davit.remove('taken')


def test_second_signal_ends_at_once(new_davit):
    davit = new_davit().start()
    davit.create('slow', hello(0))
    davit.process.send_signal(signal.SIGTERM)
    davit.process.send_signal(signal.SIGTERM)
    davit.process.wait(10)
    davit.start()
    assert davit.get('/services/slow').status == 200


def test_settings_come_from_flag_then_environment_then_file(lab, new_davit):
    davit = new_davit()
    config = davit.folder / 'davit.yaml'
    config.write_text(f'listen: 127.0.0.1:{free_port()}\nnode: from-file\nport-range: 28000-28009\ndata-dir: {davit.data_dir}\n')
    process = subprocess.Popen([BINARY, 'up', '--config', config, '--docker-host', davit.engine.host, '--listen', f'127.0.0.1:{davit.port}'],
                               env=davit.environment() | {'DAVIT_NODE': 'from-environment'}, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    lab.ledger.note_process(process.pid, 'davit')
    try:
        wait_for(lambda: davit.get('/healthz').status == 200)
        assert [node['name'] for node in davit.get('/nodes').json] == ['from-environment']
    finally:
        process.terminate()
        said = process.communicate(timeout=20)[0].decode()
    assert str(davit.data_dir) in said and '28000-28009' in said


@pytest.mark.parametrize('text, word', [('listn: 1', 'listen'), ('- a', 'map'), ('listen: [', '')])
def test_bad_configuration_file_is_refused_with_exit_code_2(new_davit, text, word):
    davit = new_davit()
    config = davit.folder / 'davit.yaml'
    config.write_text(text + '\n')
    davit.start('--config', str(config), wait=False)
    assert davit.process.wait(10) in (1, 2)
    assert word in davit.log_tail()
