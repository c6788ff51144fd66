"""What a cold start loads: each handler reaches what it uses and nothing else."""

import json
import os
import subprocess
import sys

import pytest

from tests.architecture.source import FUNCTIONS

NOBODY = {
    "aws_lambda_powertools.utilities.idempotency",
    "aws_lambda_powertools.utilities.parameters", "aws_lambda_powertools.utilities.parser", "aws_xray_sdk",
    "fhirkit", "infra", "jsonschema_rs", "moto", "requests", "tests", "unittest",
}  # fmt: skip
AWS = {"boto3", "botocore", "s3transfer"}
CDA = {"dmp.cda"}
FORBIDDEN = {
    "authorizer": {*AWS, *CDA, "aws_lambda_powertools", "dmp.fhir", "dmp.services", "pydantic"},
    "capability": {"boto3", "botocore.session", *CDA, "cryptography", "dmp.adapters", "dmp.services.gate", "pydantic"},
    "clinical_profile": {*CDA, "cryptography", "dmp.adapters.object_store", "pydantic"},
    "reimbursements": {*CDA, "cryptography", "dmp.adapters.object_store", "pydantic"},
    "summaries": {*CDA, "cryptography", "dmp.adapters.object_store", "pydantic"},
    "exports": {*CDA, "cryptography", "pydantic"},
    "export_builder": {*CDA, "cryptography", "pydantic"},
    "extractions": {"cryptography", "dmp.api", "pydantic"},
    "index_rebuild": {"cryptography", "dmp.api", "pydantic"},
    "operations": {*CDA, "cryptography", "dmp.api", "dmp.fhir", "pydantic"},
    "related_persons": {*CDA, "cryptography", "dmp.adapters.object_store", "pydantic"},
    "audit_chain": {*CDA, "cryptography", "dmp.adapters.object_store", "dmp.api", "dmp.fhir", "pydantic"},
    "audit_sealer": {*CDA, "cryptography", "dmp.adapters.object_store", "dmp.api", "dmp.fhir", "pydantic"},
    "audit_trail": {*CDA, "cryptography", "dmp.adapters.object_store", "pydantic"},
    "communications": {*CDA, "cryptography", "dmp.adapters.object_store", "pydantic"},
    "consents": {*CDA, "cryptography", "dmp.adapters.object_store", "pydantic"},
    "contents": {*CDA, "cryptography", "pydantic"},
    "documents": {*CDA, "cryptography", "dmp.adapters.object_store", "pydantic"},
    "lists": {*CDA, "cryptography", "dmp.adapters.object_store", "pydantic"},
    "submissions": {"cryptography"},
    "first_accesses": {*CDA, "cryptography", "dmp.adapters.object_store", "dmp.fhir", "pydantic"},
    "notifications": {*CDA, "cryptography", "pydantic"},
    "records": {*CDA, "cryptography", "dmp.adapters.object_store", "pydantic"},
    "subscription_events": {*CDA, "cryptography", "dmp.adapters.object_store", "dmp.fhir", "pydantic"},
    "subscriptions": {*CDA, "cryptography", "dmp.adapters.object_store", "pydantic"},
    "uploads_received": {"cryptography", "dmp.api"},
    "web_hooks": {*CDA, "cryptography", "dmp.adapters.object_store", "dmp.fhir", "pydantic"},
    "scheduled": {*CDA, "cryptography", "pydantic"},
}
HANDLERS = sorted(path.stem for path in (FUNCTIONS / "handlers").glob("*.py") if path.stem != "__init__")
ISSUER = {"kind": "patient", "issuer": "https://id.example", "audience": "dmp", "jwks_uri": "https://id.example/jwks"}
ENVIRONMENT = {
    "AUDIT_TABLE": "audit",
    "AWS_DEFAULT_REGION": "eu-west-3",
    "DATA_KEY": "key",
    "DOCUMENTS_BUCKET": "documents",
    "HOOK_QUEUE": "https://queue.example/hooks",
    "EXPORT_QUEUE": "https://queue.example/exports",
    "EXTRACTION_QUEUE": "https://queue.example/extractions",
    "ISSUERS": json.dumps([ISSUER]),
    "LOST_ENTRIES": "https://queue.example/entries",
    "SEALS_BUCKET": "seals",
    "SEAL_KEY": "seal-key",
    "LOST_CHANGES": "https://queue.example/changes",
    "LOST_MESSAGES": "https://queue.example/messages",
    "MAIL_SENDER": "dmp@example.org",
    "PATH": os.environ.get("PATH", ""),
    "PORTAL_URL": "https://dmp.example.org",
    "POWERTOOLS_SERVICE_NAME": "dmp",
    "PYTHONPATH": str(FUNCTIONS),
    "RECORDS_TABLE": "records",
    "SECRET_ID": "secret",
    "STAGE": "dev",
}


@pytest.mark.parametrize("handler", HANDLERS)
def test_a_handler_imports_nothing_that_it_does_not_use(handler: str) -> None:
    loaded = modules_after(f"import handlers.{handler}")

    unwelcome = {name for name in loaded if reaches(name, NOBODY | FORBIDDEN[handler])}
    assert not unwelcome


@pytest.mark.parametrize("handler", HANDLERS)
def test_a_handler_makes_no_client_before_its_first_event(handler: str) -> None:
    count = "clients.client.cache_info().currsize if (clients := sys.modules.get('dmp.adapters.aws')) else 0"

    made = output_of(f"import handlers.{handler}, sys\nprint({count})")

    assert made == "0\n"


def reaches(name: str, packages: set[str]) -> bool:
    return any(name == package or name.startswith(f"{package}.") for package in packages)


def modules_after(statement: str) -> list[str]:
    return output_of(f"{statement}\nimport sys\nprint(*sys.modules, sep='\\n')").split()


def output_of(script: str) -> str:
    """What a script prints in a process of its own, as fresh as a cold start."""
    command = [sys.executable, "-W", "error", "-c", script]
    run = subprocess.run(command, env=ENVIRONMENT, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    return run.stdout
