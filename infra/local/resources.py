"""Makes the storage of template.yaml in moto, through moto's CloudFormation: no table is described twice."""

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any
from unittest.mock import patch
from uuid import uuid4

import boto3

from infra.local.event_sources import BucketNotification, Expression
from infra.local.protections import protect
from infra.local.template import Template

STACK = "dmp-local"
REGION = "eu-west-3"
ACCOUNT = "123456789012"
MAIL_SENDER = "ne-pas-repondre@dmp.example"
MAILBOXES = "messagerie.example"
"""Where professionals have a mailbox by national number."""
PARAMETERS = {
    "Stage": "local",
    "PortalUrl": "http://127.0.0.1:8000/portal",
    "MailSender": MAIL_SENDER,
    "ProfessionalMailDomain": MAILBOXES,
}


@contextmanager
def no_real_aws(endpoint: str) -> Iterator[None]:
    """Hide every AWS setting of the machine, so that nothing but the given endpoint can be reached."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")} | {
        "AWS_ACCESS_KEY_ID": "local",
        "AWS_SECRET_ACCESS_KEY": "local",  # nosec B105 # pragma: allowlist secret
        "AWS_ACCOUNT_ID_ENDPOINT_MODE": "disabled",
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_REGION": REGION,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    }
    with patch.dict(os.environ, environment, clear=True):
        yield


def create(template: Path | Template, parameters: Mapping[str, str] | None = None) -> dict[str, str]:
    """Make tables, bucket, keys, queue and secret; return the environment of the functions.

    A variable that rests on a parameter neither given nor defaulted is left out.
    """
    template = template if isinstance(template, Template) else Template(template)
    values = template.parameters(PARAMETERS | dict(parameters or {}))
    environment = template.environment(values)
    resolved = deploy(template, values, list(environment.values()))
    return dict(zip(environment, resolved, strict=True))


def deploy(template: Template, parameters: Mapping[str, str], expressions: Sequence[Expression]) -> list[str]:
    """Make the storage and return what each expression of the template comes to."""
    secrets = {name: _create_secret(how) for name, how in template.secrets.items()}
    outputs = {f"Value{number}": _with_secrets(each, secrets) for number, each in enumerate(expressions)}
    notifications = {f"Queue{number}": each for number, each in enumerate(template.bucket_notifications)}
    queues = {name: each.queue for name, each in notifications.items()}
    cloudformation: Any = boto3.client("cloudformation")
    name = f"{STACK}-{uuid4().hex[:8]}"
    cloudformation.create_stack(
        StackName=name,
        TemplateBody=json.dumps(template.storage(parameters, outputs | queues)),
        Parameters=[{"ParameterKey": name, "ParameterValue": value} for name, value in parameters.items()],
    )
    stack = cloudformation.describe_stacks(StackName=name)["Stacks"][0]
    values = {each["OutputKey"]: each["OutputValue"] for each in stack["Outputs"]}
    protect(template, parameters, partial(_physical, name))
    for bucket in dict.fromkeys(each.bucket for each in notifications.values()):
        told = [(each, values[output]) for output, each in notifications.items() if each.bucket == bucket]
        _notify(_physical(name, bucket), told)
    boto3.client("sesv2").create_email_identity(EmailIdentity=parameters["MailSender"])
    return [str(values[name]) for name in outputs]


def _physical(stack: str, logical: str) -> str:
    cloudformation: Any = boto3.client("cloudformation")
    made = cloudformation.describe_stack_resource(StackName=stack, LogicalResourceId=logical)["StackResourceDetail"]
    return str(made["PhysicalResourceId"])


def _notify(bucket: str, notifications: Sequence[tuple[BucketNotification, str]]) -> None:
    """Have a bucket tell queues; all of it at once, for each such order replaces the one before."""
    storage: Any = boto3.client("s3")
    told = [_told(notification, queue) for notification, queue in notifications]
    storage.put_bucket_notification_configuration(
        Bucket=bucket, NotificationConfiguration={"QueueConfigurations": told}
    )


def _told(notification: BucketNotification, queue: str) -> dict[str, Any]:
    prefix = {"Name": "prefix", "Value": notification.prefix}
    return {"QueueArn": queue, "Events": [notification.event], "Filter": {"Key": {"FilterRules": [prefix]}}}


def _create_secret(how: Mapping[str, Any]) -> str:
    secrets = boto3.client("secretsmanager")
    password = secrets.get_random_password(
        PasswordLength=how["PasswordLength"], ExcludePunctuation=how["ExcludePunctuation"]
    )["RandomPassword"]
    content = json.loads(how["SecretStringTemplate"]) | {how["GenerateStringKey"]: password}
    return secrets.create_secret(Name=f"{STACK}-{uuid4()}", SecretString=json.dumps(content))["ARN"]


def _with_secrets(expression: Expression, secrets: Mapping[str, str]) -> Expression:
    match expression:
        case {"Ref": str(name)} if name in secrets:
            return secrets[name]
    return expression
