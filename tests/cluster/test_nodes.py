"""davit node, as an operator uses it."""
import json
from concurrent.futures import ThreadPoolExecutor

from lab.davit import idle
from lab.waiting import wait_for


def davit(host, *arguments):
    code, out, err = host.cli(*arguments)
    assert code == 0, out + err
    return out + err


def test_all_node_commands(cluster):
    at = cluster.masters[0]
    cluster.create('web', idle(6))
    cluster.wait_running('web', 6)
    rows = {line.split()[0]: line for line in davit(at, 'node', 'ls').splitlines()}
    assert all('up' in rows[name] and 'active' in rows[name] for name in ('w1', 'w2', 'w3')), rows

    davit(at, 'node', 'update', '--label-add', 'disk=ssd', '--label-add', 'zone=a', 'w1')
    davit(at, 'node', 'update', '--label-rm', 'zone', '--availability', 'pause', 'w1')
    cluster.wait_node('w1', availability='pause')
    node = json.loads(davit(cluster.masters[2], 'node', 'inspect', 'w1'))
    assert (node['labels'], node['availability']) == ({'disk': 'ssd'}, 'pause'), node

    davit(at, 'node', 'drain', 'w2')
    assert cluster.node('w2')['instances'] == 0 and 'drain' in davit(at, 'node', 'ls', '--filter', 'availability=drain')
    davit(at, 'node', 'activate', 'w1', 'w2')
    davit(at, 'node', 'update', '--label-rm', 'disk', 'w1')
    assert cluster.node('w1')['labels'] == {}
    code, _, err = at.cli('node', 'rm', 'w3')
    assert code == 1 and 'w3' in err, err


def test_a_node_that_is_held_back_is_marked_down_and_removed_and_comes_back(cluster):
    at = cluster.masters[1]
    cluster.create('web', idle(3))
    cluster.wait_running('web', 3)
    gone = cluster.workers[1:]
    with ThreadPoolExecutor() as at_once:
        list(at_once.map(lambda host: host.cut_off(), gone))

    def statuses():
        return [cluster.node(host.name, by=at)['status'] for host in gone]
    wait_for(lambda: statuses() == ['unreachable'] * 2, 30, lambda: f'both are unreachable, not {statuses()}\n{cluster.describe()}')
    wait_for(lambda: 'more than half' in davit(at, 'node', 'ls'), 15, 'davit node ls says why nothing moves')
    code, _, err = at.cli('node', 'mark-down', 'w2', 'w3')
    assert code == 2 and '--yes' in err, err
    davit(at, 'node', 'mark-down', '--yes', 'w2', 'w3')
    wait_for(lambda: len(cluster.workers[0].engine.running('web')) == 3, 30, 'all runs on the node that is left')
    davit(at, 'node', 'rm', 'w3')
    # A connection that hangs is shown until it is given up.
    wait_for(lambda: cluster.node('w3', by=at) is None, 15, 'w3 is gone')
    assert cluster.node('w2', by=at)['status'] == 'down'
    for host in gone:
        host.heal()
    cluster.wait_whole()
    cluster.wait_running('web', 3)


def test_every_master_says_what_keeps_an_instance_off_each_node(cluster):
    cluster.create('db', idle(1, placement={'constraints': ['node.labels.disk==ssd']}))
    for master in cluster.masters:
        said = wait_for(lambda: (out := master.cli('service', 'explain', 'db')[1]).startswith('db.1 waits') and out, 10, f'{master.name} knows that it waits')
        assert [line.split()[1] for line in said.splitlines() if line.startswith('  ')] == ['constraint'] * 3, said
        told = wait_for(lambda: master.api.call('GET', '/services/db').json['status']['message'], 10, f'{master.name} has a message')
        assert 'davit service explain db' in told, told
