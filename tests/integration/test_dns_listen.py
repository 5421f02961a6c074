"""Where a node serves DNS, and what becomes of containers where it cannot."""
import socket
import subprocess
from contextlib import contextmanager

from lab.davit import free_port, hello
from lab.dns import gateway, told
from lab.waiting import holds_for


@contextmanager
def taken_port(address):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
        udp.bind((address, 53))
        yield


def test_a_taken_port_disturbs_nothing_and_containers_are_not_told_of_it(new_davit, engine):
    with taken_port(gateway(engine)):
        davit = new_davit().start()
        davit.create('web', hello())
        davit.wait_running('web', 1)
        assert not told(engine, 'web')[0]
        log = davit.log.read_text()
        assert 'no DNS on this node' in log and f'another program answers at {gateway(engine)}:53' in log and '--dns-listen' in log


def test_dns_is_switched_off_and_changes_of_it_restart_nothing(new_davit, engine):
    davit = new_davit(arguments=['--dns-listen', 'none']).start()
    davit.create('web', hello(2))
    davit.wait_running('web', 2)
    before = engine.ids('web')
    assert not told(engine, 'web')[0]
    davit.terminate()
    davit.arguments = ['--dns-domain', 'example.test']
    davit.start()
    davit.wait_running('web', 2)
    holds_for(lambda: engine.ids('web') == before, 3, 'the same containers')
    davit.scale('web', 3)
    davit.wait_running('web', 3)
    newest = next(container['Id'] for container in engine.running('web') if container['Id'] not in before)
    assert engine.inspect(newest)['HostConfig']['DnsSearch'][0] == 'example.test'


def test_another_address_is_served_and_only_port_53_of_it_told(new_davit, engine):
    port = free_port()
    davit = new_davit(arguments=['--dns-listen', f'127.0.0.1:{port}']).start()
    davit.create('web', hello())
    davit.wait_running('web', 1)
    assert not told(engine, 'web')[0]
    said = subprocess.run(['dig', '@127.0.0.1', '-p', str(port), '+tries=1', '+time=5', 'nobody.davit'], capture_output=True, text=True, check=True).stdout
    assert 'status:' in said
