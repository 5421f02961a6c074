"""GET /openapi.json is what the server does: a schema-driven tester finds no 5xx and no answer outside the document."""
import os
import subprocess
from pathlib import Path

from lab.davit import hello
from lab.tools import tools

# Everything about answers. What a request's data may be is tested case by case in test_writes.
CHECKS = ('not_a_server_error', 'status_code_conformance', 'content_type_conformance', 'response_headers_conformance', 'response_schema_conformance',
          'unsupported_method')


def test_document_names_every_route_and_field(clean):
    document = clean.get('/openapi.json')
    assert document.status == 200 and document.headers['Content-Type'].startswith('application/json')
    paths = document.json['paths']
    assert document.json['openapi'].startswith('3.')
    assert {'/services', '/services/{name}', '/services/{name}/instances', '/services/{name}/history', '/services/{name}/logs', '/services/{name}/rollback',
            '/services/{name}/restart', '/nodes', '/nodes/{name}', '/members', '/events', '/healthz', '/metrics', '/openapi.json'} <= paths.keys()
    assert {'get', 'post'} <= paths['/services'].keys() and {'get', 'put', 'patch', 'delete'} <= paths['/services/{name}'].keys()
    for path, operations in paths.items():
        for method, operation in operations.items():
            if method in ('get', 'post', 'put', 'patch', 'delete'):
                assert operation['responses'] and operation.get('summary') and operation.get('operationId'), f'{method} {path}'


def test_schemathesis_finds_no_answer_outside_the_document(clean, lab):
    clean.create('web', hello(1))
    clean.wait_running('web', 1)
    folder = lab.ledger.folder / 'schemathesis'
    folder.mkdir(exist_ok=True)
    environment = {'PATH': os.environ['PATH'], 'HOME': str(folder), 'PYTHONPATH': str(Path(__file__).parent),
                   'SCHEMATHESIS_HOOKS': 'schemathesis_hooks', 'PYTHONDONTWRITEBYTECODE': '1', 'COLUMNS': '200'}
    done = subprocess.run(
        [tools() / 'schemathesis', 'run', f'http://127.0.0.1:{clean.port}/openapi.json', '--checks', ','.join(CHECKS), '--max-examples', '20', '--seed', '1',
         '--exclude-path', '/events', '--request-timeout', '10', '--phases', 'examples,coverage,fuzzing', '--generation-database', 'none',
         '--suppress-health-check', 'all', '--no-color'],
        env=environment, cwd=folder, capture_output=True, text=True, timeout=420)
    print(done.stdout[-12000:], done.stderr[-2000:])
    assert clean.process.poll() is None, 'davit did not survive it'
    assert clean.get('/healthz').status == 200
    assert done.returncode == 0, 'see what schemathesis says above'
