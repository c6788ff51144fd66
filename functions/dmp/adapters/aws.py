"""The one factory of boto3 clients, and the translation of their failures."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, Literal, overload

import boto3
import botocore.session
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError

from dmp.domain.errors import Unavailable

if TYPE_CHECKING:
    from botocore.credentials import Credentials, ReadOnlyCredentials
    from mypy_boto3_dynamodb.client import DynamoDBClient
    from mypy_boto3_kms.client import KMSClient
    from mypy_boto3_s3.client import S3Client
    from mypy_boto3_secretsmanager.client import SecretsManagerClient
    from mypy_boto3_sesv2.client import SESV2Client
    from mypy_boto3_sqs.client import SQSClient

_CONFIG = Config(
    connect_timeout=2,
    read_timeout=5,
    retries={"mode": "standard", "total_max_attempts": 3},
    max_pool_connections=32,
    request_checksum_calculation="when_required",
    response_checksum_validation="when_required",
)
_ONCE = Config(retries={"mode": "standard", "total_max_attempts": 1})
"""For what must not happen twice: after an answer that never came, nobody knows whether it did."""
_CONFIGS = {"sesv2": _CONFIG.merge(_ONCE)}


@overload
def client(service: Literal["dynamodb"]) -> "DynamoDBClient": ...
@overload
def client(service: Literal["kms"]) -> "KMSClient": ...
@overload
def client(service: Literal["s3"]) -> "S3Client": ...
@overload
def client(service: Literal["secretsmanager"]) -> "SecretsManagerClient": ...
@overload
def client(service: Literal["sesv2"]) -> "SESV2Client": ...
@overload
def client(service: Literal["sqs"]) -> "SQSClient": ...
@overload
def client(service: Literal["dynamodbstreams"]) -> Any: ...
@cache
def client(service: str) -> object:
    """Make the client of a service once a process, at first use; connection 2 s, answer 5 s.

    Three attempts, but for mails one.
    """
    return boto3.Session().client(service, config=_CONFIGS.get(service, _CONFIG))  # type: ignore[call-overload]


@dataclass(frozen=True, slots=True)
class Signer:
    """The role that the function has, in its region: what signs a request that another sends."""

    region: str
    _credentials: "Credentials"

    def credentials(self) -> "ReadOnlyCredentials":
        """The keys of this moment: AWS changes them under a running function."""
        return self._credentials.get_frozen_credentials()


@cache
def signer() -> Signer:
    """Find the credentials once a process, at first use, without a client; NoCredentialsError where there are none."""
    session = botocore.session.get_session()
    credentials = session.get_credentials()
    if credentials is None:
        raise NoCredentialsError
    return Signer(session.get_config_variable("region"), credentials)


@contextmanager
def unavailable_on_failure() -> Iterator[None]:
    """Turn every failure of AWS into `Unavailable`: the caller may try again, and learns nothing of the inside."""
    try:
        yield
    except (ClientError, BotoCoreError) as failure:
        raise Unavailable("service-unavailable") from failure
