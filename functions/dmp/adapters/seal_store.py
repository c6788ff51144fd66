"""The seals of the trace: signed by KMS, kept where S3 lets nobody delete or overwrite them (Object Lock)."""

import base64
import json
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from dmp.adapters import keys
from dmp.adapters.aws import unavailable_on_failure
from dmp.domain.seal import Head, Seal

if TYPE_CHECKING:
    from mypy_boto3_kms.client import KMSClient
    from mypy_boto3_s3.client import S3Client

_TAKEN = "PreconditionFailed"


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
        content = {
            "text": seal.text,
            "signature": seal.signature,
            "until": keys.instant(seal.until),
            "leaves": [[one.name, one.number, one.head] for one in leaves],
        }
        body = json.dumps(content, separators=(",", ":")).encode()
        with unavailable_on_failure():
            try:
                self._client().put_object(
                    Bucket=self._bucket,
                    Key=_key(seal.number),
                    Body=body,
                    ContentType="application/json",
                    ChecksumAlgorithm="SHA256",
                    IfNoneMatch="*",
                )
            except ClientError as failure:
                if failure.response.get("Error", {}).get("Code") != _TAKEN:
                    raise
                return self._kept(seal.number)
        return seal

    def leaves(self, number: int) -> list[Head]:
        """The heads under the root of a seal, in their order."""
        return [Head(*one) for one in self._content(number)["leaves"]]

    def _kept(self, number: int) -> Seal:
        content = self._content(number)
        until = datetime.fromisoformat(content["until"])
        return Seal(number=number, until=until, text=content["text"], signature=content["signature"])

    def _content(self, number: int) -> dict[str, Any]:
        with unavailable_on_failure():
            body = self._client().get_object(Bucket=self._bucket, Key=_key(number))["Body"].read()
        return dict(json.loads(body))


def _key(number: int) -> str:
    return f"seals/{number:012d}.json"
