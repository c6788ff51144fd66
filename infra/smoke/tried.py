"""What is really tried: the API without a token, the bucket without TLS or without the key, signed addresses misused.

A refusal proves something only where the same request, as it should be, is let through: that is tried first.
"""

import json
from base64 import b64encode
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from hashlib import sha1, sha256
from time import sleep
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen
from uuid import uuid4

import boto3
from botocore.config import Config

from dmp.adapters.aws import Signer
from dmp.adapters.presigner import Presigner
from dmp.domain.document import StoredContent
from infra.smoke.account import Account
from infra.smoke.result import Result, State, asked, held, unchecked

BUCKET = "DocumentsBucket"
DATA_KEY = "DataKey"
_FOLDER = "smoke/"
"""Nobody is told of objects there, and no document lies there."""
_BODY = b"smoke"
_TYPE = "application/pdf"
_SECONDS = 20
_PUTS = ("bucket.key", "signed.length", "signed.type", "signed.expired")

type Json = dict[str, Any]
type Answer = tuple[int, Mapping[str, str], bytes]


def api(base: str) -> Iterator[Result]:
    """The API answers, and to nobody without a token."""
    status, _, body = fetched(f"{base}/metadata")
    yield held("api.metadata", base, status == 200 and _type_of(body) == "CapabilityStatement", f"status {status}")
    status, headers, body = fetched(f"{base}/Patient")
    is_refused = status == 401 and _type_of(body) == "OperationOutcome"
    yield held("api.token", base, is_refused, f"status {status} of {_type_of(body) or 'no resource'}")
    names = {name.lower() for name in headers}
    told = names & {"www-authenticate", "x-amzn-remapped-www-authenticate"}
    yield held("api.challenge", base, told, "it does not say how to authenticate")
    forged = fetched(f"{base}/Patient", {"Authorization": "Bearer e30.e30.e30"})
    yield held("api.forgery", base, forged[0] == 401, f"status {forged[0]}")


def other_name(account: Account) -> Iterator[Result]:
    """Beside a name of its own, and without an edge, AWS's is closed: CloudFormation may hand the switch on as text."""
    told = {} if account.is_local else account.outputs
    if "DomainTarget" in told and "Edge" not in told:
        status, _, _ = fetched(f"{told['Base']}/metadata")
        yield held("api.closed", told["Base"], status in (403, 404), f"status {status}")


def authorizer(account: Account) -> Iterator[Result]:
    """No answer of the authorizer is remembered: a revocation holds at once."""
    if account.is_local:
        yield unchecked("api.cache", "Api", "the local stack has no API Gateway")
        return
    for logical, api_id in account.of("AWS::ApiGatewayV2::Api").items():
        client = account.client("apigatewayv2")
        told = asked("api.cache", logical, client.get_authorizers, ApiId=api_id, pick="Items")
        if isinstance(told, Result):
            yield told
            continue
        seconds = [one.get("AuthorizerResultTtlInSeconds", 0) for one in told]
        yield held("api.cache", logical, seconds and not any(seconds), f"remembered for {seconds} seconds")


def bucket(account: Account) -> Iterator[Result]:
    """Plain HTTP, another encryption and misused addresses are refused."""
    client, name = account.client("s3"), account.physical(BUCKET)
    control = asked("bucket.tls", BUCKET, client.head_bucket, Bucket=name)
    if isinstance(control, Result):
        yield unchecked("bucket.tls", BUCKET, f"the caller may not even look at it: {control.why}")
    else:
        yield _refusal("bucket.tls", _plain(account, client), name, "it answers over plain HTTP")
    # the policy of the bucket knows the key by its ARN
    _, partition, *_, owner, _ = account.client("sts").get_caller_identity()["Arn"].split(":")
    key = f"arn:{partition}:kms:{client.meta.region_name}:{owner}:key/{account.physical(DATA_KEY)}"
    yield from _puts(client, name, key, client.meta.endpoint_url if account.is_local else "")


def _plain(account: Account, client: Any) -> Any:
    """The same client over plain HTTP; the local stack has no other."""
    if account.is_local:
        return client
    own: Any = boto3.Session(region_name=client.meta.region_name)
    return own.client("s3", use_ssl=False, config=Config(retries={"total_max_attempts": 1}))


def _refusal(check: str, client: Any, name: str, why: str) -> Result:
    told = asked(check, BUCKET, client.head_bucket, Bucket=name)
    if isinstance(told, Result) and told.state is State.UNCHECKED:
        return held(check, BUCKET, "not permitted" in told.why, told.why)
    return held(check, BUCKET, isinstance(told, Result), why)


def _puts(client: Any, name: str, key_id: str, endpoint: str) -> Iterator[Result]:
    own = {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": key_id}
    control = asked("bucket.key", BUCKET, _put, client=client, name=name, how=own)
    if isinstance(control, Result):
        for check in _PUTS:
            yield unchecked(check, BUCKET, f"the caller may not put anything there, as it should be: {control.why}")
        return
    other = asked("bucket.key", BUCKET, _put, client=client, name=name, how={"ServerSideEncryption": "AES256"})
    yield held("bucket.key", BUCKET, isinstance(other, Result), "it takes objects under another key")
    yield from signed(client, name, key_id, endpoint)


def _put(client: Any, name: str, how: Mapping[str, str]) -> Any:
    key = f"{_FOLDER}{uuid4()}"
    put = client.put_object(Bucket=name, Key=key, Body=_BODY, **how)
    client.delete_object(Bucket=name, Key=key, VersionId=put.get("VersionId", "null"))
    return put


def signed(client: Any, name: str, key_id: str, endpoint: str) -> Iterator[Result]:
    """An address as depositors get it takes five bytes of a PDF, and nothing else, and nothing once it is over."""
    digest = b64encode(sha1(_BODY, usedforsecurity=False).digest()).decode()
    key, sha = f"{_FOLDER}{uuid4()}", sha256(_BODY).hexdigest()
    content = StoredContent(key=key, content_type=_TYPE, size=len(_BODY), sha1=digest, sha256=sha)
    signer = Signer(client.meta.region_name, client._request_signer._credentials)
    presigner, now = Presigner(lambda: signer, name, key_id, endpoint), datetime.now(UTC)
    put, over = presigner.upload(content, now), presigner.upload(content, now, seconds=1)
    headers = {header: value for header, value in put.headers if header != "Content-Length"}
    try:
        control, _, _ = fetched(put.url, headers, _BODY)
        sleep(2)
        for check, address, told, body in (
            ("signed.length", put.url, headers, _BODY * 2),
            ("signed.type", put.url, headers | {"Content-Type": "text/html"}, _BODY),
            ("signed.expired", over.url, headers, _BODY),
        ):
            if control != 200:
                yield unchecked(check, BUCKET, f"the same request, done right, is refused: status {control}")
                continue
            status, _, _ = fetched(address, told, body)
            yield held(check, BUCKET, status in (400, 403), f"status {status}")
    finally:
        for one in client.list_object_versions(Bucket=name, Prefix=content.key).get("Versions", []):
            client.delete_object(Bucket=name, Key=content.key, VersionId=one["VersionId"])


def fetched(url: str, headers: Mapping[str, str] | None = None, body: bytes | None = None) -> Answer:
    """The answer of an address, refusals too; status 0 where there is none."""
    if not url.startswith(("https://", "http://")):
        return 0, {}, b""
    request = Request(url, body, dict(headers or {}), method="PUT" if body else "GET")  # nosec B310 # noqa: S310 - checked above
    try:
        with urlopen(request, timeout=_SECONDS) as answer:  # nosec B310 # noqa: S310
            return answer.status, dict(answer.headers), answer.read()
    except HTTPError as refusal:
        return refusal.code, dict(refusal.headers), refusal.read()
    except (URLError, TimeoutError, ConnectionError):
        return 0, {}, b""


def _type_of(body: bytes) -> str:
    try:
        content = json.loads(body)
    except ValueError:
        return ""
    return str(content.get("resourceType", "")) if isinstance(content, dict) else ""
