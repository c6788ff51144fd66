"""Addresses under which software moves large content to and from the bucket, past every function (Signature V4)."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal
from urllib.parse import quote, urlencode

from botocore.auth import S3SigV4QueryAuth
from botocore.awsrequest import AWSRequest

from dmp.adapters.aws import Signer, unavailable_on_failure
from dmp.domain.document import StoredContent

UPLOAD_SECONDS = 900
DOWNLOAD_SECONDS = 60


@dataclass(frozen=True, slots=True)
class PresignedPut:
    """Where to PUT a content until `expires`, and the headers without which it is refused."""

    url: str
    headers: tuple[tuple[str, str], ...]
    expires: datetime


class Presigner:
    """Signs for one bucket without an S3 client, whose model takes long to load; `endpoint` replaces AWS's own."""

    def __init__(self, signer: Callable[[], Signer], bucket: str, key_id: str, endpoint: str = "") -> None:
        self._signer = signer
        self._bucket = bucket
        self._key_id = key_id
        self._endpoint = endpoint.rstrip("/")

    def upload(self, content: StoredContent, now: datetime, *, seconds: int = UPLOAD_SECONDS) -> PresignedPut:
        """A PUT of exactly this length, type and SHA-1, encrypted with the key of documents."""
        headers = {
            "Content-Length": str(content.size),
            "Content-Type": content.content_type,
            "x-amz-checksum-sha1": content.sha1,
            "x-amz-server-side-encryption": "aws:kms",
            "x-amz-server-side-encryption-aws-kms-key-id": self._key_id,
        }
        url = self._signed("PUT", content.key, {}, headers, seconds)
        return PresignedPut(url, tuple(headers.items()), now + timedelta(seconds=seconds))

    def download(
        self,
        content: StoredContent,
        *,
        method: Literal["GET", "HEAD"],
        disposition: str,
        seconds: int = DOWNLOAD_SECONDS,
    ) -> str:
        """A GET or HEAD that answers the content as what it is, under the name that `disposition` gives."""
        query = {"versionId": content.version} if content.version else {}
        query |= {
            "response-cache-control": "no-store",
            "response-content-disposition": disposition,
            "response-content-type": content.content_type,
        }
        return self._signed(method, content.key, query, {}, seconds)

    def _signed(self, method: str, key: str, query: dict[str, str], headers: dict[str, str], seconds: int) -> str:
        with unavailable_on_failure():
            signer = self._signer()
            address = f"{self._place(signer.region)}/{quote(key)}"
            request = AWSRequest(method, f"{address}?{urlencode(query)}" if query else address, headers)
            S3SigV4QueryAuth(signer.credentials(), "s3", signer.region, expires=seconds).add_auth(request)
        return str(request.url)

    def _place(self, region: str) -> str:
        if self._endpoint:
            return f"{self._endpoint}/{self._bucket}"
        return f"https://{self._bucket}.s3.{region}.amazonaws.com"
