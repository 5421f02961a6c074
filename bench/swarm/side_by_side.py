#!/usr/bin/python3
"""Measures Davit, Docker Swarm and the bare engines on the same hosts in one run: namespaces of this machine, an engine in each.

DAVIT_BIN names the program (default: build/release/bin/davit).
"""
import argparse
import os
import platform
import signal
import sys
import time
from pathlib import Path

sys.dont_write_bytecode = True

from field import BINARY, missing_tools  # noqa: E402, I001  (it sets the path for the others)
from contest import Contest  # noqa: E402
from races import crash, cuts, masters, starts, steadiness  # noqa: E402

RACES = {'cost': lambda contest: contest.cost.table(), 'cuts': cuts.measure, 'masters': masters.measure, 'crash': crash.measure,
         'steady': steadiness.measure, 'starts': starts.measure}
HOW = """All stand on the same hosts the whole time; only one has containers or is broken at any moment (but for `steady`, where both clusters are
watched at once). They take turns, so that what else goes on on this machine hits all alike. A container runs from the time that its
engine's inspect gives; all are polled for alike. Figures are medians with (smallest..largest); ratios are of figures of the same round."""


def parse_arguments():
    def names(text):
        chosen = text.split(',')
        if unknown := set(chosen) - set(RACES):
            raise argparse.ArgumentTypeError(f'no such subject: {", ".join(sorted(unknown))}; there are {", ".join(RACES)}')
        return chosen
    parser = argparse.ArgumentParser(description=__doc__.split('\n\n')[0])
    parser.add_argument('--only', type=names, default=list(RACES), metavar='SUBJECT,...', help=f'of {", ".join(RACES)}')
    parser.add_argument('--quick', action='store_true', help='smaller sizes, one run of most, one minute of steadiness')
    parser.add_argument('--runs', type=int, metavar='N', help='so many rounds of each (default: 3 to 7)')
    parser.add_argument('--workers', type=int, default=5, metavar='N', help='hosts beside the three control hosts (default: 5)')
    return parser.parse_args()


def obstacle():
    """Why nothing can be measured here; empty when it can."""
    if why := missing_tools('etcd', 'iptables', 'nsenter'):
        return why
    return '' if Path(BINARY).exists() else f'no davit at {BINARY}; run make build, or set DAVIT_BIN'


def print_machine(contest):
    lines = Path('/proc/cpuinfo').read_text().splitlines()
    model = next((line.split(':', 1)[1].strip() for line in lines if line.startswith('model name')), platform.machine())
    engine = contest.field.workers[0].engine.api.get('/version').json['Version']
    print(f'{len(os.sched_getaffinity(0))} cores ({model}), Linux {platform.release()}, Docker Engine {engine}, three control hosts and {contest.workers} workers, '
          f'load before {os.getloadavg()[0]:.1f}\n{HOW}', flush=True)


def main():
    arguments = parse_arguments()
    if why := obstacle():
        sys.exit(f'cannot measure: {why}')
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # clean up also when told to end
    began, contest = time.monotonic(), Contest(arguments.quick, arguments.runs, arguments.workers)
    try:
        contest.start(with_cost='cost' in arguments.only)
        print_machine(contest)
        tables = []
        for name in arguments.only:
            tables.append(RACES[name](contest))
            tables[-1].print()
    finally:
        contest.stop()
    print(f'\nAll of it once more, after {time.monotonic() - began:.0f} s; load {os.getloadavg()[0]:.1f}')
    for table in tables:
        table.print()


if __name__ == '__main__':
    main()
