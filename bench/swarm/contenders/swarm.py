"""Docker Swarm: managers are the engines of the control hosts, workers those of the others."""
import time
from urllib.parse import quote

from contenders.asking import attempt, status_of
from field import COMMAND
from lab.waiting import wait_for

DEFAULT_HEARTBEAT, TUNED_HEARTBEAT = 5, 1  # seconds
PORT = 2377


class Swarm:
    name = 'Swarm'

    def __init__(self, field):
        self.field, self.is_tuned = field, False

    @staticmethod
    def label(name):
        return f'com.docker.swarm.service.name={name}'

    # ---- its life
    def start(self):
        first, *others = self.field.hosts
        self.order('POST', '/swarm/init', self.addresses(first), first)
        tokens = self.ask('/swarm', first)['JoinTokens']
        for host in others:
            token = tokens['Manager' if host in self.field.masters else 'Worker']
            self.order('POST', '/swarm/join', self.addresses(host) | {'RemoteAddrs': [f'{first.address}:{PORT}'], 'JoinToken': token}, host)
        self.hosts = {self.ask('/info', host)['Swarm']['NodeID']: host for host in self.field.hosts}
        self.let_control_hosts_work(False)
        self.wait_whole()

    @staticmethod
    def addresses(host):
        return {'ListenAddr': f'{host.address}:{PORT}', 'AdvertiseAddr': host.address, 'DataPathAddr': host.address}

    def tune(self, is_tuned):
        """What a user may set for faster repair: the agents' heartbeat here, and in each service that restarts are not delayed."""
        if is_tuned == self.is_tuned:
            return
        self.change('/swarm', '/swarm/update', Dispatcher={'HeartbeatPeriod': (TUNED_HEARTBEAT if is_tuned else DEFAULT_HEARTBEAT) * 10**9})
        self.is_tuned = is_tuned
        time.sleep(DEFAULT_HEARTBEAT + 1)  # an agent hears of the new period with the answer to its next beat

    def let_control_hosts_work(self, may):
        for node, host in self.hosts.items():
            if host in self.field.masters:
                self.change(f'/nodes/{node}', f'/nodes/{node}/update', Availability='active' if may else 'drain')

    def mend(self):
        for host in self.field.masters:
            host.engine.mend()
        self.wait_whole()

    # ---- its words
    def ask(self, path, host=None):
        answer = (host or self.any_manager()).engine.api.get(path)
        assert answer.status == 200, answer
        return answer.json

    def order(self, method, path, body=None, host=None):
        answer = (host or self.any_manager()).engine.api.call(method, path, body, timeout=60)
        assert answer.status in (200, 201), answer
        return answer.json

    def change(self, read, write, **change):
        """Again where the object has changed between the two: the version is compared."""
        def changed():
            seen, manager = self.ask(read), self.any_manager()
            return manager.engine.api.call('POST', f'{write}?version={seen["Version"]["Index"]}', seen['Spec'] | change).status == 200
        wait_for(changed, 30, f'{write} {change}')

    def any_manager(self):
        return next(host for host in self.field.masters if host.engine.process.poll() is None)

    def is_whole(self):
        nodes = self.ask('/nodes')
        managers = [node['ManagerStatus'] for node in nodes if 'ManagerStatus' in node]
        return (all(node['Status']['State'] == 'ready' for node in nodes) and all(manager['Reachability'] == 'reachable' for manager in managers)
                and any(manager.get('Leader') for manager in managers))

    def wait_whole(self):
        def seen():
            try:
                return self.is_whole()
            except AssertionError:  # 503 while there is no leader
                return False
        wait_for(seen, 120, 'all of Swarm\'s nodes are ready and its managers reachable', every=0.2)

    def down_names(self):
        return {self.hosts[node['ID']].name for node in self.ask('/nodes') if node['Status']['State'] == 'down'}

    def settled(self, name):
        filters = quote(f'{{"service":["{name}"],"desired-state":["running"]}}')
        return sum(task['Status']['State'] == 'running' for task in self.ask(f'/tasks?filters={filters}'))

    def describe(self, name):
        tasks = [(task['DesiredState'], task['Status'], task.get('NodeID')) for task in self.ask('/tasks?filters=' + quote(f'{{"service":["{name}"]}}'))]
        return '\n'.join(map(str, tasks + [(node['ID'], self.hosts[node['ID']].name, node['Status'], node['Spec']) for node in self.ask('/nodes')]))

    # ---- its services
    def create(self, name, instances):
        self.order('POST', '/services/create', self.spec(name, instances))

    def spec(self, name, instances):
        restart = {'Condition': 'any'} | ({'Delay': 0} if self.is_tuned else {})
        return {'Name': name, 'Mode': {'Replicated': {'Replicas': instances}},
                'TaskTemplate': {'ContainerSpec': {'Image': self.field.image_id, 'Args': COMMAND}, 'RestartPolicy': restart}}

    def remove(self, name):
        self.order('DELETE', f'/services/{name}')
        self.field.wait_none(self.label(name))

    def remove_all(self):
        for service in self.ask('/services'):
            self.order('DELETE', f'/services/{service["ID"]}')
        self.field.wait_none('com.docker.swarm.service.name')

    # ---- its leader's death
    def leader(self):
        return next(self.hosts[node['ID']] for node in self.ask('/nodes') if node.get('ManagerStatus', {}).get('Leader'))

    def make_ready_for_death(self, with_store):
        """The host that is to suffer. The store is in the manager, so its leader is always there."""
        return self.leader()

    def kill_leader(self, victim, with_store):
        victim.engine.kill()

    def name_owned_by(self, host, stem):
        """A name for a new service that this host would see to: the leader sees to all."""
        return stem

    def try_create(self, host, name):
        """Whether there is such a service now; asked of this host."""
        return status_of(attempt(host.engine.api, 'POST', '/services/create', self.spec(name, 1))) in (201, 409)

    def writers(self, victim):
        """For each control host that survives a function that writes to a service there, and says whether it was answered."""
        survivors = [host for host in self.field.masters if host is not victim]
        for host in survivors:
            self.create(f'noted-{host.name}', 0)
        return [Writer(host, f'noted-{host.name}', self.spec(f'noted-{host.name}', 0)) for host in survivors]

    def drop_writers(self):
        for service in self.ask('/services?filters=' + quote('{"name":["noted-"]}')):
            self.order('DELETE', f'/services/{service["ID"]}')


class Writer:
    def __init__(self, host, name, spec):
        self.api, self.path, self.spec, self.written = host.engine.api, f'/services/{name}', spec, 0

    def __call__(self):
        self.written += 1
        seen = attempt(self.api, 'GET', self.path)
        if status_of(seen) != 200:
            return False
        changed = self.spec | {'Labels': {'written': str(self.written)}}
        return status_of(attempt(self.api, 'POST', f'{self.path}/update?version={seen.json["Version"]["Index"]}', changed)) == 200
