"""What the bucket says of the objects of documents, without their bytes; and all its versions, page by page."""

import base64
import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from dmp.adapters.aws import unavailable_on_failure
from dmp.domain.document import StoredContent
from dmp.domain.errors import Unavailable
from dmp.domain.export import EXPORTS
from dmp.domain.inspection import Fault

if TYPE_CHECKING:
    from mypy_boto3_s3.client import S3Client

_MISSING = frozenset({"404", "NoSuchKey", "NoSuchVersion"})
_VERSIONS_A_PAGE = 500
_REFUSED = frozenset(
    {"400", "403", "AccessDenied", "InvalidObjectState", "InvalidRequest"}
    | {"KMS.DisabledException", "KMS.InvalidStateException", "KMS.KMSInvalidStateException", "KMS.NotFoundException"}
)
_PIECE = 1024 * 1024


@dataclass(frozen=True, slots=True)
class StoredVersion:
    """One version of an object, and since when it is there."""

    key: str
    version: str
    since: datetime


class ObjectInspection:
    """One bucket, whose objects are all under one key; `replica` is its copy, where there is one, without archives."""

    def __init__(self, client: "Callable[[], S3Client]", bucket: str, key_id: str, replica: str = "") -> None:
        self._client = client
        self._bucket = bucket
        self._key_id = key_id.rpartition("/")[2]
        self._replica = replica

    def fault_of(self, content: StoredContent, *, reads_bytes: bool) -> Fault | None:
        """What is wrong with the bytes of a document; their hash is that which S3 keeps, unless they are read.

        Raises Unavailable where S3 does not say.
        """
        try:
            with unavailable_on_failure():
                found = self._client().head_object(**self._named(content), ChecksumMode="ENABLED")
                if found["ContentLength"] != content.size or found["ContentType"] != content.content_type:
                    return Fault.OBJECT_DIFFERS
                if found.get("ServerSideEncryption") != "aws:kms" or not self._is_own(found.get("SSEKMSKeyId", "")):
                    return Fault.OBJECT_NOT_ENCRYPTED
                is_known = _kept_hash_agrees(content, found)
                agrees = self._bytes_agree(content) if reads_bytes or is_known is None else is_known
        except Unavailable as failure:
            if is_missing(failure):
                return Fault.OBJECT_MISSING
            if _is_refused(failure):
                return Fault.OBJECT_UNREADABLE
            raise
        return None if agrees else Fault.OBJECT_DIFFERS

    def content(self, content: StoredContent) -> bytes:
        """The bytes of a document, empty where they are not there; Unavailable where S3 does not say."""
        try:
            with unavailable_on_failure():
                return bytes(self._client().get_object(**self._named(content))["Body"].read())
        except Unavailable as failure:
            if is_missing(failure) or _is_refused(failure):
                return b""
            raise

    def versions(self, marker: dict[str, str] | None) -> tuple[list[StoredVersion], dict[str, str] | None]:
        """A page of all versions of all objects, and where to go on; delete markers are none."""
        with unavailable_on_failure():
            page = self._client().list_object_versions(Bucket=self._bucket, MaxKeys=_VERSIONS_A_PAGE, **(marker or {}))  # type: ignore[arg-type]
        found = [StoredVersion(one["Key"], one["VersionId"], one["LastModified"]) for one in page.get("Versions", [])]
        if not page.get("IsTruncated"):
            return found, None
        return found, {"KeyMarker": page["NextKeyMarker"], "VersionIdMarker": page["NextVersionIdMarker"]}

    @staticmethod
    def behind(one: StoredVersion) -> dict[str, str]:
        """Where to go on behind a version that is still there."""
        return {"KeyMarker": one.key, "VersionIdMarker": one.version}

    def remove(self, one: StoredVersion) -> None:
        """Delete a version for good, its copy first."""
        replica = "" if one.key.startswith(EXPORTS) else self._replica
        with unavailable_on_failure():
            for bucket in filter(None, (replica, self._bucket)):
                self._client().delete_object(Bucket=bucket, Key=one.key, VersionId=one.version)

    def _named(self, content: StoredContent) -> dict[str, Any]:
        version = {"VersionId": content.version} if content.version else {}
        return {"Bucket": self._bucket, "Key": content.key, **version}

    def _bytes_agree(self, content: StoredContent) -> bool:
        sha256, sha1, size = hashlib.sha256(), hashlib.sha1(usedforsecurity=False), 0
        for piece in self._client().get_object(**self._named(content))["Body"].iter_chunks(_PIECE):
            sha256.update(piece)
            sha1.update(piece)
            size += len(piece)
        told = (content.size, content.sha256, content.sha1)
        return told == (size, sha256.hexdigest(), base64.b64encode(sha1.digest()).decode())

    def _is_own(self, used: str) -> bool:
        return used.endswith(self._key_id)


def _kept_hash_agrees(content: StoredContent, found: Any) -> bool | None:
    """Whether the hashes that S3 keeps are those of the document; None where it keeps none."""
    sha256, sha1 = found.get("ChecksumSHA256"), found.get("ChecksumSHA1")
    if not sha256 and not sha1:
        return None
    return (not sha256 or base64.b64decode(sha256).hex() == content.sha256) and sha1 in (None, "", content.sha1)


def is_missing(failure: Unavailable) -> bool:
    """Whether S3 says that an object is not there."""
    return _code_of(failure) in _MISSING


def _is_refused(failure: Unavailable) -> bool:
    """Whether S3 refuses this one object: under another key, or under one that is disabled."""
    return _code_of(failure) in _REFUSED


def _code_of(failure: Unavailable) -> str:
    cause = failure.__cause__
    return str(cause.response.get("Error", {}).get("Code", "")) if isinstance(cause, ClientError) else ""
