"""A killed container until its successor runs, against the bare start of such a container."""
from bare import Bare, Connection, Refused, Sightings
from figures import Figure, Table, verdict
from stage import wall

from subjects.starts import SPEC

AIM = 0.1  # seconds on top of a bare start
REPETITIONS, QUICK = 20, 6


def measure(stage):
    repetitions = QUICK if stage.is_quick else REPETITIONS
    davit, bare, sightings = stage.davit('restart'), Bare(stage.engine, stage.free_ports(1)), Sightings(stage.engine)
    # One instance for each repetition: the second restart of an instance would be put off by its policy.
    davit.create('web', SPEC | {'instances': repetitions})
    davit.wait_running('web', repetitions, timeout=120)
    victims = stage.engine.by_slot('web')

    def is_successor(slot):
        return lambda action, container, labels: (action == 'start' and labels.get('davit.service') == 'web' and labels['davit.slot'] == str(slot)
                                                  and container not in victims.values())
    seconds = {'start': [], 'bare': [], 'end': [], 'davit': []}
    for slot, victim in victims.items():
        began = wall()
        container = bare.start(f'first{slot}', 0)
        seconds['start'].append(sightings.started(f'first{slot}') - began)

        killed, _ = kill(stage, sightings, container)
        replace(stage, bare, container, f'second{slot}')
        seconds['bare'].append(sightings.started(f'second{slot}') - killed)
        bare.remove_all()

        killed, ended = kill(stage, sightings, victim)
        seconds['end'].append(ended - killed)
        seconds['davit'].append(sightings.nth(1, is_successor(slot)) - killed)
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
    table.note('after it has told a container\'s end the engine cleans up, and answers no inspection of it meanwhile')
    return table


def kill(stage, sightings, container):
    """When it was killed, and when the engine told its end."""
    connection = Connection(stage.engine.socket)
    killed = wall()
    connection.send('POST', f'/containers/{container}/kill')
    ended = sightings.died(container)  # the answer comes later
    connection.close()
    return killed, ended


def replace(stage, bare, ended, service):
    try:
        bare.start(service, 0)
    except Refused:
        stage.engine.inspect(ended)  # answers when the engine has cleaned up and freed the port
        bare.remove_all()
        bare.start(service, 0)
