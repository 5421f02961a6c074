"""The checker of histories itself: what it has to refuse, and what it must not."""
import pytest

from history.check import check_service
from history.explain import explain, smallest
from history.operation import ABSENT, Operation, State, load, save


class Book:
    """Writes a history down. Times are seconds; `at=(1, 2)`: asked at 1, answered at 2; `(1, None)`: never answered."""

    def __init__(self):
        self.operations = []

    def add(self, call, at, master='m1', life=1, **more):
        operation = Operation(number=len(self.operations), client='c1', service='web', call=call, start=at[0], end=at[1], master=master, life=life, **more)
        self.operations.append(operation)
        return operation

    def create(self, at, instances=1, **more):
        return self.add('create', at, argument={'instances': instances}, **more)

    def scale(self, at, instances, **more):
        return self.add('change', at, argument={'instances': instances}, **more)

    def label(self, at, key, value, **more):
        return self.add('change', at, argument={'labels': {key: value}}, **more)

    def read(self, at, generation, instances=1, revision=1, labels=(), removing=False, uid='u1', **more):
        return self.add('read', at, seen=State(uid, generation, revision, instances, tuple(labels), removing), **more)

    def nothing(self, at, **more):
        return self.add('read', at, seen=ABSENT, **more)

    @property
    def is_good(self):
        return check_service(self.operations).is_linearizable


@pytest.fixture
def book():
    """A service of one instance, made before all else."""
    book = Book()
    book.create((0, 1), revision=10)
    return book


# ---- what has to be refused

def test_refuses_a_lost_write(book):
    book.scale((2, 3), 5, revision=11)
    book.read((10, 11), generation=1, instances=1)
    assert not book.is_good


def test_refuses_a_lost_write_that_only_a_later_write_tells_of(book):
    book.scale((2, 3), 5, master='m1', revision=11)
    answer = book.label((4, 5), 'a', '1', master='m2', revision=12)
    book.read((4, 5), generation=2, instances=1, labels=[('a', '1')], master='m2', shown_by=answer.number)
    assert not book.is_good


def test_refuses_a_value_that_comes_back(book):
    book.scale((2, 3), 5)
    book.scale((4, 5), 7)
    book.read((6, 7), generation=3, instances=7)
    book.read((8, 9), generation=3, instances=5)
    assert not book.is_good


def test_refuses_a_service_that_is_there_again_after_its_removal(book):
    book.add('delete', (2, 3))
    book.nothing((4, 5))
    book.read((6, 7), generation=2, removing=True)
    assert not book.is_good


def test_refuses_a_request_that_was_carried_out_twice(book):
    book.add('restart', (2, 3))
    book.read((4, 5), generation=3, revision=3)
    assert not book.is_good


def test_refuses_a_write_that_was_refused_and_carried_out(book):
    book.scale((2, 3), 5, refusal='service_not_found', revision=11)
    assert not book.is_good  # it is there
    book.operations[-1].refusal = 'stale_generation'
    book.operations[-1].if_match = 7
    assert book.is_good
    book.read((4, 5), generation=2, instances=5)
    assert not book.is_good


def test_refuses_two_creations_of_one_service(book):
    book.create((2, 3))
    assert not book.is_good


def test_refuses_an_overwritten_change(book):
    """The read-modify-write of a merge patch that was made from an old state."""
    book.label((2, 3), 'a', '1')
    book.scale((4, 5), 5)
    book.read((6, 7), generation=3, instances=5, labels=[])
    assert not book.is_good


def test_refuses_a_conditional_write_whose_condition_did_not_hold(book):
    book.scale((2, 3), 5)
    book.scale((4, 5), 7, if_match=1)
    assert not book.is_good


def test_refuses_an_unknown_write_that_was_seen_and_then_not(book):
    book.scale((2, None), 5)
    book.read((4, 5), generation=2, instances=5)
    book.read((9, 10), generation=1, instances=1)
    assert not book.is_good


def test_refuses_a_change_that_nobody_asked_for(book):
    book.read((2, 3), generation=2, instances=4)
    assert not book.is_good


def test_refuses_another_service_under_the_same_name(book):
    book.read((2, 3), generation=1, uid='u1')
    book.read((6, 7), generation=1, uid='u2')
    assert not book.is_good


# ---- each promise about reads, kept and broken

def test_a_read_is_at_most_two_seconds_old(book):
    book.scale((2, 3), 5)
    late = book.read((5.5, 6), generation=1, master='m2')
    assert not book.is_good
    late.start = 4.5
    assert book.is_good


def test_a_read_is_at_most_as_old_as_it_says(book):
    book.scale((2, 3), 5)
    old = book.read((10, 11), generation=1, master='m2', age=6.0)
    assert not book.is_good
    old.age = 7.5
    assert book.is_good


def test_a_read_with_the_revision_of_a_write_sees_it(book):
    book.scale((2, 3), 5, revision=11)
    read = book.read((3.1, 3.2), generation=1, master='m2', asked_revision=11)
    assert not book.is_good
    read.asked_revision = 10
    assert book.is_good


def test_a_read_where_one_has_written_sees_it(book):
    book.scale((2, 3), 5, master='m2')
    read = book.read((3.1, 3.2), generation=1, master='m2')
    assert not book.is_good
    read.life = 2  # of another process
    assert book.is_good
    read.life, read.age = 1, 0.5
    assert book.is_good


def test_what_a_master_shows_never_goes_back(book):
    book.scale((2, None), 5, master='m1')
    book.read((3.1, 3.2), generation=2, instances=5, master='m2')
    back = book.read((3.3, 3.4), generation=1, master='m2')
    assert not book.is_good
    back.master = 'm3'
    assert book.is_good


def test_the_answer_to_a_write_shows_it(book):
    write = book.scale((2, 3), 5)
    body = book.read((2, 3), generation=1, shown_by=write.number)
    assert not book.is_good
    body.seen = body.seen._replace(generation=2, instances=5)
    assert book.is_good


def test_a_refusal_by_what_a_master_knows_is_at_most_two_seconds_old():
    book = Book()
    book.create((0, 1))
    refused = book.scale((2.5, 2.6), 5, master='m2', refusal='service_not_found')
    assert book.is_good
    refused.start, refused.end = 3.5, 3.6
    assert not book.is_good


# ---- what must not be refused

def test_accepts_writes_at_once_in_either_order(book):
    book.scale((2, 6), 5)
    book.scale((2, 6), 7)
    book.read((7, 8), generation=3, instances=5)
    assert book.is_good
    book.operations[-1].seen = book.operations[-1].seen._replace(instances=7)
    assert book.is_good


@pytest.mark.parametrize('generation, instances', [(1, 1), (2, 5)])
def test_accepts_both_ends_of_an_unknown_outcome(book, generation, instances):
    book.scale((2, None), 5)
    book.read((10, 11), generation=generation, instances=instances)
    assert book.is_good


def test_accepts_an_unknown_write_that_is_carried_out_late(book):
    book.scale((2, None), 5)
    book.read((10, 11), generation=1, instances=1)
    book.read((20, 21), generation=2, instances=5)
    assert book.is_good


def test_accepts_a_removal_that_takes_its_time_and_a_new_service(book):
    book.add('delete', (2, 3))
    book.create((3, 4), refusal='service_removing')
    book.read((4, 5), generation=2, removing=True)
    book.create((6, 7), instances=3)
    book.read((8, 9), generation=1, instances=3, uid='u2')
    assert book.is_good


def test_accepts_a_write_that_changes_nothing(book):
    book.scale((2, 3), 1)
    book.read((4, 5), generation=1)
    assert book.is_good


# ---- the telling of it

def test_the_smallest_part_leaves_out_what_does_not_matter(book):
    for second in range(2, 20, 2):
        book.label((second, second + 0.5), 'a', str(second))
        book.read((second + 1, second + 1.5), generation=second // 2 + 1, labels=[('a', str(second))])
    assert book.is_good
    lost = book.scale((50, 51), 5)
    book.read((54, 55), generation=10, labels=[('a', '18')])
    book.read((60, 61), generation=10, labels=[('a', '18')])
    assert not book.is_good
    part = [operation.number for operation in smallest(book.operations) if operation.is_known]
    assert lost.number in part and len(part) <= len(book.operations) - 9, part  # of the reads only the last matters
    text = explain(book.operations)
    assert str(lost) in text and 'generation 10' in text, text


def test_a_history_is_read_back_as_it_was_saved(book, tmp_path):
    book.label((2, 3), 'a', '1', if_match=1, revision=11)
    book.read((4, 5), generation=2, labels=[('a', '1')], age=2.5, asked_revision=11)
    book.scale((6, None), 5)
    save(book.operations, tmp_path / 'history')
    assert load(tmp_path / 'history') == book.operations
