"""Clients that are slow, half-open, too many or malformed: they are cut off, and the others are served."""
import concurrent.futures
import contextlib
import os
import resource
import socket
import time

import pytest

from lab.davit import hello
from lab.http import Api
from lab.waiting import wait_for


def connect(davit, timeout=20):
    return socket.create_connection(davit.api.address, timeout=timeout)


def ends_within(connection, seconds):
    """Whether the server answers and closes, or just closes, within the time; what it said."""
    connection.settimeout(seconds)
    said = b''
    with contextlib.suppress(ConnectionResetError):
        while piece := connection.recv(65536):
            said += piece
    return said


def is_served(davit, within=2):
    started = time.monotonic()
    answer = davit.get('/services', timeout=10)
    return answer.status == 200 and time.monotonic() - started < within


def test_client_that_sends_its_head_byte_by_byte_is_cut_off(davit):
    with connect(davit) as slow:
        slow.sendall(b'GET /services HTTP/1.1\r\nHost: localhost\r\n')
        until = time.monotonic() + 60
        slow.settimeout(0.5)
        said = None
        while time.monotonic() < until:
            try:
                slow.sendall(b'x')
                said = slow.recv(4096)
                break
            except TimeoutError:
                continue
            except (ConnectionResetError, BrokenPipeError):
                said = b''
                break
        assert said is not None, 'a client that never ends its head holds its connection for more than a minute'
    assert is_served(davit)


def test_body_that_never_comes_is_timed_out(davit):
    with connect(davit) as silent:
        silent.sendall(b'POST /services HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{"name"')
        said = ends_within(silent, 60)
        assert not said or b' 408 ' in said.split(b'\r\n')[0], said
    assert davit.get('/services').json == []


def test_half_open_connection_with_a_whole_request_is_answered(davit):
    with connect(davit) as half:
        half.sendall(b'GET /services HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n')
        half.shutdown(socket.SHUT_WR)
        assert ends_within(half, 10).startswith(b'HTTP/1.1 200')


@pytest.mark.parametrize('junk', [
    b'\r\n\r\n\r\n', b'GET\r\n\r\n', b'\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03' + b'\0' * 64, b'GET / HTTP/9.9\r\n\r\n',
    b'POST /services HTTP/1.1\r\nHost: localhost\r\nContent-Length: -5\r\n\r\n', b'GET /\x00 HTTP/1.1\r\nHost: localhost\r\n\r\n',
    b'POST /services HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
    b'POST /services HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n',
    b'GET /services HTTP/1.1\r\nHost: localhost\r\n' + b'X-Long: ' + b'a' * 200_000 + b'\r\n\r\n',
    b'GET /' + b'a' * 100_000 + b' HTTP/1.1\r\nHost: localhost\r\n\r\n'], ids=range(10))
def test_malformed_request_is_refused_and_harms_nobody(davit, junk):
    with connect(davit) as client:
        with contextlib.suppress(ConnectionResetError, BrokenPipeError):
            client.sendall(junk)
            client.shutdown(socket.SHUT_WR)
        said = ends_within(client, 40)
        assert not said or said.split(b' ')[1][:1] == b'4' or said.startswith(b'HTTP/1.1 505'), said[:200]
    assert is_served(davit)


def test_reader_that_never_reads_holds_nobody_up(davit):
    with connect(davit) as deaf:
        deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        for _ in range(2000):
            try:
                deaf.settimeout(0.2)
                deaf.sendall(b'GET /openapi.json HTTP/1.1\r\nHost: localhost\r\n\r\n')
            except (TimeoutError, ConnectionResetError, BrokenPipeError):
                break
        assert is_served(davit)


def resident_mib(davit):
    with open(f'/proc/{davit.process.pid}/status') as file:
        return next(int(line.split()[1]) for line in file if line.startswith('VmRSS:')) / 1024


def test_ten_thousand_connections_are_bounded_and_others_are_served(davit):
    wanted = 10_000
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, wanted + 2000), hard))
    if min(hard, wanted + 2000) < wanted + 200:
        wanted = hard - 500
        print(f'only {wanted} connections: the limit of open files is {hard}')
    connections = []
    try:
        for _ in range(wanted):
            connection = socket.socket()
            connection.setblocking(False)
            connection.connect_ex(davit.api.address)
            connections.append(connection)
            if len(connections) % 1000 == 0:
                assert davit.process.poll() is None
        # Over the unix socket one gets through always; over the port as soon as idle ones have been closed.
        assert Api(str(davit.data_dir / 'davit.sock')).get('/services', timeout=20).status == 200
        wait_for(lambda: davit.get('/services', timeout=20).status == 200, 60, 'a new client is served beside 10,000 idle ones')
        assert resident_mib(davit) < 600
    finally:
        for connection in connections:
            connection.close()
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    wait_for(lambda: is_served(davit), 30)


def test_many_clients_at_once_are_all_answered(davit):
    def client(number):
        return [davit.call('POST', '/services', {'name': f's{number}-{i}'} | hello(0)).status for i in range(3)]
    with concurrent.futures.ThreadPoolExecutor(30) as pool:
        answers = [status for statuses in pool.map(client, range(30)) for status in statuses]
    assert answers == [201] * 90
    assert len(davit.get('/services').json) == 90
    davit.remove_all()


def test_two_hundred_event_followers_that_vanish_leave_nothing_behind(davit):
    before = len(list_descriptors(davit))
    followers = []
    for _ in range(200):
        follower = connect(davit)
        follower.sendall(b'GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n')
        followers.append(follower)
    assert all(b'200' in follower.recv(200) for follower in followers)
    for follower in followers:
        follower.close()
    wait_for(lambda: len(list_descriptors(davit)) < before + 20, 40, 'their connections are closed')


def list_descriptors(davit):
    return os.listdir(f'/proc/{davit.process.pid}/fd')
