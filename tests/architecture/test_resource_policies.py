"""Who may read, sign and store: the policies of keys, buckets, tables and secrets, judged as IAM judges them."""

from typing import Any

import pytest

from infra.local.template import content
from tests.resource_policies import ADMINISTRATOR, FUNCTION, SERVICE, TEMPLATE, denials, role

KEYS = ["DataKey", "AuditKey"]
TABLES = ["RecordsTable", "AuditTable"]
S3, DYNAMODB = ({"kms:ViaService": f"{name}.eu-west-3.amazonaws.com"} for name in ("s3", "dynamodb"))
TLS = {"aws:SecureTransport": "true", "s3:TlsVersion": "1.3"}
OPERATORS = "arn:aws:iam::123456789012:role/Operators"
DOCUMENT = "DocumentsBucket/documents/1/2"
SEAL = "SealsBucket/seals/1"
BY_DEPLOYMENT = {"aws:CalledViaFirst": "cloudformation.amazonaws.com"}
ENCRYPTED = {
    "s3:x-amz-server-side-encryption": "aws:kms",
    "s3:x-amz-server-side-encryption-aws-kms-key-id": "arn:aws:test:::DataKey",
}
by_signed_address = {"s3:authType": "REST-QUERY-STRING"}


def age(seconds: float) -> dict[str, float]:
    return {"s3:signatureAge": 1000 * seconds}


def test_roles_bear_the_name_that_policies_know_them_by() -> None:
    roles = {
        name: each["Properties"]
        for name, each in content(TEMPLATE)["Resources"].items()
        if each["Type"] == "AWS::IAM::Role"
    }

    assert len(roles) > 30
    assert not {name for name, each in roles.items() if {"RoleName", "Path"} & each.keys()}


# --- keys


@pytest.mark.parametrize("key", KEYS)
@pytest.mark.parametrize("through", [S3, DYNAMODB, {"kms:ViaService": "lambda.eu-west-3.amazonaws.com"}])
def test_functions_and_services_decrypt(key: str, through: dict[str, str]) -> None:
    assert not denials(key, "kms:Decrypt", FUNCTION | through)
    assert not denials(key, "kms:Decrypt", SERVICE | {"kms:CallerAccount": "999999999999"})


@pytest.mark.parametrize("key", KEYS)
@pytest.mark.parametrize("through", [S3, DYNAMODB, {}])
@pytest.mark.parametrize("action", ["kms:Decrypt", "kms:ReEncryptFrom"])
def test_no_human_decrypts_health_data_not_even_an_administrator(key: str, through: Any, action: str) -> None:
    caller = ADMINISTRATOR | through
    root = caller | {"aws:PrincipalArn": "arn:aws:iam::123456789012:root"}
    of_another_stack = caller | role("other-ContentsRole-1A2B3C")

    for each in (caller, root, of_another_stack):
        assert denials(key, action, each) == {"NobodyButTheFunctionsReads"}


@pytest.mark.parametrize("key", KEYS)
def test_operators_decrypt_where_a_role_of_theirs_is_named(key: str) -> None:
    operator = role("Operators") | S3

    assert denials(key, "kms:Decrypt", operator)
    assert not denials(key, "kms:Decrypt", operator, OperatorsRoleArn=OPERATORS)
    assert denials(key, "kms:Decrypt", ADMINISTRATOR | S3, OperatorsRoleArn=OPERATORS)


@pytest.mark.parametrize("key", KEYS)
def test_a_deployment_is_not_locked_out(key: str) -> None:
    by_cloudformation = ADMINISTRATOR | {"aws:CalledViaFirst": "cloudformation.amazonaws.com"}

    assert not denials(key, "kms:Decrypt", by_cloudformation | DYNAMODB)
    assert not denials(key, "kms:Decrypt", ADMINISTRATOR | {"kms:ViaService": "secretsmanager.eu-west-3.amazonaws.com"})
    for action in ("kms:PutKeyPolicy", "kms:CreateGrant", "kms:Encrypt", "kms:GenerateDataKey", "kms:DescribeKey"):
        assert not denials(key, action, ADMINISTRATOR)


@pytest.mark.parametrize("key", [*KEYS, "SealKey", "BackupKey"])
def test_nobody_of_another_account_uses_a_key(key: str) -> None:
    stranger = {
        "aws:PrincipalArn": "arn:aws:iam::999999999999:role/dmp-ContentsRole-1A2B3C",
        "aws:PrincipalIsAWSService": "false",
        "kms:CallerAccount": "999999999999",
    }

    assert "NobodyFromOutside" in denials(key, "kms:Decrypt", stranger)
    assert "NobodyFromOutside" in denials(key, "kms:CreateGrant", stranger)


def test_the_sealer_alone_signs() -> None:
    assert not denials("SealKey", "kms:Sign", role("dmp-AuditSealerRole-1A2B3C"))
    assert denials("SealKey", "kms:Sign", FUNCTION)
    assert denials("SealKey", "kms:Sign", ADMINISTRATOR)
    assert not denials("SealKey", "kms:GetPublicKey", FUNCTION)


# --- documents


@pytest.mark.parametrize("action", ["s3:GetObject", "s3:GetObjectVersion"])
def test_an_address_to_download_holds_a_minute(action: str) -> None:
    request = FUNCTION | TLS | by_signed_address

    assert not denials("DocumentsBucketPolicy", action, request | age(60), DOCUMENT)
    assert denials("DocumentsBucketPolicy", action, request | age(60.001), DOCUMENT) == {"DownloadsWithinAMinute"}


def test_an_address_to_upload_holds_a_quarter_of_an_hour() -> None:
    request = FUNCTION | TLS | ENCRYPTED | by_signed_address
    upload = "DocumentsBucket/uploads/1/2"

    assert not denials("DocumentsBucketPolicy", "s3:PutObject", request | age(900), upload)
    assert denials("DocumentsBucketPolicy", "s3:PutObject", request | age(901), upload) == {
        "SignaturesWithinAQuarterOfAnHour"
    }


def test_a_function_that_signs_each_request_reads_however_long_it_takes() -> None:
    signed = {"s3:authType": "REST-HEADER"}

    assert not denials("DocumentsBucketPolicy", "s3:GetObject", FUNCTION | TLS | signed | age(300), DOCUMENT)


def test_no_human_reads_a_document() -> None:
    request = ADMINISTRATOR | TLS

    assert denials("DocumentsBucketPolicy", "s3:GetObject", request, DOCUMENT) == {"NobodyButTheFunctionsReads"}
    assert denials("DocumentsBucketPolicy", "s3:GetObjectVersion", request, DOCUMENT)
    assert not denials("DocumentsBucketPolicy", "s3:GetObject", SERVICE | TLS, DOCUMENT)
    assert not denials(
        "DocumentsBucketPolicy", "s3:GetObject", role("Operators") | TLS, DOCUMENT, OperatorsRoleArn=OPERATORS
    )


def test_documents_are_stored_under_their_own_key_or_not_at_all() -> None:
    request = FUNCTION | TLS

    assert not denials("DocumentsBucketPolicy", "s3:PutObject", request | ENCRYPTED, DOCUMENT)
    for wrong in ({}, {**ENCRYPTED, "s3:x-amz-server-side-encryption": "AES256"}):
        assert "KmsOnly" in denials("DocumentsBucketPolicy", "s3:PutObject", request | wrong, DOCUMENT)
    other_key = {**ENCRYPTED, "s3:x-amz-server-side-encryption-aws-kms-key-id": "arn:aws:test:::AuditKey"}
    assert denials("DocumentsBucketPolicy", "s3:PutObject", request | other_key, DOCUMENT) == {"OwnKeyOnly"}


@pytest.mark.parametrize(
    ("policy", "thing"),
    [("DocumentsBucketPolicy", DOCUMENT), ("SealsBucketPolicy", SEAL), ("LogBucketPolicy", "LogBucket/seals/1")],
)
def test_no_bucket_answers_without_modern_tls(policy: str, thing: str) -> None:
    for action in ("s3:GetObject", "s3:PutObject", "s3:ListBucket"):
        assert "TlsOnly" in denials(policy, action, {"aws:SecureTransport": "false"}, thing)
        assert "ModernTlsOnly" in denials(policy, action, TLS | {"s3:TlsVersion": "1.1"}, thing)
        assert not denials(policy, action, TLS, thing) & {"TlsOnly", "ModernTlsOnly"}


# --- seals


def test_seals_take_the_key_of_the_bucket_and_no_other() -> None:
    sealer = role("dmp-AuditSealerRole-1A2B3C") | TLS
    own = {
        "s3:x-amz-server-side-encryption": "aws:kms",
        "s3:x-amz-server-side-encryption-aws-kms-key-id": "arn:aws:test:::AuditKey",
    }

    assert not denials("SealsBucketPolicy", "s3:PutObject", sealer, SEAL)
    assert not denials("SealsBucketPolicy", "s3:PutObject", sealer | own, SEAL)
    assert denials("SealsBucketPolicy", "s3:PutObject", sealer | ENCRYPTED, SEAL) == {"OwnKeyOnly"}
    plain = {"s3:x-amz-server-side-encryption": "AES256"}
    assert denials("SealsBucketPolicy", "s3:PutObject", sealer | plain, SEAL) == {"NoOtherEncryption"}
    assert denials("SealsBucketPolicy", "s3:GetObject", sealer | by_signed_address, SEAL) == {"NoSignedAddresses"}


# --- tables and secret


@pytest.mark.parametrize("table", TABLES)
def test_no_human_reads_a_table(table: str) -> None:
    for action in (
        "dynamodb:GetItem",
        "dynamodb:BatchGetItem",
        "dynamodb:Query",
        "dynamodb:Scan",
        "dynamodb:PartiQLSelect",
        "dynamodb:ExportTableToPointInTime",
        "dynamodb:RestoreTableToPointInTime",
    ):
        assert denials(table, action, ADMINISTRATOR) == {"NobodyButTheFunctionsReads"}
        assert not denials(table, action, FUNCTION)
        assert not denials(table, action, SERVICE)
    for action in ("dynamodb:PutResourcePolicy", "dynamodb:DescribeTable"):
        assert not denials(table, action, ADMINISTRATOR)


@pytest.mark.parametrize("table", TABLES)
def test_no_human_reads_what_changes_in_a_table(table: str) -> None:
    stream = f"{table}.StreamSpecification"

    for action in ("dynamodb:GetRecords", "dynamodb:GetShardIterator"):
        assert denials(stream, action, ADMINISTRATOR) == {"NobodyButTheFunctionsReads"}
        assert not denials(stream, action, FUNCTION)
        assert not denials(stream, action, SERVICE)
    assert not denials(stream, "dynamodb:DescribeStream", ADMINISTRATOR)


@pytest.mark.parametrize("table", TABLES)
@pytest.mark.parametrize(
    "action",
    [
        "dynamodb:UpdateTable",
        "dynamodb:UpdateTimeToLive",
        "dynamodb:UpdateContinuousBackups",
        "dynamodb:EnableKinesisStreamingDestination",
    ],
)
def test_the_settings_of_a_table_change_by_a_deployment_alone(table: str, action: str) -> None:
    assert denials(table, action, ADMINISTRATOR) == {"NobodyChangesItsSettingsBesideADeployment"}
    assert not denials(table, action, ADMINISTRATOR | BY_DEPLOYMENT)
    assert not denials(table, action, role("Operators"), OperatorsRoleArn=OPERATORS)
    assert not denials(table, action, SERVICE)


def test_functions_alone_add_to_the_trace() -> None:
    assert denials("AuditTable", "dynamodb:PutItem", ADMINISTRATOR) == {"NobodyButTheFunctionsAppends"}
    assert not denials("AuditTable", "dynamodb:PutItem", FUNCTION)


@pytest.mark.parametrize("caller", [FUNCTION, ADMINISTRATOR, SERVICE])
def test_nobody_at_all_changes_the_trace(caller: dict[str, str]) -> None:
    for action in ("dynamodb:UpdateItem", "dynamodb:DeleteItem", "dynamodb:BatchWriteItem", "dynamodb:PartiQLUpdate"):
        assert denials("AuditTable", action, caller) == {"NobodyChangesTheTrace"}


def test_no_human_reads_the_secret_that_names_are_made_of() -> None:
    assert denials("SecretPolicy", "secretsmanager:GetSecretValue", ADMINISTRATOR)
    assert not denials("SecretPolicy", "secretsmanager:GetSecretValue", FUNCTION)
    assert not denials("SecretPolicy", "secretsmanager:PutResourcePolicy", ADMINISTRATOR)


def test_no_human_reads_the_secret_of_the_edge_beside_a_deployment() -> None:
    read = "secretsmanager:GetSecretValue"

    assert denials("EdgeSecretPolicy", read, ADMINISTRATOR) == {"NobodyButADeploymentReads"}
    assert not denials("EdgeSecretPolicy", read, ADMINISTRATOR | BY_DEPLOYMENT)
    assert not denials("EdgeSecretPolicy", "secretsmanager:PutSecretValue", ADMINISTRATOR)


# --- backups


@pytest.mark.parametrize("action", ["backup:StartRestoreJob", "backup:StartCopyJob"])
def test_no_human_takes_a_backup_elsewhere(action: str) -> None:
    assert denials("BackupVault", action, ADMINISTRATOR) == {"NobodyTakesABackupElsewhere"}
    assert not denials("BackupVault", action, role("Operators"), OperatorsRoleArn=OPERATORS)
    assert not denials("BackupVault", action, role("dmp-BackupRole-1A2B3C"))
    assert not denials("BackupVault", "backup:StartBackupJob", ADMINISTRATOR)


@pytest.mark.parametrize("action", ["kms:Decrypt", "kms:ReEncryptFrom"])
def test_no_role_that_somebody_brings_to_restore_decrypts_a_backup(action: str) -> None:
    of_aws_backup = role("aws-service-role/backup.amazonaws.com/AWSServiceRoleForBackup")
    through = {"kms:ViaService": "backup.eu-west-3.amazonaws.com"}

    assert denials("BackupKey", action, ADMINISTRATOR | through) == {"NobodyButBackupsReads"}
    for caller in (role("dmp-BackupRole-1A2B3C"), of_aws_backup, SERVICE | {"kms:CallerAccount": "123456789012"}):
        assert not denials("BackupKey", action, caller | through)
    assert not denials("BackupKey", action, role("Operators") | through, OperatorsRoleArn=OPERATORS)
    assert not denials("BackupKey", action, ADMINISTRATOR | through | BY_DEPLOYMENT), "the vault is made with it"
