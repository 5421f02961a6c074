"""GET /services with 1,000 services: answers per second of a davit on one core, asked by wrk on another."""
import os
import re
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor

from figures import Figure, Table, verdict
from stage import cpu_seconds

AIM = 15_000
SERVICES = 1_000
CONNECTIONS = 64
CREATORS = 16
LIST = 'GET /services'


def measure(stage):
    davit = stage.davit('listing')
    created = SERVICES / create_services(davit)
    core = pin(davit.process.pid)
    answer = davit.get('/services')
    assert len(answer.json) == SERVICES, answer
    asks = {LIST: [], 'GET /services, If-None-Match': [f'If-None-Match: {answer.headers["ETag"]}'], 'GET /healthz': []}
    rates, shares = {ask: [] for ask in asks}, {ask: [] for ask in asks}
    for _ in range(1 if stage.is_quick else 3):
        for ask, headers in asks.items():
            rate, share = run_wrk(davit, core, ask.split()[1].rstrip(','), headers, 2 if stage.is_quick else 5)
            rates[ask].append(rate)
            shares[ask].append(share)
    davit.stop()

    table = Table(f'{SERVICES:,} services: answers per second with {CONNECTIONS} connections, davit on one core', 'request', 'per second', f'aim >= {AIM:,}/s',
                  'davit\'s share of the core', 'per second of davit\'s own')
    for ask in asks:
        own = Figure([rate / share for rate, share in zip(rates[ask], shares[ask], strict=True)], ',.0f')
        table.row(ask, Figure(rates[ask], ',.0f'), verdict(Figure(rates[ask]).median >= AIM) if ask == LIST else '', Figure(shares[ask], '.0%'), own)
    table.note(f'a list of {len(answer.raw):,} bytes: {Figure(rates[LIST]).median * len(answer.raw) / 2**30:.1f} GiB/s through the kernel; '
               f'of the rate of an empty answer: {Figure([a / b for a, b in zip(rates[LIST], rates["GET /healthz"], strict=True)])}')
    table.note(f'created before at {created:,.0f} services/s over {CREATORS} connections')
    if core is None:
        table.note('one core only: wrk and davit shared it')
    elif Figure(shares[LIST]).median < 0.9:
        table.note('davit was not always busy: wrk, or what else ran on these cores, was the limit')
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


def run_wrk(davit, core, path, headers, seconds):
    """Answers per second, and the share of its core that davit used."""
    on_core = [] if core is None else ['taskset', '-c', str(core)]
    command = [*on_core, 'wrk', '-t1', f'-c{CONNECTIONS}', f'-d{seconds}s', *(word for header in headers for word in ('-H', header))]
    began, cpu = time.monotonic(), cpu_seconds(davit.process.pid)
    said = subprocess.run([*command, f'http://127.0.0.1:{davit.port}{path}'], check=True, capture_output=True, text=True).stdout
    share = (cpu_seconds(davit.process.pid) - cpu) / (time.monotonic() - began)
    assert 'Non-2xx' not in said and 'Socket errors' not in said, said
    return float(re.search(r'Requests/sec: +([\d.]+)', said)[1]), share
