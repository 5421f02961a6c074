"""Requests that never stop, for what must not cost one of them."""
import http.client
import threading
import time
import urllib.request
from collections import namedtuple

from lab.davit import hello

PROBE = {'http': {'port': 80}, 'interval': '1s', 'start_interval': '100ms'}  # a container that runs need not listen yet

Failure = namedtuple('Failure', 'began seconds error')


def shop(instances, port, **more):
    """A service behind one port of every node."""
    return hello(instances, **({'ports': [{'target': 80, 'published': port, 'mode': 'ingress'}], 'drain_delay': '5s', 'healthcheck': PROBE} | more))


def fetch(port, host='127.0.0.1', timeout=10):
    """What an instance says of itself: one line, always the same."""
    with urllib.request.urlopen(f'http://{host}:{port}/?text', timeout=timeout) as answer:
        body = answer.read()
    if not body.endswith(b'\n'):
        raise http.client.IncompleteRead(body)
    return body


class Load:
    """Requests from several threads, each over a connection of its own, until end() or the end of a `with`."""

    def __init__(self, port, threads=4, host='127.0.0.1'):
        self.port, self.host, self.done, self.failed, self.bodies, self.ends = port, host, 0, [], set(), threading.Event()
        self.threads = [threading.Thread(target=self.run, daemon=True) for _ in range(threads)]
        for thread in self.threads:
            thread.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.end()

    def run(self):
        while not self.ends.is_set():
            began = time.monotonic()
            try:
                self.bodies.add(fetch(self.port, self.host))
                self.done += 1
            except (OSError, http.client.HTTPException) as error:
                self.failed.append(Failure(began, round(time.monotonic() - began, 2), repr(error)))
                self.ends.wait(0.05)

    def end(self):
        if self.ends.is_set():
            return
        self.ends.set()
        for thread in self.threads:
            thread.join(20)
        print(f'{self.host}:{self.port}: {self.done} requests, {len(self.failed)} failed')
