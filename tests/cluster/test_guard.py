"""Services with on_isolation: stop never run twice, whatever hangs or dies on the node that is cut off."""
import threading
import time
from pathlib import Path

import pytest

from lab.waiting import holds_for, wait_for

MARK = '8675309'  # seconds that nothing else on this machine sleeps


def lives():
    """The process ids of all instances on all hosts, by the kernel's word: engines that hang are not asked."""
    found = set()
    for entry in Path('/proc').iterdir():
        if not entry.name.isdigit():
            continue
        try:
            if (entry / 'cmdline').read_bytes() == b'sleep\0' + MARK.encode() + b'\0':
                found.add(int(entry.name))
        except OSError:
            continue
    return found


class Watch(threading.Thread):
    """The most instances that ever ran at once."""

    def __init__(self):
        super().__init__(daemon=True)
        self.most, self.ends = 0, threading.Event()

    def run(self):
        while not self.ends.wait(0.03):
            self.most = max(self.most, len(lives()))

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.ends.set()
        self.join()


def single(cluster, stop_after='5s'):
    cluster.create('db', {'image': 'davit/hello:1', 'instances': 1, 'command': ['sleep', MARK], 'on_isolation': 'stop', 'stop_after': stop_after, 'drain_delay': '0s',
                          'stop_grace_period': '1s'})
    service = cluster.wait_running('db', 1)
    wait_for(lambda: len(lives()) == 1)
    return next(host for host in cluster.workers if host.name == service['instances'][0]['node'])


def agent_dies(host):
    host.worker.kill()


def agent_stands_still(host):
    host.worker.pause()


def engine_dies(host):
    host.engine.kill()


def engine_hangs(host):
    host.engine.pause()


@pytest.mark.parametrize('fault', [None, agent_dies, agent_stands_still, engine_dies, engine_hangs], ids=lambda fault: fault.__name__ if fault else 'cut_off')
def test_never_two_at_once(cluster, fault):
    home = single(cluster)
    others = [host for host in cluster.workers if host is not home]
    with Watch() as watch:
        if fault:
            fault(home)
        home.cut_off()
        cut_at = time.monotonic()
        wait_for(lambda: not lives(), 30, 'the instance ends by itself')
        ended = time.monotonic() - cut_at
        wait_for(lambda: sum(len(host.engine.running('db')) for host in others) == 1, 60, f'it runs elsewhere\n{cluster.describe()}')
        print(f'ended {ended:.1f} s after the cut, ran elsewhere after {time.monotonic() - cut_at:.1f} s')
        cluster.mend()
        cluster.wait_running('db', 1)
    assert watch.most == 1


def test_an_instance_runs_on_through_short_cuts_and_restarts(cluster):
    home = single(cluster, stop_after='15s')
    before = lives()
    home.cut_off()
    holds_for(lambda: lives() == before, 2)
    home.heal()
    home.worker.restart()
    cluster.wait_whole()
    cluster.wait_running('db', 1)
    assert lives() == before
