#!/usr/bin/python3
"""Answers per second of Davit's DNS on one core, asked by dnsperf on another: beside a bare UDP echo, which is what the kernel lets pass, and beside
Docker's embedded DNS and Consul's, where they can be had. All take turns in one run.

usage: side_by_side.py [--quick] [--only davit,echo,docker,consul]

Programs: build/release/bin (or BUILD). Docker's takes root; Consul's a binary: CONSUL names it, else scripts/go-tool builds it where tests/tools has it.
"""
import argparse
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from contextlib import ExitStack
from pathlib import Path

sys.dont_write_bytecode = True
ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / 'bench'))

from figures import Figure, Table, verdict  # noqa: E402
from stage import Stage  # noqa: E402

BUILD = Path(os.environ.get('BUILD', ROOT / 'build' / 'release')) / 'bin'
AIM = 50_000
SERVICES, INSTANCES = 1_000, 3
CORES = sorted(os.sched_getaffinity(0))


class Contender:
    """A name server: its process is on the first core, who asks is on the last."""

    def __init__(self, name, port, questions, pid=None, inside=()):
        self.name, self.port, self.questions, self.inside = name, port, questions, list(inside)
        self.process, self.pid, self.address = None, pid, '127.0.0.1'
        self.rates, self.shares, self.lost = [], [], 0

    def start(self, *command):
        self.process = subprocess.Popen(['taskset', '-c', str(CORES[0]), *map(str, command)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.pid = self.process.pid
        time.sleep(0.5)
        assert self.process.poll() is None, f'{command[0]} ended with {self.process.returncode}'
        return self

    def stop(self):
        if self.process:
            self.process.kill()
            self.process.wait()

    def of_own_cpu(self):
        return Figure([rate / share for rate, share in zip(self.rates, self.shares, strict=True)], ',.0f')

    def ask(self, seconds, more=()):
        began, cpu = time.monotonic(), cpu_seconds(self.pid)
        said = subprocess.run([*self.inside, 'taskset', '-c', str(CORES[-1]), 'dnsperf', '-s', self.address, '-p', str(self.port), '-d', self.questions, '-l', str(seconds),
                               '-c', '8', '-T', '1', '-q', '200', *more], check=True, capture_output=True, text=True).stdout
        share = (cpu_seconds(self.pid) - cpu) / (time.monotonic() - began)
        if more:
            return
        assert int(re.search(r'Queries completed: +(\d+)', said)[1]) > 0, said
        self.rates.append(float(re.search(r'Queries per second: +([\d.]+)', said)[1]))
        self.shares.append(share)
        self.lost += int(re.search(r'Queries lost: +(\d+)', said)[1])
        codes = re.search(r'Response codes: +(.*)', said)[1]
        assert codes.startswith('NOERROR') and '100.00%' in codes, f'{self.name}: {codes}'


def cpu_seconds(pid):
    """Processor time of all its threads, by the scheduler's own clock: by ticks, who sleeps often seems to cost nothing."""
    return sum(int((task / 'schedstat').read_text().split()[0]) for task in Path(f'/proc/{pid}/task').iterdir()) / 1e9


def questions(folder, name, lines):
    path = Path(folder) / name
    path.write_text('\n'.join(lines) + '\n')
    return path


def free_port():
    with socket.socket() as tcp:
        tcp.bind(('127.0.0.1', 0))
        return tcp.getsockname()[1]


def add_davit(stack, folder):
    port = free_port()
    named = {'A': questions(folder, 'a', [f'web-{n % SERVICES + 1}.davit A' for n in range(0, SERVICES * 7, 7)]),
             'SRV': questions(folder, 'srv', [f'web-{n % SERVICES + 1}.davit SRV' for n in range(0, SERVICES * 7, 7)])}
    server = Contender('Davit, A', port, named['A']).start(BUILD / 'davit-dns', '127.0.0.1', port, SERVICES, INSTANCES)
    stack.callback(server.stop)
    return [server, Contender('Davit, SRV', port, named['SRV'], server.pid)]


def add_echo(stack, folder):
    found = []
    for name, batch in (('UDP echo, recvfrom and sendto', 1), ('UDP echo, 32 at once', 32)):
        port = free_port()
        found.append(Contender(name, port, questions(folder, f'echo{batch}', [f'web-{n}.davit A' for n in range(SERVICES)])).start(
            BUILD / 'davit_udp_echo', '127.0.0.1', port, batch))
        stack.callback(found[-1].stop)
    return found


def consul_binary():
    if os.environ.get('CONSUL'):
        return os.environ['CONSUL']
    if (ROOT / 'tests' / 'tools' / 'consul').is_dir():
        return subprocess.run([ROOT / 'scripts' / 'go-tool', 'consul'], check=True, capture_output=True, text=True).stdout.strip()
    return shutil.which('consul')


def add_consul(stack, folder):
    binary = consul_binary()
    if not binary:
        raise FileNotFoundError('no consul: set CONSUL')
    http, dns = free_port(), free_port()
    config = Path(folder) / 'consul.json'
    config.write_text(json.dumps({'ports': {'http': http, 'dns': dns, 'grpc': -1, 'grpc_tls': -1, 'serf_lan': free_port(), 'serf_wan': -1, 'server': free_port()},
                                  'dns_config': {'service_ttl': {'*': '1s'}}}))
    count = 100
    server = Contender('Consul 1.15, A', dns, questions(folder, 'consul', [f'web-{n}.service.consul A' for n in range(count)])).start(
        binary, 'agent', '-dev', '-bind', '127.0.0.1', '-client', '127.0.0.1', '-disable-host-node-id', '-log-level', 'error', '-config-file', config)
    stack.callback(server.stop)
    for _ in range(100):
        try:
            for n in range(count):
                for i in range(INSTANCES):
                    body = {'ID': f'web-{n}-{i}', 'Name': f'web-{n}', 'Address': f'10.0.0.{i + 1}', 'Port': 20000}
                    urllib.request.urlopen(urllib.request.Request(f'http://127.0.0.1:{http}/v1/agent/service/register', json.dumps(body).encode(), method='PUT'), timeout=5).close()
            time.sleep(3)  # until its catalogue has them
            return [server]
        except OSError:
            time.sleep(0.3)
    raise TimeoutError('consul does not answer')


def add_docker(stack, folder):
    stage = Stage(True)
    stack.callback(stage.stop)
    stage.start()
    engine = stage.engine
    engine.docker('network', 'create', 'bench')
    names = [f'web-{n}' for n in range(100)]
    container = engine.docker('run', '-d', '--network', 'bench', *(word for name in names for word in ('--network-alias', name)), 'davit/hello:1')
    pid = engine.inspect(container)['State']['Pid']
    subprocess.run(['taskset', '-a', '-c', '-p', str(CORES[0]), str(engine.process.pid)], check=True, stdout=subprocess.DEVNULL)
    server = Contender('Docker\'s embedded DNS, A', 53, questions(folder, 'docker', [f'{name} A' for name in names]), engine.process.pid, ['nsenter', '-t', str(pid), '-n'])
    server.address = '127.0.0.11'
    return [server]


ALL = {'echo': add_echo, 'davit': add_davit, 'docker': add_docker, 'consul': add_consul}


def main():
    parser = argparse.ArgumentParser(description=__doc__.split('\n\n')[0])
    parser.add_argument('--quick', action='store_true')
    parser.add_argument('--only', default=','.join(ALL))
    arguments = parser.parse_args()
    if not shutil.which('dnsperf'):
        sys.exit('cannot measure: no dnsperf; run scripts/setup --dev')
    table = Table(f'DNS answers per second, the server on one core; {SERVICES:,} services of {INSTANCES} instances in Davit', 'server', 'per second',
                  f'aim >= {AIM:,}/s', 'of the core', 'per second of its CPU', 'of the echo\'s', 'lost')
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory())
        contenders = []
        for name in arguments.only.split(','):
            try:
                contenders += ALL[name](stack, folder)
            except Exception as error:  # what cannot be had is said, not left out in silence
                table.note(f'{name} not measured: {error}')
        for contender in contenders:
            contender.ask(1, ['-Q', '100'])  # it is there
        for _ in range(2 if arguments.quick else 5):
            for contender in contenders:
                contender.ask(2 if arguments.quick else 5)
    ceiling = next((each for each in contenders if each.name.endswith('at once')), None)
    for each in contenders:
        rate, own = Figure(each.rates, ',.0f'), each.of_own_cpu()
        table.row(each.name, rate, verdict(rate.median >= AIM) if each.name.startswith('Davit') else '', Figure(each.shares, '.0%'), own,
                  f'{own.median / ceiling.of_own_cpu().median:.2f}' if ceiling else '', each.lost)
    table.note('where a server did not use its whole core, dnsperf was the limit, or something else ran on it')
    table.note(f'{len(CORES)} cores, load {os.getloadavg()[0]:.1f}; medians with (smallest..largest)')
    table.print()


if __name__ == '__main__':
    main()
