"""Workers that die, are cut off and come back."""
import time
from concurrent.futures import ThreadPoolExecutor

from lab.davit import idle
from lab.waiting import holds_for, wait_for


def on(cluster, service, host):
    return {container for name, container in cluster.running(service) if name == host.name}


def test_a_host_cut_off_is_replaced_and_its_surplus_goes_when_it_returns(cluster):
    cluster.create('web', idle(6))
    cluster.wait_running('web', 6)
    lost, *others = cluster.workers
    kept = cluster.ids('web') - on(cluster, 'web', lost)
    stranded = on(cluster, 'web', lost)
    assert stranded
    lost.cut_off()
    cut_at = time.monotonic()
    wait_for(lambda: sum(len(host.engine.running('web')) for host in others) == 6, 60, f'six run elsewhere\n{cluster.describe()}')
    print(f'all instances run elsewhere {time.monotonic() - cut_at:.1f} s after the cut')
    assert on(cluster, 'web', lost) == stranded, 'a cut-off node keeps its instances'
    lost.heal()
    cluster.wait_whole()
    cluster.wait_running('web', 6)
    assert kept <= cluster.ids('web'), 'what was healthy was left alone'


def test_a_host_that_hears_but_is_not_heard_is_replaced(cluster):
    cluster.create('web', idle(3))
    cluster.wait_running('web', 3)
    mute, *others = cluster.workers
    mute.cut_off(one_way=True)
    cut_at = time.monotonic()
    wait_for(lambda: sum(len(host.engine.running('web')) for host in others) == 3, 60, f'three run elsewhere\n{cluster.describe()}')
    print(f'all instances run elsewhere {time.monotonic() - cut_at:.1f} s after the one-way cut')
    mute.heal()
    cluster.wait_whole()
    cluster.wait_running('web', 3)


def test_a_worker_killed_and_started_again_adopts_its_containers(cluster):
    cluster.create('web', idle(6))
    cluster.wait_running('web', 6)
    before = cluster.ids('web')
    for host in cluster.workers:
        host.worker.kill()
    for host in cluster.workers:
        host.worker.start()
    cluster.wait_whole()
    cluster.wait_running('web', 6)
    assert cluster.ids('web') == before


def test_most_workers_gone_at_once_are_held_and_not_moved(cluster):
    cluster.create('web', idle(3))
    cluster.wait_running('web', 3)
    before = cluster.ids('web')
    gone = cluster.workers[:2]
    with ThreadPoolExecutor() as at_once:
        list(at_once.map(lambda host: host.cut_off(), gone))
    wait_for(lambda: all(cluster.node(host.name)['status'] == 'unreachable' for host in gone), 30, f'both are unreachable\n{cluster.describe()}')
    holds_for(lambda: cluster.ids('web') == before, 10, 'nothing moves while more than half of the workers are gone')
    assert 'more than half' in str(cluster.call('GET', '/members').json), cluster.call('GET', '/members').text
    for host in gone:
        host.heal()
    cluster.wait_whole()
    cluster.wait_running('web', 3)
    assert cluster.ids('web') == before


def test_a_worker_that_a_master_cannot_reach_is_commanded_through_another(cluster):
    apart = cluster.workers[0]
    cluster.masters[0].net.cut(apart.net)
    wait_for(lambda: cluster.masters[0].address not in apart.net.run('ss', '-Htn', 'state', 'established'), 30, 'the link has noticed the cut')
    names = [f's{i}' for i in range(6)]
    for name in names:  # two of them or so are the first master's
        cluster.create(name, idle(3, placement={'constraints': ['node.name==w1']}), by=cluster.masters[1])
    for name in names:
        cluster.wait_running(name, 3, by=cluster.masters[2])
    assert all(len(on(cluster, name, apart)) == 3 for name in names)
    assert cluster.node('w1', by=cluster.masters[0])['status'] == 'up'


def test_a_drained_node_gives_its_instances_away_and_a_rebalance_brings_some_back(cluster):
    cluster.create('web', idle(6))
    cluster.wait_running('web', 6)
    code, _, err = cluster.masters[1].cli('node', 'drain', 'w2')
    assert code == 0, err
    assert on(cluster, 'web', cluster.workers[1]) == set()
    code, _, err = cluster.masters[2].cli('node', 'activate', 'w2')
    assert code == 0, err
    cluster.wait_node('w2', availability='active')
    code, out, err = cluster.masters[0].cli('rebalance', '--dry-run')
    assert code == 0 and [line.split()[-1] for line in out.splitlines()] == ['TO', 'w2', 'w2'], out + err
    code, out, err = cluster.masters[0].cli('rebalance')
    assert code == 0, out + err
    cluster.wait_running('web', 6)
    assert len(on(cluster, 'web', cluster.workers[1])) == 2
