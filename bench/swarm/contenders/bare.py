"""The ceiling: containers created and started through the engines' own API, evenly on the workers, with nothing decided."""
from concurrent.futures import ThreadPoolExecutor
from queue import Empty, SimpleQueue

from bare import Connection
from field import COMMAND, IMAGE


class Bare:
    name = 'bare engines'

    def __init__(self, field, at_once=2):
        self.field, self.at_once = field, at_once  # at once on each engine

    @staticmethod
    def label(name):
        return f'bench.service={name}'

    def create(self, name, instances):
        """Returns when all run: nobody goes on after the answer."""
        hosts = self.field.workers
        slots = {host: SimpleQueue() for host in hosts}
        for slot in range(instances):
            slots[hosts[slot % len(hosts)]].put(slot)
        with ThreadPoolExecutor(len(hosts) * self.at_once) as pool:
            list(pool.map(lambda host: self.start_on(host, name, slots[host]), hosts * self.at_once))

    def start_on(self, host, name, slots):
        connection = Connection(host.engine.socket)
        try:
            while True:
                self.start_one(connection, name, slots.get_nowait())
        except Empty:
            pass
        finally:
            connection.close()

    @staticmethod
    def start_one(connection, name, slot):
        made = connection.call('POST', f'/containers/create?name={name}.{slot}.0123456789ab', body_of(name, slot))['Id']
        connection.call('POST', f'/containers/{made}/start')

    def start_alone(self, host, name, slot):
        connection = Connection(host.engine.socket)
        self.start_one(connection, name, slot)
        connection.close()

    def remove(self, name):
        self.remove_labelled(self.label(name))

    def remove_all(self):
        self.remove_labelled('bench.service')

    def remove_labelled(self, label):
        found = self.field.listed(label, everything=True)
        with ThreadPoolExecutor(len(self.field.workers) * 2) as pool:
            list(pool.map(lambda item: item[1].engine.api.call('DELETE', f'/containers/{item[0]}?force=1&v=1', timeout=120), found.items()))
        self.field.wait_none(label)

    def settled(self, name):
        return len(self.field.listed(self.label(name)))

    def describe(self, name):
        return f'engines run {self.field.listed(self.label(name))}'


def body_of(name, slot):
    """What Davit makes of its spec: labels of the same number and length, under another prefix."""
    labels = {'cluster': 'c' * 16, 'node': 'bench', 'name': f'{name}.{slot}.0123456789ab', 'service': name, 'uid': 'u' * 16, 'slot': str(slot),
              'instance': '0123456789ab', 'revision': '1', 'epoch': '1', 'attempt': '1'}
    return {'Image': IMAGE, 'Cmd': COMMAND, 'Labels': {f'bench.{key}': value for key, value in labels.items()}, 'StopTimeout': 10,
            'Env': ['DAVIT_INSTANCE_ID=0123456789ab', 'DAVIT_NODE_NAME=bench', f'DAVIT_SERVICE={name}', f'DAVIT_SLOT={slot}'],
            'HostConfig': {'RestartPolicy': {'Name': 'no'}, 'LogConfig': {'Type': 'json-file', 'Config': {'max-file': '3', 'max-size': '10m'}}}}
