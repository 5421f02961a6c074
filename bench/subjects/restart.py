"""A killed container until its successor runs, against the bare start of such a container."""
from bare import Bare, Connection, Sightings
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
    starts, bare_ends, ends, gaps, totals = [], [], [], [], []
    for number, slot in enumerate(sorted(victims)):
        began = wall()
        container = bare.start(f'bare{number}', 0)
        starts.append(sightings.started(f'bare{number}') - began)
        bare_ends.append(end_of(stage, sightings, container)[1])
        bare.remove_all()

        killed, took = end_of(stage, sightings, victims[slot])
        running = sightings.nth(1, lambda action, container, labels, slot=str(slot): action == 'start' and labels.get('davit.slot') == slot
                                and labels.get('davit.service') == 'web' and container not in victims.values())
        ends.append(took)
        gaps.append(running - killed - took)
        totals.append(running - killed)
    davit.remove('web')
    davit.stop()

    added = Figure([total - start for total, start in zip(totals, starts, strict=True)], '.3f', ' s')
    table = Table(f'Restart of a killed container, {repetitions} times', 'what', 'seconds')
    table.row('bare: create + start', Figure(starts, '.3f'))
    table.row('bare: kill -> its end is known', Figure(bare_ends, '.3f'))
    table.row('davit: kill -> its end is known', Figure(ends, '.3f'))
    table.row('davit: end known -> successor runs', Figure(gaps, '.3f'))
    table.row('davit: kill -> successor runs', Figure(totals, '.3f'))
    table.row('davit / bare start', Figure([total / start for total, start in zip(totals, starts, strict=True)]))
    table.note(f'on top of a bare start: {added}; aim <= {AIM} s: {verdict(added.median <= AIM)}')
    table.note(f'of these, {Figure(ends, ".3f").median:.3f} s pass in the engine before it tells anybody that the container has ended')
    return table


def end_of(stage, sightings, container):
    """Kills it: when, and after how many seconds the engine has told its end."""
    connection = Connection(stage.engine.socket)
    killed = wall()
    connection.call('POST', f'/containers/{container}/kill')
    connection.close()
    return killed, sightings.died(container) - killed
