"""infra/compliance against the code: every reference leads somewhere, nothing that stores or runs is left out."""

import re
from collections import Counter

import pytest

from tests.architecture.compliance import (
    FOLDER,
    PAGES,
    ROOT,
    actions,
    may_skip,
    named_in,
    permitted,
    problem,
    quoted,
    references,
    resources,
    rows,
    statements,
)

FUNCTION, KEY, ROLE, POLICY = "AWS::Serverless::Function", "AWS::KMS::Key", "AWS::IAM::Role", "AWS::IAM::ManagedPolicy"
STORES = {"AWS::DynamoDB::Table", "AWS::S3::Bucket", "AWS::SQS::Queue", "AWS::SecretsManager::Secret"}
KEPT = STORES | {KEY, "AWS::Logs::LogGroup", "AWS::Backup::BackupVault", "AWS::SNS::Topic"}
RUNNING = {
    FUNCTION, "AWS::Lambda::Function", "AWS::Serverless::HttpApi", "AWS::Events::Rule", "AWS::Backup::BackupPlan",
    "AWS::CloudFront::Distribution", "AWS::CloudFront::Function", "AWS::GuardDuty::MalwareProtectionPlan",
    "AWS::WAFv2::WebACL",
}  # fmt: skip
NAMED = {"data-flows.md": (KEPT | RUNNING) - {KEY}, "encryption.md": KEPT, "retention.md": KEPT}
READING = {
    "dynamodb:GetItem", "dynamodb:BatchGetItem", "dynamodb:Query", "dynamodb:Scan", "dynamodb:GetRecords",
    "s3:GetObject", "s3:GetObjectVersion", "sqs:ReceiveMessage", "secretsmanager:GetSecretValue",
}  # fmt: skip
WRITING = {
    "dynamodb:PutItem", "dynamodb:UpdateItem", "dynamodb:DeleteItem", "dynamodb:BatchWriteItem",
    "s3:PutObject", "s3:DeleteObject", "s3:DeleteObjectVersion", "sqs:SendMessage", "ses:SendEmail",
}  # fmt: skip
STATES = {"met", "partly", "operator", "provider", "not yet"}
CONFIDENCE = {"high", "medium", "low"}
PROOF = re.compile(r"\.py::|\.yaml#")


def test_there_is_much_to_check() -> None:
    assert len(PAGES) >= 7
    assert len(list(references())) >= 400


def test_every_reference_leads_to_something() -> None:
    wrong = [f"{page.name}: {each}: {why}" for page, each in references() if (why := problem(each))]

    assert not wrong


@pytest.mark.parametrize(
    "reference",
    [
        "tests/unit/test_keys.py::test_that_is_not_there", "tests/unit/test_nothing.py::test_keys_differ",
        "tests/integration/test_documents.py::TestMasking::test_nothing", "infra/nothing.py",
        "functions/dmp/domain/access.py::permit_all", "template.yaml#NoSuchTable", "template.yaml#SealYears=9",
        "template.yaml#AuditTable/NobodyReadsTheTrace", "template.yaml#LostUploads.MessageRetentionPeriod=86400",
        "template.yaml#ApiDomain.DomainNameConfigurations.0.SecurityPolicy=tls_1_3",
    ],
)  # fmt: skip
def test_a_reference_to_nothing_is_found_out(reference: str) -> None:
    assert problem(reference)


@pytest.mark.parametrize("page", NAMED)
def test_nothing_that_stores_or_runs_is_left_out(page: str) -> None:
    of_functions = {f"{name}Logs" for name in resources(FUNCTION)}
    names = {word for each in quoted(FOLDER / page) for word in re.findall(r"\w+", each)}

    missing = set(resources(*NAMED[page])) - of_functions - names

    assert not missing
    assert "<Function>Logs" in quoted(FOLDER / page)


def test_the_table_of_functions_says_what_their_roles_permit() -> None:
    stores = set(resources(*STORES))
    said = {row[0].strip("`"): row for row in rows("data-flows.md", 5)}
    everywhere = set.intersection(*(permitted(function, WRITING, stores) for function in resources(FUNCTION)))
    wrong = []

    for function in resources(FUNCTION):
        for column, asked in ((2, READING), (3, WRITING)):
            told = set(re.findall(r"`(\w+)`", said[function][column])) if function in said else None
            true = permitted(function, asked, stores) - everywhere
            wrong += [f"{function}: told {told}, permitted {true}"] if told != true else []

    assert not wrong


def test_every_use_of_a_key_is_told() -> None:
    keys, told = set(resources(KEY)), quoted(FOLDER / "encryption.md")

    uses = {
        f".yaml#{holder}/{each['Sid']}"
        for holder, declared in resources(ROLE, POLICY, KEY).items()
        for each in statements(declared)
        if any(action.startswith("kms:") for action in actions(each))
        if holder in keys or named_in(each["Resource"]) & keys
    }

    assert uses
    assert not [use for use in uses if not any(each.endswith(use) for each in told)]


def test_a_requirement_has_a_state_that_is_counted_and_what_is_met_has_its_proof() -> None:
    table = rows("requirements.md", 5)

    wrong = [row[0] for row in table if row[3] not in STATES or row[4] not in CONFIDENCE]
    unproven = [row[0] for row in table if row[3] == "met" and not proofs(row[2])]

    assert len(table) >= 100
    assert not wrong
    assert not unproven
    assert {state: int(number) for state, number in rows("requirements.md", 2)} == Counter(row[3] for row in table)


def proofs(cell: str) -> list[str]:
    """What is cited and holds anywhere: tests that ask for nothing outside the repository, lines of a template."""
    return [each for each in re.findall(r"`([^`]+)`", cell) if PROOF.search(each) and not may_skip(each)]


def test_what_asks_for_published_samples_is_no_proof_by_itself() -> None:
    assert proofs("`tests/integration/test_cda_samples.py::test_x` `infra/verify_trace.py`") == []
    assert proofs("`tests/unit/test_code_lists.py::test_the_types_are_those_published`") == []
    assert proofs("`tests/unit/test_keys.py::test_x`") == ["tests/unit/test_keys.py::test_x"]


def test_a_threat_has_its_control_its_proof_and_what_is_left_of_it() -> None:
    table = rows("threat-model.md", 6)

    assert len(table) >= 40
    assert [row[0] for row in table] == [str(number) for number in range(1, len(table) + 1)]
    assert all(all(row) for row in table)
    assert not [row[0] for row in table if not proofs(row[4])]


def test_the_pages_are_found() -> None:
    index = (FOLDER / "README.md").read_text(encoding="utf-8")

    assert not [page.name for page in PAGES if page.name != "README.md" and f"]({page.name})" not in index]
    assert "infra/compliance/" in (ROOT / "README.md").read_text(encoding="utf-8")
