"""AWS within the process: moto, mended, with the storage of template.yaml made as the local stack makes it."""

import os
import secrets
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

TEMPLATE = Path(__file__).parents[1] / "template.yaml"
NOWHERE = {
    "AWS_ACCESS_KEY_ID": "testing",
    "AWS_SECRET_ACCESS_KEY": "testing",  # pragma: allowlist secret
    "AWS_SESSION_TOKEN": "testing",
    "AWS_DEFAULT_REGION": "eu-west-3",
    "AWS_ACCOUNT_ID_ENDPOINT_MODE": "disabled",
    "AWS_EC2_METADATA_DISABLED": "true",
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
}


@contextmanager
def aws_in_process(**parameters: str) -> Iterator[dict[str, str]]:
    """Start moto, make the storage by these parameters of the template, and set the environment of the functions."""
    from moto import mock_aws

    from infra.local import moto_repairs, resources

    with patch.dict(os.environ, NOWHERE), mock_aws():
        moto_repairs.apply()
        environment = resources.create(TEMPLATE, parameters)
        with patch.dict(os.environ, environment):
            forget_handlers()
            yield environment
            forget_handlers()


@contextmanager
def account_apart() -> Iterator[None]:
    """An empty account of moto's: beside the stack of the session, a further moto would go on with what is there."""
    import boto3
    from moto import mock_aws

    with patch.dict(os.environ, NOWHERE), mock_aws():
        role = f"arn:aws:iam::{secrets.randbelow(10**12):012}:role/apart"
        keys = boto3.client("sts").assume_role(RoleArn=role, RoleSessionName="apart")["Credentials"]
        own = {
            "AWS_ACCESS_KEY_ID": keys["AccessKeyId"],
            "AWS_SECRET_ACCESS_KEY": keys["SecretAccessKey"],
            "AWS_SESSION_TOKEN": keys["SessionToken"],
        }
        with patch.dict(os.environ, own), patch.object(boto3, "DEFAULT_SESSION", None):
            yield


def forget_handlers() -> None:
    """Let handlers and clients be made anew, with the environment as it is now: both live as long as a process."""
    from dmp.adapters import aws

    for made in (aws.client, aws.signer):
        cached: Any = made
        cached.cache_clear()
    for name in [name for name in sys.modules if name == "handlers" or name.startswith("handlers.")]:
        del sys.modules[name]
