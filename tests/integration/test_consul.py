"""Instances in a real Consul: what is registered is what is ready, through faults of everything."""
import signal
import socket
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from lab.consul import Consul, ready_endpoints
from lab.davit import free_port, hello
from lab.waiting import holds_for, wait_for


@pytest.fixture(scope='module')
def consul(lab):
    consul = Consul(lab.ledger, 'consul').start()
    yield consul
    consul.stop()


@pytest.fixture(scope='module')
def davit(lab, consul):
    davit = lab.davit('consul-davit', arguments=['--consul', consul.address]).start()
    yield davit
    davit.stop()


def wait_true(davit, consul, service='web', timeout=30):
    """Until the catalog and the truth are one."""
    def same():
        return consul.passing(service) == ready_endpoints(davit, service) and len(consul.entries(service)) == len(ready_endpoints(davit, service))
    wait_for(same, timeout, f'Consul has of {service} what is ready')


def test_ready_instances_are_registered_with_all_that_finds_them(clean, consul):
    clean.create('my_web', hello(2, ports=[80, {'target': 81, 'name': 'admin'}, '82/udp']))
    clean.wait_running('my_web', 2)
    wait_for(lambda: consul.names() >= {'my-web', 'my-web-admin', 'my-web-82'}, 10)
    wait_for(lambda: len(consul.passing('my-web')) == 2, 10)
    instance = clean.instances('my_web')[0]
    entry = next(e for e in consul.entries('my-web') if instance['id'] in e['Service']['ID'])
    assert entry['Service']['ID'] == f"davit-{entry['Service']['Meta']['cluster']}-{instance['id']}-80-tcp"
    assert entry['Service']['Meta'].items() >= {'node': clean.name, 'slot': str(instance['slot']), 'revision': '1', 'service': 'my_web'}.items()
    assert (entry['Service']['Address'], entry['Service']['Port']) == ('127.0.0.1', instance['ports'][0]['published'])
    ttl = [c for c in entry['Checks'] if c['Type'] == 'ttl']
    assert len(ttl) == 1 and ttl[0]['Status'] == 'passing'


def test_a_probe_is_consuls_as_well(clean, consul):
    quick = {'interval': '300ms', 'start_interval': '100ms', 'retries': 2, 'timeout': '2s'}
    clean.create('web', hello(1, healthcheck={'http': {'port': 80, 'path': '/'}} | quick))
    clean.create('tcp', hello(1, healthcheck={'tcp': {'port': 80}} | quick))
    for service, kind in (('web', 'http'), ('tcp', 'tcp')):
        clean.wait_running(service, 1)
        wait_for(lambda: consul.passing(service), 10)
        assert sorted(c['Type'] for c in consul.entries(service)[0]['Checks'] if c['ServiceID']) == sorted(['ttl', kind])
    holds_for(lambda: consul.status('web') == ['passing'] and consul.status('tcp') == ['passing'], 3)


def test_scale_update_and_removal_are_followed(clean, consul):
    clean.create('web', hello(1))
    clean.wait_running('web', 1)
    wait_true(clean, consul)
    clean.scale('web', 4)
    clean.wait_running('web', 4)
    wait_true(clean, consul)
    clean.put('web', {'image': 'davit/hello:2'})
    wait_for(lambda: {e['Service']['Meta']['revision'] for e in consul.entries('web')} == {'2'}, 60)
    clean.wait_running('web', 4)
    wait_true(clean, consul)
    clean.scale('web', 2)
    clean.wait_running('web', 2)
    wait_true(clean, consul)
    clean.remove('web')
    assert consul.entries('web') == []


def test_out_of_consul_comes_first_and_the_drain_delay_after_it(clean, consul, engine):
    clean.create('web', hello(1, drain_delay='2s'))
    clean.wait_running('web', 1)
    wait_true(clean, consul)
    asked = time.monotonic()
    clean.call('DELETE', '/services/web')
    wait_for(lambda: consul.entries('web') == [], 5, every=0.01)
    out = time.monotonic() - asked
    assert len(engine.running('web')) == 1, 'it serves those who found it'
    wait_for(lambda: engine.running('web') == [], 10, every=0.01)
    print(f'out of Consul after {out * 1000:.0f} ms, stopped after {time.monotonic() - asked:.2f} s')
    assert time.monotonic() - asked >= 2
    clean.wait_gone('web')


def test_what_is_not_ready_is_out_at_once(clean, consul, engine):
    clean.create('web', hello(1))
    clean.wait_running('web', 1)
    wait_true(clean, consul)
    container = engine.by_slot('web')[1]
    engine.docker('pause', container)
    wait_for(lambda: not clean.instances('web')[0]['ready'], 10, every=0.005)
    decided = time.monotonic()
    wait_for(lambda: consul.entries('web') == [], 5, every=0.005)
    after = time.monotonic() - decided
    print(f'out of Consul {after * 1000:.0f} ms after it was seen as not ready')
    engine.docker('unpause', container)
    wait_true(clean, consul)


def test_deleted_and_changed_entries_come_back_and_foreign_ones_stay(clean, consul):
    foreign = {'ID': 'davit-of-somebody', 'Name': 'web', 'Port': 1, 'Address': '127.0.0.1', 'Meta': {'cluster': 'x', 'node_id': 'y', 'kind': 'instance'}}
    consul.put('/v1/agent/service/register', foreign)
    clean.create('web', hello(2))
    clean.wait_running('web', 2)
    truth = ready_endpoints(clean, 'web') | {('127.0.0.1', 1)}
    wait_for(lambda: consul.passing('web') == truth, 10)
    for entry in consul.entries('web'):
        if entry['Service']['ID'] != foreign['ID']:
            consul.deregister(entry['Service']['ID'])
    wait_for(lambda: consul.passing('web') == truth, 10)
    mine = next(e['Service'] for e in consul.entries('web') if e['Service']['ID'] != foreign['ID'])
    consul.put('/v1/agent/service/register', {'ID': mine['ID'], 'Name': 'web', 'Port': 2, 'Address': '127.0.0.1', 'Meta': mine['Meta']})
    wait_for(lambda: consul.passing('web') == truth, 25)
    made_up = mine | {'ID': mine['ID'] + '-x', 'Name': 'web', 'Port': 3}
    consul.put('/v1/agent/service/register', {key: made_up[key] for key in ('ID', 'Name', 'Port', 'Address', 'Meta')})
    wait_for(lambda: ('127.0.0.1', 3) not in consul.passing('web'), 25, 'what carries the mark and is no instance goes')
    clean.remove('web')
    assert [e['Service']['ID'] for e in consul.entries('web')] == [foreign['ID']]
    consul.deregister(foreign['ID'])


@pytest.mark.parametrize('forgets', [False, True])
def test_consul_is_killed_and_comes_back(clean, consul, forgets):
    clean.create('web', hello(3))
    clean.wait_running('web', 3)
    wait_true(clean, consul)
    before = {i['container']['id'] for i in clean.instances('web')}
    consul.kill()
    if forgets:
        consul.forget()
    clean.scale('web', 4)
    clean.wait_running('web', 4)
    clean.scale('web', 2)
    clean.wait_running('web', 2)
    assert 'does not answer' in clean.log_tail()
    consul.start()
    wait_true(clean, consul, timeout=25)
    assert {i['container']['id'] for i in clean.instances('web')} <= before, 'no container was touched'


def test_davit_killed_for_good_turns_critical_and_is_gone_in_two_minutes(lab, consul, new_davit):
    davit = new_davit(arguments=['--consul', consul.address]).start()
    davit.create('lone', hello(1))
    davit.wait_running('lone', 1)
    wait_true(davit, consul, 'lone')
    davit.kill()
    killed = time.monotonic()
    wait_for(lambda: consul.status('lone') == ['critical'], 20)
    print(f'critical {time.monotonic() - killed:.1f} s after the kill')
    davit.start()
    wait_true(davit, consul, 'lone', 15)
    davit.kill()
    killed = time.monotonic()
    wait_for(lambda: consul.entries('lone') == [], 120, every=1)
    print(f'gone {time.monotonic() - killed:.0f} s after the second kill')
    davit.start()
    wait_true(davit, consul, 'lone', 15)


def test_a_restart_of_davit_leaves_the_entries_passing(clean, consul):
    clean.create('web', hello(2))
    clean.wait_running('web', 2)
    wait_true(clean, consul)

    def index():
        return max(part['ModifyIndex'] for entry in consul.entries('web') for part in (entry['Service'], *(c for c in entry['Checks'] if c['ServiceID'])))
    before = index()
    clean.kill()
    clean.start()
    holds_for(lambda: consul.status('web') == ['passing'] * 2, 12)
    assert index() == before, 'nothing was written to the catalog, neither by the start nor by feeding'


def test_a_davit_that_hangs_is_critical_until_it_goes_on(clean, consul):
    clean.create('web', hello(1))
    clean.wait_running('web', 1)
    wait_true(clean, consul)
    clean.process.send_signal(signal.SIGSTOP)
    try:
        wait_for(lambda: consul.status('web') == ['critical'], 30)
    finally:
        clean.process.send_signal(signal.SIGCONT)
    wait_for(lambda: consul.status('web') == ['passing'], 20)


class Liar:
    """A server that is no Consul: each request is answered as `mode` says."""

    def __init__(self, port):
        self.mode, self.requests, liar = 'html', 0, self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = 'HTTP/1.1'

            def do_GET(self):
                liar.requests += 1
                self.rfile.read(int(self.headers.get('Content-Length') or 0))
                if liar.mode == 'close':
                    self.close_connection = True
                    self.connection.shutdown(socket.SHUT_RDWR)
                    return
                if liar.mode == 'slow':
                    time.sleep(20)
                body, kind = {'html': (b'<html>Welcome to nginx</html>', 'text/html'), 'lies': (b'{}', 'application/json'), 'garbage': (b'[' * 5000, 'application/json'),
                              'large': (b'{"a":"' + b'x' * (50 << 20) + b'"}', 'application/json')}.get(liar.mode, (b'{}', 'application/json'))
                self.send_response(200)
                self.send_header('Content-Type', kind)
                self.send_header('Content-Length', str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            do_PUT = do_GET

            def log_message(self, *_):
                pass

        class Server(ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, *_):
                pass

        self.server = Server(('127.0.0.1', port), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def stop(self):
        self.server.shutdown()
        self.server.server_close()


@pytest.mark.parametrize('mode, said', [('html', 'web page'), ('garbage', 'is --consul the address of a Consul agent?'), ('close', 'does not answer'),
                                        ('slow', 'does not answer in time'), ('large', 'more than Consul has to say'), ('lies', 'missing or were changed')])
def test_what_is_no_consul_is_named_and_disturbs_nothing(new_davit, lab, mode, said):
    port = free_port()
    liar = Liar(port)
    liar.mode = mode
    davit = new_davit(arguments=['--consul', f'127.0.0.1:{port}'])
    try:
        davit.start()
        davit.create('web', hello(2))
        davit.wait_running('web', 2)
        wait_for(lambda: said in davit.log.read_text(), 40, f'the log says "{said}": {davit.log_tail()}')
        lines = davit.log.read_text().count('onsul')
        requests = liar.requests
        holds_for(lambda: davit.log.read_text().count('onsul') <= lines + 1 and liar.requests - requests < 40, 5, 'it is asked now and then, and complained of once')
        memory = int(next(line.split()[1] for line in open(f'/proc/{davit.process.pid}/status') if line.startswith('VmRSS:')))
        print(f'{mode}: {liar.requests - requests} requests in 5 s, {memory >> 10} MiB')
        assert memory < 200 << 10
        davit.remove('web', timeout=20)
    finally:
        davit.stop()
        liar.stop()


def test_token_and_refusal(new_davit, lab):
    consul = Consul(lab.ledger, 'consul-acl', token='5f8e02b4-0000-4000-8000-000000000001').start()
    davit = new_davit(arguments=['--consul', f'http://{consul.address}'])
    try:
        davit.start()
        davit.create('web', hello(1))
        davit.wait_running('web', 1)
        wait_for(lambda: '--consul-token-file' in davit.log.read_text(), 20, davit.log_tail)
        davit.stop()
        token = davit.folder / 'token'
        token.write_text(consul.token + '\n')
        davit.start('--consul-token-file', str(token))
        wait_true(davit, consul)
        davit.stop()
        davit.extra_environment = {'DAVIT_CONSUL_TOKEN': consul.token}
        davit.start()
        davit.scale('web', 2)
        davit.wait_running('web', 2)
        wait_true(davit, consul)
        assert consul.token not in davit.log.read_text()
    finally:
        davit.stop()
        consul.stop()


def test_https_by_an_authority_of_ones_own(new_davit, lab):
    consul = Consul(lab.ledger, 'consul-tls', tls=True).start()
    davit = new_davit(arguments=['--consul', f'https://127.0.0.1:{consul.https_port}'])
    try:
        davit.start()
        wait_for(lambda: 'certificate' in davit.log.read_text(), 20, 'it says that it does not trust the certificate')
        davit.stop()
        davit.start('--consul-ca', str(consul.folder / 'cert.pem'))
        davit.create('web', hello(1))
        davit.wait_running('web', 1)
        wait_true(davit, consul)
    finally:
        davit.stop()
        consul.stop()


def test_settings_that_cannot_be_meant(davit):
    for arguments, said in ((['--consul', 'ftp://x'], '--consul'), (['--consul-ca', '/dev/null'], '--consul-ca'), (['--consul', '127.0.0.1', '--consul-ca', '/dev/null'], 'https://')):
        code, _, error = davit.cli('up', *arguments)
        assert code == 2 and said in error, error
