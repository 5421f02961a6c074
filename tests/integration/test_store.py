"""The store's file: backup while davit runs, restore, and files that davit refuses without touching them."""
import hashlib
import sqlite3
import subprocess

import pytest

from lab.davit import Davit, free_port, hello, idle
from lab.waiting import wait_for


def store(davit):
    return davit.data_dir / 'store.sqlite'


def contents(folder):
    """What the folder's store consists of, byte for byte."""
    return {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in folder.iterdir() if file.name.startswith('store.sqlite')}


def backup(davit, file):
    code, said, error = davit.cli('store', 'backup', '--data-dir', davit.data_dir, file)
    assert code == 0, error
    assert 'verified' in said
    return file


def test_backup_while_davit_writes_brings_its_moment_back(clean, engine):
    clean.create('web', hello(2))
    clean.create('other', hello(0))
    clean.wait_running('web', 2)
    containers = engine.by_slot('web')
    file = backup(clean, clean.folder / 'first.backup')
    clean.scale('web', 3)
    clean.call('DELETE', '/services/other')
    clean.create('later', idle(1))
    clean.wait_running('web', 3)
    clean.wait_running('later', 1)
    clean.terminate()
    code, said, error = clean.cli('store', 'restore', '--force', '--data-dir', clean.data_dir, file)
    assert code == 0, error
    assert 'kept as' in said
    clean.start()
    assert [service['name'] for service in clean.get('/services').json] == ['other', 'web']
    clean.wait_running('web', 2)
    assert engine.by_slot('web') == containers, 'those of before the backup are kept'
    for left in engine.ids('later'):  # nobody speaks for it any more, so it is left to its user
        engine.docker('rm', '-f', left)


def test_backup_is_one_file_that_a_new_installation_starts_from(clean, new_davit):
    clean.create('web', hello(0, labels={'a': 'b'}))
    file = backup(clean, clean.folder / 'move.backup')
    other = new_davit()
    assert other.cli('store', 'restore', '--data-dir', other.data_dir, file)[0] == 0
    other.start()
    assert other.service('web')['spec']['labels'] == {'a': 'b'}


def test_backup_overwrites_nothing_and_restore_asks_for_force(clean):
    clean.create('web', hello(0))
    file = backup(clean, clean.folder / 'second.backup')
    before = file.read_bytes()
    assert clean.cli('store', 'backup', '--data-dir', clean.data_dir, file)[0] == 1
    assert file.read_bytes() == before
    code, _, error = clean.cli('store', 'restore', '--data-dir', clean.data_dir, file)
    assert code == 1 and str(clean.process.pid) in error, 'a running davit keeps its store'
    clean.terminate()
    code, _, error = clean.cli('store', 'restore', '--data-dir', clean.data_dir, file)
    assert code == 1 and '--force' in error
    clean.start()
    assert clean.service('web')


@pytest.fixture
def closed(new_davit):
    """A Davit that was stopped in good order, with something in its store."""
    davit = new_davit().start()
    davit.create('web', hello(0))
    assert davit.terminate() == 0
    return davit


def spoil_header(file):
    with file.open('r+b') as stream:
        stream.write(b'no longer a database')


def spoil_middle(file):
    size = file.stat().st_size
    with file.open('r+b') as stream:
        stream.seek(4096)
        stream.write(bytes((i * 37) % 251 for i in range(size - 4096)))


def cut_off(file):
    with file.open('r+b') as stream:
        stream.truncate(50)


def make_newer(file):
    database = sqlite3.connect(file)
    database.execute('PRAGMA user_version = 99')
    database.commit()
    database.close()


def make_foreign(file):
    file.unlink()
    database = sqlite3.connect(file)
    database.execute('CREATE TABLE recipes(name TEXT)')
    database.commit()
    database.close()


@pytest.mark.parametrize('spoil, word', [(spoil_header, 'damaged'), (spoil_middle, 'damaged'), (cut_off, 'cut off'), (make_newer, 'format 99'),
                                         (make_foreign, 'no store of davit')], ids=lambda p: getattr(p, '__name__', ''))
def test_store_that_cannot_be_trusted_is_refused_and_stays_untouched(closed, spoil, word):
    for side in ('-wal', '-shm'):
        (closed.data_dir / f'store.sqlite{side}').unlink(missing_ok=True)
    spoil(store(closed))
    before = contents(closed.data_dir)
    closed.log.unlink()
    closed.start(wait=False)
    assert closed.process.wait(15) == 1
    assert word in closed.log_tail() and 'store.sqlite' in closed.log_tail()
    assert contents(closed.data_dir) == before


def test_damaged_backup_is_refused_and_the_store_stays(closed):
    file = closed.folder / 'bad.backup'
    backup(closed, file)
    spoil_middle(file)
    before = contents(closed.data_dir)
    assert closed.cli('store', 'restore', '--force', '--data-dir', closed.data_dir, file)[0] == 1
    assert contents(closed.data_dir) == before


# ---- from one machine to a cluster

@pytest.fixture
def etcd(lab, tmp_path):
    """One member on loopback; its URL."""
    client, peer = (f'http://127.0.0.1:{free_port()}' for _ in range(2))
    process = subprocess.Popen(['etcd', '--data-dir', tmp_path / 'etcd', '--listen-client-urls', client, '--advertise-client-urls', client,
                                '--listen-peer-urls', peer, '--initial-advertise-peer-urls', peer, '--initial-cluster', f'default={peer}'],
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    lab.ledger.note_process(process.pid, 'etcd')
    yield client
    process.kill()
    process.wait()


class ClusterDavit(Davit):
    """The same installation as a master and worker of a cluster."""
    def __init__(self, single, etcd):
        super().__init__(single.lab, single.name, data_dir=single.data_dir)
        self.etcd, self.link, self.port_range = etcd, free_port(), single.port_range

    def command(self, *more):
        words = super().command(*more)
        words[1:2] = ['master', '--worker', '--etcd', self.etcd, '--link-listen', f'127.0.0.1:{self.link}', '--insecure']
        return words


def copy(davit, etcd):
    return davit.cli('store', 'copy', f'sqlite:{davit.data_dir}', f'etcd:{etcd}')


def test_a_machine_becomes_a_cluster_and_no_container_restarts(new_davit, engine, etcd):
    single = new_davit().start()
    single.create('web', hello(2))
    single.create('db', idle(1, on_isolation='stop'))
    single.wait_running('web', 2)
    single.wait_running('db', 1)
    for n in range(100):  # the new store's revisions are lower
        single.put('web', {'labels': {'n': str(n)}})
    before = {name: engine.by_slot(name) for name in ('web', 'db')}
    code, _, error = copy(single, etcd)
    assert code == 1 and str(single.process.pid) in error, 'a running davit keeps its store'
    single.terminate()
    code, said, error = copy(single, etcd)
    assert code == 0, error
    assert 'era 2' in said and not store(single).exists()
    cluster = ClusterDavit(single, etcd).start()
    try:
        for name, instances in (('web', 2), ('db', 1)):
            cluster.wait_running(name, instances)
            assert engine.by_slot(name) == before[name]
        cluster.scale('web', 3)
        cluster.wait_running('web', 3)
        assert before['web'].items() <= engine.by_slot('web').items()
        for name in ('web', 'db'):
            cluster.call('DELETE', f'/services/{name}')
            wait_for(lambda: engine.containers(name) == [] and cluster.get(f'/services/{name}').status == 404, 30, f'{name} is gone')
        code, _, error = cluster.cli('store', 'copy', f'sqlite:{single.data_dir}', f'etcd:{etcd}')
        assert code == 1 and 'already' in error
    finally:
        cluster.stop()
    single.log.unlink()
    single.start(wait=False)
    assert single.process.wait(15) == 1 and 'davit master --worker' in single.log_tail(), 'it would begin another cluster'


def test_a_copy_goes_into_an_etcd_without_a_cluster_only(new_davit, etcd):
    one, two = new_davit(), new_davit()
    for davit in (one, two):
        davit.start()
        davit.create('web', hello(0))
        davit.terminate()
    assert copy(one, etcd)[0] == 0
    code, _, error = copy(two, etcd)
    assert code == 1 and 'holds cluster' in error
    assert store(two).exists()
    code, _, error = two.cli('store', 'copy', f'sqlite:{two.data_dir}', 'etcd:http://127.0.0.1:1')
    assert code == 1 and 'etcd' in error
    two.start()
    assert two.service('web')['spec']['instances'] == 0
