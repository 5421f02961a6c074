"""What the benchmarks run on: the integration tests' private Docker Engine, and davit processes on it."""
import os
import socket
import sys
import time
from itertools import islice
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / 'tests' / 'integration'))

from lab.davit import BINARY, Davit  # noqa: E402, F401
from lab.engine import Engine  # noqa: E402
from lab.ledger import Ledger  # noqa: E402

FIRST_PORT, LAST_PORT = 23000, 27999  # between the integration tests' ports and those of a Davit in use on this machine
CLOCK_TICKS = os.sysconf('SC_CLK_TCK')


class Stage:
    """Stands in for the tests' lab (lab.davit.Davit takes its engine, its ledger and its port ranges)."""

    def __init__(self, is_quick):
        self.is_quick = is_quick
        self.ledger = Ledger.open()
        self.engine = None
        self.davits = []
        self.ports = iter(range(FIRST_PORT, LAST_PORT + 1))

    def start(self):
        self.engine = Engine(self.ledger)
        self.engine.start()
        self.engine.make_demo_images()

    def next_port_range(self, size=200):
        ports = [next(self.ports) for _ in range(size)]
        return ports[0], ports[-1]

    def free_ports(self, count):
        """Ports for containers that Davit knows nothing of."""
        return list(islice(filter(is_free, self.ports), count))

    def davit(self, name):
        davit = Davit(self, name)
        self.davits.append(davit)
        return davit.start()

    def stop(self):
        for davit in self.davits:
            davit.stop()
        if self.engine:
            self.engine.stop()
        self.ledger.sweep()


def is_free(port):
    with socket.socket() as probe:
        try:
            probe.bind(('0.0.0.0', port))
        except OSError:
            return False
    return True


def cpu_seconds(pid):
    """Processor time of the process with all its threads so far."""
    fields = Path(f'/proc/{pid}/stat').read_text().rpartition(')')[2].split()
    return (int(fields[11]) + int(fields[12])) / CLOCK_TICKS


def resident_mib(pid):
    line = next(line for line in Path(f'/proc/{pid}/status').read_text().splitlines() if line.startswith('VmRSS:'))
    return int(line.split()[1]) / 1024


def wall():
    """The clock by which the engine stamps its events, in seconds."""
    return time.time_ns() / 1e9
