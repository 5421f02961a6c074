"""Asking the DNS of a node, and what its containers are told to ask."""
import re
import subprocess


def gateway(engine):
    """Where the engine's containers reach their host."""
    said = subprocess.run(['ip', '-4', '-o', 'addr', 'show', 'dev', engine.bridge], capture_output=True, text=True, check=True).stdout
    return re.search(r'inet ([\d.]+)/', said)[1]


def dig(server, *words, inside=()):
    """(status, records of the answer as (name, type, data)). `inside`: a command that runs what follows it, in a namespace say.
    ConnectionError: nobody answers."""
    command = [*inside, 'dig', f'@{server}', '+tries=1', '+time=15', '+noall', '+comments', '+answer', *words]
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise ConnectionError(f'{" ".join(map(str, command))}: {done.stdout}{done.stderr}')
    said = done.stdout
    records = [line.split(None, 4) for line in said.splitlines() if line and not line.startswith(';')]
    return re.search(r'status: (\w+)', said)[1], [(name, kind, data) for name, _, _, kind, data in records]


def addresses(server, name, **more):
    return sorted(data for _, kind, data in dig(server, name, 'A', **more)[1] if kind == 'A')


def told(engine, service):
    """Resolvers, search domains and options of one of its containers."""
    host = engine.inspect(engine.running(service)[0]['Id'])['HostConfig']
    return tuple(host[key] or [] for key in ('Dns', 'DnsSearch', 'DnsOptions'))
