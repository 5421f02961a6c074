"""DNS of a node: asked by dig from the host, and by containers, which are told of it."""
import os
import subprocess

import pytest

from lab.davit import hello, idle
from lab.dns import addresses, dig, gateway, told
from lab.waiting import holds_for, wait_for


@pytest.fixture
def server(clean, engine):
    """Where it answers."""
    address = gateway(engine)
    wait_for(lambda: f'answers for davit at {address}:53' in clean.log.read_text(), 20, clean.log_tail)
    return address


@pytest.fixture
def web(clean, server):
    """One instance that DNS knows."""
    clean.create('web', hello(1, ports=[{'target': 80, 'name': 'http'}]))
    clean.wait_running('web', 1)
    wait_for(lambda: addresses(server, 'web.davit') == ['127.0.0.1'], 5, 'its node is known')
    return clean


def ports(server, name):
    return sorted(int(data.split()[2]) for _, kind, data in dig(server, name, 'SRV')[1] if kind == 'SRV')


# ---- what containers are told

def test_containers_are_told_of_the_nodes_dns_unless_their_spec_says_otherwise(clean, engine, server):
    clean.create('plain', idle())
    clean.create('own', idle(dns=['192.0.2.53']))
    clean.create('searching', idle(dns_search=['example.org']))
    clean.create('hosts', idle(network_mode='host'))
    for name in ('plain', 'own', 'searching', 'hosts'):
        clean.wait_running(name, 1)
    dns, search, options = told(engine, 'plain')
    assert dns == [server] and search[0] == 'davit'
    assert told(engine, 'own')[:2] == (['192.0.2.53'], [])
    assert told(engine, 'searching')[:2] == ([server], ['example.org'])
    assert not told(engine, 'hosts')[0]


# ---- whom it asks others for

def test_other_names_are_asked_of_others_for_containers_and_the_host_alone(clean, engine, server):
    clean.create('client', idle())
    clean.wait_running('client', 1)
    pid = engine.inspect(engine.running('client')[0]['Id'])['State']['Pid']
    assert dig(server, 'example.com', inside=['nsenter', '-t', pid, '-n'])[0] != 'REFUSED'
    assert dig(server, 'example.com')[0] != 'REFUSED'
    name = f'dvs{os.getpid()}'
    try:
        for command in (f'ip netns add {name}', f'ip link add {name} type veth peer name eth0 netns {name}', f'ip addr add 203.0.113.1/24 dev {name}', f'ip link set {name} up',
                        f'ip -n {name} addr add 203.0.113.2/24 dev eth0', f'ip -n {name} link set eth0 up', f'ip -n {name} route add default via 203.0.113.1'):
            subprocess.run(command.split(), check=True)
        stranger = ['ip', 'netns', 'exec', name]
        assert dig(server, 'example.com', inside=stranger)[0] == 'REFUSED'
        assert dig(server, 'davit', 'SOA', inside=stranger)[0] != 'REFUSED', 'what is ours is for all'
    finally:
        subprocess.run(['ip', 'netns', 'del', name], check=False)
        subprocess.run(['ip', 'link', 'del', name], check=False, stderr=subprocess.DEVNULL)


# ---- what is answered

def test_names_follow_a_service(web, server):
    web.scale('web', 3)
    web.wait_running('web', 3)
    published = sorted(instance['ports'][0]['published'] for instance in web.instances('web'))
    wait_for(lambda: ports(server, 'web.davit') == published, 5, 'all its ports are known')
    assert ports(server, '_http._tcp.web.davit') == published
    second = next(instance for instance in web.instances('web') if instance['slot'] == 2)
    assert ports(server, '2.web.davit') == [second['ports'][0]['published']]
    assert addresses(server, f'{web.name}.node.davit') == ['127.0.0.1']
    assert dig(server, 'WeB.dAvIt', 'A')[1][0][0] == 'WeB.dAvIt.'
    assert dig(server, 'web.davit', 'AAAA') == ('NOERROR', [])
    assert dig(server, 'nobody.davit')[0] == 'NXDOMAIN'
    web.scale('web', 0)
    wait_for(lambda: dig(server, 'web.davit') == ('NOERROR', []), 20, 'nothing of it is ready')
    web.remove('web')
    wait_for(lambda: dig(server, 'web.davit')[0] == 'NXDOMAIN', 5, 'it is gone')


def test_only_ready_instances_are_there(clean, engine, server):
    clean.create('sick', hello(1, healthcheck={'test': ['CMD', 'false'], 'interval': '300ms', 'start_period': '60s'}))
    wait_for(lambda: engine.running('sick'), 30, 'it runs')
    wait_for(lambda: dig(server, 'sick.davit')[0] == 'NOERROR', 5, 'its name is known')
    holds_for(lambda: addresses(server, 'sick.davit') == [], 2, 'it is not ready')


def test_a_container_finds_a_service_by_its_bare_name(web, engine):
    web.create('client', idle())
    web.wait_running('client', 1)
    client = engine.running('client')[0]['Id']
    assert 'Address: 127.0.0.1' in engine.docker('exec', client, 'busybox', 'nslookup', 'web')


def test_names_live_on_over_a_restart_of_davit(web, server):
    web.kill()
    web.start()
    seen = set()

    def is_back():
        seen.add(dig(server, 'web.davit')[0])
        return addresses(server, 'web.davit') == ['127.0.0.1']
    wait_for(is_back, 30, 'web is known again')
    assert 'NXDOMAIN' not in seen, 'it was never said that there is no such service'


@pytest.mark.parametrize('words', [('+tcp',), ('+bufsize=512',), ('+noedns',)])
@pytest.mark.usefixtures('web')
def test_dig_is_content_however_it_asks(server, words):
    assert dig(server, *words, 'web.davit', 'A') == ('NOERROR', [('web.davit.', 'A', '127.0.0.1')])
