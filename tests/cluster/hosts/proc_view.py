"""A host's own load in /proc.

All hosts of the lab share a kernel, so /proc/stat and /proc/loadavg of the machine would show each of them the sum. What lxcfs does for LXC's
containers is done here for a host: the worker sees files in their place that are made of the accounting of the host's cgroup, in which its
containers are. The load is real, and so is what the worker reads; only whose it is, is told apart.
"""
import math
import os
import threading
import time
from pathlib import Path

TICK = 1 / os.sysconf('SC_CLK_TCK')
CORES = os.cpu_count()
STEP = 0.5


def cgroup_folders(group):
    """The group in the hierarchies that count processor time: of version 2, or version 1."""
    root = Path('/sys/fs/cgroup')
    return [folder for folder in (root / group, root / 'cpuacct' / group, root / 'cpu,cpuacct' / group, root / 'unified' / group) if folder.exists()]


def seconds_used(group):
    for folder in cgroup_folders(group):
        if (usage := folder / 'cpuacct.usage').exists():
            return int(usage.read_text()) / 1e9
        if (stat := folder / 'cpu.stat').exists() and 'usage_usec' in stat.read_text():
            return int(stat.read_text().split()[1]) / 1e6
    return 0.0


def running_tasks(group):
    count = 0
    for folder in cgroup_folders(group)[:1]:
        for below, _, _ in os.walk(folder):
            for pid in (Path(below) / 'cgroup.procs').read_text().split():
                try:
                    count += Path(f'/proc/{pid}/stat').read_text().rpartition(')')[2].split()[0] in 'RD'
                except OSError:
                    continue  # it has ended
    return count


class ProcView:
    def __init__(self, host):
        self.group = host.engine.cgroup()
        self.stat, self.loadavg = host.folder / 'proc-stat', host.folder / 'proc-loadavg'
        self.began = time.monotonic()
        self.load = 0.0
        self.write()
        self.stopping = threading.Event()
        self.thread = threading.Thread(target=self.go_on, daemon=True)
        self.thread.start()

    def inside(self):
        """The command's beginning: a mount namespace of its own, in which the files stand in the place of the machine's."""
        mounts = f'mount --bind {self.stat} /proc/stat && mount --bind {self.loadavg} /proc/loadavg && exec "$@"'
        return ['unshare', '--mount', '--propagation', 'private', 'sh', '-c', mounts, 'sh']

    def go_on(self):
        while not self.stopping.wait(STEP):
            self.load += (running_tasks(self.group) - self.load) * (1 - math.exp(-STEP / 60))  # as the kernel's mean of a minute
            self.write()

    def write(self):
        all_ticks = (time.monotonic() - self.began) * CORES / TICK
        busy = min(seconds_used(self.group) / TICK, all_ticks)
        # In place, because the bind mount is of the file and not of its name; and at a fixed width, so that no reader sees half of it.
        self.put(self.stat, f'cpu  {busy:15.0f} 0 0 {all_ticks - busy:15.0f} 0 0 0 0 0 0\n')
        self.put(self.loadavg, f'{self.load:10.2f} {self.load:10.2f} {self.load:10.2f} 1/1 1\n')

    @staticmethod
    def put(file, text):
        with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT, 0o644), 'w') as out:
            out.write(text)

    def stop(self):
        self.stopping.set()
        self.thread.join()
