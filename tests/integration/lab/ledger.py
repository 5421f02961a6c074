"""What a test session has started, written down as it happens, so that the session itself, or the next one after a
crash, can take exactly that away again: processes by id and start time, bridges, network namespaces, a cgroup, mounts, a folder.
"""
import contextlib
import json
import os
import secrets
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path

PREFIX = 'davit-lab-'


def start_time(pid):
    """The process's start in clock ticks: with the id, its name for ever. None when there is no such process, or a zombie."""
    try:
        fields = Path(f'/proc/{pid}/stat').read_text().rpartition(')')[2].split()
    except OSError:
        return None
    return None if fields[0] in 'ZX' else int(fields[19])


class Ledger:
    def __init__(self, folder):
        self.folder = Path(folder)
        self.file = self.folder / 'ledger'

    @classmethod
    def open(cls):
        sweep_leftovers()
        # containerd takes the name for a namespace and refuses the underscores that mkdtemp may choose.
        folder = Path(tempfile.gettempdir(), PREFIX + secrets.token_hex(4))
        unowned = folder.with_name('.' + folder.name)  # a sweep by another run would take it for left over
        unowned.mkdir(mode=0o700)
        cls(unowned).note_process(os.getpid(), 'owner')
        unowned.rename(folder)
        return cls(folder)

    def note(self, kind, **what):
        with self.file.open('a') as file:
            file.write(json.dumps({'kind': kind} | what) + '\n')

    def note_process(self, pid, what):
        self.note('process', pid=pid, start=start_time(pid), what=what)

    def entries(self, kind):
        with contextlib.suppress(OSError):
            for line in self.file.read_text().splitlines():
                entry = json.loads(line)
                if entry['kind'] == kind:
                    yield entry

    def owner_lives(self):
        owner = next(self.entries('process'), None)
        return owner is not None and owner['start'] == start_time(owner['pid'])

    def sweep(self):
        for entry in reversed([e for e in self.entries('process') if e['what'] != 'owner']):
            end_process(entry['pid'], entry['start'])
        for pid in self.strays():
            end_process(pid, start_time(pid), patience=0)
        self.unmount()
        for entry in self.entries('bridge'):
            subprocess.run(['ip', 'link', 'delete', entry['name']], capture_output=True)
        for entry in self.entries('netns'):
            subprocess.run(['ip', 'netns', 'delete', entry['name']], capture_output=True)
        for pattern in (self.folder.name, f'*/{self.folder.name}'):  # version 2, and each hierarchy of version 1
            for group in Path('/sys/fs/cgroup').glob(pattern):
                for below, _, _ in os.walk(group, topdown=False):
                    with contextlib.suppress(OSError):
                        os.rmdir(below)
        shutil.rmtree(self.folder, ignore_errors=True)

    def strays(self):
        """Containers in the session's cgroup, and whatever carries the session's folder in its command line: shims."""
        mine = []
        for entry in os.listdir('/proc'):
            if not entry.isdigit() or int(entry) == os.getpid():
                continue
            with contextlib.suppress(OSError):
                words = Path(f'/proc/{entry}/cmdline').read_bytes().split(b'\0')
                is_ours = any(word.startswith(bytes(self.folder) + b'/') for word in words)
                if is_ours or f'/{self.folder.name}/' in Path(f'/proc/{entry}/cgroup').read_text():
                    mine.append(int(entry))
        return mine

    def unmount(self):
        places = [line.split()[1] for line in Path('/proc/self/mounts').read_text().splitlines()]
        for place in reversed([p for p in places if p.startswith(f'{self.folder}/')]):
            subprocess.run(['umount', '--lazy', place], capture_output=True)


def end_process(pid, start, patience=20):
    """SIGTERM, then SIGKILL; only the process that was noted, never a later one with its id."""
    for sign, seconds in ((signal.SIGTERM, patience), (signal.SIGKILL, 10)):
        if seconds == 0:
            continue
        if start is None or start_time(pid) != start:
            return
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, sign)
        until = time.monotonic() + seconds
        while start_time(pid) == start and time.monotonic() < until:
            time.sleep(0.02)


def sweep_leftovers():
    """Of sessions that ended without a chance to clean up."""
    for folder in Path(tempfile.gettempdir()).glob(PREFIX + '*'):
        if not Ledger(folder).owner_lives():
            Ledger(folder).sweep()
