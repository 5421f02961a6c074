"""A real Consul agent on loopback, which is a server of its own: it can be killed, forget, and be asked what it knows."""
import json
import shutil
import subprocess
from pathlib import Path
from urllib.parse import quote

from lab.davit import free_port
from lab.http import Api
from lab.waiting import wait_for

ROOT = Path(__file__).resolve().parents[3]


def consul_binary():
    """Built once for this machine, which takes minutes; later runs find it."""
    done = subprocess.run([ROOT / 'scripts' / 'go-tool', 'consul'], stdout=subprocess.PIPE, text=True)
    assert done.returncode == 0, 'Consul cannot be built; its words are above'
    return done.stdout.strip()


class Consul:
    def __init__(self, ledger, name, token=None, tls=False):
        self.ledger = ledger
        self.binary = consul_binary()
        self.folder = ledger.folder / name
        self.folder.mkdir()
        self.log = self.folder / 'log'
        self.port = free_port()
        self.address = f'127.0.0.1:{self.port}'
        self.token = token
        ports = {kind: free_port() for kind in ('server', 'serf_lan')} | {'http': self.port, 'dns': -1, 'grpc': -1, 'grpc_tls': -1, 'serf_wan': -1}
        config = {'ports': ports, 'data_dir': str(self.folder / 'data'), 'bind_addr': '127.0.0.1', 'client_addr': '127.0.0.1', 'server': True, 'bootstrap_expect': 1,
                  'node_name': name, 'disable_host_node_id': True, 'disable_update_check': True, 'performance': {'raft_multiplier': 1}, 'log_level': 'warn'}
        if token:
            config['acl'] = {'enabled': True, 'default_policy': 'deny', 'tokens': {'initial_management': token}}
        self.https_port = free_port() if tls else None
        if tls:
            config['ports']['https'] = self.https_port
            config['tls'] = {'https': {'cert_file': str(self.make_certificate()), 'key_file': str(self.folder / 'key.pem')}}
        (self.folder / 'config.json').write_text(json.dumps(config))
        self.api = Api(('127.0.0.1', self.port), {'X-Consul-Token': token} if token else {})
        self.process = None

    def make_certificate(self):
        """Of the server, which signs for itself."""
        certificate = self.folder / 'cert.pem'
        subprocess.run(['openssl', 'req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', '-subj', '/CN=consul', '-addext', 'subjectAltName=IP:127.0.0.1',
                        '-keyout', self.folder / 'key.pem', '-out', certificate], check=True, capture_output=True)
        return certificate

    # ---- its life
    def start(self):
        with self.log.open('ab') as log:
            self.process = subprocess.Popen([self.binary, 'agent', '-config-file', self.folder / 'config.json'], stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        self.ledger.note_process(self.process.pid, 'consul')
        wait_for(self.has_leader, 60, f'Consul answers; its log: {self.log}')
        return self

    def has_leader(self):
        assert self.process.poll() is None, 'Consul ended: ' + self.log.read_text()[-2000:]
        return self.api.get('/v1/status/leader').json and self.api.get('/v1/catalog/nodes').json

    def kill(self):
        self.process.kill()
        self.process.wait()

    def stop(self):
        if self.process and self.process.poll() is None:
            self.kill()

    def forget(self):
        """While it does not run: all that it knew."""
        shutil.rmtree(self.folder / 'data')

    # ---- its words
    def get(self, path):
        answer = self.api.get(path)
        assert answer.status == 200, answer
        return answer.json

    def put(self, path, body=None):
        answer = self.api.call('PUT', path, body)
        assert answer.status == 200, answer

    def passing(self, service):
        """The endpoints by which clients are sent to the service."""
        return {(e['Service']['Address'], e['Service']['Port']) for e in self.get(f'/v1/health/service/{service}?passing=1')}

    def entries(self, service):
        return self.get(f'/v1/health/service/{service}')

    def names(self):
        return set(self.get('/v1/catalog/services')) - {'consul'}

    def status(self, service):
        """The state of each entry: the worst of its checks."""
        order = ['passing', 'warning', 'critical']
        return [max((check['Status'] for check in entry['Checks']), key=order.index) for entry in self.entries(service)]

    def deregister(self, entry_id):
        self.put(f'/v1/agent/service/deregister/{quote(entry_id)}')


def ready_endpoints(davit, service):
    """The truth that the catalog is held against: what Davit tells itself where clients find the service."""
    answer = davit.get(f'/discovery/{service}')
    if answer.status != 200:  # it has just started, and does not know yet
        raise OSError(str(answer))
    return {(i['address'], i['port']) for i in answer.json}
