"""One cluster for the session: three masters with etcd and three workers, in namespaces of their own. Root is needed."""
import signal
import sys
from pathlib import Path

import pytest

sys.dont_write_bytecode = True
sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parents[1] / 'integration')]

from hosts.cluster import Cluster  # noqa: E402
from lab.davit import BINARY, binary_exists  # noqa: E402
from lab.engine import missing_tools  # noqa: E402
from lab.ledger import Ledger  # noqa: E402


def pytest_configure(config):
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # clean up also when CI gives up


@pytest.fixture(scope='session')
def ledger():
    if why := missing_tools('etcd', 'iptables', 'nsenter'):
        pytest.exit(f'cluster tests cannot run: {why}', returncode=1)
    if not binary_exists():
        pytest.exit(f'cluster tests cannot run: no davit at {BINARY}; run make build, or set DAVIT_BIN', returncode=1)
    ledger = Ledger.open()
    yield ledger
    ledger.sweep()


@pytest.fixture(scope='session')
def standing_cluster(ledger):
    cluster = Cluster(ledger)
    try:
        yield cluster.start()
    finally:
        cluster.stop()


@pytest.fixture
def cluster(standing_cluster):
    """Whole and empty at the beginning; mended and emptied at the end."""
    yield standing_cluster
    standing_cluster.mend()
    standing_cluster.remove_all()
