"""The bytes of a document against what is said of them: type, size in bytes, SHA-1 in base64 (MHD, XDS hash)."""

import hashlib
from base64 import b64encode
from collections.abc import Mapping
from typing import Any

from dmp.domain import content as contents
from dmp.domain.errors import Invalid, TooLarge
from dmp.domain.hostile_content import check_harmless
from dmp.fhir.primitives import decode_base64


def decode(data: str | None, place: str) -> bytes:
    """The bytes of an inline content; `place` is that of the element which holds it.

    Raises Invalid `content-missing` where there are none.
    """
    if data is None:
        raise Invalid("content-missing", place, "the content is not in the request")
    content = decode_base64(data)
    if content is None:
        raise Invalid("invalid-resource", place, "not a valid base64Binary")
    if not content:
        raise Invalid("content-missing", place, "the content is empty")
    if len(content) > contents.INLINE_LIMIT:
        detail = (
            f"inline content is limited to {contents.INLINE_LIMIT} bytes: leave data out, tell size and hash, upload"
        )
        raise TooLarge("too-large", place, detail)
    return content


def verify(attachment: Mapping[str, Any], content: bytes, place: str) -> None:
    """Refuse bytes that are not of the type, the size or the hash that the attachment gives, or that are hostile."""
    content_type = attachment["contentType"]
    check_type(content_type, place)
    if not contents.agrees(content_type, content):
        raise Invalid("content-mismatch", f"{place}.contentType", "the bytes are not of the declared content type")
    if attachment.get("size", len(content)) != len(content):
        raise Invalid("size-mismatch", f"{place}.size", "the size is not that of the content")
    if "hash" in attachment and decode_base64(attachment["hash"]) != _sha1(content):
        raise Invalid("hash-mismatch", f"{place}.hash", "the hash is not the base64 SHA-1 of the content")
    check_harmless(contents.detect(content), content, place)


def check_type(content_type: str, place: str) -> None:
    """Refuse what is no content type at all (it could not be answered), and one of which no document may be."""
    if not contents.is_media_type(content_type):
        raise Invalid("invalid-resource", f"{place}.contentType", "not a media type with parameters (RFC 9110)")
    if not contents.is_accepted(content_type):
        raise Invalid("unsupported-content", f"{place}.contentType", "this content type is not accepted")


def described(attachment: Mapping[str, Any], content: bytes) -> dict[str, Any]:
    """The attachment with the size and the hash of its bytes, without the bytes and without a place."""
    kept = {key: value for key, value in attachment.items() if key not in ("data", "url", "_data", "_url")}
    return {**kept, "size": len(content), "hash": b64encode(_sha1(content)).decode()}


def _sha1(content: bytes) -> bytes:
    return hashlib.sha1(content, usedforsecurity=False).digest()
