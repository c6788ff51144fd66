"""The watch over what functions ask of AWS can tell what a role allows from what it does not."""

import pytest

from tests.role_policies import Permission, is_allowed


@pytest.mark.parametrize(
    ("function", "wanted", "allowed"),
    [
        ("Records", Permission("dynamodb:UpdateItem", "RecordsTable", "Q#"), True),
        ("Records", Permission("dynamodb:UpdateItem", "RecordsTable", "R#"), False),
        ("Records", Permission("dynamodb:DeleteItem", "AuditTable", "R#"), False),
        ("Consents", Permission("dynamodb:Query", "RecordsTable/index/by-actor", "#"), True),
        ("Consents", Permission("dynamodb:Query", "RecordsTable/index/by-expiry", "#"), False),
        ("Notifications", Permission("dynamodb:UpdateItem", "RecordsTable", "R#", frozenset({"pk", "mail"})), True),
        ("Notifications", Permission("dynamodb:UpdateItem", "RecordsTable", "R#", frozenset({"pk", "st"})), False),
        ("Notifications", Permission("ses:SendEmail", "", "#"), True),
        ("FirstAccesses", Permission("ses:SendEmail", "", "#"), False),
        ("FirstAccesses", Permission("secretsmanager:GetSecretValue", "Secret"), True),
        ("Suspension", Permission("secretsmanager:GetSecretValue", "Secret"), False),
        ("WebHooks", Permission("sqs:ChangeMessageVisibility", "HookQueue", "#"), True),
        ("UploadsReceived", Permission("s3:ListBucket", "DocumentsBucket"), True),
        ("Contents", Permission("s3:ListBucket", "DocumentsBucket"), False),
        ("WebHooks", Permission("sqs:SendMessage", "HookQueue", "#"), False),
        ("Operations", Permission("dynamodb:Scan", "RecordsTable", "#"), True),
        ("Operations", Permission("dynamodb:Scan", "AuditTable", "#"), False),
        ("Operations", Permission("dynamodb:PutItem", "RecordsTable", "R#"), False),
        ("Operations", Permission("s3:DeleteObjectVersion", "DocumentsBucket/documents/*"), True),
        ("Operations", Permission("s3:PutObject", "DocumentsBucket/documents/*"), False),
        ("Operations", Permission("kms:Sign", "SealKey"), False),
        ("Extractions", Permission("s3:DeleteObjectVersion", "DocumentsBucket/exports/*"), False),
        ("Extractions", Permission("s3:DeleteObjectVersion", "ReplicaBucket/documents/*"), True),
        ("Operations", Permission("s3:DeleteObjectVersion", "ReplicaBucket/exports/*"), False),
        ("Extractions", Permission("s3:GetObject", "ReplicaBucket/documents/*"), False),
    ],
)
def test_a_role_allows_what_a_statement_names_and_nothing_else(
    function: str, wanted: Permission, allowed: bool
) -> None:
    assert is_allowed(function, wanted) is allowed
