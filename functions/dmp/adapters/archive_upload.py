"""Bytes on their way into one object of the bucket while they are made: a multipart upload, 8 MiB held at a time."""

import hashlib
from typing import TYPE_CHECKING

from dmp.adapters.aws import unavailable_on_failure
from dmp.domain.document import StoredContent

if TYPE_CHECKING:
    from mypy_boto3_s3.client import S3Client
    from mypy_boto3_s3.type_defs import CompletedPartTypeDef

PART = 8 * 1024 * 1024
"""Bytes of each part but the last: S3 takes ten thousand."""


class ArchiveUpload:
    """A file that is written to its end, once."""

    def __init__(self, client: "S3Client", bucket: str, key: str, upload: str) -> None:
        self._client = client
        self._bucket = bucket
        self._key = key
        self._upload = upload
        self._parts: list[CompletedPartTypeDef] = []
        self._held = bytearray()
        self._digest = hashlib.sha256()
        self._size = 0

    def write(self, data: bytes) -> int:
        """Take bytes; Unavailable where S3 does not take the part that they complete."""
        self._held += data
        self._digest.update(data)
        self._size += len(data)
        while len(self._held) >= PART:
            self._send(bytes(self._held[:PART]))
            del self._held[:PART]
        return len(data)

    def flush(self) -> None:
        """Do nothing: parts go when they are whole."""

    def finish(self, content_type: str) -> StoredContent:
        """Make the object of what was written."""
        self._send(bytes(self._held))
        with unavailable_on_failure():
            made = self._client.complete_multipart_upload(
                Bucket=self._bucket, Key=self._key, UploadId=self._upload, MultipartUpload={"Parts": self._parts}
            )
        return StoredContent(
            key=self._key,
            content_type=content_type,
            size=self._size,
            sha1="",
            sha256=self._digest.hexdigest(),
            version=made.get("VersionId", ""),
        )

    def abort(self) -> None:
        """Leave nothing of it; what cannot be taken back now, the bucket deletes within a day."""
        with unavailable_on_failure():
            self._client.abort_multipart_upload(Bucket=self._bucket, Key=self._key, UploadId=self._upload)

    def _send(self, part: bytes) -> None:
        number = len(self._parts) + 1
        with unavailable_on_failure():
            sent = self._client.upload_part(
                Bucket=self._bucket, Key=self._key, UploadId=self._upload, PartNumber=number, Body=part
            )
        self._parts.append({"ETag": sent["ETag"], "PartNumber": number})
