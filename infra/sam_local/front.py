"""One address for all, as `make run` has it: the routes below /local from our process, everything else from SAM CLI."""

from collections.abc import Iterator
from http.client import HTTPConnection, HTTPException

from infra.local.controls import PREFIX
from infra.local.events import HOP_BY_HOP, HttpAnswer, HttpRequest, message
from infra.local.gateway import LARGEST_BODY
from infra.local.server import Server

ANSWER_SECONDS = 300
"""Longer than eight cold containers take one after the other."""
_OF_A_CONNECTION = HOP_BY_HOP | {"expect"}
_OF_A_SERVER = HOP_BY_HOP | {"date", "server"}


class Front:
    """Hands requests on as they came, and answers likewise; `controls` and `api` are hosts with their ports."""

    def __init__(self, port: int) -> None:
        self._server = Server(port)
        self.url = self._server.url
        self.stop = self._server.stop

    def start(self, controls: str, api: str) -> None:
        """Answer from now on."""

        def handle(request: HttpRequest) -> HttpAnswer:
            return _handed_on(request, controls if request.path.startswith(PREFIX) else api)

        self._server.start(handle)


def _handed_on(request: HttpRequest, host: str) -> HttpAnswer:
    if len(request.body) > LARGEST_BODY:
        return message(413, "Request Entity Too Large")
    connection = HTTPConnection(host, timeout=ANSWER_SECONDS)
    try:
        # step by step, for the target is to stay as it came and each header to come as often as it did
        connection.putrequest(request.method, request.target, skip_host=True, skip_accept_encoding=True)
        for name, value in _told(request):
            connection.putheader(name, value)
        connection.endheaders(request.body)
        answer = connection.getresponse()
        kept = [(name.lower(), value) for name, value in answer.getheaders() if name.lower() not in _OF_A_SERVER]
        return HttpAnswer(answer.status, tuple(kept), answer.read())
    except ValueError:
        return message(400, "Bad Request")
    except (HTTPException, OSError):
        return message(503, "Service Unavailable")
    finally:
        connection.close()


def _told(request: HttpRequest) -> Iterator[tuple[str, str]]:
    yield from ((name, value) for name, value in request.headers if name.lower() not in _OF_A_CONNECTION)
    yield "connection", "close"
    if request.body or any(name.lower() in {"content-length", "transfer-encoding"} for name, _ in request.headers):
        yield "content-length", str(len(request.body))
