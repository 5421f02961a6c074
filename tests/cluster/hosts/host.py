"""What runs on one host: an etcd member, a Docker Engine, Davit's processes. Each can be killed, paused and started again."""
import os
import signal
import subprocess

from lab.davit import BINARY
from lab.engine import BRIDGE_MAC, Engine, NO_INTERNET
from lab.http import Api
from lab.waiting import wait_for


class HostEngine(Engine):
    """A Docker Engine in a host's network. The bridge of its containers is the host's own."""

    def __init__(self, host):
        self.host_of = host
        super().__init__(host, folder=host.folder / 'docker')

    def make_bridge(self):
        for command in (f'ip link add name docker0 address {BRIDGE_MAC} type bridge', 'ip addr add 172.30.0.1/16 dev docker0', 'ip link set docker0 up'):
            self.host_of.net.run(*command.split())
        return 'docker0'

    def prefix(self):
        return self.host_of.net.inside()

    def cgroup(self):
        return f'{super().cgroup()}/{self.host_of.name}'

    def pause(self):
        """It hangs: neither answers nor ends."""
        self.process.send_signal(signal.SIGSTOP)

    def mend(self):
        """It runs and answers."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGCONT)
        else:
            self.start()


class Program:
    """One process of a host."""

    def __init__(self, host, name, command, environment=None):
        self.host, self.name, self.command = host, name, command
        self.environment = {'PATH': os.environ['PATH'], 'HOME': str(host.folder)} | NO_INTERNET | {'NO_PROXY': '*'} | (environment or {})
        self.log = host.folder / f'{name}.log'
        self.process = None
        self.life = 0  # another one after each start and each end
        self.inside = []  # what the command runs in, besides its host's network

    def start(self):
        assert not self.runs(), f'{self.name} runs already'
        self.life += 1
        with self.log.open('ab') as log:
            self.process = subprocess.Popen(self.host.net.inside(*self.inside, *self.command), env=self.environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                            start_new_session=True)
        self.host.ledger.note_process(self.process.pid, self.name)
        return self

    def runs(self):
        return self.process is not None and self.process.poll() is None

    def kill(self):
        self.life += 1
        self.process.kill()
        self.process.wait()

    def pause(self):
        self.process.send_signal(signal.SIGSTOP)

    def resume(self):
        self.process.send_signal(signal.SIGCONT)

    def stop(self, timeout=20):
        if not self.runs():
            return
        self.life += 1
        self.resume()
        self.process.terminate()
        try:
            self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            self.kill()

    def restart(self):
        self.stop()
        self.start()

    def log_tail(self, lines=40):
        return '\n'.join(self.log.read_text(errors='replace').splitlines()[-lines:]) if self.log.exists() else ''


class Host:
    def __init__(self, cluster, name):
        self.cluster, self.name = cluster, name
        self.ledger = cluster.ledger
        self.folder = self.ledger.folder / name
        self.folder.mkdir()
        self.net = cluster.network.add_host(name)
        self.address = self.net.address
        self.etcd = self.master = self.worker = self.engine = None

    # ---- what it runs; Davit takes its name from the host
    def add_etcd(self, hosts):
        members = ','.join(f'{host.name}=http://{host.address}:2380' for host in hosts)
        self.etcd = Program(self, 'etcd', [
            'etcd', '--name', self.name, '--data-dir', self.folder / 'etcd', '--listen-client-urls', f'http://{self.address}:2379,http://127.0.0.1:2379',
            '--advertise-client-urls', f'http://{self.address}:2379', '--listen-peer-urls', f'http://{self.address}:2380', '--initial-advertise-peer-urls',
            f'http://{self.address}:2380', '--initial-cluster', members, '--initial-cluster-state', 'new'])
        return self.etcd

    def add_master(self, etcd, *more):
        self.data_dir = self.folder / 'master'
        self.master = Program(self, 'master', [
            BINARY, 'master', '--etcd', ','.join(f'http://{host.address}:2379' for host in etcd), '--data-dir', self.data_dir,
            '--advertise', self.address, '--listen', f'{self.address}:4820', '--insecure', *more])
        self.api = Api(str(self.data_dir / 'davit.sock'))
        return self.master

    def add_worker(self, masters, *more):
        self.engine = HostEngine(self)
        self.worker = Program(self, 'worker', [
            BINARY, 'worker', '--join', ','.join(host.address for host in masters), '--data-dir', self.folder / 'worker', '--advertise', self.address,
            '--docker-host', self.engine.host, '--run-dir', self.folder / 'run', '--insecure', *more])
        return self.worker

    # ---- its faults
    def cut_off(self, one_way=False):
        self.net.cut(one_way=one_way)

    def heal(self):
        self.net.heal()

    def programs(self):
        return [program for program in (self.worker, self.master, self.etcd) if program]

    def stop(self):
        for program in self.programs():
            program.stop()
        if self.engine:
            self.engine.stop()

    # ---- its words
    def leads_etcd(self):
        if not self.etcd.runs():
            return False
        status = Api((self.address, 2379)).call('POST', '/v3/maintenance/status', {}, timeout=2).json
        return 'header' in status and status.get('leader') == status['header']['member_id']

    def answers(self):
        assert self.master.runs(), f'master {self.name} ended: {self.master.log_tail()}'
        return self.api.get('/services', timeout=5).status == 200

    def wait_ready(self):
        wait_for(self.answers, 30, f'master {self.name} answers: {self.master.log_tail()}')

    def cli(self, *arguments, timeout=60):
        done = subprocess.run([BINARY, '--host', str(self.data_dir / 'davit.sock'), *map(str, arguments)], capture_output=True, text=True, timeout=timeout,
                              env={'PATH': os.environ['PATH'], 'HOME': str(self.folder), 'DAVIT_HOST': f'unix://{self.data_dir}/davit.sock'})
        return done.returncode, done.stdout, done.stderr
