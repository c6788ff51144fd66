"""The secret of the installation, and the keys derived from it: INS look-up, identifiers, cursors."""

import hashlib
import hmac
import json
from functools import cached_property
from typing import TYPE_CHECKING

from dmp.adapters.aws import unavailable_on_failure
from dmp.domain.clinical_document import unique_id_of
from dmp.domain.identifiers import Identifier

if TYPE_CHECKING:
    from collections.abc import Callable

    from mypy_boto3_secretsmanager.client import SecretsManagerClient


class Keyring:
    """Keys of one process; the secret is fetched at first use and never leaves memory."""

    def __init__(self, client: "Callable[[], SecretsManagerClient]", secret_id: str) -> None:
        self._client = client
        self._secret_id = secret_id

    @cached_property
    def _secret(self) -> bytes:
        with unavailable_on_failure():
            text = self._client().get_secret_value(SecretId=self._secret_id)["SecretString"]
        return str(json.loads(text)["key"]).encode()

    def derive(self, purpose: str) -> bytes:
        """Derive the 32-byte key of a purpose."""
        return hmac.digest(self._secret, purpose.encode(), hashlib.sha256)

    def web_hook_secret(self, subscription: str) -> str:
        """The text under which the hooks of one Subscription are signed: 64 hexadecimal characters, kept nowhere."""
        return self.derive(f"web-hook:{subscription}").hex()

    def ins_digest(self, ins: Identifier) -> str:
        """Name an INS so that only this installation can: 64 hexadecimal characters."""
        return hmac.new(self.derive("ins"), str(ins).encode(), hashlib.sha256).hexdigest()

    def identifier_digest(self, identifier: Identifier) -> str:
        """Name any other identifier likewise: 32 hexadecimal characters."""
        return hmac.new(self.derive("identifier"), str(identifier).encode(), hashlib.sha256).hexdigest()[:32]

    def unique_id_digest(self, identifier: Identifier) -> str:
        """Name a unique id likewise, the same in all the ways of writing it."""
        return self.identifier_digest(Identifier("", unique_id_of(identifier)))

    def person(self, ins: Identifier) -> str:
        """A stable pseudonym of a person for traces of records that are not theirs."""
        return hmac.new(self.derive("person"), str(ins).encode(), hashlib.sha256).hexdigest()[:32]

    def sealed_record(self, record: str) -> str:
        """The name of a record in the seals of the trace, which tells nobody whose it is."""
        return hmac.new(self.derive("seal"), record.encode(), hashlib.sha256).hexdigest()[:32]
