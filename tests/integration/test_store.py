"""The store's file: backup while davit runs, restore, and files that davit refuses without touching them."""
import hashlib
import sqlite3

import pytest

from lab.davit import hello, idle


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
