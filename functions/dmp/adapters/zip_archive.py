"""A ZIP written from front to back into the bucket, never held: each file with its SHA-256, these in the last one."""

import hashlib
import zipfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from itertools import chain
from typing import TYPE_CHECKING, Any

from dmp.adapters.archive_upload import ArchiveUpload
from dmp.adapters.aws import unavailable_on_failure
from dmp.domain.civil_time import PARIS
from dmp.domain.document import StoredContent
from dmp.domain.errors import Unavailable
from dmp.domain.export import SUMS, ZIP

if TYPE_CHECKING:
    from mypy_boto3_s3.client import S3Client

_SMALL = (".pdf", ".jpeg", ".png", ".dcm")
"""What is compressed already."""


class ZipArchive:
    """Writes into a file that cannot be sought; `now` is the date of all that is in it."""

    def __init__(self, upload: ArchiveUpload, now: datetime) -> None:
        self._upload = upload
        target: Any = upload
        self._zip = zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=1)
        local = now.astimezone(PARIS)
        self._date = (local.year, local.month, local.day, local.hour, local.minute, local.second)
        self._sums: list[str] = []

    def add(self, name: str, chunks: Iterable[bytes]) -> int:
        """Write a file, and return its size in bytes; nothing where not even its first bytes can be had."""
        pieces = iter(chunks)
        first = next(pieces, b"")
        digest, size = hashlib.sha256(), 0
        info = zipfile.ZipInfo(name, self._date)
        info.compress_type = zipfile.ZIP_STORED if name.endswith(_SMALL) else zipfile.ZIP_DEFLATED
        try:
            with self._zip.open(info, "w") as file:
                for chunk in chain([first], pieces):
                    file.write(chunk)
                    digest.update(chunk)
                    size += len(chunk)
        finally:
            self._sums.append(f"{digest.hexdigest()}  {name}\n")
        return size

    def finish(self) -> StoredContent:
        """Write the sums and the directory, and make the object."""
        self._zip.writestr(zipfile.ZipInfo(SUMS, self._date), "".join(self._sums))
        self._zip.close()
        return self._upload.finish(ZIP)


class ZipArchives:
    """Archives of one bucket, under one key of KMS."""

    def __init__(self, client: "Callable[[], S3Client]", bucket: str, key_id: str) -> None:
        self._client = client
        self._bucket = bucket
        self._key_id = key_id

    @contextmanager
    def begun(self, key: str, now: datetime) -> Iterator[ZipArchive]:
        """An archive under a key; where something fails before it is finished, nothing is left of it."""
        with unavailable_on_failure():
            begun = self._client().create_multipart_upload(
                Bucket=self._bucket,
                Key=key,
                ContentType=ZIP,
                ServerSideEncryption="aws:kms",
                SSEKMSKeyId=self._key_id,
                BucketKeyEnabled=True,
            )
        upload = ArchiveUpload(self._client(), self._bucket, key, begun["UploadId"])
        try:
            yield ZipArchive(upload, now)
        except Exception:
            with suppress(Unavailable):
                upload.abort()
            raise
