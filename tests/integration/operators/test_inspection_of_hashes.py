"""What is told of a document in several places is held against each other, and every stored hash against the bytes."""

import json
import zlib
from base64 import b64encode
from collections.abc import Callable
from datetime import timedelta
from hashlib import sha256
from typing import Any

import pytest
from time_machine import TimeMachineFixture

from infra.local import demo_documents
from infra.local.resources import ACCOUNT
from tests import bodies
from tests.api_client import ApiClient
from tests.closed_record import close, full_record
from tests.fed_record import AUTHOR, FedRecord, open_record, partition
from tests.inspected_record import Json, drop, faults, ins_item, items, order, put, settle
from tests.integration.test_cda_versions import AT
from tests.integration.test_official_documents import deposit, patient
from tests.operator_tools import Operator
from tests.uploads import Upload, announce, cda_announcement, uploaded

OTHER_PDF = b"%PDF-1.7\n%other\n%%EOF\n"
WRONG_HASH = b64encode(b"x" * 20).decode()
SUPERSEDE = [{"op": "replace", "path": "/status", "value": "superseded"}]

type Change = Callable[[Json], object]


def nothing(_: Json) -> None:
    """Leave it as it is."""


def rewrite(record: FedRecord, item: Json, facts: Change = nothing, body: Change = nothing, **attributes: Json) -> None:
    """Write a document as somebody with access to the table would."""
    known, resource = json.loads(item["facts"]["S"]), json.loads(zlib.decompress(item["body"]["B"]))
    facts(known)
    body(resource)
    changed = {"facts": {"S": json.dumps(known)}, "body": {"B": zlib.compress(json.dumps(resource).encode())}}
    put(record.stores["RECORDS_TABLE"], item | changed | attributes)


def document(record: FedRecord, status: str, version: int = 1) -> Json:
    """The item of a document in some status and version."""
    return next(one for one in items(record, "D#") if (one["st"]["S"], one["v"]["N"]) == (status, str(version)))


def masked(record: FedRecord) -> Json:
    """The item of a document that came inline, in its second version."""
    return next(one for one in items(record, "D#") if "MASQUE_PS" in one["facts"]["S"])


def attached(name: str, value: object) -> Change:
    return lambda body: body["content"][0]["attachment"].update({name: value})


def kept(place: int, value: object) -> Change:
    return lambda facts: facts["content"].__setitem__(place, value)


def told(name: str, value: object) -> Change:
    return lambda one: one.update({name: value})


def replacing(former: str) -> Json:
    return {"relatesTo": [{"code": "replaces", "target": {"reference": f"DocumentReference/{former}"}}]}


def keep_hash(record: FedRecord, item: Json) -> None:
    """Let moto tell the hash of the object of a document as S3 does."""
    from moto.s3.models import s3_backends

    key = json.loads(item["facts"]["S"])["content"][0]
    stored: Any = s3_backends[ACCOUNT]["aws"].get_object(record.stores["DOCUMENTS_BUCKET"], key)
    stored.checksum_algorithm = "SHA256"
    stored.checksum_value = b64encode(sha256(stored.value).digest()).decode()


METADATA: list[tuple[str, Change, Change]] = [
    ("the SHA-1 of the facts", kept(3, WRONG_HASH), nothing),
    ("the size of the body", nothing, attached("size", 1)),
    ("the hash of the body", nothing, attached("hash", WRONG_HASH)),
    ("the content type of the body", nothing, attached("contentType", "text/plain")),
    ("the creation of one version", nothing, attached("creation", "2020-01-01T00:00:00Z")),
    ("the title of one version", nothing, attached("title", "Autre")),
    ("the status of the body", nothing, told("status", "superseded")),
    ("the labels of the body", nothing, told("securityLabel", [])),
    ("the unique id of the body", nothing, lambda body: body["masterIdentifier"].update(value="urn:oid:1.2")),
    ("the type of the facts", told("type", ["urn:oid:1", "x", ""]), nothing),
    ("the authors of the facts", told("authors", ["urn:oid:1.2.250.1.71.4.2.1|899999999999"]), nothing),
    ("a body without its content", nothing, lambda body: body.pop("content")),
]


@pytest.mark.parametrize(("facts", "body"), [one[1:] for one in METADATA], ids=[one[0] for one in METADATA])
def test_a_document_of_which_two_places_tell_different_things_is_found(
    record: FedRecord, facts: Change, body: Change
) -> None:
    item = masked(record)
    keep_hash(record, item)
    rewrite(record, item, facts, body)

    found = order(record.api, "records", record=record.id)["problems"]

    what = f"DocumentReference/{record.id}.{item['local']['S']}"
    assert {"fault": "metadata-differs", "record": record.id, "what": what} in found


def test_a_former_version_that_tells_something_else_is_found(record: FedRecord) -> None:
    [former, *_] = items(record, "V#DocumentReference")
    rewrite(record, former, body=attached("hash", WRONG_HASH))

    assert faults(record) == ["metadata-differs"]


def test_a_unique_id_that_tells_another_hash_is_found(record: FedRecord) -> None:
    [claim, *_] = [one for one in items(record, "U#") if one["sha256"]["S"]]
    put(record.stores["RECORDS_TABLE"], claim | {"sha256": {"S": "0" * 64}})

    assert faults(record) == ["metadata-differs"]


def test_a_sha_1_that_is_wrong_everywhere_is_found_by_reading_the_bytes(record: FedRecord) -> None:
    published = masked(record)
    keep_hash(record, published)
    rewrite(record, published, kept(3, WRONG_HASH), attached("hash", WRONG_HASH))
    for former in items(record, f"V#DocumentReference#{published['local']['S']}"):
        rewrite(record, former, kept(3, WRONG_HASH), attached("hash", WRONG_HASH))

    assert (faults(record), faults(record, bytes=True)) == ([], ["object-differs"])


def test_a_sha_256_that_is_none_hides_nothing_else(record: FedRecord) -> None:
    published = masked(record)
    keep_hash(record, published)
    rewrite(record, published, kept(4, "none"))
    drop(record.stores["RECORDS_TABLE"], ins_item(record))

    assert faults(record) == ["metadata-differs", "not-led-to", "object-differs"]


def test_documents_that_came_and_ended_in_every_way_are_sound(
    api: ApiClient, stack: dict[str, str], clock: TimeMachineFixture
) -> None:
    record = full_record(api, stack)
    first, second = record.publish(), record.publish(content=bodies.PDF + b"2")
    record.publish(content=bodies.PDF + b"3", **replacing(first))
    assert api.patch(f"/fhir/DocumentReference/{second}", SUPERSEDE, as_=AUTHOR).status == 200
    assert api.delete(f"/fhir/DocumentReference/{first}", as_=AUTHOR).status == 204
    uploaded(record, bodies.PDF + b"4", **replacing(record.publish(content=bodies.PDF + b"5")))
    announce(record, bodies.PDF + b"6", **replacing(record.publish(content=bodies.PDF + b"7")))
    failing = announce(record, b"<html>no PDF</html>")
    failing.complete()
    given_up = announce(record, bodies.PDF + b"8")
    assert api.delete(f"/fhir/DocumentReference/{given_up.id}", as_=AUTHOR).status == 204
    for version in (2, 1, 3):
        unique_id = f"2.25.83{record.id.encode().hex()[:2]}.{version}"
        letter = demo_documents.discharge_letter(patient(record.ins), unique_id, AT, version=version)
        assert deposit(record, letter, as_=AUTHOR).status == 201
    assert api.post("/fhir", bodies.submission(record.id, b"%PDF-1.4 a", OTHER_PDF), as_=AUTHOR).status == 200
    settle(record, clock)

    statuses = {one["st"]["S"] for one in items(record, "D#")}

    assert statuses == {"current", "superseded", "entered-in-error"}
    assert failing.error
    assert (faults(record), faults(record, bytes=True)) == ([], [])
    assert close(record).status == 200
    settle(record, clock)
    assert faults(record) == []


def revive_what_was_deleted(record: FedRecord) -> None:
    rewrite(record, document(record, "entered-in-error", 2), body=told("status", "current"), st={"S": "current"})


def delete_untold(record: FedRecord) -> None:
    item, ended = masked(record), "entered-in-error"
    rewrite(record, item, body=told("status", ended), st={"S": ended})


def supersede_a_first_version(record: FedRecord) -> None:
    rewrite(record, document(record, "current"), body=told("status", "superseded"), st={"S": "superseded"})


@pytest.mark.parametrize("damage", [revive_what_was_deleted, delete_untold, supersede_a_first_version])
def test_a_status_to_which_nothing_led_is_found(record: FedRecord, damage: Callable[[FedRecord], None]) -> None:
    damage(record)

    assert set(faults(record)) - {"not-indexed"} == {"status-differs"}


@pytest.mark.parametrize("forgets", ["former", "latter"])
def test_a_current_document_that_another_has_replaced_is_found_where_one_of_both_knows_it(
    record: FedRecord, clock: TimeMachineFixture, forgets: str
) -> None:
    former = record.publish(content=OTHER_PDF)
    latter = record.publish(content=bodies.PDF + b"e", **replacing(former))
    settle(record, clock)
    sound = faults(record)
    [old], [new] = (items(record, f"D#{one.partition('.')[2]}") for one in (former, latter))
    facts = {"former": told("after", []), "latter": nothing}[forgets]
    rewrite(record, old, facts, told("status", "current"), st={"S": "current"})
    if forgets == "latter":
        rewrite(record, new, told("before", []))

    assert (sound, faults(record)) == ([], ["status-differs"])


def test_a_document_that_is_current_again_after_its_author_ended_it_is_found(
    record: FedRecord, clock: TimeMachineFixture
) -> None:
    ended = record.publish(content=OTHER_PDF)
    assert record.api.patch(f"/fhir/DocumentReference/{ended}", SUPERSEDE, as_=AUTHOR).status == 200
    clock.shift(timedelta(seconds=1))
    record.mask(ended)
    settle(record, clock)
    sound = faults(record)
    [item] = items(record, f"D#{ended.partition('.')[2]}")
    rewrite(record, item, body=told("status", "current"), st={"S": "current"})

    assert (sound, faults(record)) == ([], ["status-differs"])


def test_a_cda_that_came_by_upload_is_sound_before_and_after(
    api: ApiClient, stack: dict[str, str], clock: TimeMachineFixture
) -> None:
    record = open_record(api, stack)
    letter = demo_documents.discharge_letter(patient(record.ins), "2.25.84.1", AT)
    answer = api.post("/fhir/DocumentReference", cda_announcement(record.id, letter), as_=AUTHOR)
    upload = Upload(record, answer, letter, AUTHOR)
    settle(record, clock)
    announced = faults(record)
    assert upload.complete() == []
    settle(record, clock)

    assert upload.read().json["docStatus"] == "final"
    assert (announced, faults(record, bytes=True)) == ([], [])


# --- a record that is not there


def test_a_record_of_which_nothing_is_stored_is_refused(operator: Operator) -> None:
    outcome = operator.run("fsck", "--record", "0" * 26)

    assert (outcome.code, outcome.err.strip()) == (3, "refused: no-record")
    assert operator.acts()[-1] == ("fsck", "0" * 26, "failed", "no-record")


def test_a_record_of_which_only_its_trace_or_its_chain_is_left_is_a_fault(record: FedRecord) -> None:
    for item in record.items():
        drop(record.stores["RECORDS_TABLE"], item)
    traced = faults(record)
    audit = record.stores["AUDIT_TABLE"]
    for entry in partition(audit, f"R#{record.id}"):
        drop(audit, entry)
    chained = faults(record)
    for link in partition(audit, f"K#{record.id}"):
        drop(audit, link)

    assert traced == ["head-missing"]
    assert chained == ["entry-gone", "head-missing"]
    assert order(record.api, "records", record=record.id) == {"error": "no-record", "detail": ""}
