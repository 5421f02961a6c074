"""What schemathesis must not ask for: answers without an end, tens of thousands of containers, programs with this machine's rights.
Loaded by schemathesis itself ($SCHEMATHESIS_HOOKS).
"""
import schemathesis

ABSENT_IMAGE = 'davit-none/none:1'  # so that nothing that was made up ever runs
MOST_INSTANCES = 3


@schemathesis.hook
def map_query(context, query):
    if query:
        for endless in ('follow', 'wait'):
            query.pop(endless, None)
    return query


@schemathesis.hook
def map_path_parameters(context, path_parameters):
    """Every other name is that of a service, or of the node, which is there."""
    name = (path_parameters or {}).get('name')
    if isinstance(name, str) and len(name) % 2:
        is_node = context.operation is not None and '/nodes/' in context.operation.path
        path_parameters['name'] = 'openapi' if is_node else 'web'
    return path_parameters


@schemathesis.hook
def map_body(context, body):
    if not isinstance(body, dict):
        return body
    is_change = context.operation is not None and context.operation.method.upper() in ('PUT', 'PATCH')
    if isinstance(body.get('image'), str) and body['image'] or (is_change and 'image' not in body):
        body['image'] = ABSENT_IMAGE
    instances = body.get('instances')
    if type(instances) is int and instances <= 100_000:
        body['instances'] = min(instances, MOST_INSTANCES)
    return body
