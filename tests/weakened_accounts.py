"""Weakenings of an account, each with the checks that find it and no other."""

import json
from collections.abc import Callable, Mapping
from typing import Any

from infra.local.resources import ACCOUNT, REGION
from infra.smoke.account import Account
from tests.small_account import (
    BLOCKED,
    VAULT,
    backed_up,
    bucket_refuses,
    choose,
    encrypt,
    live,
    lock,
    logs_to,
    queue_takes,
    remembers,
    rings,
    role_may,
    secret_refuses,
    stream_refuses,
    tells,
    vault_refuses,
)

type Json = dict[str, Any]


def no_rotation(account: Account) -> None:
    account.client("kms").disable_key_rotation(KeyId=account.physical("DataKey"))


def key_disabled(account: Account) -> None:
    account.client("kms").disable_key(KeyId=account.physical("DataKey"))


def key_to_be_deleted(account: Account) -> None:
    account.client("kms").schedule_key_deletion(KeyId=account.physical("DataKey"), PendingWindowInDays=7)


def other_key_policy(account: Account) -> None:
    policy = {
        "Version": "2012-10-17",
        "Statement": [{"Sid": "Any", "Effect": "Allow", "Principal": "*", "Action": "kms:*", "Resource": "*"}],
    }
    account.client("kms").put_key_policy(
        KeyId=account.physical("DataKey"), PolicyName="default", Policy=json.dumps(policy)
    )


def no_recovery(account: Account) -> None:
    off = {"PointInTimeRecoveryEnabled": False}
    account.client("dynamodb").update_continuous_backups(
        TableName=account.physical("AuditTable"), PointInTimeRecoverySpecification=off
    )


def no_protection(account: Account) -> None:
    account.client("dynamodb").update_table(TableName=account.physical("AuditTable"), DeletionProtectionEnabled=False)


def other_table_key(account: Account) -> None:
    encrypt(account, "arn:aws:kms:eu-west-3:123456789012:key/other")


def no_stream(account: Account) -> None:
    off = {"StreamEnabled": False}
    account.client("dynamodb").update_table(TableName=account.physical("AuditTable"), StreamSpecification=off)


def weaker_table_policy(account: Account) -> None:
    client = account.client("dynamodb")
    arn = client.describe_table(TableName=account.physical("AuditTable"))["Table"]["TableArn"]
    policy = {
        "Version": "2012-10-17",
        "Statement": [
            {"Sid": "Nobody", "Effect": "Deny", "Principal": "*", "Action": ["dynamodb:DeleteItem"], "Resource": "*"}
        ],
    }
    client.put_resource_policy(ResourceArn=arn, Policy=json.dumps(policy))


def public_bucket(account: Account) -> None:
    weaker = BLOCKED | {"RestrictPublicBuckets": False}
    account.client("s3").put_public_access_block(
        Bucket=account.physical("DocumentsBucket"), PublicAccessBlockConfiguration=weaker
    )


def no_block_at_all(account: Account) -> None:
    account.client("s3").delete_public_access_block(Bucket=account.physical("DocumentsBucket"))


def other_bucket_key(account: Account) -> None:
    rule = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}
    account.client("s3").put_bucket_encryption(
        Bucket=account.physical("DocumentsBucket"), ServerSideEncryptionConfiguration={"Rules": [rule]}
    )


def no_versions(account: Account) -> None:
    off = {"Status": "Suspended"}
    account.client("s3").put_bucket_versioning(Bucket=account.physical("DocumentsBucket"), VersioningConfiguration=off)


def no_life_cycle(account: Account) -> None:
    account.client("s3").delete_bucket_lifecycle(Bucket=account.physical("DocumentsBucket"))


def looser_lock(account: Account) -> None:
    lock(account, mode="GOVERNANCE", years=10)


def shorter_lock(account: Account) -> None:
    lock(account, mode="COMPLIANCE", years=9)


def longer_life(account: Account) -> None:
    live(account, days=31)


def key_policy_that_says_less(account: Account) -> None:
    policy = {"Version": "2012-10-17", "Statement": [{"Sid": "Roles", "Effect": "Allow", "Action": "kms:Decrypt"}]}
    account.client("kms").put_key_policy(
        KeyId=account.physical("DataKey"), PolicyName="default", Policy=json.dumps(policy)
    )


def owners_of_objects(account: Account) -> None:
    account.client("s3").delete_bucket_ownership_controls(Bucket=account.physical("DocumentsBucket"))


def plain_queue(account: Account) -> None:
    off = {"SqsManagedSseEnabled": "false"}
    account.client("sqs").set_queue_attributes(QueueUrl=account.physical("Lost"), Attributes=off)


def no_redrive(account: Account) -> None:
    account.client("sqs").set_queue_attributes(QueueUrl=account.physical("Queue"), Attributes={"RedrivePolicy": ""})
    # with it moto forgets the policy
    queue_takes(account, "Queue", {})


def wider_role(account: Account) -> None:
    policy = {"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "s3:*", "Resource": "arn:aws:s3:::a"}}
    account.client("iam").put_role_policy(
        RoleName=account.physical("WorkRole"), PolicyName="more", PolicyDocument=json.dumps(policy)
    )


def role_over_everything(account: Account) -> None:
    role_may(account, {"Resource": "*"})


def role_over_every_service(account: Account) -> None:
    role_may(account, {"Resource": "arn:aws:*:*:*:*"})


def role_over_every_key(account: Account) -> None:
    role_may(account, {"Condition": {"ForAllValues:StringLike": {"dynamodb:LeadingKeys": "*"}}})


def role_without_condition(account: Account) -> None:
    role_may(account, {"Condition": {}})


def role_for_all_but_one(account: Account) -> None:
    policy = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "NotAction": "iam:*", "Resource": "*"}]}
    account.client("iam").put_role_policy(
        RoleName=account.physical("WorkRole"), PolicyName="more", PolicyDocument=json.dumps(policy)
    )


def role_that_is_denied_nothing(account: Account) -> None:
    client, role = account.client("iam"), account.physical("WorkRole")
    told = client.get_role_policy(RoleName=role, PolicyName="own")["PolicyDocument"]
    left = {**told, "Statement": [each for each in told["Statement"] if each["Effect"] == "Allow"]}
    client.put_role_policy(RoleName=role, PolicyName="own", PolicyDocument=json.dumps(left))


def role_for_a_foreign_account(account: Account) -> None:
    client, role = account.client("iam"), account.physical("WorkRole")
    trust = client.get_role(RoleName=role)["Role"]["AssumeRolePolicyDocument"]
    foreign = {"Effect": "Allow", "Principal": {"AWS": "210987654321"}, "Action": "sts:AssumeRole"}
    trust["Statement"].append(foreign)
    client.update_assume_role_policy(RoleName=role, PolicyDocument=json.dumps(trust))


def wider_operators(account: Account) -> None:
    policy = {
        "Version": "2012-10-17",
        "Statement": [{"Sid": "Tables", "Effect": "Allow", "Action": "*", "Resource": "*"}],
    }
    account.client("iam").create_policy_version(
        PolicyArn=account.physical("OperatorPolicy"), PolicyDocument=json.dumps(policy), SetAsDefault=True
    )


def foreign_policy(account: Account) -> None:
    client = account.client("iam")
    policy = {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Action": "kms:Decrypt", "Resource": "arn:aws:kms:eu-west-3:123456789012:key/a"}
        ],
    }
    arn = client.create_policy(PolicyName="foreign", PolicyDocument=json.dumps(policy))["Policy"]["Arn"]
    client.attach_role_policy(RoleName=account.physical("WorkRole"), PolicyArn=arn)


def key_policy(account: Account, changes: Mapping[str, Json], *more: Json) -> None:
    """Change statements of the key's policy by their names, and add more."""
    client, key = account.client("kms"), account.physical("DataKey")
    told = json.loads(client.get_key_policy(KeyId=key, PolicyName="default")["Policy"])
    told["Statement"] = [each | changes.get(each["Sid"], {}) for each in told["Statement"]] + list(more)
    client.put_key_policy(KeyId=key, PolicyName="default", Policy=json.dumps(told))


def denial_that_exempts_everybody(account: Account) -> None:
    key_policy(account, {"NobodyElseReads": {"Condition": {"ArnNotLike": {"aws:PrincipalArn": ["*"]}}}})


def denial_that_exempts_one_more(account: Account) -> None:
    stack = account._stack.name
    exempt = [f"arn:aws:iam::123456789012:role/{stack}-*", "arn:aws:iam::123456789012:role/other"]
    key_policy(account, {"NobodyElseReads": {"Condition": {"ArnNotLike": {"aws:PrincipalArn": exempt}}}})


def denial_under_one_more_condition(account: Account) -> None:
    own = {"ArnNotLike": {"aws:PrincipalArn": f"arn:aws:iam::123456789012:role/{account._stack.name}-*"}}
    more = {"IpAddress": {"aws:SourceIp": "192.0.2.1/32"}}
    key_policy(account, {"NobodyElseReads": {"Condition": own | more}})


def denial_for_one_role_alone(account: Account) -> None:
    key_policy(account, {"NobodyElseReads": {"Principal": {"AWS": "arn:aws:iam::123456789012:role/other"}}})


def denial_of_a_foreign_account(account: Account) -> None:
    outside = {"StringNotEquals": {"kms:CallerAccount": "210987654321"}, "Bool": {"aws:PrincipalIsAWSService": "false"}}
    key_policy(account, {"NobodyFromOutside": {"Condition": outside}})


def key_for_anybody(account: Account) -> None:
    key_policy(account, {}, {"Effect": "Allow", "Principal": "*", "Action": "kms:*", "Resource": "*"})


def key_for_a_foreign_account(account: Account) -> None:
    foreign = {"AWS": "arn:aws:iam::210987654321:root"}
    key_policy(
        account, {}, {"Sid": "More", "Effect": "Allow", "Principal": foreign, "Action": "kms:Decrypt", "Resource": "*"}
    )


def key_for_a_role_that_is_gone(account: Account) -> None:
    key_policy(account, {"Roles": {"Principal": {"AWS": "AROAEXAMPLEEXAMPLE123"}}})


def denial_of_a_part_of_the_bucket(account: Account) -> None:
    bucket_refuses(account, {"Resource": f"arn:aws:s3:::{account.physical('DocumentsBucket')}/other/*"})


def denial_of_reading_alone(account: Account) -> None:
    bucket_refuses(account, {"Action": "s3:GetObject"})


def bucket_for_a_foreign_account(account: Account) -> None:
    arn = f"arn:aws:s3:::{account.physical('DocumentsBucket')}/*"
    foreign = {"AWS": "arn:aws:iam::210987654321:root"}
    bucket_refuses(account, {}, {"Effect": "Allow", "Principal": foreign, "Action": "s3:GetObject", "Resource": arn})


def no_bucket_policy(account: Account) -> None:
    account.client("s3").delete_bucket_policy(Bucket=account.physical("DocumentsBucket"))


def queue_for_a_foreign_account(account: Account) -> None:
    queue_takes(account, "Queue", {"Condition": {"StringEquals": {"aws:SourceAccount": "210987654321"}}})


def queue_that_nobody_tells_of(account: Account) -> None:
    queue_takes(account, "Lost", {})


def secret_for_all_but_one(account: Account) -> None:
    secret_refuses(account, {"AWS": "arn:aws:iam::123456789012:role/other"})


def rule_that_deletes_everything(account: Account) -> None:
    all_of_it = {"ID": "all", "Status": "Enabled", "Filter": {"Prefix": ""}, "Expiration": {"Days": 1}}
    live(account, days=30, more=all_of_it)


def rule_that_deletes_more(account: Account) -> None:
    live(account, days=30, changes={"Expiration": {"Days": 1}})


def rule_that_moves_too(account: Account) -> None:
    live(account, days=30, changes={"Transitions": [{"Days": 1, "StorageClass": "GLACIER"}]})


def rule_for_one_prefix(account: Account) -> None:
    live(account, days=30, changes={"Filter": {"Prefix": "exports/"}})


def rule_for_one_tag(account: Account) -> None:
    live(account, days=30, changes={"Filter": {"Tag": {"Key": "a", "Value": "b"}}})


def rule_switched_off(account: Account) -> None:
    live(account, days=30, changes={"Status": "Disabled"})


def copies_for_ever(account: Account) -> None:
    backed_up(account, copy={"Lifecycle": None})


def copies_for_long(account: Account) -> None:
    backed_up(account, copy={"Lifecycle": {"DeleteAfterDays": 365}})


def backups_for_ever(account: Account) -> None:
    backed_up(account, rule={"Lifecycle": {}})


def copies_elsewhere(account: Account) -> None:
    backed_up(account, copy={"DestinationBackupVaultArn": VAULT.replace("123456789012", "210987654321")})


def backups_elsewhere(account: Account) -> None:
    backed_up(account, rule={"TargetBackupVaultName": "other"})


def backups_once_a_year(account: Account) -> None:
    backed_up(account, rule={"ScheduleExpression": "cron(0 1 1 1 ? *)"})


def backups_for_less(account: Account) -> None:
    backed_up(account, rule={"Lifecycle": {"DeleteAfterDays": 1}})


def logs_for_ever(account: Account) -> None:
    account.client("logs").delete_retention_policy(logGroupName=account.physical("WorkLogs"))


def logs_for_longer(account: Account) -> None:
    account.client("logs").put_retention_policy(logGroupName=account.physical("WorkLogs"), retentionInDays=3653)


def log_under_another_key(account: Account) -> None:
    from moto.logs.models import logs_backends

    group: Any = logs_backends[ACCOUNT][REGION].groups[account.physical("WorkLogs")]
    group.kms_key_id = "arn:aws:kms:eu-west-3:210987654321:key/other"


def key_for_signing(account: Account) -> None:
    from moto.kms.models import kms_backends

    kms_backends[ACCOUNT][REGION].keys[account.physical("DataKey")].key_usage = "SIGN_VERIFY"


def recovery_of_one_day(account: Account) -> None:
    recovery = {"PointInTimeRecoveryEnabled": True, "RecoveryPeriodInDays": 1}
    account.client("dynamodb").update_continuous_backups(
        TableName=account.physical("AuditTable"), PointInTimeRecoverySpecification=recovery
    )


def expires(account: Account, table: str, *attributes: tuple[str, bool]) -> None:
    for name, is_on in attributes:
        account.client("dynamodb").update_time_to_live(
            TableName=account.physical(table), TimeToLiveSpecification={"AttributeName": name, "Enabled": is_on}
        )


def nothing_expires(account: Account) -> None:
    expires(account, "AuditTable", ("expires", False))


def expiry_by_another_attribute(account: Account) -> None:
    expires(account, "AuditTable", ("expires", False), ("other", True))


def expiry_where_none_is_declared(account: Account) -> None:
    expires(account, "TraceTable", ("pk", True))


def weaker_stream_policy(account: Account) -> None:
    stream_refuses(account, "dynamodb:DescribeStream")


def backups_of_one_table(account: Account) -> None:
    table = account.physical("AuditTable")
    choose(account, {"Resources": [f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/{table}"]})


def backups_of_what_is_tagged(account: Account) -> None:
    tag = {"ConditionType": "STRINGEQUALS", "ConditionKey": "backup", "ConditionValue": "yes"}
    choose(account, {"ListOfTags": [tag]})


def backups_with_exceptions(account: Account) -> None:
    choose(account, {"NotResources": ["arn:aws:s3:::*"]})


def backups_by_another_role(account: Account) -> None:
    choose(account, {"IamRoleArn": f"arn:aws:iam::{ACCOUNT}:role/other"})


def backups_of_nothing(account: Account) -> None:
    tells(account, "backup", "list_backup_selections", lambda _, **__: {"BackupSelectionsList": []})


def backups_within_a_week(account: Account) -> None:
    backed_up(account, rule={"CompletionWindowMinutes": 7 * 24 * 60})


def backups_without_index(account: Account) -> None:
    backed_up(account, rule={"IndexActions": [{"ResourceTypes": ["S3"]}]})


def vault(account: Account, **changes: Any) -> None:
    from moto.backup.models import backup_backends

    found = backup_backends[ACCOUNT][REGION].vaults[account.physical("BackupVault")]
    for name, value in changes.items():
        setattr(found, name, value)


def unlocked_vault(account: Account) -> None:
    vault(account, locked=False)


def vault_for_longer(account: Account) -> None:
    vault(account, max_retention_days=365)


def vault_not_locked_for_good(account: Account) -> None:
    vault(account, lock_date=None)


def vault_under_another_key(account: Account) -> None:
    vault(account, encryption_key_arn="arn:aws:kms:eu-west-3:210987654321:key/other")


def weaker_vault_policy(account: Account) -> None:
    vault_refuses(account, "backup:ListRecoveryPointsByBackupVault")


def function(account: Account, **changes: Any) -> None:
    told = {"LoggingConfig": {"LogGroup": account.physical("WorkLogs")}} | changes
    tells(account, "lambda", "get_function_configuration", lambda own, **request: own(**request) | told)


def function_by_another_role(account: Account) -> None:
    function(account, Role=f"arn:aws:iam::{ACCOUNT}:role/other")


def function_under_another_key(account: Account) -> None:
    function(account, KMSKeyArn="arn:aws:kms:eu-west-3:210987654321:key/other")


def function_under_no_key(account: Account) -> None:
    function(account, KMSKeyArn="")


def function_that_logs_elsewhere(account: Account) -> None:
    logs_to(account, "/aws/lambda/work")


def function_that_is_gone(account: Account) -> None:
    del account._resources["Work"]


def schedule_that_is_off(account: Account) -> None:
    client, name = account.client("scheduler"), account.physical("WorkEvery")
    told = client.get_schedule(Name=name)
    kept = {each: told[each] for each in ("ScheduleExpression", "FlexibleTimeWindow", "Target")}
    client.update_schedule(Name=name, State="DISABLED", **kept)


def authorizer_that_remembers(account: Account) -> None:
    remembers(account, 300)


def alarm_deleted(account: Account) -> None:
    account.client("cloudwatch").delete_alarms(AlarmNames=["lost"])


def every_alarm_deleted(account: Account) -> None:
    account.client("cloudwatch").delete_alarms(AlarmNames=["lost", "rings"])


def alarm_for_somebody_else(account: Account) -> None:
    rings(account, "lost", AlarmActions=["arn:aws:sns:eu-west-3:210987654321:other"])


def alarm_that_never_rings(account: Account) -> None:
    rings(account, "lost", Threshold=1e9)


def alarm_of_another_metric(account: Account) -> None:
    rings(account, "lost", MetricName="other")


def alarm_the_other_way_round(account: Account) -> None:
    rings(account, "lost", ComparisonOperator="LessThanThreshold")


def alarm_of_every_queue(account: Account) -> None:
    rings(account, "lost", Dimensions=[])


def alarm_within_that_never_rings(account: Account) -> None:
    rings(account, "rings", AlarmActions=[account.physical("Within/Heard")], Threshold=6, Dimensions=[])


def silent_alarm(account: Account) -> None:
    account.client("cloudwatch").disable_alarm_actions(AlarmNames=["lost"])


def unheard_alarm(account: Account) -> None:
    client = account.client("sns")
    for one in client.list_subscriptions_by_topic(TopicArn=account.physical("Topic"))["Subscriptions"]:
        client.unsubscribe(SubscriptionArn=one["SubscriptionArn"])


PLANTED: list[tuple[Callable[[Account], None], str | set[str]]] = [
    (no_rotation, "key.rotation"), (key_disabled, "key.state"), (key_to_be_deleted, "key.state"),
    (other_key_policy, "key.policy"), (no_recovery, "table.recovery"), (no_protection, "table.protection"),
    (other_table_key, "table.encryption"), (no_stream, "table.stream"), (weaker_table_policy, "table.policy"),
    (public_bucket, "bucket.public"), (no_block_at_all, "bucket.public"), (other_bucket_key, "bucket.encryption"),
    (no_versions, "bucket.versions"), (no_life_cycle, "bucket.life"), (looser_lock, "bucket.lock"),
    (shorter_lock, "bucket.lock"), (longer_life, "bucket.life"), (key_policy_that_says_less, "key.policy"),
    (owners_of_objects, "bucket.ownership"), (plain_queue, "queue.encryption"), (no_redrive, "queue.redrive"),
    (wider_role, "role.policy"), (role_over_everything, "role.policy"), (foreign_policy, "role.policy"),
    (role_over_every_service, "role.policy"), (role_over_every_key, "role.policy"),
    (role_without_condition, "role.policy"), (role_for_all_but_one, "role.policy"),
    (role_that_is_denied_nothing, "role.policy"), (role_for_a_foreign_account, "role.trust"),
    (wider_operators, "policy"), (denial_that_exempts_everybody, "key.policy"),
    (denial_that_exempts_one_more, "key.policy"), (denial_under_one_more_condition, "key.policy"),
    (denial_for_one_role_alone, "key.policy"), (denial_of_a_foreign_account, "key.policy"),
    (key_for_anybody, "key.policy"), (key_for_a_foreign_account, "key.policy"),
    (key_for_a_role_that_is_gone, "key.policy"), (denial_of_a_part_of_the_bucket, "bucket.policy"),
    (denial_of_reading_alone, "bucket.policy"), (bucket_for_a_foreign_account, "bucket.policy"),
    (no_bucket_policy, "bucket.policy"), (queue_for_a_foreign_account, "queue.policy"),
    (queue_that_nobody_tells_of, "queue.closed"), (secret_for_all_but_one, "secret.policy"),
    (rule_that_deletes_everything, "bucket.life"),
    (rule_that_deletes_more, "bucket.life"), (rule_that_moves_too, "bucket.life"),
    (rule_for_one_prefix, "bucket.life"), (rule_for_one_tag, "bucket.life"), (rule_switched_off, "bucket.life"),
    (copies_for_ever, {"backup.days", "backup.rules"}), (copies_for_long, {"backup.days", "backup.rules"}),
    (backups_for_ever, {"backup.days", "backup.rules"}), (copies_elsewhere, "backup.rules"),
    (backups_elsewhere, "backup.rules"), (backups_once_a_year, "backup.rules"), (backups_for_less, "backup.rules"),
    (recovery_of_one_day, "table.recovery"), (nothing_expires, "table.expiry"),
    (expiry_by_another_attribute, "table.expiry"), (expiry_where_none_is_declared, "table.expiry"),
    (weaker_stream_policy, "stream.policy"), (backups_of_one_table, "backup.selection"),
    (backups_of_what_is_tagged, "backup.selection"), (backups_with_exceptions, "backup.selection"),
    (backups_by_another_role, "backup.selection"), (backups_of_nothing, "backup.selection"),
    (backups_within_a_week, "backup.rules"), (backups_without_index, "backup.rules"), (unlocked_vault, "vault.lock"),
    (vault_for_longer, "vault.lock"), (vault_not_locked_for_good, "vault.lock"),
    (vault_under_another_key, "vault.encryption"), (weaker_vault_policy, "vault.policy"),
    (function_by_another_role, "function.role"), (function_under_another_key, "function.variables"),
    (function_under_no_key, "function.variables"), (function_that_logs_elsewhere, "function.log"),
    (function_that_is_gone, "function"), (schedule_that_is_off, "schedule"), (authorizer_that_remembers, "api.cache"),
    (key_for_signing, "key.use"), (logs_for_longer, "log.retention"), (log_under_another_key, "log.encryption"),
    (alarm_deleted, "alarm"), (every_alarm_deleted, "alarm"), (alarm_for_somebody_else, "alarm.tells"),
    (alarm_that_never_rings, "alarm.rule"), (alarm_of_another_metric, "alarm.rule"),
    (alarm_the_other_way_round, "alarm.rule"), (alarm_of_every_queue, "alarm.rule"),
    (alarm_within_that_never_rings, "alarm.rule"),
    (logs_for_ever, "log.retention"), (silent_alarm, "alarm.tells"), (unheard_alarm, "alarm.heard"),
]  # fmt: skip
