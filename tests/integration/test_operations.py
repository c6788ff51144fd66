"""The operator's inspection of what is really stored: sound records pass, each planted fault is found by name."""

import json
from base64 import b64encode
from collections.abc import Callable, Iterator
from datetime import timedelta
from hashlib import sha256
from itertools import count
from typing import Any

import pytest
from time_machine import TimeMachineFixture

from dmp.adapters import aws
from dmp.domain.operation import OPERATORS
from infra.local.resources import ACCOUNT
from tests import bodies, uploads
from tests.api_client import ApiClient
from tests.aws_calls import meanwhile, refused
from tests.closed_record import close, erase, full_record, small_stack
from tests.fed_record import AUTHOR, SPECIALIST, FedRecord, open_record, partition
from tests.profile_bodies import allergy
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
    assert (answer["records"], answer["documents"], answer["objects"]) == (1, 4, 2)
    assert answer["entries"] == len(record.trace())
    assert answer["items"] == len(record.items())
    assert answer["stored_bytes"] == 2 * len(bodies.PDF + b"a")


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
    keys = [str(json.loads(one["facts"]["S"])["content"][0]) for one in current]
    return next(key for key in keys if key.startswith("documents/"))


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


PLANTED: list[tuple[Callable[[FedRecord], None], set[str]]] = [
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

    assert {"fault": "head-missing", "record": record.id, "what": ""} in problems


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

    pages(record.api, "objects", sweep=True)

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
