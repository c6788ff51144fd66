"""What stands in front of SAM CLI changes nothing: who answers is decided by the path, and all else goes through."""

import socket
from collections.abc import Iterator

import httpx
import pytest

from infra.local.events import HttpAnswer, HttpRequest
from infra.local.gateway import LARGEST_BODY
from infra.local.server import Server
from infra.sam_local.front import Front

BODY = "œdème".encode()


class Behind:
    """A server behind the front: what it was asked, and one answer to all."""

    def __init__(self, name: str) -> None:
        self.asked: list[HttpRequest] = []
        self.answer = HttpAnswer(200, (("content-type", "text/plain"),), name.encode())
        self._server = Server(0)
        self._server.start(self._handle)
        self.host = self._server.url.removeprefix("http://")
        self.stop = self._server.stop

    def _handle(self, request: HttpRequest) -> HttpAnswer:
        self.asked.append(request)
        return self.answer


@pytest.fixture
def api() -> Iterator[Behind]:
    server = Behind("api")
    yield server
    server.stop()


@pytest.fixture
def controls() -> Iterator[Behind]:
    server = Behind("controls")
    yield server
    server.stop()


@pytest.fixture
def front(api: Behind, controls: Behind) -> Iterator[Front]:
    server = Front(0)
    server.start(controls=controls.host, api=api.host)
    yield server
    server.stop()


def test_our_own_routes_and_the_api_have_one_address(front: Front) -> None:
    answers = {
        path: httpx.get(f"{front.url}{path}").text
        for path in ("/local/personas", "/local/lambda/x", "/fhir/metadata", "/", "/localities", "/fhir/local/x")
    }

    assert answers == {
        "/local/personas": "controls",
        "/local/lambda/x": "controls",
        "/fhir/metadata": "api",
        "/": "api",
        "/localities": "api",
        "/fhir/local/x": "api",
    }


def test_a_request_goes_on_as_it_came(front: Front, api: Behind) -> None:
    headers = [("X-Two", "1"), ("X-Two", "2"), ("Authorization", "Bearer a.b.c")]
    target = "/fhir/Patient/%24summary?a=1&a=2&b=%2F%C3%A9"

    httpx.request("PATCH", f"{front.url}{target}", headers=headers, content=BODY)

    [asked] = api.asked
    assert (asked.method, asked.target, asked.body) == ("PATCH", target, BODY)
    assert [value for name, value in asked.headers if name == "X-Two"] == ["1", "2"]
    assert asked.joined_headers["authorization"] == "Bearer a.b.c"
    assert asked.joined_headers["host"] == front.url.removeprefix("http://")
    assert asked.joined_headers["content-length"] == str(len(BODY))


def test_a_body_in_chunks_arrives_whole(front: Front, api: Behind) -> None:
    httpx.post(f"{front.url}/fhir", content=iter([BODY, BODY]))

    [asked] = api.asked
    assert asked.body == BODY * 2


def test_an_answer_comes_back_as_it_was(front: Front, api: Behind) -> None:
    api.answer = HttpAnswer(201, (("Location", "/x"), ("X-Two", "1"), ("X-Two", "2")), b"\x00\xff")

    answer = httpx.post(f"{front.url}/fhir", json={})

    assert (answer.status_code, answer.content, answer.headers["location"]) == (201, b"\x00\xff", "/x")
    assert answer.headers.get_list("x-two") == ["1", "2"]
    assert len(answer.headers.get_list("date")) == len(answer.headers.get_list("server")) == 1


@pytest.mark.parametrize(("method", "status"), [("HEAD", 200), ("GET", 304), ("GET", 204)])
def test_an_answer_without_a_body_ends(front: Front, api: Behind, method: str, status: int) -> None:
    api.answer = HttpAnswer(status, (("ETag", 'W/"1"'),), b"")

    answer = httpx.request(method, f"{front.url}/fhir", timeout=5)

    assert (answer.status_code, answer.content, answer.headers["etag"]) == (status, b"", 'W/"1"')


def test_a_body_over_the_limit_of_the_gateway_gets_no_further(front: Front, api: Behind) -> None:
    answer = httpx.post(f"{front.url}/fhir", content=b"x" * (LARGEST_BODY + 1))

    assert (answer.status_code, api.asked) == (413, [])


def test_a_target_that_is_none_is_refused(front: Front, api: Behind) -> None:
    host, _, port = front.url.removeprefix("http://").partition(":")

    with socket.create_connection((host, int(port))) as connection:
        connection.sendall("GET /fhir/é HTTP/1.1\r\nHost: x\r\n\r\n".encode("latin-1"))
        answer = connection.recv(64)

    assert (answer.split()[1], api.asked) == (b"400", [])


def test_where_nobody_answers_behind_it_says_so(front: Front, api: Behind) -> None:
    api.stop()

    answer = httpx.get(f"{front.url}/fhir/metadata")

    assert answer.status_code == 503
