"""A cluster of hosts: masters with etcd beside them, and workers with an engine each."""
from concurrent.futures import ThreadPoolExecutor

from hosts.host import Host
from hosts.network import Network
from lab.waiting import wait_for


class Cluster:
    def __init__(self, ledger, masters=3, workers=3):
        self.ledger = ledger
        self.network = Network(ledger)
        self.masters = [Host(self, f'm{i + 1}') for i in range(masters)]
        self.workers = [Host(self, f'w{i + 1}') for i in range(workers)]

    @property
    def hosts(self):
        return self.masters + self.workers

    def start(self):
        for host in self.masters:
            host.add_etcd(self.masters).start()
        for host in self.workers:
            host.add_worker(self.masters)
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(self.start_engine, self.workers))
        for host in self.masters:
            host.add_master(self.masters).start()
        for host in self.workers:
            host.worker.start()
        self.wait_whole()
        return self

    @staticmethod
    def start_engine(host):
        host.engine.start()
        host.engine.make_demo_images()

    def join_worker(self):
        """One more, with an engine of its own."""
        host = Host(self, f'w{len(self.workers) + 1}')
        host.add_worker(self.masters)
        self.start_engine(host)
        host.worker.start()
        self.workers.append(host)
        return host

    def remove_worker(self, host):
        """For good: its machine ends, and the cluster forgets it."""
        self.workers.remove(host)
        host.stop()
        wait_for(lambda: self.node(host.name)['status'] == 'down', 60, f'{host.name} is down')
        answer = self.call('DELETE', f'/nodes/{host.name}')
        assert answer.status == 200, answer

    def stop(self):
        for host in self.hosts:
            host.heal()
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(Host.stop, reversed(self.hosts)))

    def mend(self):
        """Whole links, and everything runs: the state in which a test begins."""
        for host in self.hosts:
            host.heal()
            if host.engine:
                host.engine.mend()
            for program in reversed(host.programs()):
                if program.runs():
                    program.resume()
                else:
                    program.start()
        self.wait_whole()

    def wait_whole(self, timeout=60):
        for host in self.masters:
            host.wait_ready()
        names = sorted(host.name for host in self.workers)

        def all_up():
            return all(sorted(node['name'] for node in master.api.get('/nodes').json if node['status'] == 'up') == names for master in self.masters)
        try:
            wait_for(all_up, timeout)
        except AssertionError as error:
            raise AssertionError(f'not all workers are up at every master: {self.describe()}') from error

    def describe(self):
        lines = [f'{program.host.name}/{program.name}:\n{program.log_tail(25)}' for host in self.hosts for program in host.programs() if program.name != 'etcd']
        return '\n'.join(lines)

    # ---- what runs
    def running(self, service):
        """(worker's name, container's id) of all that run, by the engines' word."""
        return {(host.name, container['Id']) for host in self.workers if host.engine for container in host.engine.running(service)}

    def ids(self, service):
        return {container for _, container in self.running(service)}

    def owner(self, name):
        """The master that holds a service of which instances wait for a node: the one that knows since when."""
        def seen():
            return [host for host in self.masters if host.master.runs() and any(
                slot['waiting_since'] for slot in host.api.get(f'/services/{name}/explain').json.get('slots', []))]
        return wait_for(lambda: len(seen()) == 1 and seen()[0], 30, f'one master knows since when {name} waits')

    def etcd_leader(self):
        """The host of etcd's leader, by its own word."""
        return wait_for(lambda: next((host for host in self.masters if host.leads_etcd()), None), 30, 'etcd has a leader')

    def any_master(self):
        return next(host for host in self.masters if host.master.runs())

    def call(self, method, path, body=None, by=None, timeout=30, **more):
        return (by or self.any_master()).api.call(method, path, body, timeout=timeout, **more)

    def create(self, name, spec, by=None):
        answer = self.call('POST', '/services', {'name': name} | spec, by)
        assert answer.status == 201, answer
        return answer

    def scale(self, name, instances, by=None):
        answer = self.call('PUT', f'/services/{name}', {'instances': instances}, by)
        assert answer.status == 200, answer
        return answer

    def service(self, name, by=None):
        answer = self.call('GET', f'/services/{name}', by=by)
        assert answer.status == 200, answer
        return answer.json

    def wait_running(self, name, instances, timeout=60, by=None, engines=None):
        """As asked by the word of a master and of the engines (of these hosts)."""
        def seen():
            answer = self.call('GET', f'/services/{name}', by=by)
            if answer.status == 404:
                return None  # created at another master a moment ago
            assert answer.status == 200, answer
            service = answer.json
            ready = [i for i in service['instances'] if i['ready']]
            is_settled = service['status']['state'] == 'running' and len(ready) == len(service['instances']) == instances
            count = sum(len(host.engine.running(name)) for host in engines or self.workers)
            return service if is_settled and count == instances else None
        try:
            return wait_for(seen, timeout)
        except AssertionError as error:
            raise AssertionError(f'{name} is not {instances}/{instances} within {timeout} s: {self.call("GET", f"/services/{name}", by=by).json.get("status")}, '
                                 f'runs {self.running(name)}'
                                 f'\n{self.describe()}') from error

    def remove_all(self):
        names = [service['name'] for service in self.call('GET', '/services').json]
        for name in names:
            wait_for(lambda: self.call('DELETE', f'/services/{name}').status in (200, 404), 60, f'{name} is taken out')
        for name in names:
            wait_for(lambda: self.call('GET', f'/services/{name}').status == 404, 60, f'{name} is gone\n{self.describe()}')
        for host in self.workers:
            wait_for(lambda: host.engine.containers() == [], 60, f'no container is left on {host.name}')

    def wait_node(self, name, timeout=30, **fields):
        """Until every master shows them: others than the one that was asked for it may lag behind."""
        for host in self.masters:
            wait_for(lambda: fields.items() <= (self.node(name, by=host) or {}).items(), timeout, f'{host.name} sees {fields} of {name}')

    def node(self, name, by=None):
        return next((node for node in self.call('GET', '/nodes', by=by).json if node['name'] == name), None)
