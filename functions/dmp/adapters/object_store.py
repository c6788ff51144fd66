"""The bytes of documents: SSE-KMS objects under opaque keys, checked by SHA-256 on the way in and out."""

import base64
import hashlib
from collections.abc import Callable
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from dmp.adapters.aws import unavailable_on_failure
from dmp.domain.document import StoredContent
from dmp.domain.errors import Unavailable

if TYPE_CHECKING:
    from mypy_boto3_s3.client import S3Client


class ObjectStore:
    """One bucket."""

    def __init__(self, client: "Callable[[], S3Client]", bucket: str, key_id: str) -> None:
        self._client = client
        self._bucket = bucket
        self._key_id = key_id

    def put(self, content: StoredContent, data: bytes) -> None:
        """Store bytes before anything names them; S3 checks the SHA-256, and never overwrites."""
        with unavailable_on_failure():
            try:
                self._put(content, data)
            except ClientError as failure:
                # A repetition by the SDK after a lost answer finds the bytes of the first attempt: keys are random.
                if failure.response.get("Error", {}).get("Code") != "PreconditionFailed":
                    raise

    def _put(self, content: StoredContent, data: bytes) -> None:
        self._client().put_object(
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

    def get(self, content: StoredContent) -> bytes:
        """Fetch bytes and compare them with what was deposited."""
        with unavailable_on_failure():
            data = self._client().get_object(Bucket=self._bucket, Key=content.key)["Body"].read()
        if len(data) != content.size or hashlib.sha256(data).hexdigest() != content.sha256:
            raise Unavailable("content-damaged")
        return data

    def discard(self, content: StoredContent) -> None:
        """Take back bytes that nothing will name."""
        with unavailable_on_failure():
            self._client().delete_object(Bucket=self._bucket, Key=content.key)
