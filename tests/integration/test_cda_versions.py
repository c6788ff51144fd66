"""Successive versions of one CDA: what a search finds of them, in whatever order they came, and for whom they count."""

from datetime import UTC, datetime
from typing import Any

import pytest

from dmp.domain.requester import Requester
from infra.local import demo_documents
from tests import bodies
from tests.api_client import ApiClient, Response
from tests.fed_record import AUTHOR, COLLEAGUE, STRANGER, FedRecord, open_record
from tests.integration.test_official_documents import deposit, patient

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


def test_versions_of_one_submission_are_sorted_out(record: FedRecord) -> None:
    former = deposited(record, "2.25.92.1", 1)
    contents = [letter(record, f"2.25.92.{number}", number) for number in (3, 2)]
    body = bodies.submission(record.id, *contents, masterIdentifier=None, type=None)
    for entry in body["entry"]:
        if entry["resource"]["resourceType"] == "Binary":
            entry["resource"]["contentType"] = "text/xml"
        if entry["resource"]["resourceType"] == "DocumentReference":
            entry["resource"]["content"][0]["attachment"]["contentType"] = "text/xml"
            entry["resource"]["masterIdentifier"] = {
                **bodies.unique_id(),
                "value": f"urn:oid:2.25.92.{3 if entry is body['entry'][1] else 2}",
            }

    answer = record.api.post("/fhir", body, as_=AUTHOR)

    assert answer.status == 200, answer.body
    assert status_of(record, former) == "superseded"
    assert len(record.found(AUTHOR)) == 1
    assert len(record.found(AUTHOR, "status=superseded")) == 2


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
