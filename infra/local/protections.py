"""Puts on tables and buckets what moto's CloudFormation overlooks: versions, life cycles, locks, recovery."""

from collections.abc import Callable, Mapping
from typing import Any

import boto3

from infra.local.template import Template

_ENABLED = {"Status": "Enabled"}

type Json = Mapping[str, Any]
type Given = Callable[[Any], Any]


def protect(template: Template, parameters: Mapping[str, str], physical: Callable[[str], str]) -> None:
    """Have moto's tables and buckets say of themselves what the template says; `physical` names them."""

    def given(value: Any) -> Any:
        return parameters[value["Ref"]] if isinstance(value, dict) else value

    for logical, declared in template.resources("AWS::DynamoDB::Table"):
        _protect_table(physical(logical), declared)
    for logical, declared in template.resources("AWS::S3::Bucket"):
        _protect_bucket(physical(logical), declared, given)


def _protect_table(name: str, declared: Json) -> None:
    client: Any = boto3.client("dynamodb")
    is_on = declared["PointInTimeRecoverySpecification"]["PointInTimeRecoveryEnabled"]
    recovery = {"PointInTimeRecoveryEnabled": is_on}
    client.update_continuous_backups(TableName=name, PointInTimeRecoverySpecification=recovery)
    if "TimeToLiveSpecification" in declared:
        client.update_time_to_live(TableName=name, TimeToLiveSpecification=declared["TimeToLiveSpecification"])


def _protect_bucket(name: str, declared: Json, given: Given) -> None:
    client: Any = boto3.client("s3")
    blocked = declared["PublicAccessBlockConfiguration"]
    client.put_public_access_block(Bucket=name, PublicAccessBlockConfiguration=blocked)
    client.put_bucket_ownership_controls(Bucket=name, OwnershipControls=declared["OwnershipControls"])
    if declared.get("VersioningConfiguration") == _ENABLED:
        client.put_bucket_versioning(Bucket=name, VersioningConfiguration=_ENABLED)
    if "LifecycleConfiguration" in declared:
        rules = [_rule(each, given) for each in declared["LifecycleConfiguration"]["Rules"]]
        client.put_bucket_lifecycle_configuration(Bucket=name, LifecycleConfiguration={"Rules": rules})
    if "ObjectLockConfiguration" in declared:
        default = declared["ObjectLockConfiguration"]["Rule"]["DefaultRetention"]
        retention = {"Mode": default["Mode"], "Years": int(given(default["Years"]))}
        lock = {"ObjectLockEnabled": "Enabled", "Rule": {"DefaultRetention": retention}}
        client.put_object_lock_configuration(Bucket=name, ObjectLockConfiguration=lock)


def _rule(declared: Json, given: Given) -> Json:
    """A rule of a life cycle in S3's own form."""
    rule = {"ID": declared["Id"], "Status": declared["Status"], "Filter": {"Prefix": declared.get("Prefix", "")}}
    if "ExpirationInDays" in declared:
        rule["Expiration"] = {"Days": int(given(declared["ExpirationInDays"]))}
    if "ExpiredObjectDeleteMarker" in declared:
        rule["Expiration"] = {"ExpiredObjectDeleteMarker": declared["ExpiredObjectDeleteMarker"]}
    if "NoncurrentVersionExpiration" in declared:
        days = int(given(declared["NoncurrentVersionExpiration"]["NoncurrentDays"]))
        rule["NoncurrentVersionExpiration"] = {"NoncurrentDays": days}
    if "AbortIncompleteMultipartUpload" in declared:
        rule["AbortIncompleteMultipartUpload"] = declared["AbortIncompleteMultipartUpload"]
    return rule
