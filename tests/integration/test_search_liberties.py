"""What clients write in searches, and mean: identifiers without a system, misspelt systems, chains with a type."""

import pytest

from tests import bodies
from tests.api_client import ApiClient
from tests.fed_record import AUTHOR, SPECIALIST, FedRecord, open_record

MISSPELT = "https://mos.esante.gouv.fr/NOS/TRE_A07-StatusVisibiliteDocument/FHIR/TRE-A07-StatusVisibiliteDocument"
ACCESSION = {"system": "urn:foo:bar", "value": "ACC77"}


@pytest.fixture
def record(api: ApiClient, stack: dict[str, str]) -> FedRecord:
    return open_record(api, stack)


@pytest.mark.parametrize("asked", ["XYZ-9", "ACC77", "urn:foo:bar|ACC77", "urn:foo:bar|", "urn:oid:1.2.3.99|XYZ-9"])
def test_an_identifier_is_found_with_its_system_or_without(record: FedRecord, asked: str) -> None:
    master = {"system": "urn:oid:1.2.3.99", "value": "XYZ-9"}
    wanted = record.publish(masterIdentifier=master, identifier=[ACCESSION])
    record.publish()

    found = record.found(record.patient, f"status=current&identifier={asked}")

    assert found == [wanted]


def test_the_misspelt_system_of_labels_finds_what_it_labels(record: FedRecord) -> None:
    masked = record.publish()
    record.publish()
    record.mask(masked)

    found = record.found(record.patient, f"status=current&security-label={MISSPELT}|MASQUE_PS")

    assert found == [masked]


@pytest.mark.parametrize("type_", ["Practitioner", "PractitionerRole.practitioner"])
def test_a_chain_may_name_the_type_of_the_author(record: FedRecord, type_: str) -> None:
    author = {"resourceType": "Practitioner", "id": "a", "name": [{"family": "Quémeneur"}]}
    wanted = record.publish(contained=[author], author=[{"reference": "#a"}])
    record.publish()

    found = record.found(record.patient, f"status=current&author:{type_}.family=quemen")

    assert found == [wanted]


def test_what_is_related_is_found_by_its_identifier_too(record: FedRecord) -> None:
    wanted = record.publish(context={"related": [{"identifier": ACCESSION}]})
    record.publish()

    assert record.found(record.patient, "status=current&related=urn:foo:bar|ACC77") == [wanted]


@pytest.mark.parametrize("narrow", ["type=http://loinc.org|34133-9", "date=gt2100-01-01", "status=superseded"])
def test_an_author_whose_search_finds_nothing_new_is_not_refused(record: FedRecord, narrow: str) -> None:
    record.publish()

    quiet = record.find(AUTHOR, narrow if "status" in narrow else f"status=current&{narrow}")
    stranger = record.find(SPECIALIST, narrow if "status" in narrow else f"status=current&{narrow}")

    assert (quiet.status, quiet.json["total"]) == (200, 0)
    assert (stranger.status, stranger.code) == (403, "not-authorised")


def test_a_cursor_leads_on_in_the_search_that_it_came_from_alone(record: FedRecord) -> None:
    for _ in range(3):
        record.api.post("/fhir", bodies.submission(record.id), as_=AUTHOR)
    first = record.find(record.patient, "status=current&_count=1")

    path = first.links["next"].partition("/fhir/")[2]
    answer = record.api.get(f"/fhir/{path.replace('DocumentReference', 'List', 1)}", as_=record.patient)

    assert (answer.status, answer.code) == (400, "invalid-cursor")
