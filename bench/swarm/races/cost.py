"""What each part costs while nothing runs: resident memory (and its share: pages that several processes map are divided), processor."""
import time
from pathlib import Path
from statistics import median

from figures import Figure, Table, verdict
from stage import cpu_seconds, resident_mib

SETTLING, MEASURING, QUICK_SETTLING, QUICK_MEASURING = 15, 30, 5, 10  # seconds
MASTER_MIB, AGENT_MIB = 48, 24


class Cost:
    """Takes the processes' measure after each step of the start: bare engines, Swarm on them, Davit on them."""

    def __init__(self, contest):
        self.contest = contest
        self.seen = {}

    def take(self, step, groups):
        """groups: {name: process ids}; the figures are for each process."""
        self.contest.say(f'what {step} costs at rest')
        settling, measuring = (QUICK_SETTLING, QUICK_MEASURING) if self.contest.is_quick else (SETTLING, MEASURING)
        time.sleep(settling)
        pids = [pid for group in groups.values() for pid in group]
        before, began = {pid: cpu_seconds(pid) for pid in pids}, time.monotonic()
        time.sleep(measuring)
        seconds = time.monotonic() - began
        for name, group in groups.items():
            self.seen[step, name] = [(resident_mib(pid), share_mib(pid), (cpu_seconds(pid) - before[pid]) / seconds) for pid in group]

    def difference(self, later, earlier, name):
        return [tuple(a - b for a, b in zip(one, other, strict=True)) for one, other in zip(self.seen[later, name], self.seen[earlier, name], strict=True)]

    def table(self):
        rows = {
            'Swarm manager: dockerd less a bare one': (self.difference('swarm', 'bare', 'control engines'), None),
            'Swarm worker: dockerd less a bare one': (self.difference('swarm', 'bare', 'worker engines'), None),
            'Davit master': (self.seen['davit', 'masters'], MASTER_MIB),
            'etcd beside it': (self.seen['davit', 'etcd'], None),
            'Davit agent': (self.seen['davit', 'agents'], AGENT_MIB),
            'Davit guard beside it': (self.seen['davit', 'guards'], None),
            'dockerd, bare': (self.seen['bare', 'worker engines'], None),
        }
        table = Table('At rest: one process, median (smallest..largest) of its kind', 'process', 'RSS, MiB', 'PSS, MiB', 'of a core', 'aim, RSS', '')
        for name, (figures, aim) in rows.items():
            resident, share, cpu = zip(*figures, strict=True)
            table.row(name, Figure(resident, '.1f'), Figure(share, '.1f'), Figure(cpu, '.2%'), f'<= {aim}' if aim else '', verdict(max(resident) <= aim) if aim else '')
        table.row('Davit: master and etcd / Swarm manager', *self.ratios(('masters', 'etcd'), 'control engines'), '', '')
        table.row('Davit: agent and guard / Swarm worker', *self.ratios(('agents', 'guards'), 'worker engines'), '', '')
        table.note('RSS counts pages of the program file that processes share; PSS divides them among those on this machine')
        return table

    def ratios(self, davit, engines):
        for index in range(3):
            mine = sum(median(figures[index] for figures in self.seen['davit', name]) for name in davit)
            theirs = median(figures[index] for figures in self.difference('swarm', 'bare', engines))
            yield f'{mine / theirs:.2f}' if theirs > 0 else '-'


def share_mib(pid):
    line = next(line for line in Path(f'/proc/{pid}/smaps_rollup').read_text().splitlines() if line.startswith('Pss:'))
    return int(line.split()[1]) / 1024
