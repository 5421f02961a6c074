"""Rolling updates, rollbacks and restarts."""
import threading
import time

import pytest

from lab.davit import hello, idle, page
from lab.waiting import holds_for, wait_for


class Sampler:
    """Reads the service all the while, and keeps what it sees."""

    def __init__(self, davit, name):
        self.davit, self.name, self.seen, self.is_over = davit, name, [], threading.Event()
        self.thread = threading.Thread(target=self.run)

    def run(self):
        while not self.is_over.is_set():
            self.seen.append(self.davit.service(self.name))
            time.sleep(0.02)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.is_over.set()
        self.thread.join()


def pausing(spec):
    spec.setdefault('update_config', {}).update(failure_action='pause', monitor='5s')
    return spec


def wait_updated(davit, name, instances, timeout=60):
    def seen():
        status = davit.status(name)
        return status['state'] == 'running' and status['updated'] == status['ready'] == instances
    wait_for(seen, timeout, f'{name} is updated')
    return davit.wait_running(name, instances)


def test_start_first_update_never_has_fewer_ready_than_wanted(clean):
    clean.create('web', hello(3))
    clean.wait_running('web', 3)
    with Sampler(clean, 'web') as sampler:
        answer = clean.put('web', {'image': 'davit/hello:2'})
        assert (answer.json['generation'], answer.json['revision']) == (2, 2)
        service = wait_updated(clean, 'web', 3)
    assert min(seen['status']['ready'] for seen in sampler.seen) >= 3
    assert 'updating' in {seen['status']['state'] for seen in sampler.seen}
    assert all('version 2' in page(instance) for instance in service['instances'])


def test_update_replaces_one_instance_after_the_other(clean):
    clean.create('web', hello(4))
    clean.wait_running('web', 4)
    with Sampler(clean, 'web') as sampler:
        clean.put('web', {'image': 'davit/hello:2'})
        wait_updated(clean, 'web', 4)
    # At most one new instance at a time is not ready yet.
    for seen in sampler.seen:
        starting = [i for i in seen['instances'] if i['revision'] == 2 and not i['ready'] and i['state'] != 'stopping']
        assert len(starting) <= 1, starting


def test_stop_first_update_never_takes_more_than_one_down(clean):
    clean.create('web', hello(3, update_config={'order': 'stop-first', 'monitor': '300ms'}))
    clean.wait_running('web', 3)
    with Sampler(clean, 'web') as sampler:
        clean.put('web', {'image': 'davit/hello:2'})
        wait_updated(clean, 'web', 3)
    ready = [seen['status']['ready'] for seen in sampler.seen]
    assert min(ready) >= 2 and max(len(seen['instances']) for seen in sampler.seen) <= 4


def test_parallelism_replaces_so_many_at_a_time(clean):
    clean.create('web', idle(4, update_config={'parallelism': 0, 'monitor': '0s'}))
    clean.wait_running('web', 4)
    started = time.monotonic()
    clean.put('web', {'environment': {'NEW': '1'}})
    wait_updated(clean, 'web', 4)
    assert time.monotonic() - started < 40


def test_failing_update_stops_says_why_and_leaves_the_old_ones_serving(clean):
    clean.create('web', pausing(hello(3)))
    clean.wait_running('web', 3)
    before = clean.engine.by_slot('web')
    clean.put('web', {'command': ['sh', '-c', 'exit 5']})
    status = wait_for(lambda: (s := clean.status('web'))['state'] == 'paused' and s, 60)
    assert 'revision 2' in status['message'] and '5' in status['message']
    assert len(set(before.values()) & clean.engine.ids('web')) >= 2
    assert clean.status('web')['ready'] >= 2


def test_rollback_by_hand_restores_the_revision_but_not_the_instances(clean):
    clean.create('web', hello(2))
    clean.wait_running('web', 2)
    clean.put('web', {'image': 'davit/hello:2'})
    wait_updated(clean, 'web', 2)
    clean.scale('web', 3)
    clean.wait_running('web', 3)
    answer = clean.call('POST', '/services/web/rollback')
    assert answer.status == 200, answer
    service = wait_updated(clean, 'web', 3)
    assert service['spec']['image'] == 'davit/hello:1' and service['spec']['instances'] == 3
    assert all('version 1' in page(instance) for instance in service['instances'])


def test_rollback_ends_a_failing_update(clean):
    clean.create('web', pausing(hello(2)))
    clean.wait_running('web', 2)
    before = clean.engine.by_slot('web')
    clean.put('web', {'image': 'davit-never-there/nope:1', 'pull_policy': 'never'})
    status = wait_for(lambda: (s := clean.status('web'))['state'] == 'paused' and s, 60)
    assert 'nope' in status['message']
    assert clean.call('POST', '/services/web/rollback').status == 200
    service = clean.wait_running('web', 2)
    assert service['spec']['image'] == 'davit/hello:1'
    assert clean.engine.by_slot('web') == before, 'those that served through all of it were touched'


def test_rollback_without_an_earlier_revision_is_refused(clean):
    clean.create('web', hello(0))
    answer = clean.call('POST', '/services/web/rollback')
    assert answer.status == 422, answer
    assert 'earlier revision' in answer.text


def test_restart_replaces_every_container_and_keeps_the_spec(clean):
    clean.create('web', hello(2))
    before = clean.wait_running('web', 2)
    containers = clean.engine.ids('web')
    answer = clean.call('POST', '/services/web/restart')
    assert answer.status == 200, answer
    wait_for(lambda: not containers & clean.engine.ids('web'), 60)
    after = clean.wait_running('web', 2)
    assert after['spec'] == before['spec'] and after['generation'] > before['generation']


def test_changes_of_labels_and_policy_restart_nothing(clean):
    clean.create('web', hello(2))
    clean.wait_running('web', 2)
    before = clean.engine.by_slot('web')
    changed = clean.put('web', {'labels': {'team': 'blue'}, 'restart_policy': {'delay': '2s'}, 'stop_grace_period': '3s'}).json
    assert (changed['generation'], changed['revision']) == (2, 1)
    holds_for(lambda: clean.engine.by_slot('web') == before, 1.5)


def test_new_update_during_one_leads_to_the_newest(clean):
    clean.create('web', idle(3))
    clean.wait_running('web', 3)
    for step in range(3):
        clean.put('web', {'environment': {'STEP': str(step)}})
    service = wait_updated(clean, 'web', 3)
    assert service['revision'] == 4
    assert all('STEP=2' in clean.engine.inspect(i['container']['id'])['Config']['Env'] for i in service['instances'])


def test_update_goes_on_when_davit_is_killed_in_its_middle(clean):
    clean.create('web', hello(4))
    clean.wait_running('web', 4)
    clean.put('web', {'image': 'davit/hello:2'})
    wait_for(lambda: 0 < clean.status('web')['updated'] < 4, every=0.01)
    clean.kill()
    clean.start()
    service = wait_updated(clean, 'web', 4)
    assert all('version 2' in page(instance) for instance in service['instances'])


def test_history_tells_the_changes_and_who_made_them(clean):
    clean.create('web', hello(0))
    clean.scale('web', 1)
    clean.wait_running('web', 1)
    clean.put('web', {'image': 'davit/hello:2'})
    wait_updated(clean, 'web', 1)
    history = clean.get('/services/web/history').json
    numbers = [entry['number'] for entry in history]
    assert len(numbers) >= 3 and len(set(numbers)) == len(numbers)
    assert all(entry['time'].endswith('Z') and entry['type'] and entry['author'] for entry in history)
    assert {1, 2} == {entry['revision'] for entry in history} and {1, 2, 3} == {entry['generation'] for entry in history}
    assert any('davit/hello:2' in entry['message'] for entry in history)


@pytest.mark.parametrize('instances', [0, 1])
def test_update_of_a_service_with_so_few_instances_completes(clean, instances):
    clean.create('web', hello(instances))
    clean.wait_running('web', instances)
    clean.put('web', {'image': 'davit/hello:2'})
    wait_updated(clean, 'web', instances)
