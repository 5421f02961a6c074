"""Planned changes of the cluster while clients write: nobody's write is lost, and what runs goes on."""
from history.clients import Load, Service
from history.explain import explain_all
from history.operation import summary
from lab.davit import idle
from lab.waiting import wait_for

SERVICES = [Service(f'parked{i}', True) for i in range(3)] + [Service('run0', False)]


def test_all_of_davit_restarts_one_by_one_under_load(cluster):
    cluster.create('steady', idle(6))
    cluster.wait_running('steady', 6)
    before = cluster.ids('steady')
    with Load(cluster.masters, SERVICES, clients=4) as load:
        for host in cluster.masters:
            host.master.restart()
            host.wait_ready()
            cluster.wait_whole()
            load.wait_for_writes(20)
        for host in cluster.workers:
            host.worker.restart()
            cluster.wait_whole()
            load.wait_for_writes(10)
    operations = load.finish()
    print(summary(operations))
    explain_all(operations, 'restarts')
    cluster.wait_running('steady', 6)
    assert cluster.ids('steady') == before, 'a healthy container was restarted'


def test_a_worker_joins_under_load(cluster):
    """It gets work as soon as it is there, and nothing moves to it that is well elsewhere."""
    cluster.create('steady', idle(6))
    cluster.wait_running('steady', 6)
    before = cluster.running('steady')
    joined = None
    try:
        with Load(cluster.masters, SERVICES, clients=2) as load:
            joined = cluster.join_worker()
            cluster.wait_whole()
            wait_for(lambda: gets_work(cluster, joined), 30, f'{joined.name} gets work')
            cluster.scale('steady', 8, by=cluster.masters[1])
            wait_for(lambda: joined.engine.running('steady'), 30, f'a new one is on {joined.name}, which has none yet')
        explain_all(load.finish(), 'join')
        assert before <= cluster.running('steady'), 'a healthy container was restarted or moved'
    finally:
        if joined:
            cluster.remove_worker(joined)
    cluster.wait_running('steady', 8)
    assert before <= cluster.running('steady')


def gets_work(cluster, joined):
    """One more instance each time, until one is placed there: the owner has to hear the node first, which it says nowhere."""
    at = cluster.masters[2]  # another one may not have seen yet what this one has answered
    is_first = cluster.call('GET', '/services/new', by=at).status == 404
    count = 1 if is_first else cluster.service('new', by=at)['spec'].get('instances', 1) + 1
    if is_first:
        cluster.create('new', idle(1), by=at)
    else:
        cluster.scale('new', count, by=at)
    return joined.name in {instance['node'] for instance in cluster.wait_running('new', count, by=at)['instances']}
