"""Dangerous edits that leave everything standing but open it: vacuous denials, ways out, grants, doors, what is off."""

from functools import partial
from typing import Any

from tests.planted import Edit, Json, Templates, arn, grant, planted, policy_of, properties, statement_of

EDITS: list[Edit] = []
caught_by = partial(planted, EDITS)
READ = "administrators_read_nothing"
GRANTED = "dangerous_actions_are_granted_one_by_one"
KNOWN = "types_and_properties_are_known"
NEVER = {"aws:PrincipalTag/none": "x"}
ANYBODY = "arn:aws:iam::*:*"
STRANGER = "999999999999"
READING = "NobodyButTheFunctionsReads"


def add(templates: Templates, kind: str, declared: Json) -> None:
    """Put one resource more into the main template."""
    templates["template.yaml"]["Resources"]["Planted"] = {"Type": kind, "Properties": declared}


def allow(actions: list[str], resource: Any, **others: Any) -> Json:
    """A policy of one statement that permits something."""
    return {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Action": actions, "Resource": resource, **others}],
    }


# ---------------------------------------------------------------- denials that deny nobody
@caught_by(READ)
def a_denial_for_nobody_on_a_table(templates: Templates) -> None:
    statement_of(templates, "RecordsTable", READING)["Condition"]["StringEquals"] = NEVER


@caught_by(READ)
def a_denial_for_nobody_on_a_stream(templates: Templates) -> None:
    stream = properties(templates, "AuditTable")["StreamSpecification"]["ResourcePolicy"]["PolicyDocument"]
    stream["Statement"][0]["Condition"]["StringEquals"] = NEVER


@caught_by(READ)
def a_denial_of_one_index_alone(templates: Templates) -> None:
    statement_of(templates, "RecordsTable", READING)["Resource"] = {"Fn::Sub": "arn:${AWS::Partition}:dynamodb:x"}


@caught_by(READ)
def an_export_of_a_table_that_nobody_denies(templates: Templates) -> None:
    statement_of(templates, "RecordsTable", READING)["Action"].remove("dynamodb:ExportTableToPointInTime")


@caught_by(READ)
def a_key_for_every_role_there_is(templates: Templates) -> None:
    statement_of(templates, "DataKey", READING)["Condition"]["ArnNotLike"]["aws:PrincipalArn"].append(ANYBODY)


@caught_by(READ)
def documents_for_every_role_there_is(templates: Templates) -> None:
    condition = statement_of(templates, "DocumentsBucketPolicy", READING)["Condition"]
    condition["ArnNotLike"]["aws:PrincipalArn"].append(ANYBODY)


@caught_by(READ)
def documents_denied_in_one_folder(templates: Templates) -> None:
    statement_of(templates, "DocumentsBucketPolicy", READING)["Resource"] = {
        "Fn::Sub": "${DocumentsBucket.Arn}/exports/*"
    }


@caught_by(READ)
def backups_that_administrators_restore(templates: Templates) -> None:
    [restored] = [
        each
        for each in properties(templates, "BackupVault")["AccessPolicy"]["Statement"]
        if "backup:StartRestoreJob" in each["Action"]
    ]
    restored["Condition"]["StringEquals"] = NEVER


@caught_by(READ)
def a_key_of_backups_that_administrators_use(templates: Templates) -> None:
    statement_of(templates, "BackupKey", "NobodyButBackupsReads")["Condition"]["Bool"] = NEVER


@caught_by("keys_serve_this_account_alone")
def a_denial_for_nobody_outside(templates: Templates) -> None:
    statement_of(templates, "DataKey", "NobodyFromOutside")["Condition"]["StringEquals"] = NEVER


@caught_by("administrators_change_nothing")
def seals_that_every_function_signs(templates: Templates) -> None:
    roles = {"Fn::Sub": "arn:${AWS::Partition}:iam::${AWS::AccountId}:role/${AWS::StackName}-*"}
    statement_of(templates, "SealKey", "NobodyButTheSealerSigns")["Condition"]["ArnNotLike"]["aws:PrincipalArn"] = roles


@caught_by("administrators_change_nothing")
def a_trace_that_anybody_adds_to(templates: Templates) -> None:
    statement_of(templates, "AuditTable", "NobodyButTheFunctionsAppends")["Condition"]["StringEquals"] = NEVER


@caught_by("backups_are_nobodys_to_delete")
def a_denial_for_nobody_on_backups(templates: Templates) -> None:
    for statement in properties(templates, "BackupVault")["AccessPolicy"]["Statement"]:
        statement["Condition"] = {"StringEquals": NEVER}


@caught_by("signed_addresses_end")
def addresses_of_downloads_for_a_quarter_of_an_hour(templates: Templates) -> None:
    statements = policy_of(templates, "DocumentsBucketPolicy")["Statement"]
    statements.remove(statement_of(templates, "DocumentsBucketPolicy", "DownloadsWithinAMinute"))


# ---------------------------------------------------------------- grants
@caught_by(GRANTED)
def an_erasure_of_any_entry(templates: Templates) -> None:
    del statement_of(templates, "RetentionRole", "Entries")["Condition"]


@caught_by("nobody_scans")
def a_check_of_the_operator_that_takes_the_records_away(templates: Templates) -> None:
    statement_of(templates, "OperationsRole", "AllRecords")["Action"] = [
        "dynamodb:Scan",
        "dynamodb:ExportTableToPointInTime",
    ]


@caught_by(GRANTED)
def a_check_of_the_operator_that_deletes_records(templates: Templates) -> None:
    statement_of(templates, "OperationsRole", "AllRecords")["Action"] = ["dynamodb:Scan", "dynamodb:DeleteItem"]


@caught_by("nobody_administers")
def a_role_that_copies_a_bucket_elsewhere(templates: Templates) -> None:
    grant(templates, "DocumentsRole", "s3:PutReplicationConfiguration", arn("DocumentsBucket"))


@caught_by("nobody_administers")
def a_role_that_changes_the_encryption_of_a_bucket(templates: Templates) -> None:
    grant(templates, "DocumentsRole", "s3:PutEncryptionConfiguration", arn("DocumentsBucket"))


@caught_by("nobody_administers")
def a_role_that_ends_the_recovery_of_a_table(templates: Templates) -> None:
    grant(templates, "DocumentsRole", "dynamodb:UpdateContinuousBackups", arn("RecordsTable"))


@caught_by("nobody_administers")
def a_role_that_streams_a_table_elsewhere(templates: Templates) -> None:
    grant(templates, "DocumentsRole", "dynamodb:EnableKinesisStreamingDestination", arn("RecordsTable"))


@caught_by("nobody_administers")
def a_role_that_restores_a_table(templates: Templates) -> None:
    grant(templates, "DocumentsRole", "dynamodb:RestoreTableToPointInTime", arn("RecordsTable"))


@caught_by("nobody_administers")
def a_role_that_unlocks_backups(templates: Templates) -> None:
    vault = {"Fn::GetAtt": ["BackupVault", "BackupVaultArn"]}
    grant(templates, "DocumentsRole", "backup:DeleteBackupVaultLockConfiguration", vault)


@caught_by("nobody_administers")
def a_sealer_that_changes_the_lock(templates: Templates) -> None:
    grant(templates, "AuditSealerRole", "s3:PutBucketObjectLockConfiguration", arn("SealsBucket"))


@caught_by(GRANTED)
def a_role_with_an_action_that_no_rule_knows(templates: Templates) -> None:
    grant(templates, "ListsRole", "s3:RestoreObject", {"Fn::Sub": "${DocumentsBucket.Arn}/*"})


@caught_by(GRANTED)
def a_role_that_reads_documents(templates: Templates) -> None:
    grant(templates, "ListsRole", "s3:GetObject", {"Fn::Sub": "${DocumentsBucket.Arn}/*"})


@caught_by("keys_are_used_through_services")
def a_role_that_decrypts_by_hand(templates: Templates) -> None:
    grant(templates, "ListsRole", "kms:Decrypt", arn("DataKey"))


@caught_by("the_trace_is_read_by_few")
def a_role_that_reads_the_trace(templates: Templates) -> None:
    grant(templates, "ListsRole", "dynamodb:Query", arn("AuditTable"))


@caught_by(KNOWN)
def a_policy_beside_the_roles(templates: Templates) -> None:
    policy = allow(["dynamodb:Scan", "dynamodb:DeleteItem"], arn("RecordsTable"))
    add(
        templates,
        "AWS::IAM::RolePolicy",
        {"RoleName": {"Ref": "AuthorizerRole"}, "PolicyName": "x", "PolicyDocument": policy},
    )


@caught_by(GRANTED)
def a_policy_beside_the_roles_that_deletes(templates: Templates) -> None:
    policy = allow(["dynamodb:DeleteItem"], arn("RecordsTable"))
    add(
        templates,
        "AWS::IAM::RolePolicy",
        {"RoleName": {"Ref": "AuthorizerRole"}, "PolicyName": "x", "PolicyDocument": policy},
    )


@caught_by(KNOWN)
def a_user_with_a_policy(templates: Templates) -> None:
    policy = allow(["lambda:UpdateFunctionCode"], arn("Records"))
    add(templates, "AWS::IAM::User", {"Policies": [{"PolicyName": "x", "PolicyDocument": policy}]})


@caught_by("policies_are_held_by_roles")
def a_policy_that_a_user_holds(templates: Templates) -> None:
    properties(templates, "IssuerKeysPolicy")["Users"] = ["mallory"]


@caught_by("roles_trust_one_service")
def a_role_that_backups_of_anybody_assume(templates: Templates) -> None:
    del properties(templates, "BackupRole")["AssumeRolePolicyDocument"]["Statement"][0]["Condition"]


@caught_by("roles_trust_one_service")
def a_function_role_that_another_service_assumes(templates: Templates) -> None:
    [trust] = properties(templates, "RecordsRole")["AssumeRolePolicyDocument"]["Statement"]
    trust["Principal"] = {"Service": "backup.amazonaws.com"}


@caught_by("resources_let_no_stranger_in")
def a_queue_that_takes_from_all_but_this_account(templates: Templates) -> None:
    statement = policy_of(templates, "UploadQueuePolicy")["Statement"][0]
    statement["Condition"] = {"StringNotEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}}


@caught_by(KNOWN)
def an_access_point_for_everybody(templates: Templates) -> None:
    policy = allow(["s3:GetObject"], "*", Principal="*")
    add(templates, "AWS::S3::AccessPoint", {"Bucket": {"Ref": "DocumentsBucket"}, "Policy": policy})


@caught_by("resources_let_no_stranger_in")
def a_stream_for_another_account(templates: Templates) -> None:
    stream = properties(templates, "RecordsTable")["StreamSpecification"]["ResourcePolicy"]["PolicyDocument"]
    stream["Statement"] += allow(["dynamodb:GetRecords"], "*", Principal={"AWS": f"arn:aws:iam::{STRANGER}:root"})[
        "Statement"
    ]
