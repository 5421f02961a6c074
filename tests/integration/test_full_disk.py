"""No space is left under the data directory: writes say so, what runs goes on, and space heals it without a restart."""
import subprocess

import pytest

from lab.davit import hello, idle, page
from lab.waiting import wait_for


@pytest.fixture
def small_disk(lab, new_davit):
    """A Davit whose data directory is a file system of its own, of 4 MiB."""
    folder = lab.ledger.folder / f'disk{len(lab.davits)}'
    folder.mkdir()
    subprocess.run(['mount', '-t', 'tmpfs', '-o', 'size=4m', 'tmpfs', folder], check=True)
    davit = new_davit(data_dir=folder / 'data').start()
    davit.disk = folder
    yield davit
    fill(davit, False)
    davit.stop()
    subprocess.run(['umount', folder], check=True)


def fill(davit, is_full):
    ballast = davit.disk / 'ballast'
    if not is_full:
        ballast.unlink(missing_ok=True)
        return
    with ballast.open('ab', buffering=0) as file:
        try:
            while True:
                file.write(b'x' * 4096)
        except OSError:
            pass


def write_until_full(davit, limit=3000):
    """Space that SQLite took before is still its own, so it takes some writes until one is refused."""
    for step in range(limit):
        answer = davit.call('PUT', '/services/ballast', {'labels': {'step': f'{step}' + 'x' * 2000}})
        if answer.status != 200:
            return answer
    raise AssertionError('no write was refused')


def test_writes_are_refused_with_507_while_reads_and_services_go_on(small_disk, engine):
    small_disk.create('web', hello(2))
    small_disk.create('ballast', idle(0))
    service = small_disk.wait_running('web', 2)
    containers = engine.by_slot('web')
    fill(small_disk, True)
    refused = write_until_full(small_disk)
    assert refused.status == 507 and refused.json['code'] == 'store_full', refused
    assert small_disk.call('POST', '/services', {'name': 'new'} | hello()).status == 507
    assert small_disk.get('/services/new').status == 404
    assert small_disk.service('web')['status']['ready'] == 2 and page(service['instances'][0])
    assert small_disk.get('/healthz').status in (200, 503)

    # An instance that dies on the full disk is started again: what should run is known without a write.
    engine.docker('kill', containers[1])
    small_disk.wait_running('web', 2)
    assert engine.by_slot('web')[2] == containers[2]

    fill(small_disk, False)
    wait_for(lambda: small_disk.call('PUT', '/services/web', {'instances': 3}).status == 200, 30)
    small_disk.wait_running('web', 3)
    assert engine.by_slot('web')[2] == containers[2]


def test_davit_killed_on_a_full_disk_comes_back_with_what_it_acknowledged(small_disk, engine):
    small_disk.create('web', hello(2))
    small_disk.create('ballast', idle(0))
    small_disk.wait_running('web', 2)
    containers = engine.by_slot('web')
    fill(small_disk, True)
    write_until_full(small_disk)
    acknowledged = small_disk.service('ballast')['generation']
    small_disk.kill()
    fill(small_disk, False)
    small_disk.start()
    small_disk.wait_running('web', 2)
    assert small_disk.service('ballast')['generation'] == acknowledged
    assert engine.by_slot('web') == containers
