"""Davit: a master and an etcd member on each control host, a worker beside each engine, everything at its defaults."""
import base64
import json
from itertools import count

from contenders.asking import attempt, status_of
from field import COMMAND, IMAGE, PATIENCE
from lab.http import Api
from lab.waiting import wait_for

SPEC = {'image': IMAGE, 'command': COMMAND, 'drain_delay': '0s'}
FAIR_SHARE = 128 // 3  # shards of each master


class Davit:
    name = 'Davit'

    def __init__(self, field):
        self.field = field
        for host in field.masters:
            host.add_etcd(field.masters)
            host.add_master(field.masters)

    @staticmethod
    def label(name):
        return f'davit.service={name}'

    # ---- its life
    def start(self):
        masters = self.field.masters
        for program in [host.etcd for host in masters] + [host.master for host in masters] + [host.worker for host in self.field.hosts]:
            program.start()
        self.wait_whole()
        self.let_control_hosts_work(False)

    def let_control_hosts_work(self, may):
        for host in self.field.masters:
            self.order('POST', f'/nodes/{host.name}/{"activate" if may else "drain"}')

    def mend(self):
        for host in self.field.masters:
            for program in (host.etcd, host.master):
                if not program.runs():
                    program.start()
        self.wait_whole()

    # ---- its words
    def order(self, method, path, body=None):
        answer = self.field.call(method, path, body, timeout=60)
        assert answer.status in (200, 201), answer
        return answer.json

    def is_whole(self):
        names = sorted(host.name for host in self.field.hosts)
        all_up = all(self.names_that_are('up', host) == names for host in self.field.masters)
        held = self.shards_held() if all_up else {}
        return len(held) == len(self.field.masters) and min(held.values()) >= FAIR_SHARE

    def wait_whole(self):
        wait_for(self.is_whole, 120, f'all of Davit\'s nodes are up and its masters share the shards evenly\n{self.field.describe()}', every=0.2)

    def down_names(self):
        return set(self.names_that_are('down', self.field.any_master()))

    @staticmethod
    def names_that_are(status, master):
        answer = master.api.get('/nodes')
        return sorted(node['name'] for node in answer.json if node['status'] == status) if answer.status == 200 else []

    def settled(self, name):
        return self.field.call('GET', f'/services/{name}').json['status']['ready']

    def describe(self, name):
        return f'{self.field.call("GET", f"/services/{name}").text}\n{self.field.describe()}'

    # ---- its services
    def create(self, name, instances):
        self.order('POST', '/services', {'name': name, 'instances': instances} | SPEC)

    def remove(self, name):
        self.field.call('DELETE', f'/services/{name}')  # refused when it is under way already
        self.field.wait_none(self.label(name))
        wait_for(lambda: self.field.call('GET', f'/services/{name}').status == 404, PATIENCE, f'{name} is gone')

    def remove_all(self):
        for service in self.field.call('GET', '/services').json:
            self.remove(service['name'])

    # ---- who leads, by the word of etcd
    def records(self, prefix):
        """{key: record} of the store under this prefix."""
        hosts = [host for host in self.field.masters if host.etcd.runs()]
        key = f'davit/v1/{prefix}'.encode()
        asked = {'key': base64.b64encode(key).decode(), 'range_end': base64.b64encode(key[:-1] + bytes([key[-1] + 1])).decode()}
        answer = wait_for(lambda: next((good for host in hosts if (good := self.asked_of(host, asked)).status == 200), None), 15, 'etcd answers')
        return {base64.b64decode(kv['key']).decode(): json.loads(base64.b64decode(kv['value'])) for kv in answer.json.get('kvs', [])}

    @staticmethod
    def asked_of(host, what):
        return Api((host.address, 2379)).call('POST', '/v3/kv/range', what, timeout=5)

    def hosts_by_session(self):
        hosts = {host.name: host for host in self.field.masters}
        return {record['session']: hosts[record['name']] for record in self.records('masters/').values()}

    def shards_held(self):
        """{session: count}"""
        held = {}
        for record in self.records('shards/').values():
            held[record['session']] = held.get(record['session'], 0) + 1
        return held

    def owner_of(self, name):
        """The host of the master that holds the service's shard."""
        shard = next(key.split('/')[3] for key in self.records('services/') if key.split('/')[4] == name)
        return self.hosts_by_session()[self.records('shards/')[f'davit/v1/shards/{shard}']['session']]

    def leader(self):
        """The coordinator's host, the one whose death costs most; None while there is none."""
        record = self.records('coordinator').get('davit/v1/coordinator', {'session': None})
        return self.hosts_by_session().get(record['session'])

    def member(self, host):
        """(id of the member on this host, id of etcd's leader)"""
        said = Api((host.address, 2379)).call('POST', '/v3/maintenance/status', {}, timeout=5).json
        return said['header']['member_id'], said['leader']

    def lead_store_on(self, host):
        """Moves etcd's leadership there."""
        members = {other: self.member(other) for other in self.field.masters}
        now = next(other for other, (own, leader) in members.items() if own == leader)
        if now is not host:
            answer = Api((now.address, 2379)).call('POST', '/v3/maintenance/transfer-leadership', {'targetID': members[host][0]}, timeout=10)
            assert answer.status == 200, answer
        wait_for(lambda: (said := self.member(host))[0] == said[1], 10, f'{host.name} leads etcd')

    # ---- its leader's death
    def make_ready_for_death(self, with_store):
        """The host that is to suffer: etcd's leader is there too, or is elsewhere."""
        victim = wait_for(self.leader, 30, 'there is a coordinator')
        self.lead_store_on(victim if with_store else next(host for host in self.field.masters if host is not victim))
        self.wait_whole()
        return victim

    def kill_leader(self, victim, with_store):
        if with_store:
            victim.etcd.process.kill()
        victim.master.kill()
        if with_store:
            victim.etcd.kill()

    def name_owned_by(self, host, stem):
        """A name for a new service that this host's master would own: one that was there, and is gone."""
        for number in count():
            name = f'{stem}-{number}'
            self.create(name, 0)
            is_owned = self.owner_of(name) is host
            self.remove(name)
            if is_owned:
                return name

    def try_create(self, host, name):
        """Whether there is such a service now; asked of this host."""
        return status_of(attempt(host.api, 'POST', '/services', {'name': name, 'instances': 1} | SPEC)) in (201, 409)

    def writers(self, victim):
        """For each control host that survives a function that writes to a service of that host's own master, and says whether it was answered."""
        found = {}
        survivors = [host for host in self.field.masters if host is not victim]
        for number in count():
            if len(found) == len(survivors):
                return [Writer(host, name) for host, name in found.items()]
            name = f'noted-{number}'
            self.create(name, 0)
            if (owner := self.owner_of(name)) in survivors:
                found.setdefault(owner, name)

    def drop_writers(self):
        for service in self.field.call('GET', '/services').json:
            if service['name'].startswith('noted-'):
                self.remove(service['name'])


class Writer:
    def __init__(self, host, name):
        self.host, self.name, self.written = host, name, 0

    def __call__(self):
        self.written += 1
        return status_of(attempt(self.host.api, 'PUT', f'/services/{self.name}', {'labels': {'written': str(self.written)}})) == 200
