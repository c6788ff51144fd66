"""What the roles of template.yaml allow, and what the functions that tests run ask of them."""

import os
import re
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from fnmatch import fnmatch
from functools import cache
from typing import Any
from unittest.mock import patch

import botocore.client
from botocore.exceptions import ClientError

from dmp.adapters.keyring import Keyring
from infra.local.template import Template
from tests.api_client import Direct
from tests.aws_stack import TEMPLATE

RESOURCES = {
    "RECORDS_TABLE": "RecordsTable", "AUDIT_TABLE": "AuditTable", "DOCUMENTS_BUCKET": "DocumentsBucket",
    "HOOK_QUEUE": "HookQueue", "LOST_MESSAGES": "LostMessages", "LOST_CHANGES": "LostChanges",
    "LOST_ENTRIES": "LostEntries", "EXPORT_QUEUE": "ExportQueue", "EXTRACTION_QUEUE": "ExtractionQueue",
    "SEALS_BUCKET": "SealsBucket", "REPLICA_BUCKET": "ReplicaBucket", "SEAL_KEY": "SealKey",
}  # fmt: skip
OTHER_NAMES = {
    "ListObjectVersions": "ListBucketVersions", "DeleteObjects": "DeleteObjectVersion",
    "SendMessageBatch": "SendMessage", "HeadObject": "GetObject",
    "CreateMultipartUpload": "PutObject", "UploadPart": "PutObject", "CompleteMultipartUpload": "PutObject",
    "ListObjectsV2": "ListBucket",
}  # fmt: skip
NAMED_BY = {"dynamodb": "TableName", "kms": "KeyId", "s3": "Bucket", "sqs": "QueueUrl"}

type Json = dict[str, Any]


@dataclass(frozen=True)
class Permission:
    """An action on a resource of the template; for a table, by the leading key and the attributes of an update."""

    action: str
    resource: str
    key: str = ""
    attributes: frozenset[str] = frozenset()


_running: ContextVar[str] = ContextVar("running", default="")


@contextmanager
def watched() -> Iterator[set[tuple[str, Permission]]]:
    """Collect what functions ask of AWS and their roles do not allow; no function reads another's secret."""
    denied: set[tuple[str, Permission]] = set()
    client: Any = botocore.client.BaseClient
    call_aws, invoke, derive = client._make_api_call, Direct.invoke, Keyring.derive
    submit: Any = ThreadPoolExecutor.submit

    def ask(wanted: Permission) -> None:
        function = _running.get()
        if function and not is_allowed(function, wanted):
            denied.add((function, wanted))

    def call(self: Any, operation: str, request: Json) -> Any:
        names = {os.environ[variable]: name for variable, name in RESOURCES.items() if os.environ.get(variable)}
        for wanted in asked(self.meta.service_model.service_name, operation, request, names):
            ask(wanted)
        with told_as_allowed(operation, names.get(request.get("Bucket", ""), "")):
            return call_aws(self, operation, request)

    def run(self: Direct, name: str, event: Mapping[str, Any]) -> Any:
        before = _running.set(name)
        try:
            return invoke(self, name, event)
        finally:
            _running.reset(before)

    def read_secret(self: Keyring, purpose: str) -> bytes:
        ask(Permission("secretsmanager:GetSecretValue", "Secret"))
        return derive(self, purpose)

    def for_this_function(self: ThreadPoolExecutor, work: Any, *given: Any, **named: Any) -> Any:
        return submit(self, _by_this_function(work), *given, **named)

    with (
        patch.object(client, "_make_api_call", call),
        patch.object(Direct, "invoke", run),
        patch.object(Keyring, "derive", read_secret),
        patch.object(ThreadPoolExecutor, "submit", for_this_function),
    ):
        yield denied


def _by_this_function(work: Callable[..., Any]) -> Callable[..., Any]:
    """The work of a thread of its own, whose context is else as empty as on AWS: what is lost there is lost here."""
    function = _running.get()

    def do(*given: Any, **named: Any) -> Any:
        before = _running.set(function)
        try:
            return work(*given, **named)
        finally:
            _running.reset(before)

    return do


@contextmanager
def told_as_allowed(operation: str, bucket: str) -> Iterator[None]:
    """Say as S3 does that an object is not there: to functions that may not list the bucket, only that it is denied."""
    try:
        yield
    except ClientError as failure:
        function, code = _running.get(), failure.response.get("Error", {}).get("Code")
        is_missing = operation in ("GetObject", "HeadObject") and code in ("404", "NoSuchKey", "NoSuchVersion")
        if not function or not is_missing or is_allowed(function, Permission("s3:ListBucket", bucket)):
            raise
        raise ClientError({"Error": {"Code": "AccessDenied"}}, operation) from failure


def asked(service: str, operation: str, request: Json, names: Mapping[str, str]) -> Iterator[Permission]:
    """What a call needs; `names` are the resources by their physical names."""
    if operation == "TransactWriteItems":
        for write in request["TransactItems"]:
            for kind, item in write.items():
                yield from asked(service, f"{kind}Item", item, names)
    elif "RequestItems" in request:
        for table, wanted in request["RequestItems"].items():
            given = wanted["Keys"] if operation == "BatchGetItem" else [one["DeleteRequest"]["Key"] for one in wanted]
            for key in given:
                yield Permission(f"dynamodb:{operation}", names[table], key["pk"]["S"].partition("#")[0] + "#")
    else:
        physical = request.get(NAMED_BY.get(service, ""), "")
        resource = names.get(physical, "Secret" if service == "secretsmanager" else "")
        resource += f"/index/{request['IndexName']}" if "IndexName" in request else ""
        resource += _object(operation, request) if service == "s3" else ""
        key = request.get("Item") or request.get("Key") or {} if service == "dynamodb" else {}
        prefix = service.removesuffix("v2").removesuffix("streams")
        action = f"{prefix}:{OTHER_NAMES.get(operation, operation)}"
        action += "Version" if "VersionId" in request and action.startswith("s3:") else ""
        yield Permission(action, resource, key.get("pk", {}).get("S", "").partition("#")[0] + "#", _updated(request))


def _object(operation: str, request: Json) -> str:
    """The folder of the object that a call of S3 is about; nothing for a call about the bucket."""
    if operation.startswith("ListObject"):
        return ""
    several = request.get("Delete", {}).get("Objects", ())
    keys = [request["Key"]] if "Key" in request else [one["Key"] for one in several]
    folders = {f"/{key.partition('/')[0]}/*" if "/" in key else "/*" for key in keys}
    return folders.pop() if len(folders) == 1 else "/*"


def _updated(request: Json) -> frozenset[str]:
    if "UpdateExpression" not in request:
        return frozenset()
    text = f"{request['UpdateExpression']} {request.get('ConditionExpression', '')}"
    plain = set(re.findall(r"(?<![:#\w])[a-z]\w*\b(?!\()", text))
    return frozenset(plain | set(request.get("ExpressionAttributeNames", {}).values()) | {"pk", "sk"})


@cache
def is_allowed(function: str, wanted: Permission) -> bool:
    """Whether a statement of the function's role allows it; conditions on keys and attributes are looked at."""
    return any(
        statement["Effect"] == "Allow"
        and wanted.action in _listed(statement["Action"])
        and any(fnmatch(wanted.resource, name) for name in map(_name, _listed(statement["Resource"])))
        and _conditions_hold(statement.get("Condition", {}), wanted)
        for statement in _statements(function)
    )


@cache
def _statements(function: str) -> list[Json]:
    template = Template(TEMPLATE)
    roles, shared = dict(template.resources("AWS::IAM::Role")), dict(template.resources("AWS::IAM::ManagedPolicy"))
    role = roles[f"{function}Role"]
    held = [one["Fn::If"][1] if "Fn::If" in one else one for one in role.get("ManagedPolicyArns", [])]
    policies = [*role["Policies"], *(shared[one["Ref"]] for one in held)]
    return [statement for policy in policies for statement in policy["PolicyDocument"]["Statement"]]


def _conditions_hold(conditions: Json, wanted: Permission) -> bool:
    tests = {name: _listed(values) for test in conditions.values() for name, values in test.items()}
    keys, attributes = tests.get("dynamodb:LeadingKeys"), tests.get("dynamodb:Attributes")
    return (not keys or any(fnmatch(wanted.key, pattern) for pattern in keys)) and (
        not attributes or wanted.attributes <= set(attributes)
    )


def _name(resource: Any) -> str:
    """A resource as `Permission` names it; an identity of SES has no name."""
    match resource:
        case {"Fn::GetAtt": [name, "Arn"]} | {"Ref": name}:
            return str(name)
        case {"Fn::Sub": str(text)}:
            named = text.removeprefix("arn:${AWS::Partition}:s3:::")
            return re.sub(r"\$\{(\w+)(\.Arn)?\}", r"\1", named) if "identity" not in text else ""
    return ""


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
