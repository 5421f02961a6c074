"""davit apply: services from a file, with its diff, its places of errors, and pruning."""
import json
import re

import pytest

FILE = '''
services:
  web:
    image: davit/hello:1
    instances: 2
    ports: [80]
    drain_delay: 0s
    labels: {app: shop}
    update_config: {monitor: 300ms}
  queue:
    image: davit/hello:1
    instances: 0
    labels:
      app: shop
'''


@pytest.fixture
def file(clean, tmp_path):
    path = tmp_path / 'shop.yaml'
    path.write_text(FILE)
    return path


def apply(davit, *arguments, code=0, **more):
    got, said, error = davit.cli('apply', *arguments, **more)
    assert got == code, f'exit code {got}, not {code}\n{said}\n{error}'
    return said if code == 0 else error


def test_file_with_two_services_creates_both_and_waits(clean, file):
    said = apply(clean, '-f', file)
    assert 'web: created' in said and 'queue: created' in said
    assert clean.status('web')['ready'] == 2 and clean.status('queue')['desired'] == 0


def test_second_apply_of_the_same_file_changes_nothing(clean, file):
    apply(clean, '-f', file)
    before = clean.service('web')
    assert 'unchanged' in apply(clean, '-f', file)
    assert clean.service('web')['generation'] == before['generation']


def test_dry_run_shows_the_difference_and_changes_nothing(clean, file):
    apply(clean, '-f', file)
    file.write_text(FILE.replace('instances: 2', 'instances: 3').replace('davit/hello:1\n    instances: 2', 'davit/hello:2\n    instances: 2'))
    said = apply(clean, '-f', file, '--dry-run')
    assert re.search(r'instances.*2.*3', said), said
    assert clean.service('web')['spec']['instances'] == 2 and clean.service('web')['generation'] == 1


def test_changed_file_changes_only_its_service(clean, file):
    apply(clean, '-f', file)
    file.write_text(FILE.replace('instances: 2', 'instances: 1'))
    apply(clean, '-f', file)
    assert clean.status('web')['ready'] == 1
    assert clean.service('queue')['generation'] == 1


def test_prune_removes_what_the_file_no_longer_describes_by_label(clean, file):
    apply(clean, '-f', file)
    clean.create('stranger', {'image': 'davit/hello:1', 'instances': 0})
    file.write_text(FILE[:FILE.index('  queue:')])
    assert 'queue: removed' in apply(clean, '-f', file, '--prune', '-l', 'app=shop', '--dry-run')
    assert clean.get('/services/queue').status == 200
    apply(clean, '-f', file, '--prune', '-l', 'app=shop')
    assert [service['name'] for service in clean.get('/services').json] == ['stranger', 'web']


def test_single_service_from_standard_input_as_json(clean):
    apply(clean, '-f', '-', stdin=json.dumps({'name': 'one', 'image': 'davit/hello:1', 'instances': 0}))
    assert clean.service('one')['spec']['instances'] == 0


@pytest.mark.parametrize('bad, place, word', [
    (FILE.replace('ports: [80]', 'port: [80]'), ':6:', 'ports'),
    (FILE.replace('instances: 2', 'instances: many'), ':5:', ''),
    (FILE.replace('ports: [80]', 'ports: [80, 99999]'), ':6:', ''),
    (FILE.replace('update_config: {monitor: 300ms}', 'update_config: {monitr: 300ms}'), ':9:', 'monitor'),
    (FILE + '  web:\n    image: twice\n', ':15:', ''),
    (FILE + '\tbad: tab\n', ':15:', ''),
    (FILE.replace('services:', 'servces:'), 'shop.yaml', 'services'),
    ('services: [a]\n', ':1:', ''),
    ('', 'no service', '')], ids=range(9))
def test_bad_file_is_refused_with_line_and_column_and_nothing_changes(clean, file, bad, place, word):
    file.write_text(bad)
    got, said, error = clean.cli('apply', '-f', file)
    assert got in (1, 2), f'{got} {said} {error}'
    assert place in error and word in error, error
    assert clean.get('/services').json == []


def test_file_that_does_not_exist_is_wrong_usage(clean, tmp_path):
    assert 'cannot be read' in apply(clean, '-f', tmp_path / 'none.yaml', code=2)
