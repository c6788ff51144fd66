"""Mails through SES, with an answer to the one question that matters afterwards: did it leave?"""

from collections.abc import Callable
from typing import TYPE_CHECKING

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectTimeoutError,
    CredentialRetrievalError,
    EndpointConnectionError,
    NoCredentialsError,
    ParamValidationError,
    ProxyConnectionError,
)

from dmp.domain.errors import Invalid, Unavailable
from dmp.domain.mail import Mail, MailInDoubt

if TYPE_CHECKING:
    from mypy_boto3_sesv2.client import SESV2Client
    from mypy_boto3_sesv2.type_defs import ContentTypeDef

_NOT_TAKEN = frozenset({"Throttling", "ThrottlingException", "ServiceUnavailable", "ServiceUnavailableException"})
"""SES's own words, whatever status they come with, for a request it turned away before it took the mail."""
_NEVER_ASKED = (
    ConnectTimeoutError,
    CredentialRetrievalError,
    EndpointConnectionError,
    NoCredentialsError,
    ParamValidationError,
    ProxyConnectionError,
)
"""Failures before a request went over a connection."""


class Mailer:
    """Sends from one address; its client makes one attempt and no more."""

    def __init__(self, client: "Callable[[], SESV2Client]", sender: str) -> None:
        self._client = client
        self._sender = sender

    def send(self, address: str, mail: Mail) -> None:
        """Hand a mail over.

        Raises Invalid where no mail can ever reach the address, Unavailable where it surely did not leave and may
        later, MailInDoubt where nobody can tell.
        """
        try:
            self._client().send_email(
                FromEmailAddress=self._sender,
                Destination={"ToAddresses": [address]},
                Content={"Simple": {"Subject": _utf8(mail.subject), "Body": {"Text": _utf8(mail.text)}}},
            )
        except ClientError as failure:
            raise _verdict(failure) from failure
        except _NEVER_ASKED as failure:
            raise Unavailable("service-unavailable") from failure
        except BotoCoreError as failure:
            raise MailInDoubt from failure


def _verdict(failure: ClientError) -> Exception:
    """What an error of SES says of the mail; a server that broke, or a gateway before it, may have passed it on."""
    code = failure.response.get("Error", {}).get("Code", "")
    status = failure.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 500)
    if code == "BadRequestException":
        return Invalid("mail-undeliverable")
    return MailInDoubt() if status >= 500 and code not in _NOT_TAKEN else Unavailable("service-unavailable")


def _utf8(text: str) -> "ContentTypeDef":
    return {"Data": text, "Charset": "UTF-8"}
