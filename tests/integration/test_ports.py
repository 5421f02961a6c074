"""Published ports: picked ones, fixed ones, ranges, one address."""
import socket

import pytest

from lab.davit import free_port, hello, page
from lab.waiting import wait_for


def test_second_instance_waits_with_host_port_in_use_when_the_port_is_fixed(clean):
    port = free_port()
    answer = clean.create('fixed', hello(2, ports=[f'{port}:80']))
    assert answer.json['warnings'], 'two instances on one fixed port deserve a warning'
    waiting = clean.wait_reason('fixed', 'host_port_in_use')
    assert not waiting['ready'] and waiting['state'] in ('pending', 'offered') and waiting['container'] is None
    running = wait_for(lambda: next((i for i in clean.instances('fixed') if i['ready']), None))
    assert running['ports'] == [{'target': 80, 'protocol': 'tcp', 'address': '127.0.0.1', 'published': port}]
    assert page(running)
    assert len(clean.engine.running('fixed')) == 1


def test_waiting_instance_takes_the_port_over_when_it_gets_free(clean):
    port = free_port()
    clean.create('one', hello(1, ports=[f'{port}:80']))
    clean.wait_running('one', 1)
    clean.create('two', hello(1, ports=[f'{port}:80']))
    clean.wait_reason('two', 'host_port_in_use')
    clean.remove('one')
    assert page(clean.wait_running('two', 1)['instances'][0]).startswith('two.1 ')


def test_fixed_port_held_by_a_foreign_process_is_named(clean):
    with socket.socket() as holder:
        holder.bind(('0.0.0.0', 0))
        holder.listen()
        port = holder.getsockname()[1]
        clean.create('fixed', hello(1, ports=[f'{port}:80']))
        instance = clean.wait_reason('fixed', 'host_port_in_use')
        assert str(port) in instance['message']
    clean.wait_running('fixed', 1)


def test_picked_port_passes_by_one_that_a_foreign_process_holds(clean):
    first = clean.port_range[0]
    holders = []
    try:
        for port in range(first, first + 5):
            holder = socket.socket()
            holder.bind(('0.0.0.0', port))
            holder.listen()
            holders.append(holder)
        clean.create('web', hello(1))
        assert page(clean.wait_running('web', 1)['instances'][0])
    finally:
        for holder in holders:
            holder.close()


def test_range_gives_each_instance_its_own_port(clean):
    first = free_port()
    clean.create('range', hello(2, ports=[f'{first}-{first + 4}:80']))
    service = clean.wait_running('range', 2)
    ports = {i['ports'][0]['published'] for i in service['instances']}
    assert len(ports) == 2 and ports <= set(range(first, first + 5))


def test_port_of_one_address_listens_there_only(clean):
    port = free_port()
    clean.create('local', hello(1, ports=[f'127.0.0.1:{port}:80']))
    clean.wait_running('local', 1)
    bindings = clean.engine.inspect(clean.instances('local')[0]['container']['id'])['HostConfig']['PortBindings']
    assert bindings == {'80/tcp': [{'HostIp': '127.0.0.1', 'HostPort': str(port)}]}


def test_port_survives_a_restart_in_place(clean):
    clean.create('web', hello(1))
    before = clean.wait_running('web', 1)['instances'][0]
    clean.engine.docker('kill', before['container']['id'])
    wait_for(lambda: clean.instances('web')[0]['restarts'] == 1)
    after = clean.wait_running('web', 1)['instances'][0]
    assert after['ports'] == before['ports'] and page(after)


def test_update_of_a_fixed_port_service_stops_first_and_keeps_the_port(clean):
    port = free_port()
    clean.create('fixed', hello(1, ports=[f'{port}:80']))
    clean.wait_running('fixed', 1)
    clean.put('fixed', {'image': 'davit/hello:2'})
    service = wait_for(lambda: (s := clean.service('fixed'))['status']['updated'] == 1 and s['status']['state'] == 'running' and s)
    assert 'version 2' in page(service['instances'][0]) and service['instances'][0]['ports'][0]['published'] == port


@pytest.mark.parametrize('field, reason', [('memory', 'not_enough_memory'), ('cpus', 'not_enough_cpu')])
def test_reservation_beyond_the_node_is_not_admitted(clean, field, reason):
    wanted = {'memory': 1 << 50, 'cpus': 5000}[field]
    clean.create('big', hello(1, resources={'reservations': {field: wanted}}))
    instance = wait_for(lambda: next((i for i in clean.instances('big') if i['reason'] in (reason, 'no_node_fits')), None))
    assert instance['message']
    assert clean.engine.containers('big') == []
