#!/usr/bin/python3
"""Measures the ingress beside Docker's own proxy and beside no proxy at all, on this machine.

All three carry wrk's requests to one HAProxy, which answers by itself, over loopback; they take turns, so that what else runs here falls on all alike.
Figures are medians with (smallest..largest); ratios are of one round. Nothing passes or fails. On a machine that does much else, run it by
`chrt -r 1`, which makes the others wait: with the processors taken, only the scheduler is measured.
"""
import argparse
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.dont_write_bytecode = True

from figures import Figure, Table, verdict  # noqa: E402
from stage import cpu_seconds  # noqa: E402

ROOT = Path(__file__).resolve().parents[1]
CARRIER = os.environ.get('DAVIT_INGRESS_CARRIER', str(ROOT / 'build' / 'release' / 'bin' / 'davit_ingress_carrier'))
WAYS = ('direct', 'docker-proxy', 'ingress')
LARGE = 1 << 20  # bytes of the large answer
SERVER = """
global
  nbthread 1
  tune.bufsize 2200000
defaults
  mode http
  timeout client 30s
  timeout server 30s
  timeout connect 5s
frontend web
  bind 127.0.0.1:{port}
  http-request return status 200 content-type application/octet-stream file {large} if {{ path /large }}
  http-request return status 200 content-type text/plain string hello
"""


def free_port():
    with socket.socket() as probe:
        probe.bind(('127.0.0.1', 0))
        return probe.getsockname()[1]


def wait_until_open(port):
    for _ in range(500):
        try:
            socket.create_connection(('127.0.0.1', port), timeout=1).close()
            return
        except OSError:
            time.sleep(0.01)
    sys.exit(f'nothing listens on port {port}')


class Stage:
    """The server, and the ports of the three ways to it."""

    def __init__(self, folder):
        server = free_port()
        large = folder / 'large'
        large.write_bytes(os.urandom(LARGE))
        (folder / 'server.cfg').write_text(SERVER.format(port=server, large=large))
        self.ports = {'direct': server, 'docker-proxy': free_port(), 'ingress': free_port()}
        self.running, self.carriers = [], {}
        self.start('haproxy', '-db', '-f', str(folder / 'server.cfg'))
        wait_until_open(server)
        # It tells the engine over descriptor 3 that it listens.
        proxy = f"exec docker-proxy -proto tcp -host-ip 127.0.0.1 -host-port {self.ports['docker-proxy']} -container-ip 127.0.0.1 -container-port {server} 3>/dev/null"
        self.carriers['docker-proxy'] = self.start('bash', '-c', proxy)
        self.carriers['ingress'] = self.start(CARRIER, str(self.ports['ingress']), str(server))
        for port in self.ports.values():
            wait_until_open(port)

    def start(self, *command):
        self.running.append(subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL))
        return self.running[-1].pid

    def cpu(self, way):
        return cpu_seconds(self.carriers[way]) if way in self.carriers else 0

    def stop(self):
        for process in self.running:
            process.terminate()
            process.wait(10)

    def wrk(self, way, seconds, connections, path='/', close=False):
        command = ['wrk', '-t1', f'-c{connections}', f'-d{seconds}s', '--latency', *(['-H', 'Connection: close'] if close else [])]
        cpu = self.cpu(way)
        said = subprocess.run([*command, f'http://127.0.0.1:{self.ports[way]}{path}'], check=True, capture_output=True, text=True).stdout
        assert 'Non-2xx' not in said and 'Socket errors' not in said, f'{way}: {said}'
        requests = int(re.search(r'(\d+) requests in', said)[1])
        return {'cpu': (self.cpu(way) - cpu) * 1e6 / requests,
                'rate': float(re.search(r'Requests/sec: +([\d.]+)', said)[1]),
                'p50': milliseconds(re.search(r'50% +([\d.]+)(us|ms|s)', said)),
                'p99': milliseconds(re.search(r'99% +([\d.]+)(us|ms|s)', said))}


def milliseconds(match):
    return float(match[1]) * {'us': 0.001, 'ms': 1, 's': 1000}[match[2]]


def measure(stage, rounds, **how):
    """By way: what each round gave."""
    results = {way: [] for way in WAYS}
    for turn in range(rounds):
        for way in WAYS[turn % 3:] + WAYS[:turn % 3]:
            results[way].append(stage.wrk(way, **how))
    return results


def table_of_rates(title, results, scale, form, unit):
    table = Table(title, 'way', unit, 'of docker-proxy', 'of direct', 'µs of processor, each')
    for way in WAYS:
        rates = [each['rate'] * scale for each in results[way]]
        ratios = [[each['rate'] / other['rate'] for each, other in zip(results[way], results[base], strict=True)] for base in ('docker-proxy', 'direct')]
        table.row(way, Figure(rates, form), *map(Figure, ratios), Figure([each['cpu'] for each in results[way]], '.0f'))
    ratio = Figure([a['rate'] / b['rate'] for a, b in zip(results['ingress'], results['docker-proxy'], strict=True)])
    table.note(f"aim, docker-proxy's throughput: {verdict(ratio.median >= 1)}")
    table.print()


def table_of_latencies(results):
    table = Table('one request at a time, connection kept: milliseconds', 'way', 'p50', 'p99', 'p99 beyond direct')
    beyond = {way: Figure([a['p99'] - b['p99'] for a, b in zip(results[way], results['direct'], strict=True)], '.3f') for way in WAYS}
    for way in WAYS:
        table.row(way, *(Figure([each[key] for each in results[way]], '.3f') for key in ('p50', 'p99')), beyond[way])
    table.note(f"aim, 0.2 ms beyond direct: {verdict(beyond['ingress'].median <= 0.2)}")
    table.print()


def main():
    parser = argparse.ArgumentParser(description=__doc__.split('\n\n')[0])
    parser.add_argument('--quick', action='store_true', help='three rounds of two seconds in place of seven of five')
    arguments = parser.parse_args()
    rounds, seconds = (3, 2) if arguments.quick else (7, 5)
    os.environ['PATH'] += ':/usr/sbin:/usr/libexec/docker'
    if absent := [tool for tool in ('wrk', 'haproxy', 'docker-proxy') if not shutil.which(tool)]:
        sys.exit(f'cannot measure: missing: {", ".join(absent)}; run scripts/setup --dev')
    if not Path(CARRIER).exists():
        sys.exit(f'cannot measure: no {CARRIER}; run make bench-ingress')
    print(f'{len(os.sched_getaffinity(0))} cores, load before {os.getloadavg()[0]:.1f}; {rounds} rounds of {seconds} s each')
    with tempfile.TemporaryDirectory() as folder:
        stage = Stage(Path(folder))
        try:
            table_of_latencies(measure(stage, rounds, seconds=seconds, connections=1))
            table_of_rates('64 connections, kept: requests per second', measure(stage, rounds, seconds=seconds, connections=64), 1, '.0f', 'per second')
            table_of_rates('16 connections, a new one for each request', measure(stage, rounds, seconds=seconds, connections=16, close=True), 1, '.0f', 'per second')
            table_of_rates(f'8 connections, answers of {LARGE >> 20} MiB', measure(stage, rounds, seconds=seconds, connections=8, path='/large'),
                           LARGE / 2**30, '.2f', 'GiB per second')
        finally:
            stage.stop()


main()
