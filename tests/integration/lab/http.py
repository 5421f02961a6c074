"""A small HTTP client over TCP and unix sockets: plain requests, and streams that are read line by line."""
import http.client
import json
import socket
from dataclasses import dataclass, field


class UnixConnection(http.client.HTTPConnection):
    def __init__(self, path, timeout):
        super().__init__('localhost', timeout=timeout)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.path)


@dataclass
class Answer:
    status: int
    headers: http.client.HTTPMessage
    raw: bytes
    request: str = ''
    json: object = field(default=None, repr=False)

    @property
    def text(self):
        return self.raw.decode('utf-8', 'replace')

    @property
    def errors(self):
        """A problem document's errors as {pointer: detail}."""
        return {error['pointer']: error['detail'] for error in self.json.get('errors', [])}

    def __str__(self):
        return f'{self.request} -> {self.status} {self.text[:2000]}'


class Api:
    """One server. `address` is (host, port) or the path of a unix socket; a connection for each request, as curl makes it."""

    def __init__(self, address, headers=None):
        self.address = address
        self.headers = dict(headers or {})

    def connection(self, timeout):
        if isinstance(self.address, str):
            return UnixConnection(self.address, timeout)
        return http.client.HTTPConnection(*self.address, timeout=timeout)

    def send(self, method, path, body=None, headers=None, timeout=30):
        """The open connection with its answer's head read. A body that is not text or bytes goes out as JSON."""
        given = self.headers | (headers or {})
        if body is not None and not isinstance(body, (str, bytes)):
            body = json.dumps(body)
            given.setdefault('Content-Type', 'application/json')
        if isinstance(body, str):
            body = body.encode()
        connection = self.connection(timeout)
        connection.request(method, path, body=body, headers=given)
        return connection, connection.getresponse()

    def call(self, method, path, body=None, headers=None, timeout=30):
        connection, response = self.send(method, path, body, headers, timeout)
        with connection_closing(connection):
            raw = response.read()
        answer = Answer(response.status, response.headers, raw, f'{method} {path}')
        if 'json' in (response.headers.get('Content-Type') or '') and 'ndjson' not in response.headers['Content-Type']:
            answer.json = json.loads(raw)
        return answer

    def get(self, path, **more):
        return self.call('GET', path, **more)

    def stream(self, path, headers=None, timeout=30):
        return Lines(*self.send('GET', path, headers=headers, timeout=timeout))


class connection_closing:
    def __init__(self, connection):
        self.connection = connection

    def __enter__(self):
        return self.connection

    def __exit__(self, *_):
        self.connection.close()


class Lines:
    """An answer that goes on: its lines as they come. A silence longer than the time-out raises TimeoutError."""

    def __init__(self, connection, response):
        self.connection, self.response = connection, response
        self.socket = connection.sock or response.fp.raw._sock
        self.status, self.headers = response.status, response.headers

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.connection.close()
        self.response.close()

    def line(self, timeout=30):
        """The next line without its end, or None at the end of the stream."""
        self.socket.settimeout(timeout)
        line = self.response.readline()
        return line.rstrip(b'\r\n').decode('utf-8', 'replace') if line else None

    def until(self, wanted, timeout=30):
        """Reads up to the first line for which wanted(line) holds."""
        seen = []
        while (line := self.line(timeout)) is not None:
            seen.append(line)
            if wanted(line):
                return line
        raise AssertionError(f'the stream ended without it; seen: {seen[-20:]}')
