"""Successive versions of one CDA: what a search finds of them, in whatever order they came, and for whom they count."""

from datetime import UTC, datetime
from typing import Any

import pytest

from dmp.domain.requester import Requester
from infra.local import demo_documents
from tests import bodies
from tests.api_client import ApiClient, Response
from tests.aws_calls import counted, meanwhile
from tests.faults import fsck
from tests.fed_record import AUTHOR, COLLEAGUE, SPECIALIST, STRANGER, FedRecord, open_record
from tests.integration.test_official_documents import deposit, patient
from tests.integration.test_visibility import hidden

AT = datetime(2026, 3, 2, 17, 30, tzinfo=UTC)
VERSION = "https://interop.esante.gouv.fr/ig/fhir/dmp/StructureDefinition/dmp-version"


@pytest.fixture
def record(api: ApiClient, stack: dict[str, str]) -> FedRecord:
    return open_record(api, stack)


def letter(record: FedRecord, unique_id: str, version: int) -> bytes:
    """A version of the letter whose set is the unique id without its last arc."""
    return demo_documents.discharge_letter(patient(record.ins), unique_id, AT, version=version)


def deposited(record: FedRecord, unique_id: str, version: int, as_: Requester = AUTHOR, **elements: Any) -> Response:
    answer = deposit(record, letter(record, unique_id, version), as_=as_, **elements)
    assert answer.status == 201, answer.body
    return answer


def status_of(record: FedRecord, document: Response) -> str:
    answer = record.api.get(f"/fhir/DocumentReference/{document.id}", as_=record.patient)
    return str(answer.json["status"])


def test_a_version_says_of_what_it_is_one(record: FedRecord) -> None:
    answer = deposited(record, "2.25.80.1", 3)

    [of_set] = answer.json["identifier"]
    assert of_set == {"type": {"text": "setId"}, "system": "urn:ietf:rfc:3986", "value": "urn:oid:2.25.80"}
    assert answer.json["extension"] == [{"url": VERSION, "valueString": "3"}]


def test_a_later_version_supersedes_an_earlier_one(record: FedRecord) -> None:
    first, second = deposited(record, "2.25.81.1", 1), deposited(record, "2.25.81.2", 2)

    assert record.found(AUTHOR) == [second.id]
    assert record.found(AUTHOR, "status=superseded") == [first.id]


def test_an_earlier_version_that_comes_late_is_superseded_from_the_start(record: FedRecord) -> None:
    second, first = deposited(record, "2.25.82.2", 2), deposited(record, "2.25.82.1", 1)

    assert first.json["status"] == "superseded"
    assert first.json["meta"]["versionId"] == "1"
    assert record.found(AUTHOR) == [second.id]


def test_a_version_in_between_supersedes_nothing_later(record: FedRecord) -> None:
    first, third = deposited(record, "2.25.83.1", 1), deposited(record, "2.25.83.3", 3)
    second = deposited(record, "2.25.83.2", 2)

    assert [status_of(record, one) for one in (first, second, third)] == ["superseded", "superseded", "current"]


def test_equal_versions_supersede_nothing(record: FedRecord) -> None:
    one, other = deposited(record, "2.25.84.1", 1), deposited(record, "2.25.84.2", 1)

    assert set(record.found(AUTHOR)) == {one.id, other.id}


def test_all_versions_are_found_by_their_set(record: FedRecord) -> None:
    versions = [deposited(record, f"2.25.85.{number}", number) for number in (1, 2)]
    deposited(record, "2.25.86.1", 1)

    found = record.found(AUTHOR, "status=current,superseded&identifier=urn:ietf:rfc:3986|urn:oid:2.25.85")

    assert set(found) == {one.id for one in versions}


def test_a_colleague_of_the_structure_goes_on_with_the_versions(record: FedRecord) -> None:
    first = deposited(record, "2.25.87.1", 1)

    deposited(record, "2.25.87.2", 2, as_=COLLEAGUE)

    assert status_of(record, first) == "superseded"


def test_somebody_else_supersedes_nothing_and_is_superseded_by_nothing(record: FedRecord) -> None:
    second = deposited(record, "2.25.88.2", 2)

    first = deposited(record, "2.25.88.1", 1, as_=STRANGER)
    third = deposited(record, "2.25.88.3", 3, as_=STRANGER)

    assert [status_of(record, one) for one in (first, second, third)] == ["superseded", "current", "current"]


def test_a_deleted_version_does_not_count(record: FedRecord) -> None:
    second = deposited(record, "2.25.89.2", 2)
    assert record.api.delete(f"/fhir/DocumentReference/{second.id}", as_=AUTHOR).status == 204

    first = deposited(record, "2.25.89.1", 1)

    assert first.json["status"] == "current"


def test_what_hides_an_earlier_version_hides_the_later_one(record: FedRecord) -> None:
    record.mask(deposited(record, "2.25.90.1", 1).id)

    second = deposited(record, "2.25.90.2", 2)

    assert [one["coding"][0]["code"] for one in second.json["securityLabel"]] == ["N", "MASQUE_PS"]


def test_a_version_may_also_say_what_it_replaces(record: FedRecord) -> None:
    first = deposited(record, "2.25.91.1", 1)
    content = demo_documents.discharge_letter(patient(record.ins), "2.25.91.2", AT, version=2, replaces="2.25.91.1")

    second = deposit(record, content)

    assert second.status == 201, second.body
    assert [status_of(record, one) for one in (first, second)] == ["superseded", "current"]


def together(record: FedRecord, versions: dict[str, int], **elements: Any) -> Response:
    """A submission of letters, each the version of its unique id."""
    contents = [letter(record, unique_id, number) for unique_id, number in versions.items()]
    body = bodies.submission(record.id, *contents, masterIdentifier=None, type=None)
    resources = [entry["resource"] for entry in body["entry"]]
    for binary in resources:
        if binary["resourceType"] == "Binary":
            binary["contentType"] = "text/xml"
    documents = [one for one in resources if one["resourceType"] == "DocumentReference"]
    for document, unique_id in zip(documents, versions, strict=True):
        document["content"][0]["attachment"]["contentType"] = "text/xml"
        document["masterIdentifier"] = {**bodies.unique_id(), "value": f"urn:oid:{unique_id}"}
        document.update(elements)
    answer = record.api.post("/fhir", body, as_=AUTHOR)
    assert answer.status == 200, answer.body
    return answer


def test_versions_of_one_submission_are_sorted_out(record: FedRecord) -> None:
    former = deposited(record, "2.25.92.1", 1)

    together(record, {"2.25.92.3": 3, "2.25.92.2": 2})

    assert status_of(record, former) == "superseded"
    assert len(record.found(AUTHOR)) == 1
    assert len(record.found(AUTHOR, "status=superseded")) == 2


def labels_of(record: FedRecord, document: str) -> list[str]:
    read = record.api.get(f"/fhir/DocumentReference/{document}", as_=record.patient).json
    return [one["coding"][0]["code"] for one in read["securityLabel"]]


class TestVersionsThatComeLate:
    def test_are_masked_as_the_later_one_is(self, record: FedRecord) -> None:
        record.authorise(SPECIALIST)
        second = deposited(record, "2.25.95.2", 2)
        record.mask(second.id)

        first = deposited(record, "2.25.95.1", 1)

        assert labels_of(record, first.id) == ["N", "MASQUE_PS"]
        for kind in ("DocumentReference", "Binary"):
            assert record.api.get(f"/fhir/{kind}/{first.id}", as_=SPECIALIST).status == 404
        assert record.found(SPECIALIST, "status=current,superseded") == []
        assert fsck.problems(record) == []

    def test_are_masked_as_any_later_one_is(self, record: FedRecord) -> None:
        second = deposited(record, "2.25.96.2", 2)
        deposited(record, "2.25.96.3", 3)
        record.mask(second.id)

        first = deposited(record, "2.25.96.1", 1)

        assert labels_of(record, first.id) == ["N", "MASQUE_PS"]

    def test_are_kept_from_the_patient_as_the_later_one_is(self, record: FedRecord) -> None:
        invisible = hidden("INVISIBLE_PATIENT")
        second = deposited(record, "2.25.97.2", 2, **invisible)

        first = deposited(record, "2.25.97.1", 1)

        for one in (first, second):
            assert record.api.get(f"/fhir/DocumentReference/{one.id}", as_=record.patient).status == 404

    def test_tell_the_later_one_of_what_hides_them(self, record: FedRecord) -> None:
        record.authorise(SPECIALIST)
        content = demo_documents.discharge_letter(patient(record.ins), "2.25.98.2", AT, version=2, replaces="2.25.98.1")
        second = deposit(record, content)
        first = deposited(record, "2.25.98.1", 1)
        url = f"/fhir/DocumentReference/{second.id}"
        assert "relatesTo" in record.api.get(url, as_=SPECIALIST).json

        record.mask(first.id)

        assert "relatesTo" not in record.api.get(url, as_=SPECIALIST).json

    def test_of_a_masked_set_in_one_submission_are_masked_too(self, record: FedRecord) -> None:
        record.mask(deposited(record, "2.25.99.1", 1).id)

        together(record, {"2.25.99.3": 3, "2.25.99.2": 2})

        documents = record.found(record.patient, "status=current,superseded")
        assert {tuple(labels_of(record, one)) for one in documents} == {("N", "MASQUE_PS")}

    def test_do_not_count_as_late_where_they_replace_the_later_one_themselves(self, record: FedRecord) -> None:
        second = deposited(record, "2.25.100.2", 2)
        related = [{"code": "replaces", "target": {"reference": f"DocumentReference/{second.id}"}}]

        first = deposited(record, "2.25.100.1", 1, relatesTo=related)

        assert [status_of(record, one) for one in (first, second)] == ["current", "superseded"]


class TestVersionsThatMeet:
    def test_leave_one_current(self, record: FedRecord) -> None:
        made = []

        with meanwhile("TransactWriteItems", lambda: made.append(deposited(record, "2.25.101.2", 2))):
            first = deposited(record, "2.25.101.1", 1)

        assert [status_of(record, one) for one in (first, made[0])] == ["superseded", "current"]
        assert fsck.problems(record) == []

    def test_leave_one_current_where_the_set_is_known(self, record: FedRecord) -> None:
        made = [deposited(record, "2.25.102.1", 1)]

        with meanwhile("TransactWriteItems", lambda: made.append(deposited(record, "2.25.102.2", 2))):
            made.append(deposited(record, "2.25.102.3", 3))

        assert [status_of(record, one) for one in made] == ["superseded", "superseded", "current"]


class TestACrowdOfStrangers:
    def test_keeps_nobody_from_superseding(self, record: FedRecord, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("dmp.services.document_editions.MOST_LOOKED_AT", 2)
        first = deposited(record, "2.25.103.1", 1)
        for number in range(3):
            deposited(record, f"2.25.103.{number + 1000}", 1, as_=STRANGER, date="2026-03-02T20:00:00Z")

        second = deposited(record, "2.25.103.2", 2)

        assert [status_of(record, one) for one in (first, second)] == ["superseded", "current"]

    def test_costs_nobody_a_call(self, record: FedRecord) -> None:
        record.mask(deposited(record, "2.25.104.1", 1).id)

        costs = []
        for unique_id in ("2.25.104.2", "2.25.105.2"):
            with counted() as calls:
                deposited(record, unique_id, 2, as_=STRANGER)
            costs.append(list(calls))

        assert costs[0] == costs[1]


def test_a_version_is_changed_by_the_identifier_of_its_set(record: FedRecord) -> None:
    deposited(record, "2.25.106.1", 1)

    answer = record.api.patch(
        "/fhir/DocumentReference?identifier=urn:ietf:rfc:3986|urn:oid:2.25.106", bodies.MASK, as_=record.patient
    )

    assert answer.status == 200, answer.body


@pytest.mark.parametrize(
    ("elements", "place"),
    [
        ({"extension": [{"url": VERSION, "valueString": "7"}]}, "DocumentReference.extension"),
        (
            {"identifier": [{"type": {"text": "setId"}, "system": "urn:ietf:rfc:3986", "value": "urn:oid:2.25.9"}]},
            "DocumentReference.identifier",
        ),
    ],
)
def test_what_the_request_says_of_the_version_must_agree(record: FedRecord, elements: Any, place: str) -> None:
    answer = deposit(record, letter(record, "2.25.93.1", 1), **elements)

    assert (answer.status, answer.code) == (422, "metadata-mismatch")
    assert answer.json["issue"][0]["expression"] == [place]
    assert record.objects() == {}


def test_the_version_may_be_said_by_both(record: FedRecord) -> None:
    answer = deposited(record, "2.25.94.1", 2, extension=[{"url": VERSION, "valueString": "2"}])

    assert answer.json["extension"] == [{"url": VERSION, "valueString": "2"}]
