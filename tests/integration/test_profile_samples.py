"""What every published CDA sample offers the structured profile: found, read by id, each valid and with its source."""

from typing import Any

import pytest

from dmp.domain.clinical_profile import ProfileKind
from tests.api_client import ApiClient
from tests.fed_record import SPECIALIST, STRANGER, FedRecord
from tests.integration.test_cda_samples import deposited, opened_for, published

pytestmark = pytest.mark.skipif(not published(), reason="the published samples are not here")

SOURCE = "https://interop.esante.gouv.fr/ig/fhir/dmp/StructureDefinition/dmp-source"


@pytest.fixture(scope="module")
def records(api: ApiClient, stack: dict[str, str]) -> list[FedRecord]:
    """The records of the persons of the samples."""
    records: dict[str, FedRecord] = {}
    for sample in published():
        [ins] = sample["ins"]
        if ins["keyValid"]:
            if ins["extension"] not in records:
                records[ins["extension"]] = opened_for(api, stack, ins, sample["birthTime"])
            assert deposited(records[ins["extension"]], sample).status == 201
    return list(records.values())


def test_candidates_are_found_and_read_by_id_with_their_sources(records: list[FedRecord]) -> None:
    kinds: set[str] = set()

    for record in records:
        for kind in ProfileKind:
            for resource in found(record, kind):
                read = record.api.get(f"/fhir/{kind}/{resource['id']}", as_=record.patient)
                [source] = [one for one in resource["extension"] if one["url"] == SOURCE]
                document = source["extension"][0]["valueReference"]["reference"]
                assert read.json == resource
                assert record.api.get(f"/fhir/{document}", as_=record.patient).status == 200
                kinds.add(kind)

    assert kinds >= {"AllergyIntolerance", "Condition", "MedicationStatement", "Immunization", "Observation"}


def test_who_may_not_read_a_document_finds_nothing_of_it(records: list[FedRecord]) -> None:
    for record in records:
        assert record.api.get(f"/fhir/Condition?patient={record.id}", as_=STRANGER).status == 403
        record.authorise(SPECIALIST)
        for document in record.found(record.patient, "status=current&_count=100"):
            record.mask(document)

        assert [one for kind in ProfileKind for one in found(record, kind, SPECIALIST)] == []


def found(record: FedRecord, kind: ProfileKind, as_: Any = None) -> list[dict[str, Any]]:
    """Everything that the pages of a search hold."""
    resources, url = [], f"/fhir/{kind}?patient={record.id}&_count=100"
    while url:
        page = record.api.get(url, as_=as_ or record.patient)
        assert page.status == 200, page.body
        resources += page.resources
        url = page.links.get("next", "")
    return resources
