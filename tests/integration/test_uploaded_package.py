"""What `sam deploy` takes from a build, and uploads."""

import logging
import os
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import boto3
import yaml
from moto.server import ThreadedMotoServer

from tests.aws_stack import NOWHERE
from tests.packages import DEPLOYED, ROOT

if TYPE_CHECKING:
    from mypy_boto3_s3.client import S3Client


def test_every_function_has_the_one_package_for_the_one_processor(deployed: Path) -> None:
    local, remote = (
        yaml.load((deployed / name).read_bytes(), yaml.CSafeLoader) for name in ("template.yaml", "deploy.yaml")
    )
    functions = [
        [each["Properties"] for each in template["Resources"].values() if each["Type"] == "AWS::Serverless::Function"]
        for template in (local, remote)
    ]

    assert {own["CodeUri"] for own in functions[0]} == {"functions"}
    assert {own["CodeUri"] for own in functions[1]} == {"functions.zip"}
    assert local["Parameters"]["Architecture"]["AllowedValues"] == [DEPLOYED]


def test_two_deployments_upload_one_package_and_the_nested_templates_once(deployed: Path, tmp_path: Path) -> None:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    logging.getLogger("werkzeug").setLevel(logging.WARNING)
    environment = NOWHERE | {"AWS_ENDPOINT_URL": f"http://127.0.0.1:{server.get_host_and_port()[1]}"}
    s3 = boto3.client("s3", "eu-west-3", endpoint_url=environment["AWS_ENDPOINT_URL"], aws_access_key_id="testing",
                      aws_secret_access_key="testing")  # fmt: skip  # pragma: allowlist secret
    s3.create_bucket(Bucket="packages", CreateBucketConfiguration={"LocationConstraint": "eu-west-3"})

    uploaded = [_uploaded(s3, deployed, tmp_path / f"{number}.yaml", environment) for number in (1, 2)]
    server.stop()

    nested = list(deployed.glob("*/template.yaml"))
    assert uploaded[0] == uploaded[1]
    assert len([key for key, _ in uploaded[0] if key.endswith(".template")]) == len(nested) > 0
    assert len([key for key, _ in uploaded[0] if not key.endswith(".template")]) == 1
    assert (tmp_path / "1.yaml").read_bytes() == (tmp_path / "2.yaml").read_bytes()


def _uploaded(s3: "S3Client", build: Path, output: Path, environment: dict[str, str]) -> list[tuple[str, str]]:
    options = ["--template-file", str(build / "deploy.yaml"), "--s3-bucket", "packages"]
    done = subprocess.run(
        [ROOT / ".sam/bin/sam", "package", *options, "--output-template-file", output],
        env=dict(os.environ) | environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return [(one["Key"], one["LastModified"].isoformat()) for one in s3.list_objects_v2(Bucket="packages")["Contents"]]
