"""Waiting for a condition: the one place of these tests that sleeps."""
import time


def wait_for(condition, timeout=30, what=None, every=0.03):
    """The first true value of condition(). A condition that cannot be asked yet (no connection) counts as false.

    `what`: words, or what makes them of how things are when the time is over.
    """
    until = time.monotonic() + timeout
    last = None
    while True:
        try:
            last = condition()
            if last:
                return last
        except OSError as error:
            last = error
        if time.monotonic() >= until:
            words = what() if callable(what) else what or condition.__doc__ or 'the condition'
            raise AssertionError(f'not within {timeout} s: {words}; last seen: {last!r}')
        time.sleep(every)


def holds_for(condition, seconds, what=None, every=0.1):
    """Checks that something stays true: for what must not happen, where there is no end to wait for."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        assert condition(), what or 'it did not stay so'
        time.sleep(every)
