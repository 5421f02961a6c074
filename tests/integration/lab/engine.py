"""A Docker Engine of the tests' own: own folders, socket, containerd and bridge. It touches neither the machine's engine
nor its packet filter (published ports are served by the engine's proxy).
"""
import json
import os
import shutil
import subprocess
from pathlib import Path
from urllib.parse import quote

from lab.http import Api
from lab.ledger import end_process, start_time
from lab.waiting import wait_for

ROOT = Path(__file__).resolve().parents[3]
# Pulls from elsewhere than loopback fail at once, on every machine alike: there is no proxy at port 9.
NO_INTERNET = {'HTTP_PROXY': 'http://127.0.0.1:9', 'HTTPS_PROXY': 'http://127.0.0.1:9', 'NO_PROXY': '127.0.0.1,localhost'}

# A bridge without an address of its own has the lowest of its ports', so that it changes when a container ends; the others then answer to
# one that is no more, for seconds. Engines give one to bridges that they make.
BRIDGE_MAC = '02:42:00:00:00:01'


class Engine:
    def __init__(self, lab, folder=None):
        self.ledger = getattr(lab, 'ledger', lab)
        self.folder = folder or self.ledger.folder / 'docker'
        self.folder.mkdir()
        self.socket = str(self.folder / 'docker.sock')
        self.host = f'unix://{self.socket}'
        self.api = Api(self.socket)
        self.process = None
        self.bridge = self.make_bridge()

    # ---- its life
    def make_bridge(self):
        name = f'dvt{os.getpid()}'[:15]
        taken = subprocess.run(['ip', '-4', 'route'], capture_output=True, text=True, check=True).stdout
        network = next(f'10.{n}' for n in range(213, 250) if f'10.{n}.' not in taken)
        for command in (f'ip link add name {name} address {BRIDGE_MAC} type bridge', f'ip addr add {network}.0.1/16 dev {name}', f'ip link set {name} up'):
            subprocess.run(command.split(), check=True)
        self.ledger.note('bridge', name=name)
        return name

    def cgroup(self):
        """Below which its containers are; the ledger sweeps it."""
        return self.ledger.folder.name

    def prefix(self):
        """What the engine's command begins with."""
        return []

    def start(self):
        group = self.ledger.folder.name
        parent = self.cgroup()
        namespace = f'{group}-{self.folder.parent.name}' if self.folder.parent != self.ledger.folder else group
        with (self.folder / 'log').open('ab') as log:
            self.process = subprocess.Popen(
                [*self.prefix(), 'dockerd', '--data-root', self.folder / 'data', '--exec-root', self.folder / 'exec', '-H', self.host, '--pidfile', self.folder / 'pid',
                 '--bridge', self.bridge, '--iptables=false', '--ip-masq=false', '--cgroup-parent', f'/{parent}', '--shutdown-timeout', '5',
                 '--containerd-namespace', namespace, '--containerd-plugins-namespace', f'{namespace}-plugins'],
                env=os.environ | NO_INTERNET, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)
        self.ledger.note_process(self.process.pid, 'dockerd')
        wait_for(self.answers, timeout=60, what=f'dockerd answers; its log: {self.folder}/log')

    def answers(self):
        assert self.process.poll() is None, 'dockerd ended: ' + (self.folder / 'log').read_text()[-3000:]
        return self.api.get('/_ping', timeout=5).status == 200

    def kill(self):
        """SIGKILL, as the kernel does it when memory is short. The containers go on running without their engine."""
        containerd = self.folder / 'exec' / 'containerd' / 'containerd.pid'
        pid = int(containerd.read_text())
        self.process.kill()
        self.process.wait()
        # Its containerd dies with it; as a zombie that nobody reaps the next dockerd would take it for alive.
        wait_for(lambda: start_time(pid) is None, what='containerd ends with dockerd')
        containerd.unlink(missing_ok=True)

    def stop(self):
        if self.process is None:
            return
        if self.process.poll() is None:
            everything = self.docker('ps', '-aq').split()
            if everything:
                self.docker('rm', '-fv', *everything)
            self.process.terminate()
            try:
                self.process.wait(30)
            except subprocess.TimeoutExpired:
                end_process(self.process.pid, start_time(self.process.pid), patience=0)

    # ---- its clients
    def environment(self):
        return {'PATH': os.environ['PATH'], 'HOME': str(self.ledger.folder), 'DOCKER_HOST': self.host, 'DOCKER_CONFIG': str(self.folder / 'no-config')}

    def docker(self, *arguments, timeout=60, **more):
        """The docker command's output; an error raises with what it said."""
        done = subprocess.run(['docker', *map(str, arguments)], env=self.environment(), capture_output=True, text=True, timeout=timeout, **more)
        assert done.returncode == 0, f'docker {" ".join(map(str, arguments))}: {done.stderr}'
        return done.stdout.strip()

    def make_demo_images(self):
        subprocess.run([ROOT / 'scripts' / 'demo-images'], env=self.environment(), check=True, stdout=subprocess.DEVNULL)

    def containers(self, service=None, states=None, **labels):
        """Davit's containers in any state, as the engine's list shows them. `instance='x'` is the label davit.instance=x."""
        labels = ({'service': service} if service else {}) | labels
        filters = {'label': [f'davit.{key}={value}' for key, value in labels.items()] or ['davit.instance']}
        if states:
            filters['status'] = states
        answer = self.api.get('/containers/json?all=1&filters=' + quote(json.dumps(filters)))
        assert answer.status == 200, answer
        return answer.json

    def running(self, service=None, **labels):
        return self.containers(service, states=['running'], **labels)

    def ids(self, service=None, **labels):
        return {container['Id'] for container in self.running(service, **labels)}

    def by_slot(self, service):
        """Running containers' ids by slot; two of one slot fail."""
        ids = {}
        for container in self.running(service):
            slot = int(container['Labels']['davit.slot'])
            assert slot not in ids, f'two containers of {service}.{slot}'
            ids[slot] = container['Id']
        return ids

    def inspect(self, container):
        answer = self.api.get(f'/containers/{container}/json')
        return answer.json if answer.status == 200 else None


def missing_tools(*more):
    """What this machine lacks for these tests, in words; empty when it has all."""
    if os.geteuid() != 0:
        return 'they start a dockerd of their own, which takes root'
    absent = [tool for tool in ('dockerd', 'docker', 'ip', 'busybox', 'docker-registry', 'htpasswd', *more) if not shutil.which(tool)]
    return f'missing: {", ".join(absent)}; run scripts/setup --dev' if absent else ''
