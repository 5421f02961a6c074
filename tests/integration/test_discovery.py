"""Proxies and Prometheus that follow a service: real ones."""
import json
import os
import subprocess
import threading
import time
import urllib.request
from pathlib import Path

import pytest

from lab.davit import free_port, hello
from lab.waiting import wait_for

EXAMPLE = Path(__file__).resolve().parents[2] / 'examples' / 'haproxy'


def fetch(url, timeout=20):
    with urllib.request.urlopen(url, timeout=timeout) as answer:
        return answer.status, answer.read()


@pytest.fixture
def start(lab, tmp_path):
    """Starts a program for this test alone."""
    running = []

    def run(*command, **environment):
        log = (tmp_path / f'{Path(command[0]).name}.log').open('wb')
        running.append(subprocess.Popen([str(word) for word in command], env=os.environ | environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                        start_new_session=True))
        lab.ledger.note_process(running[-1].pid, Path(command[0]).name)
        return running[-1]
    yield run
    for process in running:
        process.terminate()
        process.wait(20)


def followed_by_haproxy(davit, start, tmp_path, service):
    """HAProxy by the example; the address where it serves."""
    public, runtime = free_port(), free_port()
    config = (EXAMPLE / 'haproxy.cfg').read_text().replace(':8000', f'127.0.0.1:{public}').replace('127.0.0.1:9999', f'127.0.0.1:{runtime}')
    (tmp_path / 'haproxy.cfg').write_text(config)
    start('haproxy', '-db', '-f', tmp_path / 'haproxy.cfg')
    start(EXAMPLE / 'follow-davit', service, DAVIT=f'http://127.0.0.1:1 http://127.0.0.1:{davit.port}', RUNTIME=f'127.0.0.1:{runtime}')
    url = f'http://127.0.0.1:{public}/'

    def serves():
        try:
            return fetch(url)[0] == 200
        except OSError:
            return False
    wait_for(serves, 30, f'HAProxy serves: {[log.read_text() for log in tmp_path.glob("*.log")]}')
    return url


class Load(threading.Thread):
    """Requests one after the other, each over a connection of its own; remembers those that failed."""

    def __init__(self, url):
        super().__init__(daemon=True)
        self.url, self.done, self.failed, self.bodies, self.ends = url, 0, [], set(), threading.Event()
        self.start()

    def run(self):
        while not self.ends.is_set():
            try:
                self.bodies.add(fetch(self.url)[1])
                self.done += 1
            except OSError as error:
                self.failed.append(f'{time.monotonic():.1f}: {error}')

    def end(self):
        self.ends.set()
        self.join(20)
        return self


def test_haproxy_follows_a_service_through_scaling_updates_and_removals_without_a_failed_request(clean, start, tmp_path):
    probe = {'http': {'port': 80}, 'interval': '1s', 'start_interval': '100ms'}  # a container that runs need not listen yet
    clean.create('web', hello(3, drain_delay='2s', healthcheck=probe))
    clean.wait_running('web', 3)
    load = Load(followed_by_haproxy(clean, start, tmp_path, 'web'))
    clean.scale('web', 5)
    clean.wait_running('web', 5)
    clean.put('web', {'image': 'davit/hello:2'}, '?wait=60s')
    wait_for(lambda: clean.status('web')['updated'] == 5 and clean.status('web')['state'] == 'running', 60)
    clean.scale('web', 1)
    clean.wait_running('web', 1)
    load.end()
    print(f'{load.done} requests, {len(load.failed)} failed')
    assert load.failed == [] and load.done > 50
    assert len(load.bodies) > 1, 'more than one instance has answered'


def test_prometheus_finds_the_instances(clean, start, tmp_path):
    clean.create('web', hello(2, labels={'team': 'blue'}))
    clean.wait_running('web', 2)
    port = free_port()
    (tmp_path / 'prometheus.yml').write_text(json.dumps({'scrape_configs': [{
        'job_name': 'davit', 'scrape_interval': '1s',
        'http_sd_configs': [{'url': f'http://127.0.0.1:{clean.port}/http_sd?service=web', 'refresh_interval': '1s'}],
        'relabel_configs': [{'source_labels': ['__meta_davit_service'], 'target_label': 'service'},
                            {'source_labels': ['__meta_davit_label_team'], 'target_label': 'team'}]}]}))
    start('prometheus', f'--config.file={tmp_path}/prometheus.yml', f'--storage.tsdb.path={tmp_path}/data', f'--web.listen-address=127.0.0.1:{port}')

    def targets():
        try:
            active = json.loads(fetch(f'http://127.0.0.1:{port}/api/v1/targets')[1])['data']['activeTargets']
        except OSError:
            return None
        return sorted((each['labels']['instance'], each['labels']['service'], each['labels']['team']) for each in active)

    def endpoints():
        return sorted((f"{each['address']}:{each['port']}", 'web', 'blue') for each in clean.get('/discovery/web').json)
    wait_for(lambda: targets() == endpoints() and len(endpoints()) == 2, 30, f'it has both: {targets()}')
    clean.scale('web', 3)
    clean.wait_running('web', 3)
    wait_for(lambda: targets() == endpoints() and len(endpoints()) == 3, 30, f'it follows: {targets()}')
