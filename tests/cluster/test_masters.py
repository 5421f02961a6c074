"""Any master takes any request; none of them is missed for long."""
import time

from lab.davit import hello, idle, parked
from lab.waiting import holds_for, wait_for


def test_any_master_answers_alike(cluster):
    one, two, three = cluster.masters
    cluster.create('web', hello(3), by=one)
    service = cluster.wait_running('web', 3, by=two)
    assert {i['node'] for i in service['instances']} == {'w1', 'w2', 'w3'}
    cluster.scale('web', 5, by=three)
    revision = cluster.scale('web', 4, by=two).headers['Davit-Revision']
    assert one.api.get('/services/web', headers={'Davit-Revision': revision}).json['spec']['instances'] == 4
    cluster.wait_running('web', 4, by=one)

    def specs():
        return [cluster.service('web', by=host)['spec'] for host in cluster.masters]
    wait_for(lambda: (all_of_them := specs()) and all_of_them[0] == all_of_them[1] == all_of_them[2], 30, 'all masters show the same')
    wait_for(lambda: three.cli('service', 'logs', 'web', '--tail', '1')[1].count('listens on port 80') == 4, 30, 'each has printed its line')


def test_services_live_on_when_their_master_is_killed(cluster):
    names = [f's{i}' for i in range(6)]
    for name in names:
        cluster.create(name, idle(2))
    for name in names:
        cluster.wait_running(name, 2)
    before = {name: cluster.ids(name) for name in names}
    victim, *others = cluster.masters
    victim.master.kill()
    killed_at = time.monotonic()
    for name in names:  # some of them were the victim's
        wait_for(lambda: cluster.call('PUT', f'/services/{name}', {'instances': 3}, by=others[0]).status == 200, 30)
    print(f'all services served again {time.monotonic() - killed_at:.1f} s after the kill')
    for name in names:
        cluster.wait_running(name, 3, by=others[1])
        assert before[name] <= cluster.ids(name), 'a healthy container was restarted'


def test_a_master_that_stands_still_for_30_s_does_no_harm_when_it_wakes(cluster):
    cluster.create('web', idle(4))
    cluster.wait_running('web', 4)
    before = cluster.ids('web')
    sleeper, *others = cluster.masters
    sleeper.master.pause()
    wait_for(lambda: cluster.call('PUT', '/services/web', {'instances': 5}, by=others[0]).status == 200, 30)
    cluster.wait_running('web', 5, by=others[0])
    holds_for(lambda: before <= cluster.ids('web'), 20, every=1)
    sleeper.master.resume()
    cluster.wait_whole()
    cluster.wait_running('web', 5, by=sleeper)
    assert before <= cluster.ids('web')
    wait_for(lambda: cluster.call('PUT', '/services/web', {'instances': 3}, by=sleeper).status == 200, 30, 'it takes writes')
    cluster.wait_running('web', 3, by=others[1])


def test_a_master_cut_off_refuses_writes_and_says_how_old_its_view_is(cluster):
    cluster.create('web', idle(3))
    cluster.wait_running('web', 3)
    before = cluster.ids('web')
    lonely, *others = cluster.masters
    lonely.cut_off()
    wait_for(lambda: 'Davit-View-Age' in lonely.api.get('/services/web').headers, 30, 'its reads tell their age')
    answer = lonely.api.call('PUT', '/services/web', {'instances': 9}, timeout=40)
    assert answer.status == 503 and 'Retry-After' in answer.headers, answer
    wait_for(lambda: cluster.call('PUT', '/services/web', {'instances': 4}, by=others[0]).status == 200, 30)
    cluster.wait_running('web', 4, by=others[0])
    assert before <= cluster.ids('web')
    lonely.heal()
    cluster.wait_whole()
    cluster.wait_running('web', 4, by=lonely)


def test_a_patch_at_a_master_that_lags_behind_undoes_nothing(cluster):
    """Its If-Match names a generation that another master has shown and this one has not seen."""
    for name in (f's{i}' for i in range(20)):  # a third of all are that master's
        cluster.create(name, parked(1))
        if cluster.owner(name) is not cluster.masters[2]:
            break
    owner, behind = cluster.owner(name), cluster.masters[2]
    wait_for(lambda: behind.api.get(f'/services/{name}').status == 200)
    behind.net.block(2379)
    etag = cluster.scale(name, 7, by=owner).headers['ETag']
    answer = behind.api.call('PUT', f'/services/{name}', {'labels': {'a': '1'}}, headers={'If-Match': etag})
    assert answer.status in (412, 503), answer
    behind.heal()
    answer = wait_for(lambda: (seen := behind.api.call('PUT', f'/services/{name}', {'labels': {'a': '1'}}, headers={'If-Match': etag})).status == 200 and seen)
    assert answer.json['spec'] == {'image': 'davit/hello:1', 'instances': 7, 'labels': {'a': '1'}, 'placement': {'constraints': ['node.labels.nowhere==yes']}}, answer


def test_an_update_goes_on_when_its_master_is_killed(cluster):
    cluster.create('web', hello(6, update_config={'monitor': '2s'}) | parked(6))
    owner = cluster.owner('web')
    survivor = next(host for host in cluster.masters if host is not owner)
    assert cluster.call('PUT', '/services/web', {'placement': None}).status == 200
    cluster.wait_running('web', 6)
    answer = cluster.call('PUT', '/services/web', {'image': 'davit/hello:2'})
    assert answer.status == 200, answer
    wait_for(lambda: cluster.service('web')['status']['updated'] >= 1, 30)
    owner.master.kill()
    service = wait_for(lambda: (seen := cluster.service('web', by=survivor))['status']['updated'] == 6 and seen['status']['state'] == 'running' and seen, 90,
                       f'the update ends\n{cluster.describe()}')
    assert service['revision'] == 2
    cluster.wait_running('web', 6, by=survivor)
