"""GET /events: what is told, filters, and resuming without a gap."""
from lab.davit import hello, idle


def kinds(events, service=None):
    return [event.type for event in events if service is None or event.data.get('service') == service]


def test_life_of_a_service_is_told_in_order(clean):
    with clean.events() as events:
        clean.create('web', hello(1))
        seen = events.until(lambda e: e.type == 'service.converged')
        order = kinds(seen, 'web')
        assert order[0] == 'service.created' and order.index('instance.starting') < order.index('instance.running') < order.index('service.converged')
        running = next(event for event in seen if event.type == 'instance.running')
        assert running.data['slot'] == 1 and running.data['node'] == clean.name and running.data['previous'] and running.data['time'].endswith('Z')
        clean.scale('web', 2)
        assert 'service.scaled' in kinds(events.until(lambda e: e.type == 'service.converged'))
        clean.put('web', {'image': 'davit/hello:2'})
        assert 'service.updated' in kinds(events.until(lambda e: e.type == 'service.converged'))
        clean.call('DELETE', '/services/web')
        events.until(lambda e: e.type == 'service.removed')


def test_resumed_stream_has_no_gap_and_no_repetition(clean):
    with clean.events() as all_events, clean.events() as broken:
        clean.create('one', idle(1))
        first = broken.until(lambda e: e.type == 'instance.running')
        broken.lines.close()
        clean.create('two', idle(1))
        whole = all_events.until(lambda e: e.type == 'service.converged' and e.data['service'] == 'two')
        with clean.events(last_id=first[-1].id) as resumed:
            rest = resumed.until(lambda e: e.id == whole[-1].id)
    assert [event.id for event in first + rest] == [event.id for event in whole]


def test_list_carries_the_id_to_follow_from(clean):
    clean.create('web', hello(0))
    listed = clean.get('/services').headers['Davit-Event-Id']
    assert listed
    clean.scale('web', 1)
    with clean.events(last_id=listed) as events:
        assert kinds(events.until(lambda e: e.type == 'service.scaled'))[0] in ('service.scaled', 'service.converged')


def test_id_of_an_earlier_process_gets_a_reset(clean):
    clean.create('web', hello(0))
    last = clean.get('/services').headers['Davit-Event-Id']
    clean.terminate()
    clean.start()
    with clean.events(last_id=last) as events:
        assert events.next().type == 'reset'
        clean.scale('web', 1)
        events.until(lambda e: e.type == 'service.scaled')


def test_filters_let_only_their_service_and_type_through(clean):
    with clean.events('?service=two&type=instance.running') as events:
        clean.create('one', idle(1))
        clean.wait_running('one', 1)
        clean.create('two', idle(2))
        clean.wait_running('two', 2)
        seen = [events.next(), events.next()]
    assert {event.data['service'] for event in seen} == {'two'} and {event.type for event in seen} == {'instance.running'}


def test_silent_stream_carries_a_comment_within_fifteen_seconds(clean):
    with clean.events('?service=none') as events:
        events.lines.until(lambda line: line == '', timeout=5)
        events.lines.until(lambda line: line.startswith(':'), timeout=17)


def test_death_and_restart_of_an_instance_are_told(clean):
    clean.create('web', idle(1))
    clean.wait_running('web', 1)
    with clean.events('?service=web') as events:
        clean.engine.docker('kill', *clean.engine.ids('web'))
        seen = events.until(lambda e: e.type == 'instance.running')
    assert kinds(seen)[0] in ('instance.failed', 'instance.exited')
    assert seen[0].data['reason'] == 'exited' and seen[0].data['previous'] == 'running'
