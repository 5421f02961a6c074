"""Where instances go: constraints, limits per node, strategies; and what users read when no node fits."""
import json

import pytest

from lab.davit import free_port, hello, idle
from lab.waiting import wait_for


def label(davit, **labels):
    answer = davit.call('PATCH', f'/nodes/{davit.name}', {'labels': labels})
    assert answer.status == 200, answer


def explained(davit, service):
    answer = davit.get(f'/services/{service}/explain')
    assert answer.status == 200, answer
    return answer.json['slots']


@pytest.fixture
def labelled(clean):
    label(clean, disk='ssd')
    yield clean
    label(clean, disk=None)


def test_constraint_that_the_node_meets(labelled):
    labelled.create('web', idle(2, placement={'constraints': ['node.labels.disk==ssd', 'node.role == worker', f'node.name=={labelled.name}']}))
    labelled.wait_running('web', 2)
    assert explained(labelled, 'web') == []


def test_constraint_that_no_node_meets_until_it_is_labelled(labelled):
    labelled.create('db', idle(1, placement={'constraints': ['node.labels.disk==nvme']}))
    waiting = labelled.wait_reason('db', 'no_node_fits')
    assert 'no node fits: 1 constraint' in waiting['message'] and 'davit service explain db' in waiting['message']
    slot, = explained(labelled, 'db')
    assert slot['slot'] == 1 and slot['waiting_since']
    assert slot['nodes'] == [{'node': labelled.name, 'fits': False, 'filter': 'constraint', 'detail': 'node.labels.disk==nvme, is ssd', 'score': None}]
    code, said, _ = labelled.cli('service', 'explain', 'db')
    assert code == 0
    assert said.splitlines()[0].startswith('db.1 waits ') and said.splitlines()[0].endswith(': 0 of 1 node fit')
    assert said.splitlines()[1].split(None, 2) == [labelled.name, 'constraint', 'node.labels.disk==nvme, is ssd']
    label(labelled, disk='nvme')
    labelled.wait_running('db', 1)
    code, said, _ = labelled.cli('service', 'explain', 'db')
    assert code == 0 and said.startswith(f'db: no instance waits for a node; the next one would go to {labelled.name}\n'), said


def test_labels_of_the_flag_are_the_nodes_own_and_users_may_set_others(new_davit):
    davit = new_davit()
    davit.start('--labels', 'disk=ssd,rack=7')
    assert davit.get(f'/nodes/{davit.name}').json['labels'] == {'disk': 'ssd', 'rack': '7'}
    davit.create('db', idle(1, placement={'constraints': ['node.labels.disk==ssd']}))
    davit.wait_running('db', 1)
    label(davit, disk='hdd', zone='a')
    davit.terminate()
    davit.start('--labels', 'disk=nvme')
    assert davit.get(f'/nodes/{davit.name}').json['labels'] == {'disk': 'hdd', 'zone': 'a'}, 'what users set outlives a start and goes before'
    label(davit, disk=None)
    assert davit.get(f'/nodes/{davit.name}').json['labels'] == {'disk': 'nvme', 'zone': 'a'}
    code, _, error = davit.cli('node', 'update', '--label-rm', 'disk', davit.name)
    assert code == 1 and '--labels' in error, error


def test_bad_labels_are_refused_by_the_name_of_their_flag(new_davit):
    davit = new_davit()
    davit.start('--labels', 'disk=ssd,disk=hdd', wait=False)
    assert davit.process.wait(10) == 2
    assert '--labels' in davit.log_tail() and 'disk is given twice' in davit.log_tail()


def test_use_of_instances_is_measured(clean):
    clean.create('burner', idle(1, command=['sh', '-c', 'trap "exit 0" TERM; while :; do :; done']))
    clean.create('sleeper', idle(1))
    clean.wait_running('burner', 1)
    clean.wait_running('sleeper', 1)
    used = wait_for(lambda: clean.instances('burner')[0]['used'], 30, 'the burner is measured')
    assert 0.05 < used['cpus'] and 10_000 < used['memory'] < 1 << 30, used
    idling = wait_for(lambda: clean.instances('sleeper')[0]['used'], 30, 'the sleeper is measured')
    assert idling['cpus'] < used['cpus'], (idling, used)
    code, said, _ = clean.cli('service', 'stats', 'burner')
    assert code == 0 and said.splitlines()[1].split()[:3] == ['burner.1', clean.name, 'running'] and '%' in said, said
    assert 'davit_service_cpu_used_cores{service="burner"}' in clean.get('/metrics').text


def test_change_of_a_constraint_moves_nothing_that_runs(labelled):
    labelled.create('web', idle(1))
    before = labelled.wait_running('web', 1)
    labelled.put('web', {'placement': {'constraints': ['node.labels.disk==nvme']}})
    labelled.put('web', {'instances': 2})
    labelled.wait_reason('web', 'no_node_fits')
    after = labelled.service('web')
    assert after['revision'] == before['revision']
    assert after['instances'][0]['container']['id'] == before['instances'][0]['container']['id']
    labelled.put('web', {'placement': None})
    labelled.wait_running('web', 2)


def test_reservation_is_explained_with_what_would_fit(clean):
    clean.create('db', idle(1, resources={'reservations': {'memory': '900t'}}))
    clean.wait_reason('db', 'not_enough_memory')
    slot, = explained(clean, 'db')
    assert slot['nodes'][0]['filter'] == 'memory' and slot['nodes'][0]['detail'].startswith('wants 900 TiB, ')
    hint, = slot['would_fit']
    assert hint.startswith('reservation ')
    code, said, _ = clean.cli('service', 'explain', 'db')
    assert code == 0 and said.splitlines()[-1] == f'Would fit: {hint}'
    clean.put('db', {'resources': {'reservations': {'memory': hint.split()[1]}}})
    clean.wait_running('db', 1)


def test_limit_per_node_holds_and_can_be_raised(clean):
    clean.create('web', idle(3, placement={'max_replicas_per_node': 2}))
    clean.wait_reason('web', 'max_per_node')
    assert len(clean.engine.running('web')) <= 2
    clean.put('web', {'placement': {'max_replicas_per_node': 3}})
    clean.wait_running('web', 3)


def test_paused_node_takes_nothing_and_says_how_it_would(clean):
    assert clean.call('PATCH', f'/nodes/{clean.name}', {'availability': 'pause'}).status == 200
    try:
        clean.create('web', idle(1))
        clean.wait_reason('web', 'no_node_fits')
        slot, = explained(clean, 'web')
        assert slot['nodes'][0]['filter'] == 'availability' and slot['nodes'][0]['detail'] == 'pause'
        assert slot['would_fit'] == [f'davit node activate {clean.name}']
    finally:
        assert clean.call('POST', f'/nodes/{clean.name}/activate').status == 200
    clean.wait_running('web', 1)


def test_taken_host_port_is_named(clean):
    port = free_port()
    clean.create('one', hello(1, ports=[f'{port}:80']))
    clean.wait_running('one', 1)
    clean.create('two', hello(1, ports=[f'{port}:80']))
    clean.wait_reason('two', 'host_port_in_use')
    slot, = explained(clean, 'two')
    assert (slot['nodes'][0]['filter'], slot['nodes'][0]['detail']) == ('host_port', f'port {port}/tcp is taken')


def test_flags_of_the_command_line(labelled):
    code, _, error = labelled.cli('service', 'create', '--name', 'web', '--instances', 1, '--constraint', 'node.labels.disk==ssd', '--constraint',
                                  'node.name!=other', '--replicas-max-per-node', 2, '--strategy', 'binpack', '--spread-by', 'zone', 'davit/hello:1')
    assert code == 0, error
    assert labelled.service('web')['spec']['placement'] == {'constraints': ['node.labels.disk==ssd', 'node.name!=other'], 'max_replicas_per_node': 2,
                                                            'strategy': 'binpack', 'spread_by': 'zone'}
    code, _, error = labelled.cli('service', 'update', '--constraint-rm', 'node.name!=other', '--constraint-add', 'node.role==worker', 'web')
    assert code == 0, error
    assert labelled.service('web')['spec']['placement']['constraints'] == ['node.labels.disk==ssd', 'node.role==worker']
    code, said, _ = labelled.cli('service', 'explain', '-o', 'json', 'web')
    explained_all = json.loads(said)
    assert code == 0 and explained_all['slots'] == [] and explained_all['next']['node'] == labelled.name, said


@pytest.mark.parametrize('placement, pointer, code, says', [
    ({'constraints': ['node.labels.disk=ssd']}, '#/placement/constraints/0', 'invalid_value', 'node.labels.disk==ssd'),
    ({'constraints': ['node.role==leader']}, '#/placement/constraints/0', 'invalid_value', 'master and worker'),
    ({'constraints': ['engine.labels.a==b']}, '#/placement/constraints/0', 'unsupported', 'node.labels'),
    ({'strategy': 'binpak'}, '#/placement/strategy', 'unknown_value', 'binpack'),
    ({'preferences': ['spread=node.labels.a', 'spread=node.labels.b']}, '#/placement/preferences/1', 'unsupported', 'one'),
    ({'spread_by': 'not a label'}, '#/placement/spread_by', 'invalid_value', 'node.labels.zone'),
])
def test_bad_placement_is_refused_by_its_pointer(clean, placement, pointer, code, says):
    answer = clean.call('POST', '/services', {'name': 'web'} | hello(1, placement=placement))
    assert answer.status == 422, answer
    error, = answer.json['errors']
    assert (error['pointer'], error['code']) == (pointer, code) and says in error['detail']


def test_volume_keeps_its_slot_through_an_update(clean):
    clean.create('db', idle(1, volumes=['davit-placement-data:/data']))
    clean.wait_running('db', 1)
    clean.put('db', {'environment': {'A': '1'}})
    service = wait_for(lambda: (s := clean.service('db'))['status']['updated'] == 1 and s['status']['state'] == 'running' and s)
    assert service['instances'][0]['node'] == clean.name
    clean.remove('db')
    clean.engine.docker('volume', 'rm', 'davit-placement-data')
