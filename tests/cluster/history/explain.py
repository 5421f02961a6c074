"""The smallest part of a history that cannot be explained, for people to argue about."""
import os
import time
from dataclasses import replace
from pathlib import Path

from history.check import TooHard, check, check_service
from history.operation import save
from lab.davit import ROOT

PATIENCE = 20.0  # seconds of making it smaller
MOST_TRIED = 500  # orders; a smaller part is worth no long search
SHOWN = 16


def cut_at(operations, moment):
    """As the clients knew it then: what was not answered yet may have been carried out or not."""
    part = [operation for operation in operations if operation.start <= moment]
    return [forget(operation) if operation.is_known and operation.end > moment else operation for operation in part
            if operation.call != 'read' or operation.end <= moment]


def forget(operation):
    return replace(operation, end=None, refusal=None, revision=None, age=None)


def is_bad(operations):
    try:
        return not check_service(operations, most_tried=MOST_TRIED).is_linearizable
    except TooHard:
        return False


def smallest(operations):
    """Sound steps only: reads are left out, then writes are taken for such of unknown outcome; so what is left is as impossible as the whole."""
    until = time.monotonic() + PATIENCE
    return thinned(thinned(shortest(operations), without_reads, until), forget_writes, until)


def thinned(part, weaker, until):
    size = len(part)
    while size > 1 and time.monotonic() < until:
        size //= 2
        at = 0
        while at < len(part) and time.monotonic() < until:
            weak = weaker(part[at:at + size])
            candidate = part[:at] + weak + part[at + size:]
            is_smaller = candidate != part and is_bad(candidate)
            part = candidate if is_smaller else part
            at += len(weak) if is_smaller else size
    return part


def shortest(operations):
    """Until the first answer that cannot be explained."""
    ends = sorted(operation.end for operation in operations if operation.is_known)
    low, high = 0, len(ends) - 1
    while low < high:
        middle = (low + high) // 2
        if is_bad(cut_at(operations, ends[middle])):
            high = middle
        else:
            low = middle + 1
    return cut_at(operations, ends[low])


def without_reads(operations):
    return [operation for operation in operations if operation.call != 'read']


def forget_writes(operations):
    return [operation if operation.call == 'read' else forget(operation) for operation in operations]


def explain(operations):
    """In words; `operations` are those of one service that check_service() refuses."""
    part = smallest(operations)
    verdict = check_service(part)
    known = [operation for operation in part if operation.is_known]
    shown = known[-SHOWN:]
    lines = [f'{part[0].service}: no order of these {len(known)} operations explains what was answered; {len(part) - len(known)} others may have happened or not.']
    lines += [f'  … {len(known) - len(shown)} earlier ones'] if len(shown) < len(known) else []
    lines += [f'  {operation}' for operation in shown]
    lines += ['The longest order that could be found ends with', *(f'  {operation}' for operation in verdict.placed[-SHOWN:]),
              f'which leads to {verdict.state}, where there is no place for', *(f'  {operation}' for operation in verdict.unplaced[:SHOWN])]
    return '\n'.join(lines)


def keep(operations, name):
    path = Path(os.environ.get('DAVIT_HISTORIES', ROOT / 'build' / 'histories')) / name
    save(operations, path)
    return path


def explain_all(operations, name):
    """Fails with the smallest parts of a history that cannot be explained, after saving the whole."""
    bad = [verdict.operations for verdict in check(operations).values() if not verdict.is_linearizable]
    assert not bad, '\n\n'.join([f'the whole history is in {keep(operations, name)}', *map(explain, bad)])
