"""Two hundred operations at random against a model of what must come out. DAVIT_SEED=n repeats a run."""
import os
import random

import pytest

from lab.davit import idle
from lab.waiting import wait_for

OPERATIONS = 200
NAMES = ['alpha', 'beta', 'gamma', 'delta']
MOST_INSTANCES = 4


class Model:
    """What the user asked for, as far as it was acknowledged."""

    def __init__(self):
        self.services = {}  # name: instances and the value of STEP

    def check_answer(self, operation, name, status):
        exists = name in self.services
        wanted = {'create': (409,) if exists else (201, 409), 'remove': (200,) if exists else (200, 404)}.get(operation, (200,) if exists else (404, 409))
        assert status in wanted, f'{operation} {name} answered {status}, with {self.services}'


def operate(davit, model, randomness, step):
    name = randomness.choice(NAMES)
    operation = randomness.choices(['create', 'scale', 'update', 'remove', 'kill container', 'kill davit'], [30, 35, 20, 12, 8, 2])[0]
    instances = randomness.randint(0, MOST_INSTANCES)
    if operation == 'kill davit':
        davit.kill()
        davit.start()
    elif operation == 'kill container':
        for container in randomness.sample(sorted(davit.engine.ids(name)), min(1, len(davit.engine.ids(name)))):
            davit.engine.api.call('POST', f'/containers/{container}/kill')
    elif operation == 'create':
        status = davit.call('POST', '/services', {'name': name} | idle(instances, environment={'STEP': str(step)}, update_config={'monitor': '0s', 'parallelism': 2})).status
        model.check_answer(operation, name, status)
        if status == 201:
            model.services[name] = {'instances': instances, 'step': str(step)}
    elif operation == 'remove':
        model.check_answer(operation, name, davit.call('DELETE', f'/services/{name}').status)
        model.services.pop(name, None)
    else:
        change = {'instances': instances} if operation == 'scale' else {'environment': {'STEP': str(step)}}
        status = davit.call('PUT', f'/services/{name}', change).status
        model.check_answer(operation, name, status)
        if status == 200:
            model.services[name] |= {'instances': instances} if operation == 'scale' else {'step': str(step)}
    return f'{step}: {operation} {name} {instances}'


def difference(davit, model):
    """In words, what is not yet as the model has it; None when all is."""
    names = {service['name'] for service in davit.get('/services').json}
    if names != set(model.services):
        return f'services {names}, not {set(model.services)}'
    for name, wanted in model.services.items():
        status = davit.status(name)
        if status['state'] != 'running' or status['ready'] != wanted['instances']:
            return f'{name} is {status}, not {wanted}'
        for container in davit.engine.containers(name, states=['running']):
            detail = davit.engine.inspect(container['Id'])
            if detail is None or f"STEP={wanted['step']}" not in detail['Config']['Env']:
                return f"{container['Names']} is not of step {wanted['step']}"
        slots = sorted(int(container['Labels']['davit.slot']) for container in davit.engine.running(name))
        if slots != list(range(1, wanted['instances'] + 1)):
            return f"{name} runs in slots {slots}, not 1 to {wanted['instances']}"
    strangers = [c['Names'] for c in davit.engine.containers() if c['Labels']['davit.service'] not in model.services]
    return f'left over: {strangers}' if strangers else None


def test_two_hundred_random_operations_come_out_as_the_model_says(clean):
    seed = int(os.environ.get('DAVIT_SEED', random.SystemRandom().randrange(1 << 32)))
    print(f'DAVIT_SEED={seed}')
    randomness, model, done = random.Random(seed), Model(), []
    for step in range(OPERATIONS):
        done.append(operate(clean, model, randomness, step))
        if step % 50 == 49:
            try:
                wait_for(lambda: difference(clean, model) is None, 120)
            except AssertionError:
                pytest.fail(f'DAVIT_SEED={seed}: {difference(clean, model)}\nlast operations: {done[-20:]}')
    for name in model.services:
        dead = [c for c in clean.engine.containers(name) if c['State'] != 'running']
        assert len(dead) <= MOST_INSTANCES, 'dead containers pile up'
