"""The operator's inspection of what is really stored: sound records pass, each planted fault is found by name."""

import json
from base64 import b64encode
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from itertools import count
from typing import Any

import pytest
from time_machine import TimeMachineFixture

from dmp.adapters import aws
from dmp.adapters.chain_store import ChainStore
from dmp.adapters.table import Table
from dmp.domain.operation import OPERATORS
from dmp.services.audit_chain import AuditChain
from infra.local.resources import ACCOUNT
from tests import bodies, uploads
from tests.api_client import ApiClient
from tests.aws_calls import meanwhile, refused
from tests.cda_entries import concern, part, problem, value
from tests.cda_factories import structured
from tests.closed_record import close, erase, full_record, small_stack
from tests.fed_record import AUTHOR, SPECIALIST, FedRecord, open_record, partition
from tests.profile_bodies import allergy
from tests.reimbursements import fed, line
from tests.uploads import Json

_MONTHS = count()


@pytest.fixture(scope="module")
def stack() -> Iterator[dict[str, str]]:
    with small_stack() as environment:
        yield environment


@pytest.fixture(scope="module")
def api(stack: dict[str, str]) -> ApiClient:
    assert stack
    return ApiClient()


@pytest.fixture(autouse=True)
def later(clock: TimeMachineFixture) -> None:
    """Each test plays a month after the one before: no seal lies in the future of another."""
    clock.shift(timedelta(days=30 * next(_MONTHS)))


@pytest.fixture
def record(api: ApiClient, stack: dict[str, str], clock: TimeMachineFixture) -> FedRecord:
    """A record with something of every kind, chained, sealed, and old enough that nothing is under way."""
    record = full_record(api, stack)
    body = allergy(record.id)
    entered = api.post("/fhir/AllergyIntolerance", body, as_=AUTHOR)
    assert entered.status == 201, entered.body
    stated = structured(part("11450-4", "Problèmes", "Texte", concern("39", "active", problem(value("I10")))))
    named = [{"system": "https://hospital.example/documents", "value": record.id}]
    record.publish(content=stated, content_type="text/xml", identifier=named)
    assert fed(api, line(record.id)).status == 201
    record.find(SPECIALIST)
    settle(record, clock)
    return record


def settle(record: FedRecord, clock: TimeMachineFixture) -> None:
    """Let the chain and the seals come, and time go by."""
    seal(record, clock)


def seal(record: FedRecord, clock: TimeMachineFixture, trace: str = "") -> None:
    """Chain and seal the trace of a record, by default this one's, and let time go by."""
    record.api.run("AuditSealer", {"record": trace or record.id})
    clock.shift(timedelta(minutes=1))
    record.api.run("AuditSealer")
    clock.shift(timedelta(hours=1))


def order(api: ApiClient, name: str, **event: Any) -> Json:
    answer: Json = api.run("Operations", {"order": name, **event})
    return answer


def faults(record: FedRecord, **event: Any) -> list[str]:
    """What an inspection of one record finds."""
    answer = order(record.api, "records", record=record.id, **event)
    return sorted({one["fault"] for one in answer["problems"]})


def items(record: FedRecord, prefix: str) -> list[Json]:
    return [one for one in record.items() if one["sk"]["S"].startswith(prefix)]


def put(table: str, item: Json) -> None:
    aws.client("dynamodb").put_item(TableName=table, Item=item)


def drop(table: str, item: Json) -> None:
    key = {name: item[name] for name in ("pk", "sk")}
    aws.client("dynamodb").delete_item(TableName=table, Key=key)


# --- what is sound


def test_a_record_with_something_of_every_kind_is_sound(record: FedRecord) -> None:
    answer = order(record.api, "records", record=record.id)

    assert answer["problems"] == []
    assert (answer["records"], answer["documents"], answer["objects"]) == (1, 5, 3)
    assert answer["entries"] == len(record.trace())
    assert answer["items"] == len(record.items())
    assert answer["stored_bytes"] == sum(record.objects().values()) - len(bodies.PDF + b"b") - len(bodies.PDF + b"d")


def test_reading_every_byte_finds_the_same(record: FedRecord) -> None:
    assert faults(record, bytes=True) == []


def test_an_authorisation_that_is_over_is_no_fault_whether_or_not_it_was_marked(clock: TimeMachineFixture) -> None:
    with small_stack() as stack:
        record = full_record(ApiClient(), stack)
        settle(record, clock)
        clock.shift(timedelta(days=400))
        unmarked = faults(record)
        record.api.run("ConsentExpiry")
        settle(record, clock)
        marked = faults(record)
        record.authorise(AUTHOR)
        settle(record, clock)
        dropped = faults(record)

    assert (unmarked, marked, dropped) == ([], [], [])


def test_a_line_of_reimbursement_whose_name_went_over_to_another_is_no_fault(
    api: ApiClient, stack: dict[str, str], clock: TimeMachineFixture
) -> None:
    record = open_record(api, stack)
    assert fed(api, line(record.id, identifier=record.id)).status == 201
    clock.shift(timedelta(days=735))
    assert fed(api, line(record.id, identifier=record.id)).status == 201

    assert len(items(record, "B#")) == 2
    assert faults(record) == ["not-chained"]


def test_what_is_still_on_its_way_is_no_fault(api: ApiClient, stack: dict[str, str], clock: TimeMachineFixture) -> None:
    record = full_record(api, stack)

    assert faults(record) == []


def test_a_closed_and_an_erased_record_are_sound(record: FedRecord, clock: TimeMachineFixture) -> None:
    close(record)
    settle(record, clock)
    closed = faults(record)
    assert erase(record).status == 202
    record.api.run("Retention")
    settle(record, clock)

    assert (closed, faults(record)) == ([], [])


def test_what_happens_while_it_looks_is_no_fault(record: FedRecord) -> None:
    document = f"/fhir/DocumentReference/{record.found(record.patient)[0]}"
    mask = bodies.MASK

    with meanwhile("HeadObject", lambda: record.api.patch(document, mask, as_=record.patient)):
        assert faults(record) == []


# --- what is not


def current_object(record: FedRecord) -> str:
    """The key of what came inline and is current."""
    current = [one for one in items(record, "D#") if one["st"]["S"] == "current"]
    contents = [json.loads(one["facts"]["S"])["content"] for one in current]
    return next(str(key) for key, kind, *_ in contents if key.startswith("documents/") and kind == "application/pdf")


def lose_object(record: FedRecord) -> None:
    key = current_object(record)
    aws.client("s3").delete_object(Bucket=record.stores["DOCUMENTS_BUCKET"], Key=key)


def replace_object(record: FedRecord, **how: Any) -> None:
    key = current_object(record)
    size = record.objects()[key]
    encrypted = {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": record.stores["DATA_KEY"]}
    aws.client("s3").put_object(
        Bucket=record.stores["DOCUMENTS_BUCKET"], Key=key,
        **{"Body": b"x" * size, "ContentType": "application/pdf", "ChecksumAlgorithm": "SHA256"} | encrypted | how,
    )  # fmt: skip


def decrypt_object(record: FedRecord) -> None:
    replace_object(record, ServerSideEncryption="AES256", SSEKMSKeyId="")


def unpin_upload(record: FedRecord) -> None:
    for item in items(record, "D#"):
        facts = json.loads(item["facts"]["S"])
        if facts.get("uploaded") and len(facts["content"]) == 6:
            facts["content"].pop()
            put(record.stores["RECORDS_TABLE"], item | {"facts": {"S": json.dumps(facts)}})


def forget_entry(record: FedRecord) -> None:
    """As if the change had never been traced: its entry is neither there nor chained."""
    table = record.stores["AUDIT_TABLE"]
    entry = next(one for one in partition(table, f"R#{record.id}") if '"act":"patch"' in one["entry"]["S"])
    drop(table, entry)
    for link in partition(table, f"K#{record.id}"):
        drop(table, link)


def trace_twice(record: FedRecord) -> None:
    table = record.stores["AUDIT_TABLE"]
    entry = next(one for one in partition(table, f"R#{record.id}") if '"act":"patch"' in one["entry"]["S"])
    content = json.loads(entry["entry"]["S"])
    content["id"] = entry["sk"]["S"][:-4] + "0000"
    text = json.dumps(content, ensure_ascii=False, separators=(",", ":"), sort_keys=True)
    put(table, entry | {"sk": {"S": content["id"]}, "entry": {"S": text}})


def lose_document(record: FedRecord) -> None:
    for prefix in ("D#", "T#", "U#"):
        drop(record.stores["RECORDS_TABLE"], items(record, prefix)[0])


def lose_former_version(record: FedRecord) -> None:
    drop(record.stores["RECORDS_TABLE"], items(record, "V#DocumentReference")[0])


def lose_claim(record: FedRecord) -> None:
    drop(record.stores["RECORDS_TABLE"], items(record, "U#")[0])


def lose_words(record: FedRecord) -> None:
    for item in items(record, "T#"):
        drop(record.stores["RECORDS_TABLE"], item)


def lose_consent(record: FedRecord) -> None:
    [authorisation] = [one for one in items(record, "C#") if SPECIALIST.identifier.value in one["body"]["S"]]
    drop(record.stores["RECORDS_TABLE"], authorisation)


def lose_head(record: FedRecord) -> None:
    drop(record.stores["RECORDS_TABLE"], items(record, "D~")[0])


def damage_item(record: FedRecord) -> None:
    put(record.stores["RECORDS_TABLE"], items(record, "C#")[0] | {"body": {"S": "{}"}})


def damage_entry(record: FedRecord) -> None:
    table = record.stores["AUDIT_TABLE"]
    entry = next(one for one in partition(table, f"R#{record.id}") if '"act":"open"' in one["entry"]["S"])
    put(table, entry | {"entry": {"S": entry["entry"]["S"].replace('"act":"open"', '"act":"opened"')}})


def change_entry(record: FedRecord) -> None:
    table = record.stores["AUDIT_TABLE"]
    entry = next(one for one in partition(table, f"R#{record.id}") if '"act":"ITI-67"' in one["entry"]["S"])
    put(table, entry | {"entry": {"S": entry["entry"]["S"].replace('"name":"', '"name":"X')}})


def lose_entry(record: FedRecord) -> None:
    table = record.stores["AUDIT_TABLE"]
    drop(table, next(one for one in partition(table, f"R#{record.id}") if '"act":"ITI-67"' in one["entry"]["S"]))


def unchain(record: FedRecord) -> None:
    for link in partition(record.stores["AUDIT_TABLE"], f"K#{record.id}"):
        drop(record.stores["AUDIT_TABLE"], link)


def rewrite_after_the_whole_seal(record: FedRecord) -> None:
    record.api.run("AuditSealer", {"whole": True})
    unchain(record)
    change_entry(record)
    record.api.run("AuditSealer", {"record": record.id})


def lose_extraction(record: FedRecord) -> None:
    [item] = items(record, "EX#")
    drop(record.stores["RECORDS_TABLE"], item)


def ins_item(record: FedRecord) -> Json:
    return next(one for one in scanned(dict(record.stores)) if one.get("record") == {"S": record.id})


def lose_ins(record: FedRecord) -> None:
    drop(record.stores["RECORDS_TABLE"], ins_item(record))


def lead_ins_elsewhere(record: FedRecord) -> None:
    """As where somebody opened a second record for the same INS."""
    item = ins_item(record)
    drop(record.stores["RECORDS_TABLE"], item)
    open_record(record.api, record.stores, record.ins)


def lose_identifier(record: FedRecord) -> None:
    drop(record.stores["RECORDS_TABLE"], items(record, "I#")[0])


def lose_name_of_reimbursement(record: FedRecord) -> None:
    drop(record.stores["RECORDS_TABLE"], items(record, "BI#")[0])


def lose_message_that_was_read(record: FedRecord) -> None:
    message = items(record, "M#")[0]
    found = record.api.get(f"/fhir/Communication/{record.id}.{message['local']['S']}", as_=record.patient)
    assert found.status == 200, found.body
    drop(record.stores["RECORDS_TABLE"], message)


def change_head(record: FedRecord, change: Callable[[Json], None], **attributes: Json) -> None:
    [head] = items(record, "D~")
    content = json.loads(head["body"]["S"])
    change(content)
    put(record.stores["RECORDS_TABLE"], head | {"body": {"S": json.dumps(content)}} | attributes)


def authorise_another(record: FedRecord) -> None:
    def change(content: Json) -> None:
        row = next(one for one in content["directives"] if one[1] == "authorisation")
        row[3] = row[3].replace(SPECIALIST.identifier.value, "10109999999")

    change_head(record, change)


def lengthen_authorisation(record: FedRecord) -> None:
    def change(content: Json) -> None:
        row = next(one for one in content["directives"] if one[1] == "authorisation")
        row[5] = row[5].replace("202", "203", 1)

    change_head(record, change)


def close_untold(record: FedRecord) -> None:
    change_head(record, lambda _: None, st={"S": "closed"})


def forget_what_is_due(record: FedRecord) -> None:
    consent = next(one for one in items(record, "C#") if "gx_at" in one)
    put(record.stores["RECORDS_TABLE"], {name: consent[name] for name in consent if not name.startswith("gx_")})


def archive_in_the_index(record: FedRecord) -> None:
    document = items(record, "D#")[0]
    put(record.stores["RECORDS_TABLE"], document | {"ls_type": {"S": "other"}})


def leave_words_of_nothing(record: FedRecord) -> None:
    words = items(record, "T#")[0]
    local = "1t3z09gfg0y1ses5fd8f6tmwwv"
    put(record.stores["RECORDS_TABLE"], words | {"sk": {"S": f"T#{local}"}, "local": {"S": local}})


def garble_words(record: FedRecord) -> None:
    put(record.stores["RECORDS_TABLE"], items(record, "T#")[0] | {"words": {"B": b"xx"}})


PLANTED: list[tuple[Callable[[FedRecord], None], set[str]]] = [
    (lose_extraction, {"not-extracted"}),
    (lose_ins, {"not-led-to"}),
    (lead_ins_elsewhere, {"not-led-to"}),
    (lose_identifier, {"not-led-to"}),
    (lose_name_of_reimbursement, {"not-led-to"}),
    (lose_message_that_was_read, {"change-lost"}),
    (authorise_another, {"directive-differs"}),
    (lengthen_authorisation, {"directive-differs"}),
    (close_untold, {"head-differs"}),
    (forget_what_is_due, {"index-differs"}),
    (archive_in_the_index, {"index-differs"}),
    (leave_words_of_nothing, {"leads-nowhere"}),
    (garble_words, {"unreadable"}),
    (lose_object, {"object-missing"}),
    (replace_object, {"object-differs"}),
    (decrypt_object, {"object-not-encrypted"}),
    (unpin_upload, {"object-not-pinned"}),
    (forget_entry, {"not-chained"}),
    (trace_twice, {"traced-twice", "not-chained"}),
    (lose_document, {"change-lost"}),
    (lose_former_version, {"former-version-lost"}),
    (lose_claim, {"not-claimed"}),
    (lose_words, {"not-indexed"}),
    (lose_consent, {"directive-differs", "change-lost"}),
    (lose_head, {"head-missing"}),
    (damage_item, {"unreadable"}),
    (damage_entry, {"entry-damaged", "chain-broken"}),
    (change_entry, {"chain-broken"}),
    (lose_entry, {"entry-gone"}),
    (unchain, {"not-chained"}),
    (rewrite_after_the_whole_seal, {"seal-differs"}),
]


@pytest.mark.parametrize(("plant", "wanted"), PLANTED, ids=[plant.__name__ for plant, _ in PLANTED])
def test_what_is_broken_is_found(record: FedRecord, plant: Callable[[FedRecord], None], wanted: set[str]) -> None:
    plant(record)

    found = set(faults(record))

    assert found >= wanted


def test_a_change_without_its_entry_is_found(record: FedRecord, clock: TimeMachineFixture) -> None:
    document = record.publish()
    clock.shift(timedelta(seconds=1))
    record.mask(document)
    table = record.stores["AUDIT_TABLE"]
    newest = max(partition(table, f"R#{record.id}"), key=lambda one: one["sk"]["S"])
    drop(table, newest)

    found = order(record.api, "records", record=record.id)["problems"]

    local = document.partition(".")[2]
    assert {"fault": "not-traced", "record": record.id, "what": f"DocumentReference/{local}/2"} in found


def test_a_trace_without_its_seals_is_found(record: FedRecord) -> None:
    table = record.stores["AUDIT_TABLE"]
    seals = partition(table, "SEALS")
    for one in seals:
        drop(table, one)

    found = faults(record)

    for one in seals:
        put(table, one)
    assert (found, faults(record)) == (["not-sealed"], [])


def test_bytes_that_only_their_reading_betrays_are_found_by_it(record: FedRecord) -> None:
    from moto.s3.models import s3_backends

    key = current_object(record)
    stored: Any = s3_backends[ACCOUNT]["aws"].get_object(record.stores["DOCUMENTS_BUCKET"], key)
    content = stored.value
    # moto keeps a hash only under another header than that by which S3 is given it here
    stored.checksum_algorithm = "SHA256"
    stored.checksum_value = b64encode(sha256(content).digest()).decode()
    stored.value = b"y" * len(content)

    assert (faults(record), faults(record, bytes=True)) == ([], ["object-differs"])


def test_what_an_erasure_left_is_found(record: FedRecord, stack: dict[str, str]) -> None:
    left = items(record, "T#")[0]
    close(record)
    assert erase(record).status == 202
    record.api.run("Retention")
    put(stack["RECORDS_TABLE"], left)

    assert "left-after-erasure" in faults(record)


def test_where_storage_does_not_answer_nothing_is_said_to_be_broken(record: FedRecord) -> None:
    with refused("HeadObject", "SlowDown", 503):
        answer = order(record.api, "records", record=record.id)

    assert answer["error"] == "service-unavailable"


# --- what cannot be read


@pytest.mark.parametrize(
    ("kind", "damage"),
    [
        ("D#", {"body": {"S": "xx"}}), ("D#", {"facts": {"S": "{}"}}), ("D#", {"facts": {"S": "no JSON"}}),
        ("D#", {"facts": {"S": "[]"}}), ("D~", {"body": {"S": "[]"}}), ("C#", {"body": {"S": "7"}}),
        ("E#", {"body": {"B": b"xx"}}), ("U#", {"local": {"N": "1"}}), ("M#", {"sent": {"S": "never"}}),
    ],
)  # fmt: skip
def test_a_row_that_cannot_be_read_is_named_on_every_page_and_hides_no_other(
    record: FedRecord, kind: str, damage: Json, api: ApiClient
) -> None:
    row = items(record, kind)[0]
    put(record.stores["RECORDS_TABLE"], row | damage)

    problems = [one for page in pages(api, "records") for one in page["problems"]]
    versions = [page["versions"] for page in pages(api, "objects", sweep=True)]

    put(record.stores["RECORDS_TABLE"], row)
    assert {"fault": "unreadable", "record": record.id, "what": row["sk"]["S"]} in problems
    assert sum(versions) >= 3
    assert not {one["fault"] for one in order(api, "records", record=record.id)["problems"]}


def test_the_bytes_of_a_document_that_cannot_be_read_are_never_swept(
    record: FedRecord, api: ApiClient, clock: TimeMachineFixture
) -> None:
    rows = items(record, "D#")
    for row in rows:
        put(record.stores["RECORDS_TABLE"], row | {"facts": {"S": "{}"}})
    clock.shift(timedelta(days=2))
    before = stored(record)

    problems = [one for page in pages(api, "objects", sweep=True) for one in page["problems"]]

    for row in rows:
        put(record.stores["RECORDS_TABLE"], row)
    assert {one["what"] for one in problems} >= {f"DocumentReference/{record.id}.{rows[0]['local']['S']}"}
    assert {key for key in before if record.id in key} <= stored(record)


@pytest.mark.parametrize(
    ("partition_of", "damage", "fault"),
    [
        ("R#", {"entry": None}, "entry-damaged"), ("R#", {"sk": {"S": "zz!"}}, "not-chained"),
        ("R#", {"entry": {"S": "[]"}}, "entry-damaged"), ("K#", {"head": None}, "unreadable"),
        ("K#", {"entries": {"S": "5"}}, "unreadable"), ("K#", {"head": {"S": "xyz"}}, "unreadable"),
    ],
)  # fmt: skip
def test_a_row_of_the_trace_that_cannot_be_read_is_told(
    record: FedRecord, partition_of: str, damage: Json, fault: str
) -> None:
    table = record.stores["AUDIT_TABLE"]
    row = partition(table, f"{partition_of}{record.id}")[0]
    changed = {name: typed for name, typed in (row | damage).items() if typed is not None}
    put(table, changed)

    found = faults(record)

    drop(table, changed)
    put(table, row)
    assert fault in found
    assert faults(record) == []


@pytest.mark.parametrize("content", [b"garbage", b"{}", None])
def test_a_seal_whose_object_is_damaged_or_gone_is_told_and_records_are_looked_at_all_the_same(
    record: FedRecord, content: bytes | None
) -> None:
    bucket, client = record.stores["SEALS_BUCKET"], aws.client("s3")
    newest = max(partition(record.stores["AUDIT_TABLE"], "SEALS"), key=lambda one: int(one["number"]["N"]))
    number = int(newest["number"]["N"])
    key = next(one for one in seal_objects(record) if int("".join(filter(str.isdigit, one)) or 0) == number)
    kept = client.get_object(Bucket=bucket, Key=key)["Body"].read()
    if content is None:
        client.delete_object(Bucket=bucket, Key=key)
    else:
        client.put_object(Bucket=bucket, Key=key, Body=content)

    problems = [one for page in pages(record.api, "seals") for one in page["problems"]]
    of_record = faults(record)

    client.put_object(Bucket=bucket, Key=key, Body=kept)
    wanted = "object-missing" if content is None else "object-differs"
    assert {"fault": wanted, "record": "", "what": f"seal {number}"} in problems
    assert of_record == ["not-sealed"]


def seal_objects(record: FedRecord) -> list[str]:
    found = aws.client("s3").get_paginator("list_objects_v2").paginate(Bucket=record.stores["SEALS_BUCKET"])
    return [one["Key"] for page in found for one in page.get("Contents", [])]


@pytest.mark.parametrize("change", ["garbage", "text", "leaves"])
def test_a_seal_of_all_records_that_is_not_what_was_signed_is_told(record: FedRecord, change: str) -> None:
    before = set(seal_objects(record))
    record.api.run("AuditSealer", {"whole": True})
    bucket, client = record.stores["SEALS_BUCKET"], aws.client("s3")
    wholes = {key: client.get_object(Bucket=bucket, Key=key)["Body"].read() for key in seal_objects(record)}
    wholes = {key: kept for key, kept in wholes.items() if key not in before or b'"leaves"' in kept}
    for key, kept in wholes.items():
        content = json.loads(kept)
        if change == "leaves":
            content["leaves"] = [[name, number, "0" * 64] for name, number, _ in content["leaves"]]
        if change == "text":
            content["text"] = content["text"].replace('"number":', '"number":1')
        client.put_object(Bucket=bucket, Key=key, Body=b"xx" if change == "garbage" else json.dumps(content).encode())

    found = faults(record)

    for key, kept in wholes.items():
        client.put_object(Bucket=bucket, Key=key, Body=kept)
    assert "seal-differs" in found
    assert faults(record) == []


def test_a_row_of_the_seals_or_of_an_ins_that_cannot_be_read_is_told(record: FedRecord) -> None:
    row, ins = partition(record.stores["AUDIT_TABLE"], "SEALS")[0], ins_item(record)
    put(record.stores["AUDIT_TABLE"], {name: row[name] for name in row if name != "signature"})
    put(record.stores["RECORDS_TABLE"], {name: ins[name] for name in ins if name != "record"})

    seals = [one for page in pages(record.api, "seals") for one in page["problems"]]
    records = [one for page in pages(record.api, "records", counts=True) for one in page["problems"]]

    put(record.stores["AUDIT_TABLE"], row)
    put(record.stores["RECORDS_TABLE"], ins)
    assert ("unreadable", f"SEALS {row['sk']['S']}") in {(one["fault"], one["what"]) for one in seals}
    assert ("unreadable", f"{ins['pk']['S']} INS") in {(one["fault"], one["what"]) for one in records}


@pytest.mark.parametrize("code", ["AccessDenied", "KMS.DisabledException"])
def test_an_object_that_is_refused_is_told_and_the_others_are_looked_at(record: FedRecord, code: str) -> None:
    with refused("HeadObject", code, 403):
        assert faults(record) == ["object-unreadable"]


# --- all of it, page by page


def pages(api: ApiClient, name: str, **event: Any) -> list[Json]:
    """The answers to an order until nothing is left."""
    found = [order(api, name, **event)]
    while found[-1]["cursor"] is not None:
        found.append(order(api, name, cursor=found[-1]["cursor"], **event))
    return found


def test_all_records_are_looked_at_once_however_they_are_shared_out(
    api: ApiClient, stack: dict[str, str], clock: TimeMachineFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = {open_record(api, stack).id for _ in range(5)}
    heads = records_of(stack)
    monkeypatch.setattr("dmp.adapters.inspection_store._ITEMS_A_PAGE", 7)

    alone = pages(api, "records", counts=True)
    shared = [page for segment in range(3) for page in pages(api, "records", counts=True, segment=segment, segments=3)]

    assert opened <= heads
    assert len(alone) > 3
    assert sum(page["records"] for page in alone) == sum(page["records"] for page in shared) == len(heads)


def records_of(stack: dict[str, str]) -> set[str]:
    return {pk.removeprefix("R#") for item in scanned(stack) if (pk := item["pk"]["S"]).startswith("R#")}


def scanned(stack: dict[str, str]) -> list[Json]:
    found = aws.client("dynamodb").get_paginator("scan").paginate(TableName=stack["RECORDS_TABLE"])
    return [dict(item) for page in found for item in page["Items"]]


def test_a_page_ends_in_time_and_the_next_goes_on(
    api: ApiClient, stack: dict[str, str], clock: TimeMachineFixture
) -> None:
    from handlers.operations import handler

    for _ in range(3):
        open_record(api, stack)
    heads = records_of(stack)
    seen, cursor = 0, None

    for _ in range(2 * len(heads) + 2):
        answer = handler({"order": "records", "counts": True, "cursor": cursor}, TimeForOne())
        seen, cursor = seen + answer["records"], answer["cursor"]
        assert answer["records"] <= 1
        if cursor is None:
            break

    assert (seen, cursor) == (len(heads), None)


class TimeForOne:
    """A Lambda context with time for one record."""

    aws_request_id = "run-1"

    def __init__(self) -> None:
        self._looks = 0

    def get_remaining_time_in_millis(self) -> int:
        self._looks += 1
        return 100_000 if self._looks == 1 else 10_000


def test_an_ins_that_leads_to_no_record_is_found(
    api: ApiClient, stack: dict[str, str], clock: TimeMachineFixture
) -> None:
    record = open_record(api, stack)
    for item in record.items():
        drop(stack["RECORDS_TABLE"], item)

    problems = [one for page in pages(api, "records", counts=True) for one in page["problems"]]

    assert {"fault": "head-missing", "record": record.id, "what": "its INS leads here"} in problems


def test_heads_that_are_nearly_full_are_named(record: FedRecord, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dmp.domain.inspection.MANY_DIRECTIVES", 2)

    [head] = order(record.api, "records", record=record.id, counts=True)["full_heads"]

    assert (head["record"], head["directives"]) == (record.id, 3)


@pytest.mark.parametrize(
    "event",
    [{"segment": 2, "segments": 2}, {"segment": "0"}, {"segments": 10_000}, {"record": "no id"}, {"record": 7}],
)
def test_an_order_that_makes_no_sense_is_refused(api: ApiClient, stack: dict[str, str], event: Json) -> None:
    assert stack
    assert order(api, "records", **event)["error"] == "invalid-parameter"


def test_an_unknown_order_is_refused(api: ApiClient, stack: dict[str, str]) -> None:
    assert stack
    assert order(api, "everything") == {"error": "invalid-parameter", "detail": "order"}


# --- objects


@pytest.fixture
def orphans(record: FedRecord) -> list[str]:
    """Keys of objects that nothing names: of a document, of an upload, of an archive."""
    local = "1t3z09gfg0y1ses5fd8f6tmwwv"
    keys = [f"documents/{record.id}/{local}", f"uploads/{record.id}/{local}", f"exports/{record.id}/{local}.zip"]
    for key in keys:
        aws.client("s3").put_object(
            Bucket=record.stores["DOCUMENTS_BUCKET"], Key=key, Body=b"x",
            ServerSideEncryption="aws:kms", SSEKMSKeyId=record.stores["DATA_KEY"],
        )  # fmt: skip
    return keys


def stored(record: FedRecord) -> set[str]:
    found = aws.client("s3").get_paginator("list_objects_v2").paginate(Bucket=record.stores["DOCUMENTS_BUCKET"])
    return {one["Key"] for page in found for one in page.get("Contents", [])}


def test_orphans_are_counted_and_left_unless_they_are_to_be_swept(
    record: FedRecord, orphans: list[str], clock: TimeMachineFixture
) -> None:
    young = pages(record.api, "objects")
    clock.shift(timedelta(hours=26))

    counted = pages(record.api, "objects")

    [before, after] = [sum(page["orphans"] for page in found) for found in (young, counted)]
    assert sum(page["young"] for page in young) >= 3
    assert after - before >= 3
    assert sum(page["swept"] for page in counted) == 0
    assert stored(record) >= set(orphans)


def test_a_sweep_deletes_orphans_and_nothing_that_a_document_or_an_archive_is(
    record: FedRecord, orphans: list[str], clock: TimeMachineFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dmp.adapters.object_inspection._VERSIONS_A_PAGE", 3)
    record.api.post(f"/fhir/Patient/{record.id}/$export", as_=record.patient, headers={"Prefer": "respond-async"})
    announced = uploads.announce(record, bodies.PDF + b"e")
    announced.send()
    clock.shift(timedelta(hours=26))
    kept = {key for key in stored(record) if record.id in key} - set(orphans)

    pages(record.api, "objects", sweep=True, operator="ana", run="run-9")

    told = [one for one in order(record.api, "acts", limit=5)["acts"] if one["command"] == "sweep"]
    assert {(one["operator"], one["run"], one["stage"]) for one in told} == {("ana", "run-9", "begun")}
    assert {key for key in stored(record) if record.id in key} == kept
    assert set(faults(record, bytes=True)) <= {"not-chained"}
    assert uploads.versions(record.stores["DOCUMENTS_BUCKET"], orphans[0]) == []


def test_what_lies_under_no_key_of_ours_is_never_touched(record: FedRecord, clock: TimeMachineFixture) -> None:
    bucket = record.stores["DOCUMENTS_BUCKET"]
    aws.client("s3").put_object(Bucket=bucket, Key="malware-protection-resource-validation-object", Body=b"")
    clock.shift(timedelta(days=400))

    answer = pages(record.api, "objects", sweep=True)

    assert sum(page["foreign"] for page in answer) >= 1
    assert "malware-protection-resource-validation-object" in stored(record)


# --- seals


def test_the_seals_are_followed_from_the_first_to_the_last(
    record: FedRecord, clock: TimeMachineFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(3):
        record.find(SPECIALIST)
        settle(record, clock)
    monkeypatch.setattr("dmp.services.inspection_seals._PAGE", 2)

    answers = pages(record.api, "seals")

    assert [one for page in answers for one in page["problems"] if one["record"] == ""] == []
    assert sum(page["seals"] for page in answers) == len(partition(record.stores["AUDIT_TABLE"], "SEALS"))


# --- the trace of the operators


def test_what_operators_do_is_traced_chained_sealed_and_listed(record: FedRecord, clock: TimeMachineFixture) -> None:
    act = {"operator": "ana", "command": "fsck", "target": record.id, "run": "run-1"}

    assert order(record.api, "note", **act, stage="begun") == {"noted": True}
    clock.shift(2)
    assert order(record.api, "note", **act, stage="done", detail="problems 0") == {"noted": True}

    newest, before = order(record.api, "acts", limit=2)["acts"]
    assert (newest["operator"], newest["stage"], newest["detail"]) == ("ana", "done", "problems 0")
    assert {name: before[name] for name in act} == act
    assert before["stage"] == "begun"
    seal(record, clock, OPERATORS)
    assert [one for page in pages(record.api, "seals") for one in page["problems"] if one["record"]] == []
    assert partition(record.stores["AUDIT_TABLE"], f"K#{OPERATORS}")


def test_a_trace_of_the_operators_that_was_changed_is_found(record: FedRecord, clock: TimeMachineFixture) -> None:
    order(record.api, "note", operator="ana", command="fsck", target="all", stage="begun")
    seal(record, clock, OPERATORS)
    table = record.stores["AUDIT_TABLE"]
    kept = max(partition(table, f"R#{OPERATORS}"), key=lambda one: one["sk"]["S"])
    put(table, kept | {"entry": {"S": kept["entry"]["S"].replace("ana", "eva")}})

    problems = [one for page in pages(record.api, "seals") for one in page["problems"]]

    put(table, kept)
    assert {"chain-broken"} == {one["fault"] for one in problems if one["record"] == OPERATORS}


@pytest.mark.parametrize("of_operators", [True, False])
def test_a_trace_that_was_cut_at_its_end_is_found_before_any_seal_is(record: FedRecord, of_operators: bool) -> None:
    table, trace = record.stores["AUDIT_TABLE"], OPERATORS if of_operators else record.id
    order(record.api, "note", operator="ana", command="fsck", target="all", stage="begun")
    record.find(SPECIALIST)
    record.api.run("AuditSealer", {"record": OPERATORS})
    before = partition(table, f"K#{trace}")
    order(record.api, "note", operator="ana", command="rm", target="all", stage="begun")
    record.find(SPECIALIST)
    chains = ChainStore(Table(database, table), database, table)
    AuditChain(chains, lambda: datetime.now(UTC)).complete(trace)
    links = [one for one in partition(table, f"K#{trace}") if one not in before]
    entries = {local for one in links for local in json.loads(one["entries"]["S"])}
    cut = [*links, *(one for one in partition(table, f"R#{trace}") if one["sk"]["S"] in entries)]
    for one in cut:
        drop(table, one)

    problems = [one for page in pages(record.api, "seals") for one in page["problems"]]

    for one in cut:
        put(table, one)
    again = [one for page in pages(record.api, "seals") for one in page["problems"]]
    assert "chain-cut" in {one["fault"] for one in problems if one["record"] == trace}
    assert "chain-cut" not in {one["fault"] for one in again if one["record"] == trace}


def database() -> Any:
    return aws.client("dynamodb")


def test_an_act_that_cannot_be_read_hides_no_other(record: FedRecord) -> None:
    order(record.api, "note", operator="ana", command="fsck", target="all", stage="begun")
    table = record.stores["AUDIT_TABLE"]
    kept = max(partition(table, f"R#{OPERATORS}"), key=lambda one: one["sk"]["S"])
    put(table, kept | {"entry": {"S": "{}"}})

    acts = order(record.api, "acts", limit=5)["acts"]

    put(table, kept)
    assert (acts[0]["stage"], acts[0]["target"]) == ("unreadable", kept["sk"]["S"])
    assert len(order(record.api, "acts", limit=5)["acts"]) == len(acts)


@pytest.mark.parametrize(
    "change",
    [
        {"operator": ""},
        {"operator": "a b"},
        {"command": "RM"},
        {"stage": "over"},
        {"target": "x" * 501},
        {"detail": "\n"},
    ],
)
def test_an_act_that_does_not_say_who_does_what_is_not_kept(
    api: ApiClient, stack: dict[str, str], change: Json
) -> None:
    before = partition(stack["AUDIT_TABLE"], f"R#{OPERATORS}")
    act = {"operator": "ana", "command": "fsck", "target": "all", "stage": "begun"}

    assert order(api, "note", **act | change)["error"] == "invalid-parameter"

    assert partition(stack["AUDIT_TABLE"], f"R#{OPERATORS}") == before


def test_the_consumer_of_the_trace_that_tells_persons_lets_operators_pass(record: FedRecord) -> None:
    order(record.api, "note", operator="ana", command="fsck", target="all", stage="begun")
    item = max(partition(record.stores["AUDIT_TABLE"], f"R#{OPERATORS}"), key=lambda one: one["sk"]["S"])
    change = {"eventName": "INSERT", "dynamodb": {"NewImage": item, "SequenceNumber": "1"}}

    assert record.api.run("FirstAccesses", {"Records": [change]}) == {"batchItemFailures": []}


# --- what waits


def test_overdue_work_is_counted_by_its_kind(record: FedRecord, clock: TimeMachineFixture) -> None:
    before = order(record.api, "overdue")["overdue"]
    clock.shift(timedelta(days=400))

    after = order(record.api, "overdue")["overdue"]

    assert before.keys() == {"consents", "documents", "records", "mails", "uploads"}
    assert after["consents"] > before["consents"]
