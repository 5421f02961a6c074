"""Is there an order of all operations on one service that explains every answer and keeps every promise? (Wing and Gong's search, with
Lowe's memory of what was tried.) One whose outcome is unknown may have a place in it, or none.
"""
from dataclasses import dataclass

from history import service
from history.operation import ABSENT, by_service
from history.promises import order

MOST_TRIED = 400_000


class TooHard(Exception):
    """So many orders are possible that the search was given up: the history says too little."""


@dataclass
class Verdict:
    operations: list
    placed: list  # an order of all that is known, or the longest that was found
    state: object  # after it
    is_linearizable: bool

    @property
    def unplaced(self):
        placed = {operation.number for operation in self.placed}
        return [operation for operation in self.operations if operation.is_known and operation.number not in placed]


def check(operations):
    """The verdict on each service's part."""
    return {name: check_service(part) for name, part in by_service(operations).items()}


def check_service(operations, masks=None, most_tried=MOST_TRIED):
    return Search(operations, masks or order(operations), most_tried).run()


class Search:
    def __init__(self, operations, masks, most_tried):
        self.operations, self.masks, self.most_tried = operations, masks, most_tried
        self.required = sum(1 << index for index, operation in enumerate(operations) if operation.is_known)
        self.tried = set()

    def run(self):
        """Depth first; a stack of its own, because histories are longer than Python's."""
        root = self.take_harmless(0, ABSENT, ())
        stack, best = [(root, self.choices(*root[:2]))], root
        while stack:
            (done, state, path), choices = stack[-1]
            if done.bit_count() > best[0].bit_count():
                best = (done, state, path)
            if done & self.required == self.required:
                return self.verdict(done, state, path, True)
            following = next(choices, None)
            if following is None:
                stack.pop()
                continue
            index, next_state = following
            entry = self.take_harmless(done | 1 << index, next_state, (index, path))
            if entry[:2] in self.tried:
                continue
            if len(self.tried) >= self.most_tried:
                raise TooHard(f'{len(self.operations)} operations, {self.required.bit_count()} of known outcome')
            self.tried.add(entry[:2])
            stack.append((entry, self.choices(*entry[:2])))
        return self.verdict(*best, False)

    def verdict(self, done, state, path, is_linearizable):
        placed = []
        while path:
            index, path = path
            placed.append(self.operations[index])
        return Verdict(self.operations, placed[::-1], state, is_linearizable)

    def choices(self, done, state):
        for index, mask in enumerate(self.masks):
            if done >> index & 1 or mask & ~done:
                continue
            following = service.after(state, self.operations[index])
            is_needed = self.required >> index & 1 or following != state
            if following is not None and is_needed:
                yield index, following

    def take_harmless(self, done, state, path):
        """Reads and refusals that may come now come now: they change nothing, so no order becomes impossible by it."""
        is_growing = True
        while is_growing:
            is_growing = False
            for index, mask in enumerate(self.masks):
                if done >> index & 1 or mask & ~done or not self.operations[index].is_harmless:
                    continue
                if service.after(state, self.operations[index]) == state:
                    done |= 1 << index
                    path = (index, path)
                    is_growing = True
        return done, state, path
