"""One service from a POST to a page in a browser and away again, and its adoption by the next process."""
from lab.davit import hello, page
from lab.http import Api
from lab.waiting import wait_for


def test_create_answers_with_location_etag_and_the_service(clean):
    answer = clean.call('POST', '/services', '{"name":"web","image":"davit/hello:1","ports":[80],"instances":3}', {'Content-Type': 'application/json'})
    assert answer.status == 201, answer
    assert answer.headers['Location'] == '/services/web'
    assert answer.headers['ETag'] == '"1"'
    body = answer.json
    assert (body['name'], body['generation'], body['revision']) == ('web', 1, 1)
    assert body['spec'] == {'image': 'davit/hello:1', 'instances': 3, 'ports': [{'target': 80, 'protocol': 'tcp', 'mode': 'host'}]}
    assert body['status']['desired'] == 3 and body['warnings'] == []


def test_page_of_each_instance_answers_on_its_published_port(clean):
    clean.create('web', hello(3))
    service = clean.wait_running('web', 3)
    said = [page(instance) for instance in service['instances']]
    for instance, text in zip(service['instances'], said, strict=True):
        assert text == f"web.{instance['slot']} on {clean.name}, version 1, instance {instance['id']}"
    ports = [instance['ports'][0]['published'] for instance in service['instances']]
    assert len(set(ports)) == 3
    first, last = clean.port_range
    assert all(first <= port <= last for port in ports)


def test_container_carries_the_documented_name_labels_and_environment(clean):
    clean.create('web', hello(1, environment={'MODE': 'fast'}, container_labels={'team': 'blue'}))
    instance = clean.wait_running('web', 1)['instances'][0]
    container = clean.engine.inspect(instance['container']['id'])
    assert container['Name'] == f"/web.1.{instance['id']}" == f"/{instance['container']['name']}"
    labels, config = container['Config']['Labels'], container['Config']
    assert labels['davit.service'] == 'web' and labels['davit.slot'] == '1' and labels['davit.instance'] == instance['id']
    assert labels['davit.revision'] == '1' and labels['davit.attempt'] == '1' and labels['team'] == 'blue'
    assert {'davit.cluster', 'davit.node', 'davit.name', 'davit.uid', 'davit.epoch'} <= labels.keys()
    assert {'MODE=fast', 'DAVIT_SERVICE=web', 'DAVIT_SLOT=1', f"DAVIT_INSTANCE_ID={instance['id']}", f'DAVIT_NODE_NAME={clean.name}'} <= set(config['Env'])
    assert container['HostConfig']['RestartPolicy']['Name'] in ('no', '')


def test_scaling_up_and_down_keeps_those_that_stay(clean):
    clean.create('web', hello(2))
    clean.wait_running('web', 2)
    first = clean.engine.by_slot('web')
    assert clean.scale('web', 4).json['revision'] == 1
    clean.wait_running('web', 4)
    assert first.items() <= clean.engine.by_slot('web').items()
    clean.scale('web', 1)
    clean.wait_running('web', 1)
    assert clean.engine.by_slot('web') == {1: first[1]}


def test_scaling_to_zero_leaves_a_service_without_containers(clean):
    clean.create('web', hello(2))
    clean.wait_running('web', 2)
    clean.scale('web', 0)
    clean.wait_running('web', 0)
    wait_for(lambda: clean.engine.containers('web') == [])


def test_delete_takes_the_containers_away_and_then_answers_404(clean):
    clean.create('web', hello(3))
    clean.wait_running('web', 3)
    assert clean.call('DELETE', '/services/web').status == 200
    clean.wait_gone('web')
    assert clean.get('/services').json == []
    assert clean.call('DELETE', '/services/web').status == 404


def test_create_while_the_old_one_goes_is_refused_with_retry_after(clean):
    clean.create('web', hello(1, drain_delay='3s'))
    clean.wait_running('web', 1)
    clean.call('DELETE', '/services/web')
    assert clean.status('web')['state'] == 'removing'
    again = clean.call('POST', '/services', {'name': 'web'} | hello())
    assert again.status == 409 and int(again.headers['Retry-After']) > 0, again
    clean.wait_gone('web')
    clean.create('web', hello())


def test_singular_path_and_version_prefix_are_the_same_routes(clean):
    clean.create('web', hello(0))
    uids = {clean.get(path).json['uid'] for path in ('/services/web', '/service/web', '/v1/services/web', '/v1/service/web')}
    assert len(uids) == 1
    assert clean.call('PUT', '/service/web', {'instances': 1}).status == 200


def test_containers_are_adopted_when_davit_restarts_after_sigterm(clean):
    clean.create('web', hello(3))
    before = clean.wait_running('web', 3)
    containers = clean.engine.by_slot('web')
    assert clean.terminate() == 0
    assert clean.engine.by_slot('web') == containers
    assert page(before['instances'][0])
    clean.start()
    after = clean.wait_running('web', 3)
    assert clean.engine.by_slot('web') == containers
    assert [i['id'] for i in after['instances']] == [i['id'] for i in before['instances']]
    assert [i['ports'] for i in after['instances']] == [i['ports'] for i in before['instances']]
    assert all(i['restarts'] == 0 for i in after['instances'])
    assert (after['generation'], after['uid']) == (before['generation'], before['uid'])


def test_containers_are_adopted_when_davit_restarts_after_sigkill(clean):
    clean.create('web', hello(3))
    clean.wait_running('web', 3)
    containers = clean.engine.by_slot('web')
    clean.kill()
    clean.start()
    clean.wait_running('web', 3)
    assert clean.engine.by_slot('web') == containers


def test_what_died_while_davit_was_away_is_replaced_and_the_rest_kept(clean):
    clean.create('web', hello(3))
    clean.wait_running('web', 3)
    containers = clean.engine.by_slot('web')
    clean.kill()
    clean.engine.docker('kill', containers[1])
    clean.engine.docker('rm', '-f', containers[2])
    clean.start()
    clean.wait_running('web', 3)
    after = clean.engine.by_slot('web')
    assert after[3] == containers[3] and after[1] != containers[1] and after[2] != containers[2]


def test_service_stays_gone_when_davit_dies_during_its_removal(clean):
    clean.create('web', hello(3, drain_delay='2s'))
    clean.wait_running('web', 3)
    clean.call('DELETE', '/services/web')
    clean.kill()
    clean.start()
    clean.wait_gone('web')


def test_unix_socket_in_the_data_directory_answers_as_the_port_does(clean):
    clean.create('web', hello(0))
    socket = clean.data_dir / 'davit.sock'
    assert socket.stat().st_mode & 0o777 == 0o600
    assert Api(str(socket)).get('/services/web').json['uid'] == clean.service('web')['uid']
