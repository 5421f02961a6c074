"""One address per service: ports with mode ingress, on the node that runs the instances, under requests that never stop."""
import signal
import socket
import subprocess
import time

import pytest

from lab.davit import free_port, hello
from lab.load import Load, fetch, shop
from lab.waiting import wait_for


def is_open(port):
    try:
        socket.create_connection(('127.0.0.1', port), timeout=1).close()
        return True
    except OSError:
        return False


@pytest.fixture
def served(clean):
    """Three instances behind one port that answers."""
    port = free_port()
    clean.create('web', shop(3, port))
    clean.wait_running('web', 3)
    wait_for(lambda: fetch(port), 10, 'the port answers')
    return port


def test_one_port_reaches_every_instance(clean, served):
    with Load(served, threads=1) as load:
        wait_for(lambda: len(load.bodies) == 3, 20, 'each instance has answered')
    assert load.failed == []
    listed = clean.get('/discovery/web').json
    assert len(listed) == 3 and served not in {each['port'] for each in listed}, 'each has a picked port of its own besides'


def test_update_and_scaling_lose_no_request(clean, served):
    with Load(served) as load:
        clean.put('web', {'image': 'davit/hello:2'}, '?wait=60s')
        wait_for(lambda: clean.status('web')['updated'] == 3 and clean.status('web')['state'] == 'running', 60)
        clean.scale('web', 5)
        clean.wait_running('web', 5)
        clean.scale('web', 1)
        clean.wait_running('web', 1)
        clean.put('web', {'image': 'davit/hello:1'}, '?wait=60s')
        wait_for(lambda: clean.status('web')['updated'] == 1 and clean.status('web')['state'] == 'running', 60)
    assert load.failed == [] and load.done > 200
    assert len(load.bodies) > 4, 'instances of both revisions have answered'


def test_apache_s_bench_sees_no_failure_in_an_update(clean, served):
    bench = subprocess.Popen(['ab', '-q', '-r', '-l', '-c', '8', '-t', '120', '-n', '1000000', f'http://127.0.0.1:{served}/'], stdout=subprocess.PIPE, text=True)
    clean.put('web', {'image': 'davit/hello:2'}, '?wait=60s')
    assert bench.poll() is None, 'the load lasted longer than the update'
    bench.send_signal(signal.SIGINT)  # it prints what it has measured
    said = bench.communicate(timeout=60)[0]
    assert 'Failed requests:        0\n' in said and 'Non-2xx' not in said, said


def test_a_killed_instance_costs_only_the_requests_that_it_had(clean, served):
    with Load(served) as load:
        wait_for(lambda: load.done > 50, 20)
        clean.engine.docker('kill', clean.engine.running('web')[0]['Id'])
        killed = time.monotonic()
        clean.wait_running('web', 3)
        wait_for(lambda: time.monotonic() > killed + 5, 6)
        before = load.done
        wait_for(lambda: load.done > before + 100, 20, 'requests go on')
    late = [failure for failure in load.failed if failure.began > killed + 5]
    assert late == [], 'nothing is sent to it any more'
    # Where the engine publishes by its own proxy, that one still takes connections for an instance that is gone, until it ends as well.
    assert len(load.failed) <= 20, load.failed


def test_the_port_closes_with_its_service(clean, served):
    assert clean.call('DELETE', '/services/web').status == 200
    wait_for(lambda: not is_open(served), 20, 'the port is closed')


def test_an_ingress_port_belongs_to_one_service(clean, served):
    for ports, word in (([{'target': 80, 'published': served, 'mode': 'ingress'}], "service 'web'"), ([f'{served}:80'], 'on every node')):
        answer = clean.call('POST', '/services', {'name': 'other'} | hello(0, ports=ports))
        assert answer.status == 422 and word in answer.errors['#/ports/0/published'], answer
    assert clean.call('POST', '/services?dry_run=true', {'name': 'other'} | shop(0, served)).status == 422
    fixed = free_port()
    clean.create('fixed', hello(0, ports=[f'{fixed}:80']))
    answer = clean.call('PUT', '/services/web', {'ports': [{'target': 80, 'published': fixed, 'mode': 'ingress'}]})
    assert answer.status == 422 and "service 'fixed'" in answer.errors['#/ports/0/published'], answer
    assert clean.call('DELETE', '/services/web').status == 200
    wait_for(lambda: clean.get('/services/web').status == 404, 30)
    assert clean.call('POST', '/services', {'name': 'other'} | shop(0, served)).status == 201


def test_says_who_has_the_port_and_takes_it_afterwards(clean):
    with socket.socket() as taken:
        taken.bind(('0.0.0.0', 0))
        taken.listen()
        port = taken.getsockname()[1]
        clean.create('web', shop(1, port))
        clean.wait_running('web', 1)
        wait_for(lambda: f'port {port}/tcp of service web cannot be opened' in clean.log.read_text(), 20, 'the log tells')
        assert 'another port' in clean.log_tail()
    wait_for(lambda: fetch(port), 20, 'it is tried again')
