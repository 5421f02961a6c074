"""The yardstick: containers started through the bare Docker API, with nothing done that need not be.

They are what Davit makes of subjects.starts.SPEC: the same image, labels of the same number and length (under another
prefix, or Davit would look at them), environment, published port, log bounds.
"""
import http.client
import json
import threading
from queue import Empty, SimpleQueue
from urllib.parse import quote

from stage import wall

from lab.http import UnixConnection

REMOVALS_AT_ONCE = 4


class Refused(Exception):
    pass


class Connection:
    """One kept-alive connection to the engine."""

    def __init__(self, socket_path):
        self.connection = UnixConnection(socket_path, timeout=120)

    def call(self, method, path, body=None):
        self.send(method, path, body)
        response = self.connection.getresponse()
        said = response.read()
        if response.status not in (200, 201, 204):
            raise Refused(f'{method} {path}: {response.status} {said.decode(errors="replace").strip()}')
        return json.loads(said) if said else None

    def send(self, method, path, body=None):
        text = None if body is None else json.dumps(body)
        self.connection.request(method, path, text, {'Content-Type': 'application/json'})

    def close(self):
        self.connection.close()


def body_of(service, slot, port):
    labels = {'cluster': 'c' * 16, 'node': 'bench', 'name': f'{service}.{slot}.0123456789ab', 'service': service, 'uid': 'u' * 16, 'slot': str(slot),
              'instance': '0123456789ab', 'revision': '1', 'epoch': '1', 'attempt': '1'}
    return {'Image': 'davit/hello:1',
            'Env': ['DAVIT_INSTANCE_ID=0123456789ab', 'DAVIT_NODE_NAME=bench', f'DAVIT_SERVICE={service}', f'DAVIT_SLOT={slot}'],
            'Labels': {f'bench.{key}': value for key, value in labels.items()}, 'StopTimeout': 10, 'ExposedPorts': {'80/tcp': {}},
            'HostConfig': {'RestartPolicy': {'Name': 'no'}, 'LogConfig': {'Type': 'json-file', 'Config': {'max-file': '3', 'max-size': '10m'}},
                           'PortBindings': {'80/tcp': [{'HostIp': '0.0.0.0', 'HostPort': str(port)}]}}}


class Bare:
    def __init__(self, engine, ports):
        self.engine, self.ports = engine, ports

    def start(self, service, slot):
        """The running container's id."""
        connection = Connection(self.engine.socket)
        try:
            return self.create_and_start(connection, service, slot)
        finally:
            connection.close()

    def create_and_start(self, connection, service, slot):
        name = quote(f'{service}.{slot}.0123456789ab')
        made = connection.call('POST', f'/containers/create?name={name}', body_of(service, slot, self.ports[slot]))['Id']
        connection.call('POST', f'/containers/{made}/start')
        return made

    def start_all(self, service, count, at_once):
        """The running containers' ids by slot."""
        ids = {}
        self.for_each(range(count), at_once, lambda connection, slot: ids.update({slot: self.create_and_start(connection, service, slot)}))
        return ids

    def remove(self, *containers):
        self.for_each(containers, REMOVALS_AT_ONCE, lambda connection, container: connection.call('DELETE', f'/containers/{container}?force=1&v=1'))

    def remove_all(self):
        self.remove(*self.engine.docker('ps', '-aq', '--filter', 'label=bench.service').split())

    def for_each(self, items, at_once, work):
        queue, failures = SimpleQueue(), []
        for item in items:
            queue.put(item)

        def run():
            connection = Connection(self.engine.socket)
            try:
                while not failures:
                    work(connection, queue.get_nowait())
            except Empty:
                pass
            except (Refused, OSError, http.client.HTTPException) as error:
                failures.append(error)
            finally:
                connection.close()

        threads = [threading.Thread(target=run) for _ in range(at_once)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        if failures:
            raise failures[0]


class Sightings:
    """Starts and ends of containers by the engine's own stamps: the same measure for whoever ordered them."""

    def __init__(self, engine):
        filters = quote(json.dumps({'type': ['container'], 'event': ['start', 'die']}))
        self.stream = engine.api.stream(f'/events?filters={filters}')
        self.seen, self.changed = [], threading.Condition()
        threading.Thread(target=self.read, daemon=True).start()

    def read(self):
        while (line := self.stream.line(timeout=None)) is not None:
            event = json.loads(line)
            with self.changed:
                self.seen.append((event['timeNano'] / 1e9, event['Action'], event['Actor']['ID'], event['Actor']['Attributes']))
                self.changed.notify_all()

    def nth(self, count, wanted, patience=120):
        """When the `count`th event came about for which wanted(action, container, attributes) holds."""
        def found():
            times = sorted(at for at, *what in self.seen if wanted(*what))
            return times[count - 1] if len(times) >= count else None
        with self.changed:
            if not self.changed.wait_for(found, patience):
                raise TimeoutError(f'{count} events within {patience} s; the engine has told {len(self.seen)} in all')
            return found()

    def started(self, service, count=1):
        """When the service's `count`th container was running."""
        return self.nth(count, lambda action, _, labels: action == 'start' and service in (labels.get('davit.service'), labels.get('bench.service')))

    def died(self, container):
        return self.nth(1, lambda action, of, _: action == 'die' and of == container)
