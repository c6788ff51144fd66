"""`make bench`: cold and warm CPU of each function against a bare boto3 handler, as ratios of one interleaved run."""

import json
import os
import subprocess
import sys
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path
from statistics import median
from typing import Any

import httpx

from dmp.domain.requester_context import context_of
from infra.local.stack import LocalStack
from tests import bodies
from tests.requester_factories import requester_patient

ROOT = Path(__file__).parents[2]
ROUNDS = int(sys.argv[1]) if len(sys.argv) > 1 else 9
DOCUMENTS = 20


def main() -> None:
    """Fill a record, measure every function in fresh processes turn by turn, print the table."""
    os.environ["LOG_LEVEL"] = "WARNING"
    # the functions within this process write their figures there
    with redirect_stdout(StringIO()), LocalStack() as stack:
        cases = _cases(*_fill(stack))
        runs: dict[str, list[dict[str, float]]] = {name: [] for name in cases}
        for _ in range(ROUNDS):
            for name, (handler, event) in cases.items():
                runs[name].append(_measure(handler, event))
    floor = {key: median(run[key] for run in runs["bare boto3"]) for key in runs["bare boto3"][0]}
    print(f"medians of {ROUNDS} interleaved runs; a ratio is against the bare boto3 handler of the same run")
    print(f"{'':<22}{'cold':>8}{'ratio':>8}{'warm':>8}{'ratio':>8}{'RSS MB':>8}{'modules':>9}")
    for name, measured in runs.items():
        mid = {key: median(run[key] for run in measured) for key in measured[0]}
        cold, warm = (f"{mid[key]:>8.2f}{mid[key] / floor[key]:>8.2f}" for key in ("cold_ms", "warm_ms"))
        print(f"{name:<22}{cold}{warm}{mid['rss_mb']:>8.0f}{mid['modules']:>9.0f}")


def _fill(stack: LocalStack) -> tuple[str, str, str, str]:
    """Open a record and deposit documents; the record, one document, the INS and a token of the patient."""
    ins = bodies.new_ins()
    claims = {"issuer": "patient", "claims": {"ins": bodies.qualified(ins)}}
    token = httpx.post(f"{stack.url}/local/token", json=claims).json()["access_token"]
    with httpx.Client(base_url=f"{stack.url}/fhir/", headers={"authorization": f"Bearer {token}"}) as client:
        record = str(client.post("Patient/$open", json=bodies.opening(ins)).raise_for_status().json()["id"])
        made = [client.post("DocumentReference", json=bodies.document(record)) for _ in range(DOCUMENTS)]
    return record, str(made[-1].raise_for_status().json()["id"]), bodies.qualified(ins), token


def _cases(record: str, document: str, patient: str, token: str) -> dict[str, tuple[str, dict[str, Any]]]:
    context = {"lambda": context_of(requester_patient(patient))}
    query = f"patient={record}&status=current"
    return {
        "bare boto3": ("tests.bench.bare.handler", {"record": record}),
        "authorizer": (
            "handlers.authorizer.handler",
            {"headers": {"authorization": f"Bearer {token}"}, "requestContext": {}},
        ),
        "capability": ("handlers.capability.handler", _event("/fhir/metadata", "", {})),
        "documents (search)": ("handlers.documents.handler", _event("/fhir/DocumentReference", query, context)),
        "contents (retrieve)": ("handlers.contents.handler", _event(f"/fhir/Binary/{document}", "", context)),
        "records (read)": ("handlers.records.handler", _event(f"/fhir/Patient/{record}", "", context)),
        "consents (search)": ("handlers.consents.handler", _event("/fhir/Consent", f"patient={record}", context)),
        "audit trail (page)": (
            "handlers.audit_trail.handler",
            _event("/fhir/AuditEvent", f"patient={record}", context),
        ),
    }


def _event(path: str, query: str, authorizer: dict[str, Any]) -> dict[str, Any]:
    return {
        "rawPath": path,
        "rawQueryString": query,
        "headers": {},
        "requestContext": {
            "http": {"method": "GET", "path": path},
            "authorizer": authorizer,
            "domainName": "dmp.example",
            "requestId": "bench",
        },
    }


def _measure(handler: str, event: dict[str, Any]) -> dict[str, float]:
    done = subprocess.run(
        [sys.executable, "-m", "tests.bench.cold_start"],
        input=json.dumps([handler, event]),
        capture_output=True,
        text=True,
        cwd=ROOT,
        check=True,
    )
    report: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    assert report["status"] == 200, f"{handler} answered {report['status']}"
    return report


if __name__ == "__main__":
    main()
