"""One installation of Davit on the tests' engine: a process that can be killed and started again, and its clients."""
import os
import shutil
import signal
import socket
import subprocess
from pathlib import Path

from lab.events import Events
from lab.http import Api
from lab.waiting import wait_for

ROOT = Path(__file__).resolve().parents[3]
BINARY = os.environ.get('DAVIT_BIN', str(ROOT / 'build' / 'release' / 'bin' / 'davit'))


def free_port(first=15000, last=19999, step=iter(range(os.getpid() * 7, 1 << 62))):
    """A port that nobody holds, outside the range from which the kernel takes those of outgoing connections."""
    while True:
        port = first + next(step) % (last - first + 1)
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(('127.0.0.1', port))
                return port
            except OSError:
                continue


def hello(instances=1, **more):
    """The demo page's spec, quick to stop and to roll."""
    return {'image': 'davit/hello:1', 'instances': instances, 'ports': [80], 'drain_delay': '0s', 'update_config': {'monitor': '300ms'}} | more


def idle(instances=1, **more):
    """A container that does nothing and ends at once when it is asked to."""
    return hello(instances, **({'ports': [], 'command': ['sh', '-c', 'trap "exit 0" TERM; while :; do sleep 1 & wait $!; done']} | more))


def parked(instances=1, **more):
    """No node fits: its instances wait, and its journal is written to."""
    return {'image': 'davit/hello:1', 'instances': instances, 'placement': {'constraints': ['node.labels.nowhere==yes']}} | more


class Davit:
    def __init__(self, lab, name, data_dir=None, arguments=(), environment=None, headers=None):
        self.lab, self.name = lab, name
        self.engine = lab.engine
        self.folder = lab.ledger.folder / name
        self.folder.mkdir(exist_ok=True)
        self.data_dir = Path(data_dir or self.folder / 'data')
        self.port = free_port()
        self.port_range = lab.next_port_range()
        self.arguments = list(arguments)
        self.extra_environment = environment or {}
        self.log = self.folder / 'log'
        self.api = Api(('127.0.0.1', self.port), headers)
        self.process = None

    # ---- the process
    def environment(self):
        return {'PATH': os.environ['PATH'], 'HOME': str(self.folder), 'DOCKER_CONFIG': str(self.folder / 'docker')} | self.extra_environment

    def command(self, *more):
        return [BINARY, 'up', '--listen', f'127.0.0.1:{self.port}', '--data-dir', str(self.data_dir), '--docker-host', self.engine.host, '--node', self.name,
                '--advertise', '127.0.0.1', '--port-range', '{}-{}'.format(*self.port_range), *self.arguments, *more]

    def start(self, *more, wait=True):
        assert self.process is None or self.process.poll() is not None, f'{self.name} runs already'
        with self.log.open('ab') as log:
            self.process = subprocess.Popen(self.command(*more), env=self.environment(), stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)
        self.lab.ledger.note_process(self.process.pid, 'davit')
        if wait:
            wait_for(self.answers, timeout=20, what=f'{self.name} answers /healthz')
        return self

    def answers(self):
        assert self.process.poll() is None, f'{self.name} ended with {self.process.returncode}: {self.log_tail()}'
        return self.api.get('/healthz', timeout=5).status == 200

    def kill(self):
        self.process.kill()
        self.process.wait()

    def terminate(self, timeout=20):
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout)

    def stop(self):
        if self.process is None or self.process.poll() is not None:
            return
        try:
            self.terminate()
        except subprocess.TimeoutExpired:
            self.kill()

    def log_tail(self, lines=60):
        return '\n'.join(self.log.read_text(errors='replace').splitlines()[-lines:]) if self.log.exists() else ''

    # ---- its API
    def call(self, method, path, body=None, headers=None, timeout=30):
        return self.api.call(method, path, body, headers, timeout)

    def get(self, path, **more):
        return self.api.get(path, **more)

    def create(self, name, spec):
        answer = self.call('POST', '/services', {'name': name} | spec)
        assert answer.status == 201, answer
        return answer

    def put(self, name, change, query=''):
        answer = self.call('PUT', f'/services/{name}{query}', change)
        assert answer.status == 200, answer
        return answer

    def scale(self, name, instances):
        return self.put(name, {'instances': instances})

    def service(self, name):
        answer = self.get(f'/services/{name}')
        assert answer.status == 200, answer
        return answer.json

    def status(self, name):
        return self.service(name)['status']

    def instances(self, name):
        return self.service(name)['instances']

    def events(self, query='', last_id=None):
        return Events(self.api, query, last_id)

    def wait_running(self, name, instances, timeout=60):
        """The service once it is as asked: N ready, no more and no fewer containers, by Davit's word and by the engine's."""
        def seen():
            service = self.service(name)
            ready = [i for i in service['instances'] if i['ready']]
            is_settled = service['status']['state'] == 'running' and len(ready) == len(service['instances']) == instances
            return service if is_settled and len(self.engine.running(name)) == instances else None
        try:
            return wait_for(seen, timeout)
        except AssertionError as error:
            raise AssertionError(f'{name} is not {instances}/{instances} within {timeout} s: {self.describe(name)}') from error

    def describe(self, name):
        answer = self.get(f'/services/{name}')
        if answer.status != 200:
            return str(answer)
        rows = [f"{i['slot']} {i['id']} {i['state']} ready={i['ready']} {i['reason']} {i['message']} restarts={i['restarts']}" for i in answer.json['instances']]
        containers = [f"{c['Names'][0]} {c['State']} {c['Status']}" for c in self.engine.containers(name)]
        return f"{answer.json['status']}\n" + '\n'.join(rows + containers)

    def wait_reason(self, name, reason, timeout=60):
        """The first instance that gives this reason."""
        return wait_for(lambda: next((i for i in self.instances(name) if i['reason'] == reason), None), timeout, f'{name} says {reason}')

    def wait_message(self, name, part, timeout=60):
        return wait_for(lambda: part in (status := self.status(name))['message'] and status, timeout, f'{name} says "{part}": {self.describe(name)}')

    def remove(self, name, timeout=60):
        answer = self.call('DELETE', f'/services/{name}')
        assert answer.status == 200, answer
        self.wait_gone(name, timeout)

    def wait_gone(self, name, timeout=60):
        wait_for(lambda: self.get(f'/services/{name}').status == 404, timeout, f'{name} is gone: {self.describe(name)}')
        assert self.engine.running(name) == [], f'containers of {name} still run'
        try:
            wait_for(lambda: self.engine.containers(name) == [], 30)
        except AssertionError:
            left = [f"{c['Names'][0]} {c['State']} {c['Status']}" for c in self.engine.containers(name)]
            assert not left, f'containers of {name} do not go: {left}'

    def remove_all(self):
        names = [service['name'] for service in self.get('/services').json]
        for name in names:
            self.call('DELETE', f'/services/{name}')
        for name in names:
            self.wait_gone(name)

    # ---- its command line
    def cli(self, *arguments, timeout=60, host=None, stdin=None, environment=None):
        """(exit code, output, error output)."""
        environment = self.environment() | {'DAVIT_HOST': host or f'http://127.0.0.1:{self.port}'} | (environment or {})
        done = subprocess.run([BINARY, *map(str, arguments)], env=environment, input=stdin, capture_output=True, text=True, timeout=timeout,
                              stdin=subprocess.DEVNULL if stdin is None else None)
        return done.returncode, done.stdout, done.stderr


def page(instance):
    """What the instance's page says about itself: 'web.1 on n1, version 1, instance k3v9…'."""
    port = instance['ports'][0]
    api = Api((port['address'], port['published']))
    # The engine's proxy accepts as soon as the container runs, the server in it a moment later.
    answer = wait_for(lambda: api.get('/?text', timeout=5), 10, f'the page at port {port["published"]} answers')
    assert answer.status == 200, answer
    return answer.text.strip()


def binary_exists():
    return Path(BINARY).exists() or shutil.which(BINARY) is not None
