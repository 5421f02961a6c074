"""A killed container until its successor runs, against the bare start of such a container."""
from bare import Bare, Connection, Sightings
from figures import Figure, Table, verdict
from stage import wall

from subjects.starts import SPEC

AIM = 0.1  # seconds on top of a bare start
REPETITIONS, QUICK = 20, 6
AT_ONCE = 4


def measure(stage):
    repetitions = QUICK if stage.is_quick else REPETITIONS
    davit, bare, sightings = stage.davit('restart'), Bare(stage.engine, stage.free_ports(repetitions + 1)), Sightings(stage.engine)
    # One container for each repetition: the second restart of an instance would be put off by its policy.
    davit.create('web', SPEC | {'instances': repetitions})
    davit.wait_running('web', repetitions, timeout=120)
    victims = stage.engine.by_slot('web')
    bare_victims = bare.start_all('rest', repetitions, AT_ONCE)

    def is_successor(slot):
        return lambda action, container, labels: (action == 'start' and labels.get('davit.service') == 'web' and labels['davit.slot'] == str(slot)
                                                  and container not in victims.values())
    seconds = {'start': [], 'bare': [], 'end': [], 'davit': []}
    for number, (slot, victim) in enumerate(victims.items()):
        began = wall()
        extra = bare.start(f'extra{number}', repetitions)
        seconds['start'].append(sightings.started(f'extra{number}') - began)
        bare.remove(extra)

        killed, _ = kill(stage, sightings, bare_victims[number])
        stage.engine.inspect(bare_victims[number])  # answered when the engine has cleaned up
        bare.start(f'next{number}', number)
        seconds['bare'].append(sightings.started(f'next{number}') - killed)

        killed, ended = kill(stage, sightings, victim)
        seconds['end'].append(ended - killed)
        seconds['davit'].append(sightings.nth(1, is_successor(slot)) - killed)
    bare.remove_all()
    davit.remove('web')
    davit.stop()
    return table_of(seconds, repetitions)


def table_of(seconds, repetitions):
    def pairs(combine, one, other):
        return [combine(a, b) for a, b in zip(seconds[one], seconds[other], strict=True)]
    added, beyond = Figure(pairs(float.__sub__, 'davit', 'start'), '.3f'), Figure(pairs(float.__sub__, 'davit', 'bare'), '.3f')
    table = Table(f'Restart of a killed container, {repetitions} times', 'from -> to', 'seconds', 'davit beyond it', 'davit / it', f'aim: + {AIM} s')
    table.row('bare: create -> runs', Figure(seconds['start'], '.3f'), added, Figure(pairs(float.__truediv__, 'davit', 'start')), verdict(added.median <= AIM))
    table.row('bare: kill -> a new one on its port runs', Figure(seconds['bare'], '.3f'), beyond, Figure(pairs(float.__truediv__, 'davit', 'bare')), '')
    table.row('davit: kill -> the engine tells the end', Figure(seconds['end'], '.3f'), '', '', '')
    table.row('davit: kill -> successor runs', Figure(seconds['davit'], '.3f'), '', '', '')
    table.note('the second row does what Davit must: wait until the engine has told the end and cleaned up (which frees the port), create, start')
    return table


def kill(stage, sightings, container):
    """When it was killed, and when the engine told its end."""
    connection = Connection(stage.engine.socket)
    killed = wall()
    connection.send('POST', f'/containers/{container}/kill')
    ended = sightings.died(container)  # the answer comes later
    connection.close()
    return killed, ended
