"""What docs/api.md promises of the order in which operations on one service happen, as a table: which must have happened before which.

Writes are linearizable: each happens at one moment between its request and its answer. Reads come from the memory of the master that is asked,
and may show the past, but no more of it than these promises allow. So an operation has no interval but a set of those that come before it.
"""

FRESH_FOR = 2.0  # seconds; what a read without Davit-View-Age shows is no older
ROUNDING = 0.002  # of Davit-View-Age and of clocks


def is_answered_from_view(operation):
    """Reads, and those refusals of a merge patch that the asked master gives by what it knows itself."""
    return operation.call == 'read' or (operation.call == 'change' and operation.refusal in ('service_not_found', 'stale_generation'))


def in_real_time(first, second):
    """Whoever is answered by the one who decides sees all that was known before he asked."""
    return not is_answered_from_view(second) and first.is_known and first.end < second.start


def within_age(first, second):
    """What a read shows is at most as old as it says; and says nothing if that is less than two seconds."""
    if not is_answered_from_view(second) or second.shown_by is not None or not first.is_known:
        return False
    age = FRESH_FOR if second.age is None else second.age
    return first.end < second.start - age - ROUNDING


def own_revision(first, second):
    """A request with Davit-Revision sees the write that was answered with it, and all before. (A later one that changes nothing has it, too.)"""
    if second.asked_revision is None or first.revision is None:
        return False
    return first.is_known and first.revision <= second.asked_revision and first.start < second.start


def own_master(first, second):
    """A master that has answered a write shows it from then on, unless it says that what it shows is old."""
    is_seen = first.call != 'read' and first.is_done and second.age is None
    return is_seen and is_answered_from_view(second) and is_same_life(first, second) and first.end < second.start


def never_backwards(first, second):
    """What a master shows never goes back."""
    return first.call == 'read' and is_answered_from_view(second) and is_same_life(first, second) and first.end < second.start


def own_answer(first, second):
    """The answer to a write shows at least that write."""
    return second.shown_by is not None and second.shown_by == first.number


def is_same_life(first, second):
    return first.life is not None and first.is_known and (first.master, first.life) == (second.master, second.life)


PROMISES = (in_real_time, within_age, own_revision, own_master, never_backwards, own_answer)


def order(operations, promises=PROMISES):
    """For each operation, those that must come before it: bit i of the mask is the i-th of `operations`."""
    masks = []
    for second in operations:
        mask = 0
        for index, first in enumerate(operations):
            if first is not second and any(promise(first, second) for promise in promises):
                mask |= 1 << index
        masks.append(mask)
    return masks
