"""One port on every worker, asked at all of them at once."""
import time
from contextlib import ExitStack

from lab.load import Load, fetch, shop
from lab.waiting import wait_for

PORT = 8080


def serve(cluster, instances):
    cluster.create('web', shop(instances, PORT))
    cluster.wait_running('web', instances)
    for host in cluster.workers:
        wait_for(lambda host=host: fetch(PORT, host.address), 10, lambda host=host: f'{host.name} answers: {host.worker.log_tail()}')


def davit(cluster, *arguments):
    code, out, err = cluster.any_master().cli(*arguments)
    assert code == 0, out + err


def test_update_drain_and_scaling_lose_no_request_whichever_worker_is_asked(cluster):
    serve(cluster, 4)
    with ExitStack() as stack:
        loads = [stack.enter_context(Load(PORT, 2, host.address)) for host in cluster.workers]
        answer = cluster.call('PUT', '/services/web?wait=90s', {'image': 'davit/hello:2'}, timeout=100)
        assert answer.status == 200, answer
        cluster.wait_running('web', 4)
        for host in cluster.workers[:2]:
            davit(cluster, 'node', 'drain', host.name)
            assert host.engine.running('web') == []
            davit(cluster, 'node', 'activate', host.name)
        cluster.scale('web', 6)
        cluster.wait_running('web', 6)
        cluster.scale('web', 1)
        cluster.wait_running('web', 1)
    assert all(load.failed == [] for load in loads), [load.failed for load in loads]
    for load in loads:
        assert load.done > 100 and all(any(version in body for body in load.bodies) for version in (b'version 1', b'version 2')), load.bodies


def test_a_worker_without_instances_passes_over_those_on_a_host_that_is_cut_off(cluster):
    asked, gone = cluster.workers[0], cluster.workers[-1]
    davit(cluster, 'node', 'update', '--availability', 'pause', asked.name)
    cluster.wait_node(asked.name, availability='pause')
    try:
        serve(cluster, 2)
    finally:
        davit(cluster, 'node', 'activate', asked.name)
    assert asked.engine.running('web') == [] and len(gone.engine.running('web')) == 1
    with Load(PORT, 4, asked.address) as load:
        wait_for(lambda: len(load.bodies) == 2, 10, 'both instances answer')
        gone.cut_off()
        cut = time.monotonic()
        wait_for(lambda: cluster.node(gone.name)['status'] == 'down', 30, f'{gone.name} is down')
        before = load.done
        wait_for(lambda: load.done > before + 100, 30, 'requests go on')
    late = [failure for failure in load.failed if failure.began > cut]
    assert late == [], 'whoever comes after the cut is carried to the other one'
