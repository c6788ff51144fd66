"""The gateway of the local stack hands over and takes back what an HTTP API does: payload 2.0, limits, routes."""

import base64
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from infra.local.events import HttpAnswer, HttpRequest
from infra.local.gateway import Gateway
from infra.local.runtime import Runtime
from infra.local.server import Server
from infra.local.template import Template

TEMPLATE = """
Parameters: {}
Globals: { Function: { Timeout: 5, MemorySize: 128, CodeUri: code/ } }
Resources:
  Api:
    Type: AWS::Serverless::HttpApi
    Properties:
      Auth: { DefaultAuthorizer: Who, Authorizers: { Who: { FunctionArn: !GetAtt Who.Arn } } }
  Who: { Type: AWS::Serverless::Function, Properties: { Handler: gateway_probe.who } }
  Echo:
    Type: AWS::Serverless::Function
    Properties:
      Handler: gateway_probe.echo
      Events:
        Things: { Type: HttpApi, Properties: { ApiId: !Ref Api, Method: ANY, Path: /things } }
        Below: { Type: HttpApi, Properties: { ApiId: !Ref Api, Method: ANY, Path: "/things/{proxy+}" } }
        One: { Type: HttpApi, Properties: { ApiId: !Ref Api, Method: ANY, Path: "/things/{id}/part" } }
        Open: { Type: HttpApi, Properties: { ApiId: !Ref Api, Method: ANY, Path: /open, Auth: { Authorizer: NONE } } }
        Rest: { Type: HttpApi, Properties: { ApiId: !Ref Api } }
  Answers:
    Type: AWS::Serverless::Function
    Properties:
      Handler: gateway_probe.answer
      Timeout: 1
      Events:
        Any:
          Type: HttpApi
          Properties: { ApiId: !Ref Api, Method: POST, Path: /answers, Auth: { Authorizer: NONE } }
"""
CODE = """
import json, time

def who(event, context):
    said = event["headers"].get("authorization", "")
    if said == "crash":
        raise RuntimeError(said)
    return {"isAuthorized": said != "no", "context": {"said": said, "event": json.dumps(event)}}

def echo(event, context):
    seen = {"event": event, "left": context.get_remaining_time_in_millis()}
    return {"statusCode": 200, "headers": {"Content-Type": "application/json"}, "body": json.dumps(seen)}

def answer(event, context):
    wanted = json.loads(event["body"])
    if wanted == "crash":
        raise RuntimeError("of the inside")
    if wanted == "sleep":
        time.sleep(3)
    return {"statusCode": 200, "body": "x" * 7_000_000} if wanted == "too much" else wanted
"""


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    folder = tmp_path_factory.mktemp("probe")
    (folder / "code").mkdir()
    (folder / "code/gateway_probe.py").write_text(CODE, encoding="utf-8")
    (folder / "template.yaml").write_text(TEMPLATE, encoding="utf-8")
    template = Template(folder / "template.yaml")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "path", list(sys.path))
        yield Gateway(template.routes, Runtime(template))


def send(
    gateway: Gateway, target: str = "/things", method: str = "GET", body: bytes = b"", *headers: tuple[str, str]
) -> HttpAnswer:
    return gateway.handle(HttpRequest(method, target, (("Host", "127.0.0.1:8000"), *headers), body))


def event_of(
    gateway: Gateway, target: str = "/things", method: str = "GET", body: bytes = b"", *headers: tuple[str, str]
) -> dict[str, Any]:
    answer = send(gateway, target, method, body, *headers)
    assert answer.status == 200, answer
    event: dict[str, Any] = httpx.Response(200, content=answer.body).json()["event"]
    return event


def answered(gateway: Gateway, wanted: str) -> HttpAnswer:
    return send(gateway, "/answers", "POST", wanted.encode(), ("content-type", "application/json"))


@pytest.mark.parametrize(
    ("target", "key", "parameters"),
    [
        ("/things", "ANY /things", None),
        ("/things/a/b%20c", "ANY /things/{proxy+}", {"proxy": "a/b c"}),
        ("/things/7/part", "ANY /things/{id}/part", {"id": "7"}),
        ("/things/", "$default", None),
        ("/elsewhere", "$default", None),
    ],
)
def test_the_most_exact_route_is_taken(
    gateway: Gateway, target: str, key: str, parameters: dict[str, str] | None
) -> None:
    event = event_of(gateway, target)

    assert event["routeKey"] == event["requestContext"]["routeKey"] == key
    assert event.get("pathParameters") == parameters


def test_the_path_arrives_decoded_and_cut_at_a_question_mark_and_the_query_as_sent(gateway: Gateway) -> None:
    event = event_of(gateway, "/things/%24open/a%3Fb/c?x=1&y=a%20b&x=2&flag")

    assert event["rawPath"] == event["requestContext"]["http"]["path"] == "/things/$open/a"
    assert event["rawQueryString"] == "x=1&y=a%20b&x=2&flag"
    assert event["queryStringParameters"] == {"x": "1,2", "y": "a b", "flag": ""}


def test_header_names_are_lower_case_and_duplicates_joined_and_cookies_apart(gateway: Gateway) -> None:
    event = event_of(gateway, "/things", "GET", b"", ("X-A", "1"), ("x-a", "2"), ("Cookie", "a=1; b=2"))

    assert event["headers"]["x-a"] == "1,2"
    assert event["cookies"] == ["a=1", "b=2"]
    assert "cookie" not in event["headers"]


def test_what_was_not_sent_is_not_there(gateway: Gateway) -> None:
    event = event_of(gateway)

    assert not {"cookies", "queryStringParameters", "pathParameters", "body"} & event.keys()
    assert event["isBase64Encoded"] is False


@pytest.mark.parametrize(
    ("content_type", "is_text"),
    [
        ("application/json", True),
        ("application/json; charset=utf-8", True),
        ("application/xml", True),
        ("text/xml", True),
        ("application/fhir+json", False),
        ("application/json-patch+json", False),
        ("application/x-www-form-urlencoded", False),
        ("application/pdf", False),
        ("", False),
    ],
)
def test_only_a_few_content_types_arrive_as_text(gateway: Gateway, content_type: str, is_text: bool) -> None:
    body = '{"é": 1}'.encode()

    event = event_of(gateway, "/things", "POST", body, ("Content-Type", content_type))

    assert event["isBase64Encoded"] is not is_text
    assert event["body"] == (body.decode() if is_text else base64.b64encode(body).decode())


def test_the_context_names_the_request_and_what_the_authorizer_found(gateway: Gateway) -> None:
    event = event_of(gateway, "/things", "DELETE", b"", ("Authorization", "me"))

    context = event["requestContext"]
    assert context["authorizer"]["lambda"]["said"] == "me"
    assert context["domainName"] == "127.0.0.1:8000"
    assert context["http"]["method"] == "DELETE"
    assert context["stage"] == "$default"
    assert context["requestId"]


def test_the_authorizer_gets_a_request_without_its_body(gateway: Gateway) -> None:
    event = event_of(gateway, "/things/a", "POST", b"{}", ("Content-Type", "application/json"))

    asked = httpx.Response(200, content=event["requestContext"]["authorizer"]["lambda"]["event"]).json()
    assert (asked["version"], asked["type"]) == ("2.0", "REQUEST")
    assert asked["routeArn"].endswith("/$default/POST/things/a")
    assert asked["requestContext"]["requestId"] == event["requestContext"]["requestId"]
    assert "body" not in asked


@pytest.mark.parametrize(
    ("said", "status", "text"), [("no", 403, "Forbidden"), ("crash", 500, "Internal Server Error")]
)
def test_a_request_the_authorizer_does_not_let_pass_goes_no_further(
    gateway: Gateway, said: str, status: int, text: str
) -> None:
    answer = send(gateway, "/things", "GET", b"", ("Authorization", said))

    assert (answer.status, answer.body) == (status, f'{{"message": "{text}"}}'.encode())


def test_a_public_route_asks_no_authorizer(gateway: Gateway) -> None:
    event = event_of(gateway, "/open", "GET", b"", ("Authorization", "no"))

    assert "authorizer" not in event["requestContext"]


def test_an_answer_has_status_headers_cookies_and_bytes(gateway: Gateway) -> None:
    answer = answered(
        gateway,
        '{"statusCode": 201, "headers": {"ETag": "W/\\"1\\""}, "cookies": ["a=1", "b=2"], "body": "AAE=", '
        '"isBase64Encoded": true}',
    )

    assert (answer.status, answer.body) == (201, b"\x00\x01")
    assert ("etag", 'W/"1"') in answer.headers
    assert [value for name, value in answer.headers if name == "set-cookie"] == ["a=1", "b=2"]


def test_an_answer_without_a_status_is_json(gateway: Gateway) -> None:
    answer = answered(gateway, '{"a": 1}')

    assert (answer.status, answer.body) == (200, b'{"a": 1}')
    assert ("content-type", "application/json") in answer.headers


@pytest.mark.parametrize(
    "wanted",
    ['"crash"', '"sleep"', '"too much"', '{"statusCode": "x"}', '{"statusCode": 200, "body": {}}'],
)
def test_a_function_that_fails_says_nothing_of_the_inside(gateway: Gateway, wanted: str) -> None:
    answer = answered(gateway, wanted)

    assert (answer.status, answer.body) == (500, b'{"message": "Internal Server Error"}')


@pytest.mark.parametrize(
    ("size", "text"), [(4_800_000, "Request Too Long"), (10 * 1024 * 1024 + 1, "Request Entity Too Large")]
)
def test_a_body_over_the_limits_is_the_gateways_own_413(gateway: Gateway, size: int, text: str) -> None:
    answer = send(gateway, "/things", "POST", b"x" * size, ("Content-Type", "application/fhir+json"))

    assert (answer.status, answer.body) == (413, f'{{"message": "{text}"}}'.encode())


def test_a_body_that_fits_into_six_megabytes_arrives(gateway: Gateway) -> None:
    event = event_of(gateway, "/things", "POST", b"x" * 1_500_000, ("Content-Type", "application/fhir+json"))

    assert len(event["body"]) == 2_000_000


def test_a_head_over_ten_kilobytes_is_refused(gateway: Gateway) -> None:
    assert send(gateway, "/things", "GET", b"", ("Authorization", "x" * 11_000)).status == 431


@pytest.fixture(scope="module")
def client(gateway: Gateway) -> Iterator[httpx.Client]:
    server = Server(0)
    server.start(gateway.handle)
    with httpx.Client(base_url=server.url, timeout=10) as client:
        yield client
    server.stop()


def test_requests_run_in_parallel(client: httpx.Client) -> None:
    def ask(number: int) -> str:
        return str(client.get(f"/things/{number}").json()["event"]["pathParameters"]["proxy"])

    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(ask, range(64)))

    assert answers == [str(number) for number in range(64)]


def test_a_body_in_chunks_arrives_whole(client: httpx.Client) -> None:
    answer = client.post("/things", content=iter([b"ab", b"cd"]), headers={"content-type": "text/plain"})

    assert answer.json()["event"]["body"] == "abcd"


def test_head_has_the_headers_and_no_body(client: httpx.Client) -> None:
    answer = client.head("/things")

    assert int(answer.headers["content-length"]) > 100
    assert answer.content == b""


def test_an_endless_header_is_refused_in_json(client: httpx.Client) -> None:
    answer = client.get("/things", headers={"authorization": "x" * 1_000_000})

    assert answer.status_code == 431
    assert answer.json().keys() == {"message"}


def test_a_port_is_free_again_after_the_stop() -> None:
    server = Server(0)
    port = int(server.url.rpartition(":")[2])
    server.stop()

    again = Server(port)

    assert again.url == server.url
    again.stop()
