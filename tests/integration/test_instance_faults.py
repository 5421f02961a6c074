"""What happens to one instance's container behind Davit's back, while the others go on untouched."""
import os
import subprocess
import time
from datetime import datetime

import pytest

from lab.davit import hello, idle, page
from lab.waiting import holds_for, wait_for


@pytest.fixture
def web(clean):
    clean.create('web', hello(3))
    clean.wait_running('web', 3)
    return clean


def assert_only_slot_2_changed(davit, before, restarts=None):
    wait_for(lambda: davit.engine.by_slot('web').get(2) not in (None, before[2]), 60, 'slot 2 has a new container')
    davit.wait_running('web', 3)
    after = davit.engine.by_slot('web')
    assert {1: after[1], 3: after[3]} == {1: before[1], 3: before[3]}
    instances = {i['slot']: i for i in davit.instances('web')}
    assert page(instances[2]).startswith('web.2 ')
    if restarts is not None:
        assert instances[2]['restarts'] == restarts


@pytest.mark.parametrize('command', [['kill'], ['stop', '-t', '1'], ['rm', '-f'], ['kill', '--signal', 'TERM']], ids=lambda c: '-'.join(c))
def test_service_is_complete_again_when_a_container_ends_behind_davits_back(web, command):
    before = web.engine.by_slot('web')
    web.engine.docker(*command, before[2])
    assert_only_slot_2_changed(web, before)


def test_restart_in_place_keeps_instance_and_port_and_counts(web):
    before, first = web.engine.by_slot('web'), {i['slot']: i for i in web.instances('web')}[2]
    web.engine.docker('kill', before[2])
    assert_only_slot_2_changed(web, before, restarts=1)
    second = {i['slot']: i for i in web.instances('web')}[2]
    assert (second['id'], second['ports']) == (first['id'], first['ports'])
    assert second['container']['name'] == f"{first['container']['name']}.2"


def test_paused_container_is_shown_and_then_replaced(web):
    before = web.engine.by_slot('web')
    web.engine.docker('pause', before[2])
    instance = web.wait_reason('web', 'paused')
    assert instance['slot'] == 2 and not instance['ready']
    assert_only_slot_2_changed(web, before)


def test_pause_that_ends_soon_is_forgiven(web):
    before = web.engine.by_slot('web')
    web.engine.docker('pause', before[2])
    web.wait_reason('web', 'paused')
    web.engine.docker('unpause', before[2])
    web.wait_running('web', 3)
    assert web.engine.by_slot('web') == before


def test_process_killed_from_the_node_is_started_again(web):
    before = web.engine.by_slot('web')
    os.kill(web.engine.inspect(before[2])['State']['Pid'], 9)
    assert_only_slot_2_changed(web, before)


def test_all_containers_removed_at_once_come_back(web):
    before = web.engine.by_slot('web')
    web.engine.docker('rm', '-f', *before.values())
    wait_for(lambda: len(web.engine.running('web')) == 3, 60)
    web.wait_running('web', 3)
    assert not set(before.values()) & web.engine.ids('web')


def test_container_restarted_by_hand_makes_no_second_one(web):
    # An engine under load takes longer over it than Davit waits: then the instance's next container has the port, and the engine says so.
    subprocess.run(['docker', 'restart', '-t', '1', web.engine.by_slot('web')[2]], env=web.engine.environment(), capture_output=True, timeout=60, check=False)
    web.wait_running('web', 3)
    holds_for(lambda: len(web.engine.running('web')) <= 3, 1)
    wait_for(lambda: sorted(web.engine.by_slot('web')) == [1, 2, 3], 10, 'one container of each slot')


def test_crash_loop_backs_off_and_says_so(clean):
    clean.create('crash', idle(1, command=['sh', '-c', 'echo falling; exit 3'], restart_policy={'delay': '300ms', 'max_delay': '20s', 'attempts_per_node': 0}))
    clean.create('calm', idle(1))
    first = clean.wait_reason('crash', 'crash_loop')
    assert first['exit_code'] == 3 and first['restarts'] >= 2 and not first['ready']

    def waits(restarts):
        """The wait before the next start, once there were so many."""
        def seen():
            instance = clean.instances('crash')[0]
            return instance if instance['next_start_at'] and instance['restarts'] >= restarts else None
        instance = wait_for(seen, 30)
        return seconds_between(instance['state_since'], instance['next_start_at']), instance['restarts']

    early, at = waits(2)
    late, _ = waits(at + 2)
    assert late > early * 2, f'the wait grows: {early} s, then {late} s'
    assert clean.status('crash')['state'] == 'degraded' and 'crash' in clean.status('crash')['message']
    assert len(clean.engine.containers('crash')) <= 3, 'dead containers pile up'
    clean.wait_running('calm', 1)


def seconds_between(first, second):
    return (datetime.fromisoformat(second.replace('Z', '+00:00')) - datetime.fromisoformat(first.replace('Z', '+00:00'))).total_seconds()


def test_exit_code_0_is_restarted_too(clean):
    clean.create('brief', idle(1, command=['sh', '-c', 'sleep 0.3'], restart_policy={'delay': '100ms', 'attempts_per_node': 0}))
    wait_for(lambda: clean.instances('brief')[0]['restarts'] >= 2)


def test_restart_condition_none_leaves_it_ended(clean):
    clean.create('once', idle(1, command=['sh', '-c', 'exit 7'], restart_policy={'condition': 'none'}))
    wait_for(lambda: (i := clean.instances('once')[0])['state'] in ('exited', 'failed') and i['exit_code'] == 7)
    holds_for(lambda: clean.instances('once')[0]['restarts'] == 0, 1.5)


def test_image_that_does_not_exist_is_named_and_the_api_stays_quick(clean):
    clean.create('nope', hello(3, image='127.0.0.1:9/davit/nope:1'))
    clean.create('gone', hello(1, image='davit-never-there/nope:1', pull_policy='never'))
    started = time.monotonic()
    for _ in range(20):
        assert clean.get('/services/nope').status == 200
    assert time.monotonic() - started < 2
    instance = clean.wait_reason('gone', 'image_not_found')
    assert 'nope' in instance['message'] and instance['next_start_at']
    wait_for(lambda: all(i['reason'] in ('pull_failed', 'image_not_found') and i['message'] for i in clean.instances('nope')))
    assert clean.status('nope')['state'] == 'degraded'
    clean.remove('nope')


def test_command_that_cannot_start_says_why(clean):
    clean.create('bad', idle(1, entrypoint=['/no/such/program']))
    instance = wait_for(lambda: (i := clean.instances('bad')[0])['reason'] in ('bad_config', 'start_failed') and i)
    assert '/no/such/program' in instance['message']
    wait_for(lambda: len(clean.engine.containers('bad')) <= 2)


def test_unhealthy_container_is_restarted(clean):
    check = {'test': ['CMD', 'sh', '-c', '! test -e /tmp/ill'], 'interval': '300ms', 'retries': 1, 'start_period': '0s'}
    clean.create('ill', idle(2, healthcheck=check))
    service = clean.wait_running('ill', 2, 30)
    assert {i['health'] for i in service['instances']} == {'healthy'}
    before = clean.engine.by_slot('ill')
    clean.engine.docker('exec', before[1], 'sh', '-c', 'echo >/tmp/ill')
    wait_for(lambda: clean.engine.by_slot('ill').get(1) not in (before[1], None))
    clean.wait_running('ill', 2)
    assert clean.engine.by_slot('ill')[2] == before[2]


def test_memory_hog_is_named_oom_killed(clean):
    clean.create('hog', idle(1, command=['busybox', 'tail', '/dev/zero'], resources={'limits': {'memory': '16m'}}))
    assert clean.wait_reason('hog', 'oom_killed')['exit_code'] == 137
