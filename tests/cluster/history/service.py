"""What one operation does to one service, as docs/api.md has it: the sequential specification that histories are held against."""
from history.operation import ABSENT, State


def after(state, operation):
    """The state after it, if it can have ended so in `state`; else None. An operation whose outcome is unknown is taken for done."""
    if operation.refusal:
        return after_refusal(state, operation)
    return EFFECTS[operation.call](state, operation)


def after_refusal(state, operation):
    match operation.refusal:
        case 'service_not_found':
            return gone(state)
        case 'service_removing':
            return state if state.removing else None
        case 'service_exists':
            return state if state.exists and not state.removing else None
        case 'stale_generation':
            return state if state.exists and state.generation != operation.if_match else None
    raise ValueError(f'no operation may be refused with {operation.refusal}: {operation}')


def gone(state):
    """The last container of a service that is being removed may have ended at any moment."""
    return ABSENT if state.removing or not state.exists else None


def created(state, operation):
    if gone(state) is None:
        return None
    wanted = operation.argument
    return State(generation=1, revision=1, instances=wanted['instances'], labels=tuple(sorted(wanted.get('labels', {}).items())))


def changed(state, operation):
    is_met = operation.if_match in (None, state.generation)
    if not state.exists or state.removing or not is_met:
        return None
    labels = dict(state.labels) | operation.argument.get('labels', {})
    wanted = state._replace(instances=operation.argument.get('instances', state.instances), labels=tuple(sorted(labels.items())))
    return state if wanted == state else wanted._replace(generation=state.generation + 1)


def restarted(state, _):
    if not state.exists or state.removing:
        return None
    return state._replace(generation=state.generation + 1, revision=state.revision + 1)


def removed(state, _):
    if not state.exists:
        return None
    return state if state.removing else state._replace(generation=state.generation + 1, removing=True)


def read(state, operation):
    seen = operation.seen
    if not seen.exists:
        return gone(state)
    named = state if state.uid else state._replace(uid=seen.uid)
    return named if named == seen else None


EFFECTS = {'create': created, 'change': changed, 'restart': restarted, 'delete': removed, 'read': read}
