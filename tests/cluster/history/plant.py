"""Errors planted into a history that was really recorded: the proof that the checker would have found them. Each gives the service's part
with one error in it, or None where it has no place for one.
"""
from dataclasses import replace

from history.operation import Operation
from history.promises import PROMISES, order


def stale_read(operations, promise, rng):
    """A read shows what was before something that it must have seen, by this promise and no other."""
    only = [mask & ~other for mask, other in zip(order(operations, [promise]), order(operations, [each for each in PROMISES if each is not promise]))]
    for at in shuffled([index for index, operation in enumerate(operations) if operation.call == 'read' and operation.seen.exists], rng):
        read = operations[at]
        for first in chosen(operations, only[at], rng):
            before = seen_before(operations, first)
            if before and before.uid == read.seen.uid and before.generation < read.seen.generation:
                return exchanged(operations, at, replace(read, seen=before))
    return None


def lost_write(operations, rng):
    """A write was acknowledged, and nobody ever sees it."""
    number = max(operation.number for operation in operations) + 1
    for at in shuffled(range(len(operations)), rng):
        earlier = operations[at]
        later = earlier.call == 'read' and next((each for each in operations[at + 1:] if is_seen_later(earlier, each)), None)
        if later:
            moment = earlier.end + 0.001
            lost = Operation(number, 'lost', earlier.service, 'change', moment, moment + 0.001, argument={'labels': {'lost': 'write'}}, master='m1')
            return operations + [lost]
    return None


def double_apply(operations, rng):
    """A restart was carried out twice: all who see it see the one after it."""
    is_certain = not any(operation.call == 'restart' and not operation.is_known for operation in operations)
    for write in shuffled([operation for operation in operations if operation.call == 'restart' and operation.is_done], rng):
        shown = shown_by(operations, write)
        if shown is None or not is_certain:
            continue
        return [replace(each, seen=twice(each.seen)) if each.seen and each.seen.uid == shown.uid and each.seen.generation >= shown.generation else each
                for each in operations]
    return None


def second_creation(operations, rng):
    """A service was created that was there."""
    spoilt = lost_write(operations, rng)
    return spoilt and spoilt[:-1] + [replace(spoilt[-1], call='create', argument={'instances': 1})]


def removed_returns(operations, rng):
    """A service that was seen to be gone is shown once more as it was."""
    for at in shuffled(range(len(operations)), rng):
        gone = operations[at]
        if gone.call != 'read' or gone.seen.exists:
            continue
        before = [each for each in operations if each.call == 'read' and each.seen.exists and not each.seen.removing and each.end < gone.start - 5]
        after = [index for index, each in enumerate(operations) if each.call == 'read' and each.shown_by is None and each.age is None and each.start > gone.end + 3]
        if before and after:
            at = rng.choice(after)
            return exchanged(operations, at, replace(operations[at], seen=before[-1].seen))
    return None


def twice(seen):
    return seen._replace(generation=seen.generation + 1, revision=seen.revision + 1)


def shown_by(operations, first):
    """What a read, or the answer to a write, has shown of the service."""
    seen = first.seen if first.call == 'read' else next((each.seen for each in operations if each.shown_by == first.number), None)
    return seen if seen and seen.exists else None


def seen_before(operations, first):
    """What was seen before it began, and was left behind when it ended."""
    shown = shown_by(operations, first)
    is_change = first.call in ('read', 'change', 'restart') and first.refusal is None
    earlier = [each.seen for each in operations if each.call == 'read' and each.end < first.start]
    return next((seen for seen in reversed(earlier) if shown and is_change and seen.uid == shown.uid and seen.generation < shown.generation), None)


def is_seen_later(earlier, later):
    is_read = later.call == 'read' and later.shown_by is None and later.age is None and later.start > earlier.end + 3
    return is_read and earlier.seen.exists and later.seen.uid == earlier.seen.uid


def exchanged(operations, at, operation):
    return operations[:at] + [operation] + operations[at + 1:]


def chosen(operations, mask, rng):
    return shuffled([operation for index, operation in enumerate(operations) if mask >> index & 1], rng)


def shuffled(items, rng):
    return rng.sample(list(items), len(items))
