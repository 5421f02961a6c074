"""GET /services with 1,000 services: answers per second of a davit on one core, asked by wrk on another."""
import os
import re
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from figures import Figure, Table, verdict
from stage import cpu_seconds

AIM = 15_000
SERVICES = 1_000
CREATORS = 16


@dataclass
class Ask:
    path: str
    connections: int
    headers: tuple = ()
    note: str = ''
    rates: list = field(default_factory=list)
    shares: list = field(default_factory=list)  # of its core that davit used


def measure(stage):
    davit = stage.davit('listing')
    created = SERVICES / create_services(davit)
    core = pin(davit.process.pid)
    answer = davit.get('/services')
    assert len(answer.json) == SERVICES, answer
    # With many connections the lists on their way no longer fit into the processor's cache.
    lists = [Ask('/services', 8), Ask('/services', 64)]
    others = [Ask('/services', 64, (f'If-None-Match: {answer.headers["ETag"]}',), ', unchanged (304)'), Ask('/healthz', 64)]
    for _ in range(1 if stage.is_quick else 3):
        for ask in lists + others:
            run_wrk(davit, core, ask, 2 if stage.is_quick else 5)
    davit.stop()

    table = Table(f'{SERVICES:,} services: answers per second, davit on one core', 'GET', 'connections', 'per second', f'aim >= {AIM:,}/s', 'of the core',
                  'per second of davit\'s CPU')
    for ask in lists + others:
        rate, own = Figure(ask.rates, ',.0f'), Figure([rate / share for rate, share in zip(ask.rates, ask.shares, strict=True)], ',.0f')
        table.row(ask.path + ask.note, ask.connections, rate, verdict(rate.median >= AIM) if ask in lists else '', Figure(ask.shares, '.0%'), own)
    table.note(f'a list has {len(answer.raw):,} bytes: at {AIM:,}/s {AIM * len(answer.raw) / 2**30:.1f} GiB/s go through the kernel')
    if any(Figure(ask.shares).median < 0.9 for ask in lists):
        table.note('where davit did not use its whole core, wrk was the limit, or something else ran on it')
    if core is None:
        table.note('one core only: wrk and davit shared it')
    table.note(f'the services were created at {created:,.0f}/s over {CREATORS} connections')
    return table


def create_services(davit):
    """Seconds for all of them."""
    began = time.monotonic()
    with ThreadPoolExecutor(CREATORS) as pool:
        for _ in pool.map(lambda n: davit.create(f'service-{n}', {'image': 'davit/hello:1', 'instances': 0, 'ports': [80]}), range(SERVICES)):
            pass
    return time.monotonic() - began


def pin(pid):
    """Davit on one core; the one that is left for wrk."""
    cores = sorted(os.sched_getaffinity(0))
    if len(cores) == 1:
        return None
    subprocess.run(['taskset', '-a', '-c', '-p', str(cores[0]), str(pid)], check=True, stdout=subprocess.DEVNULL)
    return cores[1]


def run_wrk(davit, core, ask, seconds):
    on_core = [] if core is None else ['taskset', '-c', str(core)]
    command = [*on_core, 'wrk', '-t1', f'-c{ask.connections}', f'-d{seconds}s', *(word for header in ask.headers for word in ('-H', header))]
    began, cpu = time.monotonic(), cpu_seconds(davit.process.pid)
    said = subprocess.run([*command, f'http://127.0.0.1:{davit.port}{ask.path}'], check=True, capture_output=True, text=True).stdout
    assert 'Non-2xx' not in said and 'Socket errors' not in said, said
    ask.shares.append((cpu_seconds(davit.process.pid) - cpu) / (time.monotonic() - began))
    ask.rates.append(float(re.search(r'Requests/sec: +([\d.]+)', said)[1]))
