"""Figures of contenders that take turns, and the rows made of them."""
from figures import Figure, Table, verdict

SWARM, TUNED, DAVIT, BARE = 'Swarm', 'Swarm tuned', 'Davit', 'bare engines'
CONTENDERS = (BARE, SWARM, TUNED, DAVIT)
COLUMNS = (*CONTENDERS, 'Davit / bare', '/ Swarm', '/ tuned', 'aim', '')


class Turns:
    """{contender: figures, one for each round}, None for a round that came to nothing. Ratios are of figures of the same round."""

    def __init__(self, what, aim='', is_met=None):
        self.what, self.aim, self.is_met = what, aim, is_met
        self.taken = {}

    def add(self, contender, value):
        self.taken.setdefault(contender, []).append(value)

    def of(self, contender):
        return [value for value in self.taken.get(contender, []) if value is not None]

    def ratio(self, other):
        """None without a round in which both have a figure."""
        pairs = zip(self.taken.get(DAVIT, []), self.taken.get(other, []), strict=False)
        ratios = [mine / theirs for mine, theirs in pairs if mine is not None and theirs]
        return Figure(ratios) if ratios else None

    def verdict(self):
        """An aim is missed also by a round that came to nothing."""
        if not self.is_met or DAVIT not in self.taken:
            return ''
        return verdict(None not in self.taken[DAVIT] and self.is_met(self))

    def row(self, table):
        cells = [Figure(values) if (values := self.of(contender)) else '-' for contender in CONTENDERS]
        table.row(self.what, *cells, *(self.ratio(other) or '-' for other in (BARE, SWARM, TUNED)), self.aim, self.verdict())

    def note(self, table):
        def say(value):
            return 'FAILED' if value is None else f'{value:.2f}'
        runs = '; '.join(f'{contender} {" ".join(map(say, values))}' for contender, values in self.taken.items())
        table.note(f'{self.what}, each run: {runs}')


def at_most(seconds):
    """Arguments of Turns for an aim that each run must meet."""
    return {'aim': f'<= {seconds}', 'is_met': lambda turns: max(turns.of(DAVIT)) <= seconds}


def table_of(title, all_turns):
    table = Table(title, 'seconds', *COLUMNS)
    for turns in all_turns:
        turns.row(table)
    for turns in all_turns:
        turns.note(table)
    return table
