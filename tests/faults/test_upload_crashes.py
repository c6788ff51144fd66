"""The verification of an upload dies at any call to AWS, meets another, or a change of its document: it converges."""

from collections.abc import Callable, Iterator

import pytest

from tests import bodies
from tests.api_client import ApiClient
from tests.aws_calls import Killed, counted, meanwhile
from tests.faults import fsck
from tests.faults.test_crashes import MODES, fault
from tests.fed_record import AUTHOR, SPECIALIST, FedRecord, open_record
from tests.uploads import Json, Upload, announce, tell

OTHER_PDF = b"%PDF-1.7\n%other\n%%EOF\n"
GOOD = ("BatchGetItem", "GetObject", "BatchGetItem", "BatchGetItem", "TransactWriteItems", "SendMessage")
"""Of a document that replaces another, whose text is still to be read."""
BAD = ("BatchGetItem", "GetObject", "TransactWriteItems", "DeleteObject")


@pytest.fixture
def record(api: ApiClient, stack: dict[str, str]) -> FedRecord:
    record = open_record(api, stack)
    record.authorise(SPECIALIST)
    return record


def replacing(document: str) -> Json:
    return {"relatesTo": [{"code": "replaces", "target": {"reference": f"DocumentReference/{document}"}}]}


def boundaries() -> Iterator[tuple[bool, str, int]]:
    """Every call of a good upload and of a bad one, and which of its name it is."""
    for is_good, calls in ((True, GOOD), (False, BAD)):
        for place, call in enumerate(calls):
            yield is_good, call, calls[: place + 1].count(call)


def sent(record: FedRecord, *, is_good: bool) -> tuple[str, Upload, Json]:
    """A document, an upload that replaces it, and what the bucket tells."""
    former = record.publish()
    upload = announce(record, OTHER_PDF, **replacing(former))
    return former, upload, upload.send(OTHER_PDF if is_good else OTHER_PDF.replace(b"other", b"wrong"))


@pytest.mark.parametrize(("is_good", "swept"), [(True, GOOD), (False, BAD)])
def test_an_undisturbed_verification_makes_the_calls_that_are_swept(
    record: FedRecord, is_good: bool, swept: tuple[str, ...]
) -> None:
    announce(record).complete()  # the first digest of a process fetches the secret
    _, _, event = sent(record, is_good=is_good)

    with counted() as calls:
        assert tell(record.api, event) == []

    assert tuple(calls) == swept


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(("is_good", "call", "nth"), list(boundaries()))
def test_a_verification_that_breaks_off_breaks_nothing_and_the_next_one_converges(
    record: FedRecord, is_good: bool, call: str, nth: int, mode: str
) -> None:
    former, upload, event = sent(record, is_good=is_good)

    try:
        with fault(mode, call, nth):
            tell(record.api, event)
    except Killed:
        pass
    assert fsck.problems(record) == []
    assert record.found(SPECIALIST) in ([former], [upload.id])
    assert tell(record.api, event) == []
    assert tell(record.api, event) == []

    assert record.found(SPECIALIST) == [upload.id if is_good else former]
    assert (upload.error, len(upload.versions())) == (("", 1) if is_good else ("hash-mismatch", 0))
    told = [e["act"] for e in record.trace() if e["role"] == "service"]
    assert told == ["upload-verified" if is_good else "upload-failed"]
    assert fsck.problems(record) == []


@pytest.mark.parametrize("call", ["GetObject", "TransactWriteItems"])
@pytest.mark.parametrize("is_good", [True, False])
def test_two_verifications_at_once_are_one(record: FedRecord, call: str, is_good: bool) -> None:
    _, upload, event = sent(record, is_good=is_good)

    with meanwhile(call, lambda: tell(record.api, event)):
        assert tell(record.api, event) in ([], ["0"])
    assert tell(record.api, event) == []

    assert upload.read().json["meta"]["versionId"] == "2"
    assert len([e for e in record.trace() if e["role"] == "service"]) == 1
    assert fsck.problems(record) == []


def test_of_two_objects_of_one_upload_one_is_kept(record: FedRecord) -> None:
    upload = announce(record)
    first, second = upload.send(), upload.send()

    with meanwhile("TransactWriteItems", lambda: tell(record.api, second)):
        assert tell(record.api, first) == []

    assert len(upload.versions()) == 1
    assert record.found(SPECIALIST) == [upload.id]
    assert fsck.problems(record) == []


def replaced_inline(record: FedRecord, former: str) -> None:
    body = bodies.document(record.id, b"%PDF-1.4 third\n%%EOF\n", **replacing(former))
    assert record.api.post("/fhir/DocumentReference", body, as_=AUTHOR).status == 201


def deleted(record: FedRecord, former: str) -> None:
    assert record.api.delete(f"/fhir/DocumentReference/{former}", as_=AUTHOR).status == 204


def masked(record: FedRecord, former: str) -> None:
    record.mask(former)


@pytest.mark.parametrize(("change", "current"), [(replaced_inline, 2), (deleted, 1), (masked, 1)])
def test_what_becomes_of_a_replaced_document_meanwhile_is_not_forgotten(
    record: FedRecord, change: Callable[[FedRecord, str], None], current: int
) -> None:
    former, upload, event = sent(record, is_good=True)

    with meanwhile("TransactWriteItems", lambda: change(record, former)):
        assert tell(record.api, event) == []

    assert upload.id in record.found(AUTHOR)
    assert len(record.found(AUTHOR)) == current
    assert (upload.id in record.found(SPECIALIST)) is (change is not masked)
    assert fsck.problems(record) == []


def test_an_upload_deleted_during_its_verification_is_not_there(record: FedRecord) -> None:
    upload = announce(record)
    event = upload.send()

    with meanwhile("TransactWriteItems", lambda: deleted(record, upload.id)):
        assert tell(record.api, event) == []

    assert (upload.read().status, upload.versions()) == (410, [])
    assert fsck.problems(record) == []


def test_a_mask_set_during_the_verification_holds(record: FedRecord) -> None:
    upload = announce(record)
    event = upload.send()
    url = f"/fhir/DocumentReference/{upload.id}"

    with meanwhile("TransactWriteItems", lambda: record.api.patch(url, bodies.MASK, as_=AUTHOR)):
        assert tell(record.api, event) == []

    assert (record.found(AUTHOR), record.found(SPECIALIST)) == ([upload.id], [])
    assert fsck.problems(record) == []
