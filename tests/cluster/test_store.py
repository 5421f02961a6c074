"""etcd with fewer members, with none, and back."""
from lab.davit import idle
from lab.waiting import holds_for, wait_for


def test_one_member_of_three_may_die(cluster):
    cluster.create('web', idle(3))
    cluster.wait_running('web', 3)
    cluster.masters[0].etcd.kill()
    wait_for(lambda: cluster.call('PUT', '/services/web', {'instances': 4}, by=cluster.masters[0]).status == 200, 30)
    cluster.wait_running('web', 4, by=cluster.masters[0])


def test_without_a_majority_nothing_is_written_and_nothing_stops(cluster):
    cluster.create('web', idle(4))
    cluster.wait_running('web', 4)
    before = cluster.ids('web')
    for host in cluster.masters[:2]:
        host.etcd.kill()
    wait_for(lambda: 'Davit-View-Age' in cluster.masters[2].api.get('/services/web').headers, 30, 'the master has noticed')
    answer = cluster.call('PUT', '/services/web', {'instances': 9}, by=cluster.masters[2], timeout=60)
    assert answer.status == 503, answer
    holds_for(lambda: cluster.ids('web') == before, 15, every=1)
    assert cluster.call('GET', '/services/web', by=cluster.masters[2]).json['spec']['instances'] == 4
    for host in cluster.masters[:2]:
        host.etcd.start()
    wait_for(lambda: cluster.call('PUT', '/services/web', {'instances': 5}, timeout=60).status == 200, 60, f'writes pass again\n{cluster.describe()}')
    cluster.wait_running('web', 5)
    assert before <= cluster.ids('web')


def test_etcds_leader_dies_together_with_a_master_and_a_worker(cluster):
    """As when a rack loses power: what stood on the worker is started elsewhere, and the rest is left alone."""
    cluster.create('web', idle(6))
    cluster.wait_running('web', 6)
    rack, lost = cluster.etcd_leader(), cluster.workers[0]
    stranded = {container['Id'] for container in lost.engine.running('web')}
    kept = cluster.ids('web') - stranded
    others = [host for host in cluster.workers if host is not lost]
    survivor = next(host for host in cluster.masters if host is not rack)
    rack.etcd.kill()
    rack.master.kill()
    lost.cut_off()
    wait_for(lambda: cluster.call('PUT', '/services/web', {'labels': {'a': '1'}}, by=survivor).status == 200, 30, 'writes pass')
    wait_for(lambda: sum(len(host.engine.running('web')) for host in others) == 6, 60, f'six run elsewhere\n{cluster.describe()}')
    assert kept <= cluster.ids('web'), 'a healthy container was restarted'
    cluster.mend()
    cluster.wait_running('web', 6, by=rack)
    assert kept <= cluster.ids('web')
