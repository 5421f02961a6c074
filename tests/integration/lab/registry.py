"""A real registry (Debian's docker-registry) on loopback, with or without a password."""
import base64
import json
import subprocess

from lab.davit import free_port
from lab.http import Api
from lab.waiting import wait_for


class Registry:
    USER, PASSWORD = 'wanda', 'correct horse'

    def __init__(self, lab, name, password=False):
        self.folder = lab.ledger.folder / name
        self.folder.mkdir()
        self.engine, self.ledger = lab.engine, lab.ledger
        self.port = free_port()
        self.host = f'127.0.0.1:{self.port}'
        self.has_password = password
        self.process = None

    def start(self):
        config = {'version': '0.1', 'storage': {'filesystem': {'rootdirectory': str(self.folder / 'blobs')}}, 'http': {'addr': self.host}}
        if self.has_password:
            users = self.folder / 'users'
            users.write_text(subprocess.run(['htpasswd', '-nbB', self.USER, self.PASSWORD], check=True, capture_output=True, text=True).stdout)
            config['auth'] = {'htpasswd': {'realm': 'tests', 'path': str(users)}}
        file = self.folder / 'config.yml'
        file.write_text(json.dumps(config))
        with (self.folder / 'log').open('wb') as log:
            self.process = subprocess.Popen(['docker-registry', 'serve', str(file)], stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        self.ledger.note_process(self.process.pid, 'registry')
        wait_for(lambda: Api(('127.0.0.1', self.port)).get('/v2/').status in (200, 401), what='the registry answers')
        return self

    def stop(self):
        self.process.terminate()
        self.process.wait(10)

    def write_docker_config(self, folder, password=None):
        """A docker config file with the user's login, as `docker login` leaves it."""
        folder.mkdir(parents=True, exist_ok=True)
        login = base64.b64encode(f'{self.USER}:{password or self.PASSWORD}'.encode()).decode()
        (folder / 'config.json').write_text(json.dumps({'auths': {self.host: {'auth': login}}}))

    def push(self, image, name, also=None):
        """Pushes an image like the engine's under the name, and takes it from the engine unless it has another
        name there; its reference and its digest. The engine's own image is left as it is: a push would give it a digest.
        """
        reference = f'{self.host}/{name}'
        config = self.folder / 'login'
        self.write_docker_config(config)
        container = self.engine.docker('create', image)
        self.engine.docker('commit', '--change', f'LABEL pushed={name}', container, reference)
        self.engine.docker('rm', container)
        said = self.engine.docker('--config', config, 'push', reference)
        if also:
            self.engine.docker('tag', reference, also)
        else:
            self.engine.docker('rmi', reference)
        return reference, next(word for word in said.split() if word.startswith('sha256:'))

    def retag(self, name, tag, new_tag):
        """Gives what the registry has under a tag another one; the engine knows nothing of it."""
        api, kind = Api(('127.0.0.1', self.port)), 'application/vnd.docker.distribution.manifest.v2+json'
        manifest = api.get(f'/v2/{name}/manifests/{tag}', headers={'Accept': kind})
        put = api.call('PUT', f'/v2/{name}/manifests/{new_tag}', manifest.raw, {'Content-Type': kind})
        assert put.status == 201, put
