"""What clients asked of the API and what they were told: a history, and the file that it is kept in."""
import dataclasses
import json
from dataclasses import dataclass, field
from typing import NamedTuple


class State(NamedTuple):
    """A service as GET shows it, as far as its user decides it. Generation 0: there is none. An empty uid is one that nobody has seen yet."""
    uid: str = ''
    generation: int = 0
    revision: int = 0
    instances: int = 0
    labels: tuple = ()  # (key, value), by key
    removing: bool = False

    @property
    def exists(self):
        return self.generation > 0


ABSENT = State()


@dataclass
class Operation:
    """One request, repeated with its Idempotency-Key until its outcome was known or the client gave up."""
    number: int
    client: str
    service: str
    call: str  # create, change, restart, delete, read
    start: float  # seconds on one clock for all
    end: float = None  # None: the outcome is unknown, and it may be carried out at any later time
    argument: dict = field(default_factory=dict)  # of create and change: instances, labels
    if_match: int = None  # the generation
    asked_revision: int = None  # the Davit-Revision that was sent
    refusal: str = None  # the problem's code; None: done, if its outcome is known
    seen: State = None  # what a read has shown
    shown_by: int = None  # of a read: the number of the write whose answer it is
    revision: int = None  # the answer's Davit-Revision
    age: float = None  # the answer's Davit-View-Age, in seconds
    master: str = None  # the last that was asked
    life: int = None  # of that master's process; None: it began or ended meanwhile

    @property
    def is_known(self):
        return self.end is not None

    @property
    def is_done(self):
        return self.is_known and self.refusal is None

    @property
    def is_harmless(self):
        """It changes nothing, whenever it happens."""
        return self.is_known and (self.call == 'read' or self.refusal is not None)

    def __str__(self):
        asked = {'instances': self.argument.get('instances'), 'labels': self.argument.get('labels'), 'If-Match': self.if_match,
                 'Davit-Revision': self.asked_revision, 'in the answer to': self.shown_by}
        words = ''.join(f' {name}={value}' for name, value in asked.items() if value is not None)
        when = f'{self.start:9.3f} … ' + (f'{self.end:9.3f}' if self.is_known else '        ?')
        return f'#{self.number:<5} {when}  {self.client:4} {self.master or "-":3} {self.call:7} {self.service}{words} -> {self.outcome()}'

    def outcome(self):
        if not self.is_known:
            return 'unknown'
        if self.refusal:
            return self.refusal
        told = f' Davit-Revision={self.revision}' if self.revision else ''
        old = f' Davit-View-Age={self.age:.3f}s' if self.age is not None else ''
        if self.seen is None:
            return f'done{told}'
        if not self.seen.exists:
            return f'nothing{old}'
        seen = self.seen
        return (f'generation {seen.generation}, revision {seen.revision}, {seen.instances} instances, labels {dict(seen.labels)}, uid {seen.uid}'
                f'{", removing" if seen.removing else ""}{old}')


def by_service(operations):
    parts = {}
    for operation in sorted(operations, key=lambda each: each.start):
        parts.setdefault(operation.service, []).append(operation)
    return parts


def save(operations, path):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(''.join(json.dumps(dataclasses.asdict(operation)) + '\n' for operation in operations))


def load(path):
    operations = []
    for line in path.read_text().splitlines():
        values = json.loads(line)
        if values['seen'] is not None:
            seen = State(*values['seen'])
            values['seen'] = seen._replace(labels=tuple(map(tuple, seen.labels)))
        operations.append(Operation(**values))
    return operations


def summary(operations):
    writes = [operation for operation in operations if operation.call != 'read']
    reads = [operation for operation in operations if operation.call == 'read']
    ends = sorted(operation.end for operation in writes if operation.is_done)
    longest = max((later - earlier for earlier, later in zip(ends, ends[1:])), default=0)
    return (f'{len(writes)} writes: {len(ends)} done, {sum(each.refusal is not None for each in writes)} refused, {sum(not each.is_known for each in writes)} '
            f'of unknown outcome; longest time without one done {longest:.1f} s; {len(reads)} reads, {sum(each.age is not None for each in reads)} '
            f'of them with an age')
