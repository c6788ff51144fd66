"""The bytes of documents: SSE-KMS objects under opaque keys, checked by SHA-256 on the way in and out.

What comes by upload may come several times under one key: of these a version is named, always.
"""

import base64
import hashlib
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from dmp.adapters.aws import unavailable_on_failure
from dmp.domain.document import StoredContent
from dmp.domain.errors import Invalid, Unavailable

if TYPE_CHECKING:
    from mypy_boto3_s3.client import S3Client
    from mypy_boto3_s3.type_defs import GetObjectOutputTypeDef

_PIECE = 1024 * 1024
_MISSING = frozenset({"404", "NoSuchKey", "NoSuchVersion"})


class ObjectStore:
    """One bucket; `replica` is its copy in another region, where there is one."""

    def __init__(self, client: "Callable[[], S3Client]", bucket: str, key_id: str, replica: str = "") -> None:
        self._client = client
        self._bucket = bucket
        self._key_id = key_id
        self._replica = replica

    def put(self, content: StoredContent, data: bytes) -> str:
        """Store bytes before anything names them; S3 checks the SHA-256, and never overwrites.

        Returns their version; it is empty where only a repetition was answered.
        """
        with unavailable_on_failure():
            try:
                return self._put(content, data)
            except ClientError as failure:
                # A repetition by the SDK after a lost answer finds the bytes of the first attempt: keys are random.
                if failure.response.get("Error", {}).get("Code") != "PreconditionFailed":
                    raise
                return ""

    def _put(self, content: StoredContent, data: bytes) -> str:
        stored = self._client().put_object(
            Bucket=self._bucket,
            Key=content.key,
            Body=data,
            ContentType=content.content_type,
            ChecksumSHA256=base64.b64encode(bytes.fromhex(content.sha256)).decode(),
            ServerSideEncryption="aws:kms",
            SSEKMSKeyId=self._key_id,
            BucketKeyEnabled=True,
            IfNoneMatch="*",
        )
        return stored["VersionId"]

    def get(self, content: StoredContent) -> bytes:
        """Fetch bytes and compare them with what was deposited."""
        with unavailable_on_failure():
            data = self._object(content.key, content.version)["Body"].read()
        if len(data) != content.size or hashlib.sha256(data).hexdigest() != content.sha256:
            raise Unavailable("content-damaged")
        return data

    def chunks(self, content: StoredContent) -> Iterator[bytes]:
        """Fetch bytes piece by piece, for what is too large to be held.

        Raises Unavailable `content-damaged` before the first where there are none, behind the last where they are not
        what was deposited.
        """
        digest, size = hashlib.sha256(), 0
        try:
            with unavailable_on_failure():
                for chunk in self._object(content.key, content.version)["Body"].iter_chunks(_PIECE):
                    digest.update(chunk)
                    size += len(chunk)
                    yield chunk
        except Unavailable as failure:
            if _is_missing(failure):
                raise Unavailable("content-damaged") from failure
            raise
        if size != content.size or digest.hexdigest() != content.sha256:
            raise Unavailable("content-damaged")

    def arrived(self, key: str, version: str, size: int) -> bytes | None:
        """Fetch the bytes that somebody else stored; None where they are there no more.

        Raises Invalid `size-mismatch` before it reads any of another number of bytes than `size`, and
        `encryption-missing` where they are not under the key of documents.
        """
        try:
            with unavailable_on_failure():
                found = self._object(key, version)
                if found["ContentLength"] == size and self._is_under_own_key(found):
                    return b"".join(found["Body"].iter_chunks(_PIECE))
                found["Body"].close()
        except Unavailable as failure:
            if _is_missing(failure):
                return None
            raise
        raise Invalid("size-mismatch" if found["ContentLength"] != size else "encryption-missing")

    def holds(self, key: str) -> bool:
        """Whether an object is there, and was not taken back."""
        return self.newest(key) is not None

    def newest(self, key: str) -> tuple[str, datetime] | None:
        """The newest version of an object, and since when it is there; None where it is not, or was taken back."""
        try:
            with unavailable_on_failure():
                found = self._client().head_object(Bucket=self._bucket, Key=key)
        except Unavailable as failure:
            if _is_missing(failure):
                return None
            raise
        return found["VersionId"], found["LastModified"]

    def versions(self, key: str) -> list[str]:
        """The versions of an object, newest first, up to 1,000: presigned addresses are few and short-lived."""
        with unavailable_on_failure():
            page = self._client().list_object_versions(Bucket=self._bucket, Prefix=key)
        return [one["VersionId"] for one in page.get("Versions", []) if one["Key"] == key]

    def remove(self, key: str, version: str) -> None:
        """Delete a version for good; one that is there no more is no failure.

        S3 replicates no such deletion: the copy goes first, for nobody would look for it once the original is gone.
        """
        with unavailable_on_failure():
            for bucket in filter(None, (self._replica, self._bucket)):
                self._client().delete_object(Bucket=bucket, Key=key, VersionId=version)

    def _object(self, key: str, version: str) -> "GetObjectOutputTypeDef":
        if version:
            return self._client().get_object(Bucket=self._bucket, Key=key, VersionId=version)
        return self._client().get_object(Bucket=self._bucket, Key=key)

    def _is_under_own_key(self, found: "GetObjectOutputTypeDef") -> bool:
        """S3 answers the ARN of the key, whatever names it."""
        used = found.get("SSEKMSKeyId", "")
        return found.get("ServerSideEncryption") == "aws:kms" and used.endswith(self._key_id.rpartition("/")[2])

    def discard(self, content: StoredContent) -> None:
        """Take back bytes that nothing will name, whatever their version: the bucket deletes them some days later."""
        with unavailable_on_failure():
            self._client().delete_object(Bucket=self._bucket, Key=content.key)


def _is_missing(failure: Unavailable) -> bool:
    """Whether what AWS said is that there is no such object."""
    cause = failure.__cause__
    return isinstance(cause, ClientError) and cause.response.get("Error", {}).get("Code") in _MISSING
