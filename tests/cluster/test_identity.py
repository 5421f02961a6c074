"""Who is who: data directories that were copied."""
import shutil

import pytest

from hosts.host import Program
from lab.davit import idle
from lab.http import Api
from lab.waiting import holds_for, wait_for


@pytest.fixture
def copy_of_a_master(cluster):
    """The first master's data on another host, and the program that runs from it; to be started."""
    original, host = cluster.masters[0], cluster.workers[0]
    folder = host.folder / 'copy'
    shutil.copytree(original.data_dir, folder, ignore=shutil.ignore_patterns('*.sock', 'lock'))
    command = original.master.command + ['--data-dir', folder, '--advertise', host.address, '--listen', f'{host.address}:4820']
    copy = Program(host, 'copy', command)
    yield copy
    copy.stop()


def test_a_copy_of_a_masters_data_takes_nobodys_place(cluster, copy_of_a_master):
    original = cluster.masters[0]
    cluster.create('web', idle(3))
    cluster.wait_running('web', 3)
    before = cluster.ids('web')
    copy_of_a_master.start()
    wait_for(lambda: 'another process is master m1 ' in copy_of_a_master.log_tail(), 30, 'the copy says what is wrong')
    assert f'{original.address}:4821' in copy_of_a_master.log_tail()

    def all_serve():
        assert copy_of_a_master.runs()
        return all(host.api.call('PUT', '/services/web', {'instances': 3}).status == 200 for host in cluster.masters)
    holds_for(all_serve, 8, every=0.5)
    assert cluster.ids('web') == before

    original.master.kill()  # for good: then the copy is the one that there is
    api = Api(f'{copy_of_a_master.host.folder}/copy/davit.sock')
    wait_for(lambda: api.call('PUT', '/services/web', {'instances': 4}).status == 200, 30, f'the copy serves\n{copy_of_a_master.log_tail()}')
    cluster.wait_running('web', 4, by=cluster.masters[1])
    assert before <= cluster.ids('web')


def test_a_worker_that_lost_its_data_is_the_same_node_by_its_containers(cluster):
    host = cluster.workers[0]
    cluster.create('web', idle(6))
    cluster.create('db', idle(1, on_isolation='stop', placement={'constraints': ['node.name == w1']}))
    cluster.wait_running('web', 6)
    cluster.wait_running('db', 1)
    before, known = cluster.ids('web') | cluster.ids('db'), cluster.node('w1')['id']
    host.worker.kill()
    shutil.rmtree(host.folder / 'worker')
    host.worker.start()
    wait_for(lambda: 'again, by the labels of its containers' in host.worker.log_tail(), 30, f'it finds out who it is\n{host.worker.log_tail()}')
    cluster.wait_whole()
    assert cluster.node('w1')['id'] == known
    cluster.wait_running('web', 6)
    cluster.scale('web', 7)
    cluster.wait_running('web', 7)
    assert before <= cluster.ids('web') | cluster.ids('db')
