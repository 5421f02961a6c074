"""One attempt of a client that has other hosts to ask: it waits a short while only."""
import http.client

PATIENCE = 3  # seconds, the same for all contenders


def attempt(api, method, path, body=None):
    """The answer, or None when there was none in time."""
    try:
        return api.call(method, path, body, timeout=PATIENCE)
    except (OSError, http.client.HTTPException):
        return None


def status_of(answer):
    return answer.status if answer else 0
