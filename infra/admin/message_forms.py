"""Which form the messages of each queue have: what has none would only fail again where it is sent back to."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote_plus

MALFORMED = "not understood: of no form of ours"
_TEST = "s3:TestEvent"
_OURS = ("documents/", "uploads/")


def has_form(queue: str, content: Mapping[str, Any]) -> bool:
    """Whether a message has the form of those of its queue."""
    match queue:
        case "uploads":
            return _is_verdict(content.get("detail")) if "detail" in content else _is_notification(content)
        case "extractions":
            return _is_ours(content["key"]) if "key" in content else _is_notification(content)
        case "exports":
            return _is_id(content.get("export"))
        case "hooks":
            return all(isinstance(content.get(name), str) and content[name] for name in ("subscription", "event"))
    return True


def _is_notification(content: Mapping[str, Any]) -> bool:
    """Whether it is of S3: about objects whose keys are ours, or its test."""
    match content:
        case {"Event": event} if event == _TEST:
            return True
        case {"Records": [_, *_] as records}:
            return all(_is_record(one) for one in records)
    return False


def _is_record(record: object) -> bool:
    match record:
        case {"s3": {"object": {"key": str(key)}}}:
            return _is_ours(unquote_plus(key))
    return False


def _is_verdict(detail: object) -> bool:
    match detail:
        case {
            "s3ObjectDetails": {"objectKey": str(key), "bucketName": str(), "versionId": str()},
            "scanResultDetails": {"scanResultStatus": str()},
        }:
            return _is_ours(key)
    return False


def _is_ours(key: object) -> bool:
    return isinstance(key, str) and key.startswith(_OURS)


def _is_id(value: object) -> bool:
    return isinstance(value, str) and all(value.partition("."))
