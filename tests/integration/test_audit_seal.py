"""The trace cannot be changed unseen: chains, seals, and the proof that a stand-alone program verifies (R.1111-43)."""

import json
import subprocess
import sys
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, suppress
from pathlib import Path
from typing import Any

import boto3
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dmp.composition import foundation
from dmp.domain.errors import Unavailable
from dmp.domain.seal import Head, chained, digest_of, leaf_of, path_of, root_of
from infra.verify_trace import root, verify
from tests.api_client import ApiClient
from tests.aws_calls import Killed, Moment, answer_lost, killed
from tests.fed_record import SPECIALIST, FedRecord, open_record, partition
from tests.minor_record import open_minor_record
from tests.requester_factories import requester_professional

type Json = dict[str, Any]
type Crash = Callable[[str], AbstractContextManager[None]]

VERIFIER = Path(__file__).parents[2] / "infra" / "verify_trace.py"
HEADS = st.builds(Head, st.text("0123456789abcdef", min_size=4), st.integers(1, 9), st.text("0123456789abcdef"))


@pytest.fixture
def record(api: ApiClient, stack: Mapping[str, str]) -> FedRecord:
    """A record with a few entries in its trace, none of them chained."""
    record = open_record(api, stack)
    record.publish()
    record.authorise(SPECIALIST)
    api.get(f"/fhir/DocumentReference?patient={record.id}&status=current", as_=SPECIALIST)
    api.get(f"/fhir/DocumentReference?patient={record.id}&status=current", as_=requester_professional())
    return record


def entries(record: FedRecord) -> list[Json]:
    return partition(record.stores["AUDIT_TABLE"], f"R#{record.id}")


def chain(record: FedRecord, *items: Json, name: str = "INSERT") -> list[str]:
    """Hand the trace over as its stream does."""
    changes = [
        {"eventName": name, "dynamodb": {"Keys": {}, "NewImage": item, "SequenceNumber": str(number)}}
        for number, item in enumerate(items or entries(record))
    ]
    answer = record.api.run("AuditChain", {"Records": changes})
    return [one["itemIdentifier"] for one in answer["batchItemFailures"]]


def seal(record: FedRecord, event: Json | None = None) -> Json:
    return dict(record.api.run("AuditSealer", event))


def proof(record: FedRecord) -> Json:
    answer = record.api.get(f"/fhir/AuditEvent/$proof?patient={record.id}", as_=record.patient)
    assert answer.status == 200, answer.body
    return dict(json.loads(answer.body))


def sealed(record: FedRecord) -> Json:
    """The proof of a record that is chained and sealed."""
    chain(record)
    seal(record)
    return proof(record)


def links(record: FedRecord) -> list[Json]:
    return partition(record.stores["AUDIT_TABLE"], f"K#{record.id}")


def kill_before(operation: str) -> AbstractContextManager[None]:
    return killed(operation)


def kill_after(operation: str) -> AbstractContextManager[None]:
    return killed(operation, Moment.AFTER)


def overwrite(record: FedRecord, item: Json) -> None:
    boto3.client("dynamodb").put_item(TableName=record.stores["AUDIT_TABLE"], Item=item)


def remove(record: FedRecord, item: Json) -> None:
    key = {name: item[name] for name in ("pk", "sk")}
    boto3.client("dynamodb").delete_item(TableName=record.stores["AUDIT_TABLE"], Key=key)


def test_the_patient_verifies_alone_that_nothing_was_changed(record: FedRecord, tmp_path: Path) -> None:
    made = sealed(record)
    path = tmp_path / "proof.json"
    path.write_text(json.dumps(made), encoding="utf-8")

    run = subprocess.run([sys.executable, "-I", VERIFIER, path], capture_output=True, text=True, check=False)

    assert (run.returncode, run.stdout) == (0, f"{len(made['entries'])} entries: nothing was changed\n")
    assert [json.loads(one["entry"])["act"] for one in made["entries"]][:2] == ["open", "ITI-105"]


def test_who_may_not_read_the_trace_gets_no_proof_and_asking_for_one_is_traced(record: FedRecord) -> None:
    refused = record.api.get(f"/fhir/AuditEvent/$proof?patient={record.id}", as_=SPECIALIST)
    stranger = record.api.get(f"/fhir/AuditEvent/$proof?patient={record.id}", as_=requester_professional())
    sealed(record)

    told = [json.loads(item["entry"]["S"]) for item in entries(record)]

    assert (refused.status, stranger.status) == (403, 403)
    assert [(one["act"], one["outcome"]) for one in told[-3:]] == [("proof", "8"), ("proof", "8"), ("proof", "0")]


def test_what_the_stream_brings_twice_is_chained_once(record: FedRecord) -> None:
    assert chain(record) == []
    before = links(record)
    assert chain(record) == []

    assert links(record) == before
    assert sum(len(json.loads(one["entries"]["S"])) for one in before) == len(entries(record))


def test_a_seal_without_anything_new_is_not_made(record: FedRecord) -> None:
    chain(record)

    assert seal(record)["sealed"] > 0
    assert seal(record)["sealed"] == 0


def test_seals_name_the_ones_before_them(record: FedRecord) -> None:
    first = json.loads(sealed(record)["seal"]["text"])
    second = json.loads(sealed(record)["seal"]["text"])

    assert (first["number"] + 1, len(second["previous"])) == (second["number"], 64)


def test_what_was_never_chained_is_chained_by_order(record: FedRecord) -> None:
    kept = entries(record)
    chain(record, *kept[2:])

    completed = seal(record, {"record": record.id})["completed"]

    assert completed == 2
    assert verify(proof(record)) == []


def test_a_change_of_the_trace_is_an_alarm(record: FedRecord, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("ERROR", logger="dmp")

    chain(record, entries(record)[0], name="REMOVE")

    assert [one.message for one in caplog.records] == ["trace_changed"]


def edited(record: FedRecord, item: Json) -> None:
    text = item["entry"]["S"].replace('"outcome":"0"', '"outcome":"8"').replace('"role":', '"role2":')
    overwrite(record, item | {"entry": {"S": text}})


def rehashed(record: FedRecord, item: Json) -> None:
    """An entry edited, and every link behind it written anew to suit."""
    edited(record, item)
    head, stored = bytes(32), {one["sk"]["S"]: one["entry"]["S"] for one in entries(record)}
    for link in links(record):
        head = chained(head, [digest_of(stored[local]) for local in json.loads(link["entries"]["S"])])
        overwrite(record, link | {"head": {"S": head.hex()}})


def shortened(record: FedRecord, item: Json) -> None:
    """The newest entry gone, with all the links that tell of it."""
    remove(record, entries(record)[-1])
    remove(record, links(record)[-1])


def reordered(record: FedRecord, item: Json) -> None:
    first, second = entries(record)[:2]
    overwrite(record, first | {"entry": second["entry"]})
    overwrite(record, second | {"entry": first["entry"]})


def forged(record: FedRecord, item: Json) -> None:
    """An entry that never was, at the head of the chain."""
    overwrite(record, item | {"sk": {"S": "0" * 26}})
    link = links(record)[0]
    overwrite(record, link | {"entries": {"S": json.dumps(["0" * 26, *json.loads(link["entries"]["S"])])}})


TAMPERINGS: list[Callable[[FedRecord, Json], None]] = [remove, edited, rehashed, reordered, forged]


@pytest.mark.parametrize("tamper", TAMPERINGS)
@pytest.mark.parametrize("place", [0, 1, -1])
def test_whatever_is_done_to_a_sealed_trace_shows(
    record: FedRecord, tamper: Callable[[FedRecord, Json], None], place: int
) -> None:
    assert verify(sealed(record)) == []

    tamper(record, entries(record)[: len(entries(record)) - 1][place])

    assert verify(proof(record))


def test_an_end_that_is_cut_off_shows(record: FedRecord) -> None:
    sealed(record)
    sealed(record)
    assert seal(record, {"whole": True})["shards"] > 0
    assert verify(proof(record)) == []

    shortened(record, {})

    assert verify(proof(record))


@pytest.mark.parametrize("kept", [0, 1])
def test_a_trace_that_is_written_anew_shows_although_honest_functions_seal_it(
    record: FedRecord, kept: int, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("ERROR", logger="dmp")
    sealed(record)
    seal(record, {"whole": True})
    items = entries(record)
    for item in [*items, *links(record)]:
        remove(record, item)
    forged = [item for place, item in enumerate(items) if place != 1]
    for item in forged[: len(forged) - kept]:
        overwrite(record, item)
    record.api.get(f"/fhir/Patient/{record.id}", as_=record.patient)

    made = sealed(record)
    seal(record, {"whole": True})

    assert verify(made)
    assert verify(proof(record))
    leaf = foundation().keyring.sealed_record(record.id)
    alarms = [one for one in caplog.records if getattr(one, "leaf", "") == leaf]
    assert [one.message for one in alarms] == ["trace_rewritten"] * (1 - kept), "a shorter one is found by its proof"


def test_a_trace_that_is_gone_as_a_whole_shows(record: FedRecord) -> None:
    sealed(record)
    seal(record, {"whole": True})
    for item in [*entries(record), *links(record)]:
        remove(record, item)

    assert verify(proof(record))


def test_a_record_that_goes_on_is_sealed_with_the_whole_again(record: FedRecord) -> None:
    sealed(record)
    seal(record, {"whole": True})
    first = proof(record)["whole"]["number"]
    sealed(record)
    seal(record, {"whole": True})

    made = proof(record)

    assert made["whole"]["number"] > first
    assert verify(made) == []
    assert seal(record, {"whole": True})["shards"] == 0


def test_a_long_trace_is_proven_by_its_newest_entries(record: FedRecord, monkeypatch: pytest.MonkeyPatch) -> None:
    from dmp.services import proofs

    for _ in range(5):
        sealed(record)
    whole = proof(record)
    monkeypatch.setattr(proofs, "MOST_TEXT", 1500)

    made = proof(record)

    assert 0 < len(made["entries"]) < len(whole["entries"])
    assert made["start"]["number"] > 0
    assert verify(made) == []


def test_a_representative_gets_no_proof(api: ApiClient, stack: Mapping[str, str]) -> None:
    minor = open_minor_record(api, stack)

    refused = api.get(f"/fhir/AuditEvent/$proof?patient={minor.id}", as_=minor.guardian)

    assert (refused.status, refused.code) == (403, "not-authorised")


@pytest.mark.parametrize("part", ["text", "signature", "path", "head", "place"])
def test_a_forged_proof_is_found_out(record: FedRecord, part: str) -> None:
    for _ in range(2):
        other = open_record(record.api, record.stores)
        chain(other)
    made = sealed(record)
    forgeries = {
        "text": made["seal"]["text"].replace('"size":', '"size": '),
        "signature": made["seal"]["signature"][:-12] + "AAAAAAAAAAA=",
        "path": [one[::-1] for one in made["seal"]["path"]] or ["00" * 32],
        "head": made["seal"]["head"][::-1],
        "place": made["seal"]["place"] + 1,
    }

    made["seal"][part] = forgeries[part]

    assert verify(made)


@pytest.mark.parametrize("crash", [kill_before, kill_after, answer_lost])
@pytest.mark.parametrize(
    ("function", "operation"),
    [
        ("AuditChain", "Query"),
        ("AuditChain", "TransactWriteItems"),
        ("AuditSealer", "Query"),
        ("AuditSealer", "Sign"),
        ("AuditSealer", "PutObject"),
        ("AuditSealer", "TransactWriteItems"),
    ],
)
def test_a_crash_at_any_call_is_made_good_by_the_next_run(
    record: FedRecord, function: str, operation: str, crash: Crash
) -> None:
    if function == "AuditSealer":
        chain(record)

    brought = entries(record)
    with suppress(Killed, Unavailable), crash(operation):
        chain(record, *brought) if function == "AuditChain" else seal(record)
    chain(record)
    seal(record)

    assert verify(proof(record)) == []
    assert sum(len(json.loads(one["entries"]["S"])) for one in links(record)) == len(entries(record)) - 1


@given(st.lists(HEADS, min_size=1, max_size=40), st.data())
def test_the_path_of_every_leaf_leads_to_the_root_and_of_no_other(heads: list[Head], data: st.DataObject) -> None:
    leaves = [leaf_of(one) for one in heads]
    place = data.draw(st.integers(0, len(leaves) - 1))
    path = path_of(leaves, place)

    assert root(leaves[place], place, len(leaves), path) == root_of(leaves)
    assert root(bytes(32), place, len(leaves), path) != root_of(leaves)
    assert root(leaves[place], len(leaves), len(leaves), path) is None or len(leaves) == 1
