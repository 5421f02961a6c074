#!/usr/bin/python3
"""Measures `davit up` on this machine, with a Docker Engine of its own, and prints a table for each subject: figures and
ratios of one run, never a pass or a failure, for the machine may be shared and noisy.

DAVIT_BIN names the program (default: build/release/bin/davit); davit_store_bench is looked for beside it.
"""
import argparse
import os
import platform
import shutil
import signal
import sys
import time
from pathlib import Path

sys.dont_write_bytecode = True

from stage import BINARY, Stage  # noqa: E402
from subjects import idle, journal, listing, restart, starts  # noqa: E402

SUBJECTS = {'starts': starts, 'restart': restart, 'list': listing, 'journal': journal, 'idle': idle}
TOOLS = ('dockerd', 'docker', 'ip', 'busybox', 'taskset', 'wrk')


def parse_arguments():
    def names(text):
        chosen = text.split(',')
        if unknown := set(chosen) - set(SUBJECTS):
            raise argparse.ArgumentTypeError(f'no such subject: {", ".join(sorted(unknown))}; there are {", ".join(SUBJECTS)}')
        return chosen
    parser = argparse.ArgumentParser(description=__doc__.split('\n\n')[0])
    parser.add_argument('--only', type=names, default=list(SUBJECTS), metavar='SUBJECT,...', help=f'of {", ".join(SUBJECTS)}')
    parser.add_argument('--quick', action='store_true', help='smaller sizes and fewer runs: two minutes in place of ten')
    return parser.parse_args()


def obstacle():
    """Why nothing can be measured here; empty when it can."""
    if os.geteuid() != 0:
        return 'it starts a dockerd of its own, which takes root'
    if absent := [tool for tool in TOOLS if not shutil.which(tool)]:
        return f'missing: {", ".join(absent)}; run scripts/setup --dev'
    return '' if Path(BINARY).exists() else f'no davit at {BINARY}; run make build, or set DAVIT_BIN'


def print_machine(stage):
    lines = Path('/proc/cpuinfo').read_text().splitlines()
    model = next((line.split(':', 1)[1].strip() for line in lines if line.startswith('model name')), platform.machine())
    engine = stage.engine.api.get('/version').json['Version']
    print(f'{len(os.sched_getaffinity(0))} cores ({model}), Linux {platform.release()}, Docker Engine {engine}, load before {os.getloadavg()[0]:.1f}')
    print('Figures are medians with (smallest..largest); ratios are of runs that took turns.', flush=True)


def main():
    arguments = parse_arguments()
    if why := obstacle():
        sys.exit(f'cannot measure: {why}')
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # clean up also when told to end
    began, stage = time.monotonic(), Stage(arguments.quick)
    try:
        stage.start()
        print_machine(stage)
        for name in arguments.only:
            SUBJECTS[name].measure(stage).print()
    finally:
        stage.stop()
    print(f'\n{time.monotonic() - began:.0f} s in all, load after {os.getloadavg()[0]:.1f}')


if __name__ == '__main__':
    main()
