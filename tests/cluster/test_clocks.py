"""Hosts whose time of day is wrong. Nothing is decided by it; but it is told, with what to do."""
from pathlib import Path

import pytest

from lab.davit import idle
from lab.waiting import wait_for

AN_HOUR_AHEAD, AN_HOUR_BEHIND = '+3600', '-3600'


def shift(program, by):
    """The process starts anew with another time of day; what it measures time by goes on as it is."""
    library = next(Path('/usr/lib').glob('*/faketime/libfaketimeMT.so.1'), None)
    assert library, 'libfaketime is missing; run scripts/setup --dev'
    program.environment |= {'LD_PRELOAD': str(library), 'FAKETIME': by, 'FAKETIME_DONT_FAKE_MONOTONIC': '1', 'FAKETIME_NO_CACHE': '1'}
    program.restart()


@pytest.fixture
def shifted(cluster):
    """shift(), undone at the end."""
    programs = []

    def begin(program, by):
        programs.append((program, dict(program.environment)))
        shift(program, by)
    yield begin
    for program, environment in programs:
        program.environment = environment
        program.restart()



@pytest.mark.parametrize('by, words', [(AN_HOUR_AHEAD, '1h ahead of'), (AN_HOUR_BEHIND, '1h behind')])
def test_a_worker_whose_clock_is_wrong_works_and_is_told_of(cluster, shifted, by, words):
    cluster.create('web', idle(3))
    cluster.wait_running('web', 3)
    before = cluster.ids('web')
    shifted(cluster.workers[0].worker, by)
    cluster.wait_whole()
    at = cluster.masters[2]
    message = wait_for(lambda: cluster.node('w1', by=at).get('message'), 15, f'the node says that its clock is wrong\n{cluster.describe()}')
    assert f'the clock of node w1 is {words} that of master m3' in message and 'NTP' in message, message
    assert message in at.cli('node', 'ls')[2] and message in at.cli('node', 'inspect', 'w1')[1]
    assert message in at.master.log.read_text()
    assert 'message' not in cluster.node('w2', by=at)
    cluster.scale('web', 6)
    cluster.wait_running('web', 6)
    assert before <= cluster.ids('web'), 'a healthy container was restarted'
    assert len(cluster.workers[0].engine.running('web')) == 2


def test_a_master_whose_clock_is_wrong_works_and_tells_of_itself(cluster, shifted):
    cluster.create('web', idle(3))
    cluster.wait_running('web', 3)
    before = cluster.ids('web')
    wrong = cluster.masters[1]
    shifted(wrong.master, AN_HOUR_AHEAD)
    cluster.wait_whole()
    wait_for(lambda: 'it is likely that of m2 that is wrong' in wrong.master.log_tail(), 15, f'the master doubts its own clock\n{wrong.master.log_tail()}')
    wait_for(lambda: 'behind that of master m2' in cluster.node('w1', by=wrong).get('message', ''), 15, 'it says so of the node')
    assert 'message' not in cluster.node('w1', by=cluster.masters[0]), 'the others have nothing to say'
    for instances in (4, 5):
        cluster.scale('web', instances, by=wrong)
        cluster.wait_running('web', instances, by=wrong)
    assert before <= cluster.ids('web')
