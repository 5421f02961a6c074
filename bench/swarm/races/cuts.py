"""A host cut off from all others: until all of its instances run elsewhere."""
from races.turns import DAVIT, SWARM, TUNED, Turns, at_most, table_of
from stage import wall

RUNS, QUICK_RUNS = 3, 1
EACH = 2  # instances on each host that works


def measure(contest):
    worker, one_way = rows_of('worker host, both ways', 6), rows_of('worker host, hears and is not heard', 9)
    control = rows_of('host with worker, master or manager, and etcd\'s leader', 9)
    for number in range(contest.runs or (QUICK_RUNS if contest.is_quick else RUNS)):
        victim = contest.field.workers[number % len(contest.field.workers)]
        for rows, is_one_way in ((worker, False), (one_way, True)):
            for who in contest.in_turn(number, (SWARM, TUNED, DAVIT)):
                contest.round(rows, who, cut, victim, contest.field.workers, is_one_way)
    measure_control(contest, control)
    table = table_of('A host cut off: until all its instances run elsewhere', worker + one_way + control)
    table.note('the time until an engine is first asked for a replacement is the cluster\'s own; what follows is the engines\', and grows with the load of this machine')
    return table


def rows_of(what, aim):
    return [Turns(f'{what}: an engine is asked'), Turns(f'{what}: all run', **at_most(aim))]


def measure_control(contest, rows):
    """Here the control hosts work too, so that one host loses all parts at once."""
    for contender in contest.clusters:
        contender.let_control_hosts_work(True)
    for number in range(contest.runs or (QUICK_RUNS if contest.is_quick else RUNS)):
        for who in contest.in_turn(number, (SWARM, TUNED, DAVIT)):
            contest.round(rows, who, cut_control)
    for contender in contest.clusters:
        contender.let_control_hosts_work(False)


def cut_control(contest, contender):
    return cut(contest, contender, contender.make_ready_for_death(with_store=True), contest.field.hosts, False)


def cut(contest, contender, victim, hosts, one_way):
    name, instances = contest.next_name(), EACH * len(hosts)
    label = contender.label(name)
    contender.create(name, instances)
    contest.wait_settled(contender, name, instances)
    assert contest.field.listed(label, [victim]), f'nothing runs on {victim.name}, so its loss shows nothing'
    others = [host for host in hosts if host is not victim]
    before, began = contest.field.listed(label, others), wall()
    victim.cut_off(one_way=one_way)
    try:
        took = contest.field.last_start(label, instances, others) - began
        asked = contest.field.first_creation(label, others, before) - began
    finally:
        victim.heal()
        contest.wait_whole()
    contender.remove(name)
    return asked, took
