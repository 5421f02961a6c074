"""GET /services/x/logs: merged over instances, tail, since, follow, one stream or slot, and whatever bytes containers print."""
import json

import pytest

from lab.davit import idle
from lab.waiting import wait_for

TALK = 'i=0; while [ $i -lt 5 ]; do echo "line $i of $DAVIT_SLOT"; echo "error $i of $DAVIT_SLOT" >&2; i=$((i+1)); done; '
STAY = 'trap "exit 0" TERM; while :; do sleep 1 & wait $!; done'


@pytest.fixture(scope='module')
def talkers(davit):
    davit.create('talk', idle(2, command=['sh', '-c', TALK + STAY]))
    davit.wait_running('talk', 2)
    wait_for(lambda: davit.get('/services/talk/logs').text.count('\n') >= 20)
    yield davit
    davit.remove_all()


def ndjson(davit, query=''):
    answer = davit.get('/services/talk/logs' + query, headers={'Accept': 'application/x-ndjson'})
    assert answer.status == 200 and 'ndjson' in answer.headers['Content-Type'], answer
    return [json.loads(line) for line in answer.text.splitlines()]


def test_lines_of_all_instances_are_merged_by_time(talkers):
    entries = ndjson(talkers)
    assert len(entries) == 20 and {entry['slot'] for entry in entries} == {1, 2}
    times = [entry['time'] for entry in entries]
    assert times == sorted(times)
    assert [e['line'] for e in entries if e['slot'] == 1 and e['stream'] == 'stdout'] == [f'line {i} of 1' for i in range(5)]
    assert {entry['node'] for entry in entries} == {talkers.name} and all(entry['instance'] for entry in entries)


def test_plain_text_has_every_line(talkers):
    answer = talkers.get('/services/talk/logs')
    assert answer.headers['Content-Type'].startswith('text/plain')
    assert 'line 4 of 1' in answer.text and 'error 4 of 2' in answer.text


def test_slot_and_stream_select(talkers):
    entries = ndjson(talkers, '?slot=2&stream=stderr')
    assert [entry['line'] for entry in entries] == [f'error {i} of 2' for i in range(5)]


def test_tail_gives_the_last_lines_of_each_instance(talkers):
    entries = ndjson(talkers, '?tail=2')
    assert sorted(entry['slot'] for entry in entries) == [1, 1, 2, 2]
    assert {entry['line'] for entry in entries} <= {entry['line'] for entry in ndjson(talkers)[-12:]}
    assert ndjson(talkers, '?tail=0') == []


def test_since_leaves_out_what_is_older(talkers):
    entries = ndjson(talkers)
    middle = entries[10]['time']
    later = ndjson(talkers, f'?since={middle}')
    assert later and all(entry['time'] >= middle for entry in later) and len(later) < len(entries)
    assert ndjson(talkers, '?since=1h') == entries


def test_follow_brings_what_comes_from_running_and_from_new_instances(talkers):
    talkers.create('ticker', idle(1, command=['sh', '-c', 'while :; do echo tick $DAVIT_SLOT; sleep 0.2; done'], stop_grace_period='1s'))
    talkers.wait_running('ticker', 1)
    with talkers.api.stream('/services/ticker/logs?follow=true&tail=1') as lines:
        for _ in range(5):
            assert 'tick 1' in lines.line(10)
        talkers.scale('ticker', 2)
        lines.until(lambda line: 'tick 2' in line, 20)
        talkers.engine.docker('kill', talkers.engine.by_slot('ticker')[2])
        talkers.wait_running('ticker', 2)
        lines.until(lambda line: 'tick 2' in line, 20)
    talkers.remove('ticker')


def test_previous_gives_what_was_printed_before_the_restart(talkers):
    talkers.create('once', idle(1, command=['sh', '-c', 'echo started as $HOSTNAME; ' + STAY]))
    first = talkers.wait_running('once', 1)['instances'][0]['container']['id']
    assert talkers.get('/services/once/logs?previous=true').text == ''
    wait_for(lambda: 'started as' in talkers.get('/services/once/logs').text, 30, 'it has printed')
    talkers.engine.docker('kill', first)
    wait_for(lambda: (i := talkers.instances('once')[0])['ready'] and i['restarts'] == 1)
    assert f'started as {first[:12]}' in talkers.get('/services/once/logs?previous=true').text
    code, said, error = talkers.cli('service', 'logs', '--previous', 'once.1')
    assert code == 0 and said.count('started as') == 1 and first[:12] in said, error
    assert first[:12] not in talkers.cli('service', 'logs', 'once')[1]
    talkers.remove('once')


def test_invalid_utf8_that_a_container_prints_comes_out_as_valid_text(talkers):
    talkers.create('bytes', idle(1, command=['sh', '-c', "printf 'a\\377\\376b \\303( \\355\\240\\200\\n'; echo after; " + STAY]))
    talkers.wait_running('bytes', 1)
    answer = wait_for(lambda: (a := talkers.get('/services/bytes/logs', headers={'Accept': 'application/x-ndjson'})).raw.count(b'\n') >= 2 and a)
    lines = [json.loads(line)['line'] for line in answer.raw.decode('utf-8').splitlines()]
    assert lines[0].startswith('a') and 'b' in lines[0] and '\ufffd' in lines[0] and lines[1] == 'after'
    assert talkers.get('/services/bytes').status == 200
    talkers.remove('bytes')


def test_very_long_line_and_much_output_arrive(talkers):
    talkers.create('much', idle(1, command=['sh', '-c', 'busybox seq 1 20000; busybox head -c 100000 /dev/zero | busybox tr "\\0" x; echo; echo done; ' + STAY]))
    talkers.wait_running('much', 1)
    answer = wait_for(lambda: 'done' in (a := talkers.get('/services/much/logs', timeout=60)).text and a, 30)
    # A line of more than 64 KiB comes in pieces, so that nobody's memory fills up.
    assert answer.text.count('\n') >= 20_002 and answer.text.count('x') == 100_000 and 'x' * 65_536 in answer.text
    talkers.remove('much')


@pytest.mark.parametrize('query', ['?tail=many', '?since=yesterday', '?stream=both', '?slot=0', '?follow=perhaps', '?previous=perhaps', '?previous=true&follow=true'])
def test_bad_query_is_refused(talkers, query):
    assert talkers.get('/services/talk/logs' + query).status in (400, 422)


def test_logs_of_an_unknown_service_are_404(talkers):
    assert talkers.get('/services/none/logs').status == 404
