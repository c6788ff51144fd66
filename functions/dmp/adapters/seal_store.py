"""The seals of the trace: signed by KMS, kept where S3 lets nobody delete or overwrite them (Object Lock)."""

import base64
import json
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from dmp.adapters import keys
from dmp.adapters.aws import unavailable_on_failure
from dmp.domain.errors import Unavailable
from dmp.domain.seal import SHARD_CHARS, Head, Seal

if TYPE_CHECKING:
    from mypy_boto3_kms.client import KMSClient
    from mypy_boto3_s3.client import S3Client

_TAKEN = "PreconditionFailed"
_MISSING = frozenset({"404", "NoSuchKey"})


class SealStore:
    """One bucket of seals and their leaves, and the key that signs them."""

    def __init__(
        self, client: "Callable[[], S3Client]", kms: "Callable[[], KMSClient]", bucket: str, key_id: str
    ) -> None:
        self._client = client
        self._kms = kms
        self._bucket = bucket
        self._key_id = key_id

    def signed(self, text: str) -> str:
        """The signature of a text: ECDSA over P-256 with SHA-256, DER, in base64."""
        with unavailable_on_failure():
            answer = self._kms().sign(
                KeyId=self._key_id, Message=text.encode(), MessageType="RAW", SigningAlgorithm="ECDSA_SHA_256"
            )
        return base64.b64encode(answer["Signature"]).decode()

    def public_key(self) -> str:
        """The public key of the seals: DER, in base64."""
        with unavailable_on_failure():
            return base64.b64encode(self._kms().get_public_key(KeyId=self._key_id)["PublicKey"]).decode()

    def keep(self, seal: Seal, leaves: Sequence[Head]) -> Seal:
        """Store a seal with its leaves; where one of that number is there already, that one is the seal."""
        with unavailable_on_failure():
            try:
                self._client().put_object(**self._object(_key(seal.number), seal, leaves), IfNoneMatch="*")
            except ClientError as failure:
                if failure.response.get("Error", {}).get("Code") != _TAKEN:
                    raise
                return _seal(seal.number, self._content(_key(seal.number)))
        return seal

    def keep_whole(self, shard: str, seal: Seal, leaves: Sequence[Head]) -> None:
        """Store the seal over all the records of a shard, as a version above the former ones, which stay."""
        with unavailable_on_failure():
            self._client().put_object(**self._object(_whole_key(shard), seal, leaves))

    def whole(self, name: str) -> tuple[Seal, list[Head]] | None:
        """The last seal over all the records of the shard in which this one is, and its leaves; None before the first.

        `name` is that of a record, or of a shard.
        """
        try:
            content = self._content(_whole_key(name[:SHARD_CHARS]))
        except Unavailable as failure:
            if _is_missing(failure):
                return None
            raise
        return _seal(json.loads(content["text"])["number"], content), [Head(*one) for one in content["leaves"]]

    def _object(self, key: str, seal: Seal, leaves: Sequence[Head]) -> dict[str, Any]:
        content = {
            "text": seal.text,
            "signature": seal.signature,
            "until": keys.instant(seal.until),
            "leaves": [[one.name, one.number, one.head] for one in leaves],
        }
        body = json.dumps(content, separators=(",", ":")).encode()
        return {
            "Bucket": self._bucket,
            "Key": key,
            "Body": body,
            "ContentType": "application/json",
            "ChecksumAlgorithm": "SHA256",
        }

    def leaves(self, number: int) -> list[Head]:
        """The heads under the root of a seal, in their order."""
        return [Head(*one) for one in self._content(_key(number))["leaves"]]

    def stored(self, number: int) -> tuple[Seal, list[Head]]:
        """A seal as the bucket has it, and the heads under its root."""
        content = self._content(_key(number))
        return _seal(number, content), [Head(*one) for one in content["leaves"]]

    def _content(self, key: str) -> dict[str, Any]:
        with unavailable_on_failure():
            body = self._client().get_object(Bucket=self._bucket, Key=key)["Body"].read()
        return dict(json.loads(body))


def _seal(number: int, content: Mapping[str, Any]) -> Seal:
    until = datetime.fromisoformat(content["until"])
    return Seal(number=number, until=until, text=content["text"], signature=content["signature"])


def _is_missing(failure: Unavailable) -> bool:
    cause = failure.__cause__
    return isinstance(cause, ClientError) and cause.response.get("Error", {}).get("Code") in _MISSING


def _key(number: int) -> str:
    return f"seals/{number:012d}.json"


def _whole_key(shard: str) -> str:
    return f"whole/{shard}.json"
