"""Figures as the benchmarks print them: the median of several runs with the smallest and the largest, and tables of such."""
from statistics import median


class Figure:
    """One quantity, measured several times. `form` is a format specification as in f'{value:.2f}'."""

    def __init__(self, values, form='.2f', unit=''):
        self.values, self.form, self.unit = list(values), form, unit

    @property
    def median(self):
        return median(self.values)

    def __str__(self):
        def say(value):
            return format(value, self.form)
        spread = f' ({say(min(self.values))}..{say(max(self.values))})' if len(self.values) > 1 else ''
        return say(self.median) + self.unit + spread


class Table:
    def __init__(self, title, *columns):
        self.title, self.rows, self.notes = title, [columns], []

    def row(self, *cells):
        self.rows.append(tuple(map(str, cells)))

    def note(self, text):
        self.notes.append(text)

    def print(self):
        widths = [max(map(len, column)) for column in zip(*self.rows, strict=True)]
        lines = ['  '.join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in self.rows]
        lines.insert(1, '  '.join('-' * width for width in widths))
        print('\n'.join(['', self.title, '', *lines, *(f'  {note}' for note in self.notes)]), flush=True)


def verdict(is_met):
    return 'met' if is_met else 'MISSED'
