"""What schemathesis must not ask for: answers without an end, thousands of containers, programs with this machine's rights.
Loaded by schemathesis itself ($SCHEMATHESIS_HOOKS).
"""
import schemathesis

ABSENT_IMAGE = 'davit-none/none:1'  # so that nothing that was made up ever runs
MOST_INSTANCES = 3
INGRESS_PORTS = 14000  # and the thousand from there: davit listens on them, on this machine


@schemathesis.hook
def before_call(context, case, kwargs):
    keep_short(case)
    aim(case)
    if isinstance(case.body, dict):
        tame(case.body, is_change=case.method.upper() in ('PUT', 'PATCH'))


def keep_short(case):
    for endless in ('follow', 'wait'):
        (case.query or {}).pop(endless, None)
    # A revision that the store has not reached is answered with 503 and Retry-After, as documented; the tester takes each 5xx for a fault.
    (case.headers or {}).pop('Davit-Revision', None)


def aim(case):
    """Every other name is that of a service, or of the node, which is there."""
    name = (case.path_parameters or {}).get('name')
    if isinstance(name, str) and len(name) % 2:
        case.path_parameters['name'] = 'openapi' if '/nodes/' in case.path else 'web'


def tame(spec, is_change):
    for port in spec['ports'] if isinstance(spec.get('ports'), list) else []:
        is_ingress = isinstance(port, dict) and port.get('mode') == 'ingress' and type(port.get('published')) is int
        if is_ingress and 1 <= port['published'] <= 65535:
            port['published'] = INGRESS_PORTS + port['published'] % 1000
    image = spec.get('image', ABSENT_IMAGE if is_change else None)
    if isinstance(image, str) and image:
        spec['image'] = ABSENT_IMAGE
    instances = spec.get('instances')
    if type(instances) is int and instances <= 100_000:
        spec['instances'] = min(instances, MOST_INSTANCES)
