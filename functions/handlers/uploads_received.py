"""What came by upload, told by the bucket, and what the malware scanner found, told by EventBridge: both by a queue.

Both are hints of which object to look at; a message that cannot be handled comes again, and is set aside in the end.
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import unquote_plus

from dmp.composition import foundation
from dmp.domain.correlation import follow
from dmp.domain.identifiers import SERVICE, Identifier
from dmp.domain.requester import Requester, RequesterKind
from dmp.domain.upload import Verdict, place_of
from dmp.observability import logger
from dmp.services.call import Call
from dmp.upload_composition import completion

_BASE = foundation()
_COMPLETION = completion(_BASE)
_VERIFIER = Requester(
    kind=RequesterKind.SERVICE,
    identifier=Identifier(SERVICE, "uploads-received"),
    name="Vérification des documents déposés",
)
_TEST = "s3:TestEvent"
_VERDICTS = {"NO_THREATS_FOUND": Verdict.CLEAN, "THREATS_FOUND": Verdict.INFECTED}
"""GuardDuty's other results say that it could not scan the object."""


def handler(event: Mapping[str, Any], context: Any) -> dict[str, Any]:
    """Handle a batch of messages, each for itself; what failed alone comes again."""
    call = Call(_VERIFIER, _BASE.clock(), context.aws_request_id)
    failed = [message["messageId"] for message in event["Records"] if not _is_done(call, message)]
    return {"batchItemFailures": [{"itemIdentifier": each} for each in failed]}


def _is_done(call: Call, message: Mapping[str, Any]) -> bool:
    follow(call.request_id)
    try:
        _handle(call, json.loads(message["body"]))
    except Exception as failure:  # noqa: BLE001 - whatever it is, this message is not to be lost, and the others go on
        what = {"sqs_message": message["messageId"], "failure": type(failure).__name__}
        logger.warning("upload_event_put_off", extra=what)
        return False
    return True


def _handle(call: Call, body: Mapping[str, Any]) -> None:
    if "detail" in body:
        _judge(call, body["detail"])
    elif body.get("Event") != _TEST:
        for key, version in _arrivals(body):
            place = place_of(key)
            if place is None or not place.is_upload:
                raise ValueError("no upload has such a key")
            follow(call.request_id)
            _COMPLETION.arrived(call, place, version)


def _arrivals(notification: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Key and version of each object that a notification of S3 tells of, whose keys are URL-encoded."""
    for record in notification["Records"]:
        told = record["s3"]["object"]
        yield unquote_plus(told["key"]), told["versionId"]


def _judge(call: Call, detail: Mapping[str, Any]) -> None:
    """Take the result of one scan; an object that is no content of ours was not stored by us."""
    told, result = detail["s3ObjectDetails"], detail["scanResultDetails"]["scanResultStatus"]
    place = place_of(told["objectKey"])
    if place is None or told["bucketName"] != _BASE.settings.documents_bucket:
        raise ValueError("no document has such a key")
    _COMPLETION.judged(call, place, told["versionId"], _VERDICTS.get(result, Verdict.UNKNOWN))
