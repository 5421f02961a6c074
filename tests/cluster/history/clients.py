"""Clients that ask all masters at once, make no secret of what they are told, and write it down as operations."""
import itertools
import os
import random
import threading
import time
from dataclasses import dataclass

from history.operation import ABSENT, Operation, State
from lab.davit import idle, parked
from lab.waiting import wait_for

PAUSE = (0.01, 0.08)  # seconds between two operations of a client
READ_LIMIT, WRITE_LIMIT = 4, 6  # seconds for an answer
ATTEMPTS = 4
LABELS = ('a', 'b', 'c')
CALLS = ('read', 'change', 'restart', 'delete', 'create')
WEIGHTS_WHERE_THERE_IS_ONE, WEIGHTS_WHERE_THERE_IS_NONE = (45, 40, 8, 4, 3), (40, 8, 2, 2, 48)
REFUSALS = {'service_not_found', 'service_exists', 'service_removing', 'stale_generation'}
PATHS = {'create': ('POST', '/services'), 'change': ('PUT', '/services/{}'), 'restart': ('POST', '/services/{}/restart'),
         'delete': ('DELETE', '/services/{}'), 'read': ('GET', '/services/{}')}
PARKED = parked(update_config={'failure_action': 'pause'})
RUNNING = idle(update_config={'monitor': '0s', 'parallelism': 0, 'failure_action': 'pause'}, stop_grace_period='1s')


@dataclass(frozen=True)
class Service:
    name: str
    is_parked: bool

    @property
    def spec(self):
        return PARKED if self.is_parked else RUNNING

    @property
    def most(self):
        return 60 if self.is_parked else 2


class Recorder:
    """The operations of all clients, in the order in which they ended."""

    def __init__(self, hosts):
        self.hosts, self.operations, self.numbers = hosts, [], itertools.count(1)
        self.began_at = time.monotonic()
        self.tag = os.urandom(4).hex()  # keys of an earlier recorder are still remembered

    def now(self):
        return time.monotonic() - self.began_at

    def keep(self, operation):
        self.operations.append(operation)


class Client(threading.Thread):
    def __init__(self, recorder, name, services, seed):
        super().__init__(name=name, daemon=True)
        self.recorder, self.services = recorder, {service.name: service for service in services}
        self.random = random.Random(seed)
        self.ends = threading.Event()
        self.own_revision = 0
        self.generations = {}  # as last read; 0: there was none
        self.failure = None

    def run(self):
        try:
            while not self.ends.wait(self.random.uniform(*PAUSE)):
                self.perform(self.next_operation())
        except Exception as failure:  # a thread's exception is nobody's
            self.failure = failure

    def next_operation(self):
        service = self.random.choice(list(self.services.values()))
        call = self.random.choices(CALLS, WEIGHTS_WHERE_THERE_IS_ONE if self.generations.get(service.name) else WEIGHTS_WHERE_THERE_IS_NONE)[0]
        operation = Operation(next(self.recorder.numbers), self.name, service.name, call, start=0)
        if call == 'create':
            operation.argument = {'instances': self.random.randint(1, service.most), 'labels': {}}
        elif call == 'change' and self.random.random() < 0.5:
            operation.argument = {'instances': self.random.randint(0, service.most)}
        elif call == 'change':
            operation.argument = {'labels': {self.random.choice(LABELS): f'{self.name}-{operation.number}'}}
        if call == 'change' and self.generations.get(service.name) and self.random.random() < 0.3:
            operation.if_match = self.generations[service.name]
        if self.own_revision and self.random.random() < 0.5:
            operation.asked_revision = self.own_revision
        return operation

    # ---- one operation
    def perform(self, operation):
        """A read that fails tells nothing. A write is repeated elsewhere while its outcome is unknown."""
        operation.start = self.recorder.now()
        may_be_done = False
        for host in self.order_of_masters(1 if operation.call == 'read' else ATTEMPTS):
            life = host.master.life
            try:
                answer = self.ask(host, operation)
            except ConnectionRefusedError:
                answer = None
            except OSError:  # a time-out, or the end of the connection
                answer, may_be_done = None, True
            if answer and answer.status != 503:
                self.learn(operation, host, life if life == host.master.life else None, answer)
                break
            may_be_done |= answer is not None
            self.ends.wait(0.1)
        if operation.refusal and may_be_done:  # this time; an earlier try may still be on its way
            operation.end = operation.refusal = None
        if operation.is_known or (may_be_done and operation.call != 'read'):
            self.recorder.keep(operation)

    def read(self, service, host):
        """Once, at this master, with the newest revision; whether it answered."""
        operation = Operation(next(self.recorder.numbers), self.name, service.name, 'read', self.recorder.now(), asked_revision=self.own_revision)
        life = host.master.life
        answer = self.ask(host, operation)
        if answer.status == 503:
            return False
        self.learn(operation, host, life, answer)
        self.recorder.keep(operation)
        return True

    def order_of_masters(self, count):
        hosts = self.random.sample(self.recorder.hosts, len(self.recorder.hosts))
        return list(itertools.islice(itertools.cycle(hosts), count))

    def ask(self, host, operation):
        method, path = PATHS[operation.call]
        headers = {}
        if operation.asked_revision is not None:
            headers['Davit-Revision'] = str(operation.asked_revision)
        if operation.if_match is not None:
            headers['If-Match'] = f'"{operation.if_match}"'
        if operation.call != 'read':
            headers['Idempotency-Key'] = f'{self.recorder.tag}-{operation.number}'
        body = {'create': self.services[operation.service].spec | {'name': operation.service} | operation.argument, 'change': operation.argument}.get(operation.call)
        limit = READ_LIMIT if operation.call == 'read' else WRITE_LIMIT
        return host.api.call(method, path.format(operation.service), body, headers=headers, timeout=limit)

    def learn(self, operation, host, life, answer):
        operation.end = self.recorder.now()
        operation.master, operation.life = host.name, life
        if answer.status >= 400:
            code = answer.json['code']
            assert code in REFUSALS, f'{operation}: {answer}'
            if operation.call == 'read':
                operation.seen = ABSENT
                self.generations[operation.service] = 0
            else:
                operation.refusal = code
        elif operation.call == 'read':
            operation.seen = seen_in(answer.json)
            self.generations[operation.service] = operation.seen.generation
        else:
            operation.revision = int(answer.headers['Davit-Revision'])
            self.own_revision = max(self.own_revision, operation.revision)
            self.keep_body(operation, answer)
        if 'Davit-View-Age' in answer.headers:
            operation.age = seconds_in(answer.headers['Davit-View-Age'])

    def keep_body(self, write, answer):
        """What a write's answer shows is a read of its own."""
        self.recorder.keep(Operation(next(self.recorder.numbers), self.name, write.service, 'read', write.start, write.end, seen=seen_in(answer.json),
                                     shown_by=write.number, master=write.master, life=write.life))


class Load:
    """Clients that ask and write for as long as the context lasts."""

    def __init__(self, hosts, services, clients, seed=1):
        self.services = services
        self.recorder = Recorder(hosts)
        self.clients = [Client(self.recorder, f'c{i}', services, seed * 100 + i) for i in range(clients)]

    def __enter__(self):
        for client in self.clients:
            client.start()
        return self

    def __exit__(self, *_):
        for client in self.clients:
            client.ends.set()
        for client in self.clients:
            client.join()

    def now(self):
        return self.recorder.now()

    def wait_for_writes(self, count):
        """So many more have been done: clients go on."""
        before = self.writes_done()
        wait_for(lambda: self.writes_done() >= before + count, 30, f'{count} writes are done')

    def writes_done(self):
        return sum(operation.call != 'read' and operation.is_done for operation in list(self.recorder.operations))

    def finish(self):
        """All operations, and last a read of each service at each master, with the last revision that anybody was told of: what was acknowledged
        has to be there."""
        assert [client.failure for client in self.clients if client.failure] == []
        reader = Client(self.recorder, 'last', self.services, seed=0)
        reader.own_revision = max(client.own_revision for client in self.clients)
        for service in self.services:
            for host in self.recorder.hosts:
                wait_for(lambda: reader.read(service, host), 30, f'{host.name} has come to revision {reader.own_revision}')
        return self.recorder.operations


def seen_in(body):
    if body['status']['state'] == 'removed':
        return ABSENT
    spec = body['spec']
    return State(body['uid'], body['generation'], body['revision'], spec.get('instances', 1), tuple(sorted(spec.get('labels', {}).items())),
                 body['status']['state'] == 'removing')


def seconds_in(text):
    """Of a duration as the API writes it: 1m2s345ms."""
    units = {'h': 3600, 'm': 60, 's': 1, 'ms': 0.001}
    parts = [''.join(part) for _, part in itertools.groupby(text, str.isdigit)]
    return sum(int(number) * units[unit] for number, unit in zip(parts[::2], parts[1::2]))
