"""Mails through SES."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from dmp.domain.errors import Invalid, Unavailable
from dmp.domain.mail import Mail

if TYPE_CHECKING:
    from mypy_boto3_sesv2.client import SESV2Client
    from mypy_boto3_sesv2.type_defs import ContentTypeDef


class Mailer:
    """Sends from one address."""

    def __init__(self, client: "Callable[[], SESV2Client]", sender: str) -> None:
        self._client = client
        self._sender = sender

    def send(self, address: str, mail: Mail) -> None:
        """Hand a mail over; Invalid where no mail can ever reach the address, Unavailable where it may later."""
        try:
            self._client().send_email(
                FromEmailAddress=self._sender,
                Destination={"ToAddresses": [address]},
                Content={"Simple": {"Subject": _utf8(mail.subject), "Body": {"Text": _utf8(mail.text)}}},
            )
        except ClientError as failure:
            if failure.response.get("Error", {}).get("Code") == "BadRequestException":
                raise Invalid("mail-undeliverable") from failure
            raise Unavailable("service-unavailable") from failure
        except BotoCoreError as failure:
            raise Unavailable("service-unavailable") from failure


def _utf8(text: str) -> "ContentTypeDef":
    return {"Data": text, "Charset": "UTF-8"}
