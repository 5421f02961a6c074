"""What many clients were told while masters and etcd died, stood still and were cut off, held against what docs/api.md promises.

DAVIT_SEED=17 plays the faults and the clients' choices of that seed; the clocks of machines play along, so that no two runs are alike.
A history that cannot be explained is saved, and its smallest part printed.
"""
import itertools
import os
import random
import threading

from history import plant
from history.check import check_service
from history.clients import Load, Service
from history.explain import explain_all, keep
from history.operation import by_service, save, summary
from history.promises import PROMISES, in_real_time

SERVICES = [Service(f'parked{i}', True) for i in range(4)] + [Service(f'run{i}', False) for i in range(2)]
CLIENTS = 6
CALM = 1.5  # seconds between two faults
PLANTED = 4  # errors of each kind
ABOUT_READS = [promise for promise in PROMISES if promise is not in_real_time]
ERRORS = (plant.lost_write, plant.second_creation, plant.double_apply, plant.removed_returns)


# ---- faults: each begins, lasts, and ends

def master_dies(cluster, rng, lasts):
    host = rng.choice(cluster.masters)
    host.master.kill()
    lasts(3)
    host.master.start()


def two_masters_die(cluster, rng, lasts):
    hosts = rng.sample(cluster.masters, 2)
    for host in hosts:
        host.master.kill()
    lasts(2)
    for host in hosts:
        host.master.start()


def master_stands_still(cluster, rng, lasts):
    host = rng.choice(cluster.masters)
    host.master.pause()
    lasts(5)
    host.master.resume()


def master_is_cut_off(cluster, rng, lasts):
    host = rng.choice(cluster.masters)
    host.cut_off()
    lasts(6)
    host.heal()


def master_is_not_heard(cluster, rng, lasts):
    host = rng.choice(cluster.masters)
    host.cut_off(one_way=True)
    lasts(4)
    host.heal()


def etcd_follower_dies(cluster, rng, lasts):
    leader = cluster.etcd_leader()
    host = rng.choice([host for host in cluster.masters if host is not leader])
    host.etcd.kill()
    lasts(2)
    host.etcd.start()


def etcd_leader_dies(cluster, _, lasts):
    host = cluster.etcd_leader()
    host.etcd.kill()
    lasts(3)
    host.etcd.start()


def etcd_leader_and_its_master_die(cluster, _, lasts):
    host = cluster.etcd_leader()
    host.etcd.kill()
    host.master.kill()
    lasts(5)
    host.etcd.start()
    host.master.start()


FAULTS = (master_dies, two_masters_die, master_stands_still, master_is_cut_off, master_is_not_heard, etcd_follower_dies, etcd_leader_dies,
          etcd_leader_and_its_master_die)


# ---- the run

def record(cluster, seed):
    rng = random.Random(seed)
    lasts = threading.Event().wait
    with Load(cluster.masters, SERVICES, CLIENTS, seed) as load:
        for fault in rng.sample(FAULTS, len(FAULTS)):
            lasts(CALM)
            print(f'{load.now():7.3f}  {fault.__name__}')
            fault(cluster, rng, lasts)
        lasts(CALM)
    cluster.mend()
    return load.finish()


def test_every_answer_can_be_explained(cluster):
    seed = int(os.environ.get('DAVIT_SEED', random.randrange(1_000_000)))
    print(f'DAVIT_SEED={seed}')
    operations = record(cluster, seed)
    print(summary(operations))
    if os.environ.get('DAVIT_HISTORIES'):
        print(f'the whole history: {keep(operations, f"seed-{seed}")}')
    explain_all(operations, f'seed-{seed}')
    assert sum(operation.is_done for operation in operations) > 500, summary(operations)
    find_planted_errors(list(by_service(operations).values()), random.Random(seed))


def find_planted_errors(parts, rng):
    """The same history with an error in it is refused, whatever the error; else what was shown above would be worth nothing."""
    kinds = {f'stale read against {promise.__name__}': lambda part, promise=promise: plant.stale_read(part, promise, rng) for promise in ABOUT_READS}
    kinds |= {error.__name__: lambda part, error=error: error(part, rng) for error in ERRORS}
    for name, planted_into in kinds.items():
        spoilt = list(itertools.islice(filter(None, map(planted_into, parts * PLANTED)), PLANTED))
        missed = [part for part in spoilt if check_service(part).is_linearizable]
        print(f'{name}: {len(spoilt)} planted, {len(missed)} not found')
        assert spoilt and not missed, f'{name}: {len(spoilt)} planted, {len(missed)} not found'
