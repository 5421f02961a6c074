"""Writes as such: conditions, repetition, dry runs, waiting, merge patch; and bad input, which changes nothing."""
import time

import pytest

from lab.davit import hello, idle
from lab.waiting import wait_for

JSON = {'Content-Type': 'application/json'}


def test_if_match_refuses_a_write_on_an_old_generation(clean):
    etag = clean.create('web', hello(0)).headers['ETag']
    assert clean.call('PUT', '/services/web', {'labels': {'a': '1'}}, {'If-Match': etag}).status == 200
    stale = clean.call('PUT', '/services/web', {'labels': {'a': '2'}}, {'If-Match': etag})
    assert stale.status == 412, stale
    assert clean.service('web')['spec']['labels'] == {'a': '1'}
    assert clean.call('DELETE', '/services/web', headers={'If-Match': etag}).status == 412
    now = clean.get('/services/web').headers['ETag']
    assert clean.call('DELETE', '/services/web', headers={'If-Match': now}).status == 200


def test_repeated_request_with_one_idempotency_key_acts_once(clean):
    key = {'Idempotency-Key': 'once-1'}
    body = {'name': 'web'} | hello(0)
    first = clean.call('POST', '/services', body, key)
    again = clean.call('POST', '/services', body, key)
    assert (first.status, again.status) == (201, 201), again
    assert first.json['uid'] == again.json['uid']
    for _ in range(2):
        assert clean.call('POST', '/services/web/restart', headers={'Idempotency-Key': 'restart-1'}).status == 200
    assert clean.service('web')['generation'] == 2


def test_idempotency_key_holds_across_kill_and_restart(clean):
    body = {'name': 'web'} | hello(0)
    assert clean.call('POST', '/services', body, {'Idempotency-Key': 'before'}).status == 201
    clean.kill()
    clean.start()
    assert clean.call('POST', '/services', body, {'Idempotency-Key': 'before'}).status == 201
    assert clean.call('POST', '/services', body, {'Idempotency-Key': 'after'}).status == 409


def test_idempotency_key_of_another_request_is_refused(clean):
    key = {'Idempotency-Key': 'mine'}
    clean.create('web', hello(0))
    assert clean.call('PUT', '/services/web', {'labels': {'a': '1'}}, key).status == 200
    refused = clean.call('PUT', '/services/web', {'labels': {'a': '2'}}, key)
    assert refused.status == 422 and 'mine' in refused.text, refused


def test_dry_run_shows_the_outcome_and_changes_nothing(clean):
    clean.create('web', hello(0))
    answer = clean.call('PUT', '/services/web?dry_run=true', {'image': 'davit/hello:2'})
    assert answer.status == 200, answer
    assert answer.json['spec']['image'] == 'davit/hello:2' and answer.json['revision'] == 2
    assert clean.service('web')['spec']['image'] == 'davit/hello:1' and clean.service('web')['generation'] == 1
    assert clean.call('POST', '/services?dry_run=true', {'name': 'other'} | hello()).status in (200, 201)
    assert clean.get('/services/other').status == 404
    assert clean.call('DELETE', '/services/web?dry_run=true').status == 200
    assert clean.get('/services/web').status == 200
    assert clean.call('PUT', '/services/web?dry_run=true', {'image': ''}).status == 422


def test_wait_answers_once_the_service_has_converged(clean):
    answer = clean.call('POST', '/services?wait=30s', {'name': 'web'} | hello(2))
    assert answer.status == 201, answer
    assert answer.json['status']['state'] == 'running' and answer.json['status']['ready'] == 2
    assert clean.call('DELETE', '/services/web?wait=30s').status == 200
    assert clean.get('/services/web').status == 404


def test_wait_ends_when_its_time_is_over(clean):
    started = time.monotonic()
    answer = clean.call('POST', '/services?wait=1s', {'name': 'web'} | hello(1, image='davit-never-there/nope:1', pull_policy='never'))
    assert answer.status == 201 and time.monotonic() - started < 5
    assert answer.json['status']['ready'] == 0


def test_merge_patch_changes_what_it_names_and_null_gives_the_default(clean):
    clean.create('web', hello(0, environment={'A': '1', 'B': '2'}, stop_grace_period='3s'))
    spec = clean.put('web', {'environment': {'B': None, 'C': '3'}}).json['spec']
    assert spec['environment'] == {'A': '1', 'C': '3'} and spec['stop_grace_period'] == '3s'
    spec = clean.put('web', {'stop_grace_period': None, 'environment': None, 'ports': [81]}).json['spec']
    assert 'stop_grace_period' not in spec and 'environment' not in spec
    assert [port['target'] for port in spec['ports']] == [81]
    assert clean.call('PATCH', '/services/web', '{"labels":{"a":"b"}}', {'Content-Type': 'application/merge-patch+json'}).status == 200


def test_spec_put_back_unchanged_changes_nothing(clean):
    clean.create('web', hello(1, environment={'A': '1'}, resources={'limits': {'memory': '64m'}}))
    before = clean.wait_running('web', 1)
    for query in ('', '?replace=true'):
        after = clean.put('web', before['spec'], query).json
        assert (after['generation'], after['spec']) == (before['generation'], before['spec'])
    defaults = clean.get('/services/web?defaults=true').json['spec']
    assert defaults['stop_grace_period'] == '10s'
    assert clean.put('web', defaults, '?replace=true').json['generation'] == 1


def test_put_replace_creates_what_is_absent_and_drops_what_is_not_named(clean):
    assert clean.call('PUT', '/services/web', hello(0)).status == 404
    answer = clean.call('PUT', '/services/web?replace=true', hello(0, labels={'a': '1'}))
    assert answer.status == 201, answer
    answer = clean.call('PUT', '/services/web?replace=true', hello(0))
    assert answer.status == 200 and 'labels' not in answer.json['spec']


def test_post_to_the_services_own_path_creates_it(clean):
    assert clean.call('POST', '/service/web', {'image': 'davit/hello:1', 'instances': 0}).status == 201
    clashing = clean.call('POST', '/services/web', {'name': 'other', 'image': 'davit/hello:1'})
    assert clashing.status == 422 and '#/name' in clashing.errors, clashing


def test_list_is_paged_by_limit_and_after(clean):
    for name in ('a', 'b', 'c', 'd', 'e'):
        clean.create(name, idle(0))
    first = clean.get('/services?limit=2')
    assert [service['name'] for service in first.json] == ['a', 'b']
    target = first.headers['Link'].split('>')[0].removeprefix('<')
    second = clean.get(target)
    assert [service['name'] for service in second.json] == ['c', 'd']
    last = clean.get(second.headers['Link'].split('>')[0].removeprefix('<'))
    assert [service['name'] for service in last.json] == ['e'] and not last.headers['Link']


SPEC = {'name': 'bad', 'image': 'davit/hello:1'}

# Body, the status, the place that the problem names, and a word of its text.
BAD = {
    'malformed': ('{"name":', 400, None, ''),
    'empty body': ('', 400, None, ''),
    'no object': ('[1]', 422, None, ''),
    'duplicate key': ('{"name":"bad","image":"a","image":"b"}', 400, None, 'image'),
    'unknown field': (SPEC | {'env': {}}, 422, '#/env', 'environment'),
    'nearest field': (SPEC | {'instnces': 3}, 422, '#/instnces', 'instances'),
    'nested unknown field': (SPEC | {'restart_policy': {'dely': '1s'}}, 422, '#/restart_policy/dely', 'delay'),
    'wrong type': (SPEC | {'instances': '3'}, 422, '#/instances', ''),
    'true is no number': (SPEC | {'instances': True}, 422, '#/instances', ''),
    'fraction is no number': (SPEC | {'instances': 2.5}, 422, '#/instances', ''),
    'bad name': (SPEC | {'name': 'Web!'}, 422, '#/name', ''),
    'long name': (SPEC | {'name': 'a' * 64}, 422, '#/name', '63'),
    'reserved name': (SPEC | {'name': 'davit-x'}, 422, '#/name', 'reserved'),
    'no name': ({'image': 'a'}, 422, '#/name', ''),
    'no image': ({'name': 'bad'}, 422, '#/image', ''),
    'bad image': (SPEC | {'image': 'UPPER CASE'}, 422, '#/image', ''),
    'negative instances': (SPEC | {'instances': -1}, 422, '#/instances', ''),
    'too many instances': (SPEC | {'instances': 100_001}, 422, '#/instances', ''),
    'port 0': (SPEC | {'ports': [0]}, 422, '#/ports/0', ''),
    'port 65536': (SPEC | {'ports': [80, 65536]}, 422, '#/ports/1', ''),
    'port twice': (SPEC | {'ports': [80, 80]}, 422, '#/ports/1', ''),
    'published twice': (SPEC | {'ports': ['8080:80', '8080:81']}, 422, '#/ports/1/published', ''),
    'ingress': (SPEC | {'ports': [{'target': 80, 'mode': 'ingress'}]}, 422, '#/ports/0/published', 'every node'),
    'little memory': (SPEC | {'resources': {'limits': {'memory': '5m'}}}, 422, '#/resources/limits/memory', '6'),
    'bare duration': (SPEC | {'stop_grace_period': 10}, 422, '#/stop_grace_period', ''),
    'global mode': (SPEC | {'mode': 'global'}, 422, '#/mode', ''),
    'two probes': (SPEC | {'healthcheck': {'http': {'port': 80}, 'tcp': {'port': 80}}}, 422, '#/healthcheck/tcp', ''),
    "davit's own label": (SPEC | {'container_labels': {'davit.service': 'x'}}, 422, '#/container_labels/davit.service', ''),
    'large spec': (SPEC | {'environment': {f'K{i}': 'x' * 1000 for i in range(140)}}, 422, None, ''),
    'deep nesting': ('[' * 10_000 + ']' * 10_000, 400, None, ''),
    'deep objects': ('{"a":' * 10_000 + '1' + '}' * 10_000, 400, None, ''),
    'bad UTF-8': (b'{"name":"bad","image":"\xff\xfe"}', 400, None, ''),
}


@pytest.mark.parametrize('body, status, pointer, word', BAD.values(), ids=BAD)
def test_bad_body_gets_a_problem_that_names_the_field_and_changes_nothing(clean, body, status, pointer, word):
    answer = clean.call('POST', '/services', body, JSON)
    assert answer.status == status, answer
    assert answer.headers['Content-Type'].startswith('application/problem+json')
    problem = answer.json
    assert problem['status'] == status and problem['type'] == f"/problems/{problem['code']}" and problem['title'] and problem['detail']
    if pointer:
        near = [at for at in answer.errors if at == pointer or at.startswith(pointer + '/')]
        assert near and word in ' '.join(answer.errors[at] for at in near), answer
    else:
        assert word in answer.text
    assert clean.get('/services').json == []


def test_bad_patch_leaves_the_service_as_it_was(clean):
    clean.create('web', hello(0))
    before = clean.service('web')
    for change in ({'instances': -1}, {'image': None}, {'ports': ['8080:80', '8080:81']}, {'env': {}}, {'instances': 'many'}):
        answer = clean.call('PUT', '/services/web', change)
        assert answer.status == 422 and answer.errors, answer
    assert clean.service('web') == before


def test_body_over_one_mebibyte_gets_413(clean):
    answer = clean.call('POST', '/services', b'{"name":"bad","image":"' + b'x' * (1 << 20) + b'"}', JSON)
    assert answer.status == 413, answer


def test_wrong_content_type_gets_415_and_the_way_out(clean):
    answer = clean.call('POST', '/services', b'{"name":"web","image":"davit/hello:1"}', {'Content-Type': 'application/x-www-form-urlencoded'})
    assert answer.status == 415 and 'curl --json' in answer.text, answer


def test_unknown_service_gets_404_and_unknown_method_405_with_allow(clean):
    assert clean.get('/services/none').status == 404
    assert clean.call('PUT', '/services/none', {'instances': 1}).status == 404
    answer = clean.call('DELETE', '/services')
    assert answer.status == 405 and {'GET', 'POST'} <= set(answer.headers['Allow'].replace(' ', '').split(',')), answer
    assert clean.get('/nowhere').status == 404


def test_existing_service_gets_409(clean):
    clean.create('web', hello(0))
    answer = clean.call('POST', '/services', {'name': 'web'} | hello(5))
    assert answer.status == 409, answer
    assert clean.service('web')['spec'].get('instances', 1) == 0


@pytest.mark.parametrize('query', ['?wait=10', '?wait=soon', '?dry_run=maybe', '?limit=0', '?after=%ff', '?foo=1'])
def test_bad_query_is_a_problem(clean, query):
    path = '/services' + query
    answer = clean.get(path) if 'limit' in query or 'after' in query else clean.call('POST', path, {'name': 'web'} | hello(0))
    assert answer.status in (400, 422) or (answer.status == 200 and 'after' in query), answer
    assert clean.get('/services').json == []


def test_metrics_health_nodes_and_members_tell_what_runs(clean):
    clean.create('web', hello(1))
    clean.wait_running('web', 1)
    metrics = wait_for(lambda: (text := clean.get('/metrics').text) and 'davit_service_instances' in text and text)
    assert 'davit_service_desired{service="web"} 1' in metrics
    assert clean.get('/healthz').status == 200
    nodes = clean.get('/nodes').json
    assert [node['name'] for node in nodes] == [clean.name] and nodes[0]['status'] == 'up' and nodes[0]['engine']['version']
    assert clean.get(f'/nodes/{clean.name}').json['capacity']['cpus'] > 0
    assert clean.get('/members').json[0]['roles'] == ['master', 'worker']
