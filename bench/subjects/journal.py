"""Journal appends per second, beside what the disk can do at all: one fdatasync after another, over blocks that it has."""
import os
import re
import subprocess
import tempfile
import time
from pathlib import Path

from figures import Figure, Table
from stage import BINARY

STORE_BENCH = Path(BINARY).with_name('davit_store_bench')
BLOCK, BLOCKS = b'x' * 4096, 1024
SYNCING = 2  # seconds


def measure(stage):
    assert STORE_BENCH.exists(), f'there is no {STORE_BENCH}; run make bench'
    rates, syncs = {}, []
    with tempfile.TemporaryDirectory(prefix='davit-bench-', dir=stage.ledger.folder) as folder:
        kind = subprocess.run(['stat', '-f', '-c', '%T', folder], check=True, capture_output=True, text=True).stdout.strip()
        for _ in range(1 if stage.is_quick else 3):
            syncs.append(syncs_per_second(Path(folder) / 'sync'))
            said = subprocess.run([STORE_BENCH, folder], check=True, capture_output=True, text=True).stdout
            for in_flight, rate in re.findall(r'with +(\d+) in flight: +(\d+)/s', said):
                rates.setdefault(int(in_flight), []).append(int(rate))
    assert rates, f'{STORE_BENCH.name} said: {said}'

    table = Table(f'Journal appends of the SQLite store, on {kind}', 'in flight', 'appends per second', 'per fdatasync of this disk')
    for in_flight, of in rates.items():
        table.row(in_flight, Figure(of, ',.0f'), Figure([rate / sync for rate, sync in zip(of, syncs, strict=True)]))
    table.note(f'fdatasync after each {len(BLOCK)} bytes: {Figure(syncs, ",.0f")} per second')
    return table


def syncs_per_second(file):
    file.write_bytes(BLOCK * BLOCKS)
    with file.open('r+b', buffering=0) as out:
        os.fsync(out.fileno())
        done, began = 0, time.monotonic()
        while (elapsed := time.monotonic() - began) < SYNCING:
            os.pwrite(out.fileno(), BLOCK, done % BLOCKS * len(BLOCK))
            os.fdatasync(out.fileno())
            done += 1
    return done / elapsed
