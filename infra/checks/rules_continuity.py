"""That copies and backups hold everything and go nowhere else, and that alarms and jobs are on."""

from collections.abc import Iterator
from typing import Any

from infra.checks.comparison import differing, text
from infra.checks.deployments import Deployment, Resource
from infra.checks.expected import arn, ref
from infra.checks.life_cycles import DAILY
from infra.checks.policies import listed, names_in
from infra.checks.shapes import COPIES, REPLICAS, replica

BUCKET, RULE = "AWS::S3::Bucket", "AWS::Events::Rule"
SCHEDULE, ALARM = "AWS::Scheduler::Schedule", "AWS::CloudWatch::Alarm"
ON = "ENABLED"
WATCHED = {
    "aws.backup": {
        "DeleteBackupVaultAccessPolicy", "DeleteBackupVaultLockConfiguration", "PutBackupVaultAccessPolicy",
        "StartCopyJob", "StartRestoreJob",
    },
    "aws.dynamodb": {
        "DeleteResourcePolicy", "DeleteTable", "EnableKinesisStreamingDestination", "ExportTableToPointInTime",
        "PutResourcePolicy", "RestoreTableToPointInTime", "UpdateContinuousBackups",
    },
    "aws.iam": {"AttachRolePolicy", "PutRolePolicy", "UpdateAssumeRolePolicy"},
    "aws.kms": {"DisableKey", "PutKeyPolicy", "ScheduleKeyDeletion"},
    "aws.lambda": {"UpdateFunctionCode*", "UpdateFunctionConfiguration*"},
    "aws.s3": {
        "DeleteBucketPolicy", "PutBucketLifecycle", "PutBucketPolicy", "PutBucketReplication", "PutBucketVersioning",
    },
}  # fmt: skip
"""Acts that CloudTrail tells of and operators are told of, by where from; the least of them."""


def copies_go_where_the_operator_says(deployment: Deployment) -> Iterator[str]:
    """Objects, secret and backups are copied to what parameters name, under keys of this account, and nowhere else."""
    yield from differing(deployment, COPIES)
    for bucket in deployment.resources(BUCKET):
        for rule in bucket.properties.get("ReplicationConfiguration", {}).get("Rules", ()):
            wanted = bucket.stack.given(replica(REPLICAS.get(bucket.id, "ReplicaBucket")))
            if rule.get("Destination") != wanted or rule.get("Status") != "Enabled":
                yield f"{bucket}: {rule.get('Id')} copies to {rule.get('Destination')}"
    for plan in deployment.resources("AWS::Backup::BackupPlan"):
        for rule in plan.properties["BackupPlan"]["BackupPlanRule"]:
            wanted = plan.stack.given(ref("BackupCopyVaultArn"))
            copies = [each.get("DestinationBackupVaultArn") for each in rule.get("CopyActions", ())]
            if copies != ([wanted] if wanted else []) or rule.get("TargetBackupVault") != ref("BackupVault"):
                yield f"{plan}: backs up to {rule.get('TargetBackupVault')} and {copies}"


def backups_hold_everything(deployment: Deployment) -> Iterator[str]:
    """Every table, and every bucket but those of logs, is in each selection of the plan, under a key of ours."""
    logs = {
        name for each in deployment.resources(BUCKET) for name in names_in(each.properties.get("LoggingConfiguration"))
    }
    stores = {each.id for each in deployment.resources(BUCKET, "AWS::DynamoDB::Table")} - logs
    for vault in deployment.resources("AWS::Backup::BackupVault"):
        if not names_in(vault.properties.get("EncryptionKeyArn")):
            yield f"{vault}: no key of ours"
    chosen: set[str] = set()
    for selection in deployment.resources("AWS::Backup::BackupSelection"):
        given = selection.properties["BackupSelection"]
        chosen |= names_in(given.get("Resources"))
        if given.keys() != {"SelectionName", "IamRoleArn", "Resources"} or given["IamRoleArn"] != arn("BackupRole"):
            yield f"{selection}: {sorted(given)} by {given.get('IamRoleArn')}"
    if stores - chosen:
        yield f"{sorted(stores - chosen)}: in no backup"


def backups_are_made_daily(deployment: Deployment) -> Iterator[str]:
    """A backup is made each night, and kept as long as its parameter says."""
    yield from differing(deployment, DAILY)


def alarms_and_jobs_are_on(deployment: Deployment) -> Iterator[str]:
    """Every rule, alarm, schedule and mapping is on, and rules and alarms tell somebody."""
    for each in deployment.resources(RULE, SCHEDULE, ALARM, "AWS::Lambda::EventSourceMapping"):
        own = each.properties
        if own.get("State", ON) != ON or not own.get("Enabled", True) or not own.get("ActionsEnabled", True):
            yield f"{each}: is off"
        if each.whole["Type"] in {RULE, ALARM} and not (own.get("Targets") or own.get("AlarmActions")):
            yield f"{each}: tells nobody"


def what_unprotects_is_told(deployment: Deployment) -> Iterator[str]:
    """Operators are told of whoever changes a key, a policy, a function or a backup."""
    told: dict[str, set[str]] = {}
    for rule in deployment.resources(RULE):
        pattern = rule.properties.get("EventPattern", {})
        for source in pattern.get("source", ()):
            told.setdefault(source, set()).update(_events(pattern))
    for source, events in WATCHED.items():
        if not_told := sorted(events - told.get(source, set())):
            yield f"{source}: nobody is told of {not_told}"


def _events(pattern: Any) -> Iterator[str]:
    for each in pattern.get("detail", {}).get("eventName", ()):
        yield each if isinstance(each, str) else f"{each.get('prefix')}*"


def messages_stay_here(deployment: Deployment) -> Iterator[str]:
    """What buckets, rules, alarms and schedules tell goes to resources of this application, by mail to AlarmMail."""
    for resource in deployment.resources(BUCKET, RULE, SCHEDULE, ALARM):
        for target in _targets(resource):
            if not names_in(target) and not _is_passed_on(resource, target):
                yield f"{resource}: tells {text(target)}"
    for subscription in deployment.resources("AWS::SNS::Subscription"):
        told = subscription.properties.get("Protocol"), subscription.properties.get("Endpoint")
        if told != ("email", subscription.stack.given(ref("AlarmMail"))):
            yield f"{subscription}: tells {told}"


def _is_passed_on(resource: Resource, target: Any) -> bool:
    """Whether it is a parameter of a nested stack, by which the main one names a resource of its own."""
    return target in resource.stack.parameters.values()


def _targets(resource: Resource) -> Iterator[Any]:
    own = resource.properties
    told = own.get("NotificationConfiguration", {})
    for kind, name in (("Queue", "Queue"), ("Topic", "Topic"), ("Lambda", "Function")):
        yield from (each[name] for each in told.get(f"{kind}Configurations", ()))
    yield from (each["Arn"] for each in own.get("Targets", ()))
    yield from ([own["Target"]["Arn"]] if "Target" in own else ())
    for name in ("AlarmActions", "OKActions", "InsufficientDataActions"):
        yield from listed(own.get(name, []))


RULES = (
    copies_go_where_the_operator_says,
    backups_hold_everything,
    backups_are_made_daily,
    alarms_and_jobs_are_on,
    what_unprotects_is_told,
    messages_stay_here,
)
