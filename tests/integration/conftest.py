"""One private Docker Engine for the session, one Davit for each module that asks for one; everything goes at the end."""
import signal
import sys
import time

import pytest

sys.dont_write_bytecode = True

from lab.davit import BINARY, Davit, binary_exists  # noqa: E402
from lab.engine import Engine, missing_tools  # noqa: E402
from lab.ledger import Ledger  # noqa: E402


class Lab:
    def __init__(self, ledger):
        self.ledger = ledger
        self.davits = []
        self.engine = Engine(ledger)
        self.range_end = 29999  # from the top: who runs Davit on this machine besides has the ports at the bottom

    def next_port_range(self, size=100):
        self.range_end -= size
        return self.range_end + 1, self.range_end + size

    def davit(self, name, **more):
        davit = Davit(self, name, **more)
        self.davits.append(davit)
        return davit


def pytest_configure(config):
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # clean up also when CI gives up


@pytest.fixture(scope='session')
def lab():
    if why := missing_tools():
        pytest.exit(f'integration tests cannot run: {why}', returncode=1)
    if not binary_exists():
        pytest.exit(f'integration tests cannot run: no davit at {BINARY}; run make build, or set DAVIT_BIN', returncode=1)
    ledger = Ledger.open()
    lab = None
    try:
        lab = Lab(ledger)
        lab.engine.start()
        lab.engine.make_demo_images()
        yield lab
        for davit in lab.davits:
            davit.stop()
    finally:
        if lab:
            lab.engine.stop()
        ledger.sweep()


@pytest.fixture(scope='session')
def engine(lab):
    return lab.engine


@pytest.fixture(scope='module')
def davit(lab, request):
    """This module's Davit. Its services go after each test (see clean)."""
    davit = lab.davit(request.module.__name__.removeprefix('test_').replace('_', '-')).start()
    yield davit
    davit.stop()


@pytest.fixture
def new_davit(lab, request):
    """Makes a Davit for one test alone; the containers of all of them go with it."""
    made = []

    def make(**more):
        name = f'd{len(lab.davits)}'
        made.append(lab.davit(name, **more))
        return made[-1]

    yield make
    for davit in made:
        davit.stop()
    marks = {f'DAVIT_NODE_NAME={davit.name}' for davit in made}
    for container in lab.engine.containers():
        detail = lab.engine.inspect(container['Id'])
        if detail and marks & set(detail['Config']['Env']):
            lab.engine.docker('rm', '-fv', container['Id'])


@pytest.fixture
def clean(davit):
    """The module's Davit without services, before and after."""
    davit.remove_all()
    yield davit
    if davit.process.poll() is not None:
        davit.start()
    davit.remove_all()


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    """A failure shows the end of the log of each Davit that wrote to it meanwhile."""
    report = (yield).get_result()
    lab = getattr(item, 'funcargs', {}).get('lab')
    if not report.failed or lab is None:
        return
    since = time.time() - call.duration - 1
    for davit in lab.davits:
        if davit.log.exists() and davit.log.stat().st_mtime >= since:
            report.sections.append((f'the end of {davit.name}\'s log', davit.log_tail()))
