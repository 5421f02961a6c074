"""Hosts of a cluster on one machine: a network and a host name of their own each, joined by a bridge, with links that can be cut one way or both."""
import subprocess


def run(*command):
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True)
    assert done.returncode == 0, f'{" ".join(map(str, command))}: {done.stderr}'
    return done.stdout


class Network:
    """The switch between hosts, 10.N.0.0/24; the tests themselves are at .1 and reach every host whatever is cut between those.

    In a namespace of its own: a Docker Engine on this machine makes the kernel drop what other bridges beside it carry.
    """

    def __init__(self, ledger):
        self.ledger = ledger
        self.tag = ledger.folder.name.removeprefix('davit-lab-')[:6]
        self.netns = f'dvc{self.tag}-switch'
        taken = run('ip', '-4', 'route')
        self.prefix = next(f'10.{n}.0' for n in range(150, 200) if f'10.{n}.' not in taken)
        run('ip', 'netns', 'add', self.netns)
        ledger.note('netns', name=self.netns)
        self.ip('link', 'add', 'name', 'switch', 'type', 'bridge')
        self.ip('link', 'set', 'switch', 'up')
        self.count = 0
        own = f'dv{self.tag}'
        run('ip', 'link', 'add', own, 'type', 'veth', 'peer', 'name', 'tests', 'netns', self.netns)
        run('ip', 'addr', 'add', f'{self.prefix}.1/24', 'dev', own)
        run('ip', 'link', 'set', own, 'up')
        self.plug('tests')

    def ip(self, *words):
        return run('ip', '-netns', self.netns, *words)

    def plug(self, device):
        self.ip('link', 'set', device, 'master', 'switch', 'up')

    def add_host(self, name):
        self.count += 1
        return Namespace(self, name, self.count)


class Namespace:
    def __init__(self, network, name, number):
        self.network, self.name = network, name
        self.netns = f'dvc{network.tag}-{name}'
        self.uts = network.ledger.folder / name / 'uts'
        self.uts.touch()  # the name's namespace is mounted there
        run('unshare', f'--uts={self.uts}', 'hostname', name)
        self.address = f'{network.prefix}.{10 + number}'
        run('ip', 'netns', 'add', self.netns)
        network.ledger.note('netns', name=self.netns)
        network.ip('link', 'add', name, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', self.netns)
        network.plug(name)
        self.run('ip', 'link', 'set', 'lo', 'up')
        self.run('ip', 'addr', 'add', f'{self.address}/24', 'dev', 'eth0')
        self.run('ip', 'link', 'set', 'eth0', 'up')
        self.run('ip', 'route', 'add', 'unreachable', 'default')  # else every look-up of a name waits

    def inside(self, *command):
        """The command as it runs on this host."""
        return ['nsenter', f'--net=/run/netns/{self.netns}', f'--uts={self.uts}', *map(str, command)]

    def run(self, *command):
        return run(*self.inside(*command))

    def cut(self, *others, one_way=False):
        """From these hosts, or from all of them; `one_way`: what they send still comes, what this one sends is lost."""
        peers = [other.address for other in others] or [f'{self.network.prefix}.0/24']
        for peer in peers:
            self.run('iptables', '-I', 'OUTPUT', '-o', 'eth0', '-d', peer, '-j', 'DROP')
            if not one_way:
                self.run('iptables', '-I', 'INPUT', '-i', 'eth0', '-s', peer, '-j', 'DROP')
        if not others:  # the tests go on looking
            for chain, flag in (('OUTPUT', '-d'), ('INPUT', '-s')):
                self.run('iptables', '-I', chain, flag, f'{self.network.prefix}.1', '-j', 'ACCEPT')

    def block(self, port):
        """Connections of this host to that port, also to its own."""
        self.run('iptables', '-I', 'OUTPUT', '-p', 'tcp', '--dport', port, '-j', 'DROP')
        self.run('iptables', '-I', 'INPUT', '-p', 'tcp', '--sport', port, '-j', 'DROP')  # what its programs ask for is not heard either

    def heal(self):
        self.run('iptables', '-F')
