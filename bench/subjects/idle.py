"""What `davit up` costs while nothing happens: memory and processor, with no instance and with ten."""
import time

from figures import Table, verdict
from stage import cpu_seconds, resident_mib

from subjects.starts import SPEC

AIM_MIB, AIM_CORE = 32, 0.003
INSTANCES = 10
SETTLING, MEASURING = 30, 60  # seconds
QUICK_SETTLING, QUICK_MEASURING = 5, 15


def measure(stage):
    settling, measuring = (QUICK_SETTLING, QUICK_MEASURING) if stage.is_quick else (SETTLING, MEASURING)
    davits = {0: stage.davit('idle-0'), INSTANCES: stage.davit('idle-10')}  # side by side: half the time
    davits[INSTANCES].create('web', SPEC | {'instances': INSTANCES})
    davits[INSTANCES].wait_running('web', INSTANCES)
    time.sleep(settling)
    pids = {count: davit.process.pid for count, davit in davits.items()}
    before, began = {count: cpu_seconds(pid) for count, pid in pids.items()}, time.monotonic()
    time.sleep(measuring)
    seconds = time.monotonic() - began

    table = Table(f'davit up at rest, over {measuring} s after {settling} s of settling', 'instances', 'resident MiB', f'aim <= {AIM_MIB}', 'of a core',
                  f'aim <= {AIM_CORE:.1%}')
    for count, pid in pids.items():
        share, mib = (cpu_seconds(pid) - before[count]) / seconds, resident_mib(pid)
        table.row(count, f'{mib:.1f}', verdict(mib <= AIM_MIB), f'{share:.2%}', verdict(share <= AIM_CORE))
    davits[INSTANCES].remove('web')
    for davit in davits.values():
        davit.stop()
    return table
