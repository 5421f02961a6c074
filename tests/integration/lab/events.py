"""Server-sent events of GET /events."""
import json
import time
from dataclasses import dataclass


@dataclass
class Event:
    id: str = ''
    type: str = ''
    data: object = None


class Events:
    """Follows /events; close it, or use it with `with`."""

    def __init__(self, api, query='', last_id=None):
        headers = {'Accept': 'text/event-stream'} | ({'Last-Event-ID': last_id} if last_id else {})
        self.lines = api.stream('/events' + query, headers=headers)
        assert self.lines.status == 200, self.lines.response.read()
        self.last_id = last_id

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.lines.close()

    def next(self, timeout=30):
        """The next event; comments are passed over."""
        event, text = Event(), []
        while True:
            line = self.lines.line(timeout)
            assert line is not None, 'the event stream ended'
            if line == '':
                self.last_id = event.id or self.last_id
                if not event.type and not text:
                    continue
                event.data = json.loads('\n'.join(text)) if text else None
                return event
            name, _, value = line.partition(':')
            value = value.removeprefix(' ')
            if name == 'id':
                event.id = value
            elif name == 'event':
                event.type = value
            elif name == 'data':
                text.append(value)

    def until(self, wanted, timeout=30):
        """All events up to the first that wanted(event) holds for, that one at the end."""
        seen, until = [], time.monotonic() + timeout
        while True:
            left = until - time.monotonic()
            try:
                assert left > 0
                seen.append(self.next(left))
            except (AssertionError, TimeoutError):
                raise AssertionError(f'not among the events of {timeout} s: {[(e.type, e.data) for e in seen[-30:]]}') from None
            if wanted(seen[-1]):
                return seen
