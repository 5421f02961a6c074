"""A cluster that begins with nothing but Consul's address: one Consul server and agents beside masters and workers, each on its host."""
import json
import subprocess
import time

import pytest

from hosts.cluster import Cluster
from hosts.host import Program
from lab.consul import consul_binary
from lab.davit import hello
from lab.ledger import Ledger
from lab.waiting import holds_for, wait_for

CONSUL = '127.0.0.1:8500'


def add_consul(host, server):
    """The host's agent; on the server's own host the server."""
    config = {'node_name': host.name, 'data_dir': str(host.folder / 'consul'), 'bind_addr': host.address, 'client_addr': '127.0.0.1', 'disable_host_node_id': True,
              'disable_update_check': True, 'log_level': 'warn', 'leave_on_terminate': False, 'performance': {'raft_multiplier': 1}, 'ports': {'grpc': -1, 'grpc_tls': -1, 'dns': -1, 'serf_wan': -1}}
    config |= {'server': True, 'bootstrap_expect': 1} if host is server else {'retry_join': [server.address], 'retry_interval': '1s'}
    file = host.folder / 'consul.json'
    file.write_text(json.dumps(config))
    host.consul = Program(host, 'consul', [consul_binary(), 'agent', '-config-file', file])
    return host.consul


def consul_call(host, method, path, body=None):
    """By the host's own agent, which listens on its loopback only."""
    command = host.net.inside('curl', '-sSf', '--max-time', '8', '-X', method, *(['--data', json.dumps(body)] if body is not None else []), f'http://{CONSUL}{path}')
    done = subprocess.run(command, capture_output=True, text=True, timeout=20)
    if done.returncode != 0:
        raise OSError(done.stderr)
    return json.loads(done.stdout) if done.stdout.strip().startswith(('[', '{', '"')) else done.stdout


@pytest.fixture(scope='module')
def cluster(ledger):
    """One of its own beside the session's, under names of its own."""
    ledger = Ledger.open()
    cluster = Cluster(ledger, masters=1, workers=2)
    master = cluster.masters[0]
    try:
        # Everything that waits for somebody is started before him.
        for host in cluster.workers:
            host.add_worker([master])
            host.worker.command = by_consul_only(host.worker.command)
            cluster.start_engine(host)
            host.worker.start()
        master.add_etcd(cluster.masters)
        master.add_master(cluster.masters)
        master.master.command = by_consul_only(master.master.command)
        master.master.start()
        for host in cluster.hosts:
            add_consul(host, master).start()
        wait_for(lambda: consul_call(master, 'GET', '/v1/status/leader'), 30, 'Consul has a leader')
        wait_for(lambda: 'waiting for etcd' in master.master.log_tail(), 30, 'the master says what it waits for')
        master.etcd.start()
        consul_call(master, 'PUT', '/v1/agent/service/register', {'Name': 'etcd', 'ID': 'etcd', 'Address': master.address, 'Port': 2379,
                                                                   'Check': {'TCP': f'{master.address}:2379', 'Interval': '1s', 'Timeout': '1s'}})
        cluster.wait_whole()
        yield cluster
    finally:
        cluster.stop()
        ledger.sweep()


def by_consul_only(command):
    """The command with Consul's address in the place of all others."""
    command = list(command)
    for option in ('--etcd', '--join'):
        if option in command:
            at = command.index(option)
            del command[at:at + 2]
    return [*command, '--consul', CONSUL]


def passing(host, service):
    return {(e['Service']['Address'], e['Service']['Port']) for e in consul_call(host, 'GET', f'/v1/health/service/{service}?passing=1')}


def catalog(host, service):
    return {e['ServiceID'] for e in consul_call(host, 'GET', f'/v1/catalog/service/{service}')}


def truth(cluster, service):
    return {(i['address'], i['port']) for i in cluster.call('GET', f'/discovery/{service}').json}


def test_all_of_it_was_found_by_consul(cluster):
    master = cluster.masters[0]
    assert passing(master, 'davit-master') == {(master.address, 4821)}
    for program in (master.master, *(host.worker for host in cluster.workers)):
        waits = [line for line in program.log_tail(1000).splitlines() if 'waiting for' in line]
        assert 1 <= len(waits) <= 15, waits
    cluster.create('web', hello(4))
    cluster.wait_running('web', 4)
    for host in cluster.hosts:
        wait_for(lambda: passing(host, 'web') == truth(cluster, 'web') and len(truth(cluster, 'web')) == 4, 10)


def test_a_cluster_does_without_consul_once_it_runs(cluster):
    for host in cluster.hosts:
        host.consul.kill()
    for host in cluster.workers:
        host.worker.restart()
    cluster.masters[0].master.restart()
    cluster.wait_whole()
    cluster.create('other', hello(2))
    cluster.wait_running('other', 2)
    for host in cluster.hosts:
        host.consul.start()
    for service in ('web', 'other'):
        wait_for(lambda: passing(cluster.masters[0], service) == truth(cluster, service), 40, f'{service} is in Consul as it is')
    cluster.call('DELETE', '/services/other')


def test_a_host_that_dies_with_its_consul_leaves_nothing_in_the_catalog(cluster):
    master, victim = cluster.masters[0], cluster.workers[1]
    victim.cut_off()
    victim.consul.kill()
    victim.worker.kill()
    wait_for(lambda: cluster.node(victim.name)['status'] == 'down', 60)
    down = time.monotonic()
    wait_for(lambda: {c['Status'] for c in consul_call(master, 'GET', f'/v1/health/node/{victim.name}') if c['CheckID'] == 'serfHealth'} == {'critical'}, 60, every=0.05)
    dead = time.monotonic()
    wait_for(lambda: not [c for c in consul_call(master, 'GET', f'/v1/health/node/{victim.name}') if c['ServiceID'].startswith('davit-')], 10, every=0.05)
    print(f'Consul knew {dead - down:.1f} s after the down; the entries went {time.monotonic() - dead:.2f} s after that')
    wait_for(lambda: passing(master, 'web') == truth(cluster, 'web') and len(truth(cluster, 'web')) == 4, 30)
    victim.heal()
    victim.consul.start()
    victim.worker.start()
    cluster.wait_whole()
    wait_for(lambda: passing(master, 'web') == truth(cluster, 'web') and len(truth(cluster, 'web')) == 4, 60)
    wait_for(lambda: len(catalog(master, 'web')) == 4, 30, 'what the host had before is gone')


def test_a_worker_that_dies_beside_a_living_consul_turns_critical(cluster):
    master, victim = cluster.masters[0], cluster.workers[0]
    before = {e['Service']['ID'] for e in consul_call(master, 'GET', '/v1/health/service/web?passing=1') if e['Node']['Node'] == victim.name}
    victim.worker.kill()
    killed = time.monotonic()
    wait_for(lambda: not before & {e['Service']['ID'] for e in consul_call(master, 'GET', '/v1/health/service/web?passing=1')}, 20, every=0.05)
    print(f'critical after {time.monotonic() - killed:.1f} s')
    victim.worker.start()
    cluster.wait_whole()
    wait_for(lambda: passing(master, 'web') == truth(cluster, 'web') and len(truth(cluster, 'web')) == 4, 60)


def test_a_master_that_ends_leaves_consul_at_once(cluster):
    master = cluster.masters[0]
    master.master.stop()
    assert catalog(master, 'davit-master') == set()
    master.master.start()
    cluster.wait_whole()
    wait_for(lambda: passing(master, 'davit-master') == {(master.address, 4821)}, 10)
    holds_for(lambda: passing(master, 'davit-master') == {(master.address, 4821)}, 3)
