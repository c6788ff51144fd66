"""What documents say of others, and what their former versions were: told to whoever may know of it alone."""

import json
from typing import Any

import pytest

from dmp.domain.requester import Requester
from tests import bodies
from tests.api_client import ApiClient
from tests.aws_calls import counted
from tests.fed_record import AUTHOR, HOSPITAL, SPECIALIST, FedRecord, open_record
from tests.integration.test_visibility import hidden, label, lifting, patch
from tests.minor_record import MinorRecord, open_minor_record

BASE = "https://dmp.example/fhir"
OTHER_PDF = b"%PDF-1.7\n%other\n%%EOF\n"
ELSEWHERE = {"type": "ServiceRequest", "identifier": {"system": "urn:oid:1.2.3", "value": "42"}}
CODES = {"MASQUE_PS": "specialist", "INVISIBLE_PATIENT": "patient", "INVISIBLE_REPRESENTANTS_LEGAUX": "guardian"}

type Json = dict[str, Any]


@pytest.fixture
def record(api: ApiClient, stack: dict[str, str]) -> FedRecord:
    record = open_record(api, stack)
    record.authorise(SPECIALIST)
    return record


@pytest.fixture
def minor(api: ApiClient, stack: dict[str, str]) -> MinorRecord:
    minor = open_minor_record(api, stack)
    minor.authorise(SPECIALIST)
    return minor


def naming(record: FedRecord, target: str) -> Json:
    """A document that names another in every way."""
    reference = {"reference": f"DocumentReference/{target}"}
    return bodies.document(
        record.id,
        OTHER_PDF,
        relatesTo=[{"code": code, "target": reference} for code in ("appends", "transforms", "signs")],
        context={
            "related": [
                {"reference": f"{BASE}/DocumentReference/{target}/_history/1"},
                {"reference": f"Binary/{target}", "display": "Images"},
                ELSEWHERE,
            ]
        },
        extension=[{"url": "https://example.org/source", "valueReference": reference}],
    )


def answers(record: FedRecord, document: str, as_: Requester) -> list[Json]:
    """The document as read, found, in its history and as its first version."""
    url = f"/fhir/DocumentReference/{document}"
    (found,) = [one for one in record.find(as_).resources if one["id"] == document]
    versions = record.api.get(f"{url}/_history", as_=as_).json["entry"]
    read = [record.api.get(place, as_=as_).json for place in (url, f"{url}/_history/1")]
    return [found, *(one["resource"] for one in versions), *read]


def readers(minor: MinorRecord) -> dict[str, Requester]:
    return {"patient": minor.patient, "guardian": minor.guardian, "specialist": SPECIALIST}


class TestRelations:
    @pytest.mark.parametrize("code", CODES)
    def test_to_who_may_not_know_of_its_target_one_was_never_said(self, minor: MinorRecord, code: str) -> None:
        target = minor.publish(**hidden(code))
        document = minor.api.post("/fhir/DocumentReference", naming(minor, target), as_=AUTHOR).id
        who = readers(minor)[CODES[code]]

        told = answers(minor, document, who)

        assert target not in json.dumps(told)
        assert [one["context"] for one in told] == [{"related": [ELSEWHERE]}] * 4
        assert ["relatesTo" in one or "extension" in one for one in told] == [False] * 4

    def test_to_all_others_it_is_said_whole(self, minor: MinorRecord) -> None:
        target = minor.publish(**hidden("INVISIBLE_REPRESENTANTS_LEGAUX"))
        sent = naming(minor, target)
        document = minor.api.post("/fhir/DocumentReference", sent, as_=AUTHOR).id

        told = [one for who in (minor.patient, SPECIALIST, AUTHOR) for one in answers(minor, document, who)]

        for name in ("relatesTo", "context", "extension"):
            assert [one[name] for one in told] == [sent[name]] * 12

    def test_it_follows_the_codes_of_its_target(self, record: FedRecord) -> None:
        target = record.publish()
        document = record.api.post("/fhir/DocumentReference", naming(record, target), as_=AUTHOR).id

        seen = []
        for body in (None, bodies.MASK, lifting("MASQUE_PS")):
            assert body is None or patch(record, target, body, record.patient).status == 200
            seen.append([target in json.dumps(one) for one in answers(record, document, SPECIALIST)])

        assert seen == [[True] * 4, [False] * 4, [True] * 4]

    def test_a_target_that_never_was_is_refused_like_one_that_is_hidden(
        self, record: FedRecord, api: ApiClient, stack: dict[str, str]
    ) -> None:
        elsewhere, masked = open_record(api, stack).publish(), record.publish(**hidden("MASQUE_PS"))
        targets = [f"{record.id}.{'0' * 26}", masked, elsewhere]

        refused = [
            record.api.post("/fhir/DocumentReference", naming(record, target), as_=SPECIALIST) for target in targets
        ]

        assert [(one.status, one.code) for one in refused] == [(422, "unknown-reference")] * 3
        assert len({one.body for one in refused}) == 1

    def test_a_target_that_is_deleted_later_is_named_no_more(self, record: FedRecord) -> None:
        target = record.publish()
        document = record.api.post("/fhir/DocumentReference", naming(record, target), as_=AUTHOR).id
        record.api.delete(f"/fhir/DocumentReference/{target}", as_=AUTHOR)

        assert target not in record.found(SPECIALIST)
        assert record.api.get(f"/fhir/DocumentReference/{document}", as_=SPECIALIST).status == 200

    def test_what_was_replaced_and_appended_too_is_silent_in_both(self, record: FedRecord) -> None:
        target = record.publish(**hidden("MASQUE_PS"))
        body = naming(record, target)
        body["relatesTo"].append({"code": "replaces", "target": body["relatesTo"][0]["target"]})
        document = record.api.post("/fhir/DocumentReference", body, as_=AUTHOR).id
        patch(record, document, lifting("MASQUE_PS"), record.patient)

        found = record.find(SPECIALIST).resources

        assert [one["id"] for one in found] == [document]
        assert target not in json.dumps(found)

    def test_whoever_changes_or_repeats_a_document_learns_no_more(self, record: FedRecord) -> None:
        target = record.publish(HOSPITAL, **hidden("MASQUE_PS"))
        body = naming(record, target)
        document = record.api.post("/fhir/DocumentReference", body, as_=HOSPITAL).id
        condition = {"If-None-Exist": f"identifier=urn:ietf:rfc:3986|{body['masterIdentifier']['value']}"}

        repeated = record.api.post("/fhir/DocumentReference", body, as_=SPECIALIST)
        found = record.api.post("/fhir/DocumentReference", body, as_=SPECIALIST, headers=condition)
        record.name_attending_physician(SPECIALIST)
        masked = patch(record, document, bodies.MASK, SPECIALIST)

        assert (repeated.status, found.status, masked.status) == (200, 200, 200)
        assert target not in (repeated.body + found.body).decode()
        assert target in masked.body.decode()

    def test_a_page_costs_one_more_read_where_documents_name_others(self, record: FedRecord) -> None:
        targets = [record.publish(content=b"%PDF-1.4 " + bytes([48 + n]), type_code="60591-5") for n in range(2)]
        for target in targets:
            record.api.post("/fhir/DocumentReference", naming(record, target), as_=AUTHOR)

        with counted() as beside:
            assert len(record.find(SPECIALIST, "status=current&_count=4").resources) == 4
        with counted() as alone:
            found = record.find(SPECIALIST, f"status=current&type={bodies.DISCHARGE_LETTER}")

        assert [len(one["relatesTo"]) for one in found.resources] == [3, 3]
        assert beside == ["Query", "PutItem"]
        assert alone == ["Query", "BatchGetItem", "BatchGetItem", "PutItem"]

    def test_a_search_by_relations_costs_the_same_whatever_is_named(self, record: FedRecord) -> None:
        named, other = (record.publish(content=b"%PDF-1.4 " + text) for text in (b"named", b"other"))
        assert record.api.post("/fhir/DocumentReference", naming(record, named), as_=AUTHOR).status == 201
        for document in (named, other):
            record.mask(document)
        record.find(SPECIALIST)
        costs = set()

        for document in (named, other):
            for query in (f"relatesto=DocumentReference/{document}", f"related=DocumentReference/{document}"):
                with counted() as calls:
                    found = record.find(SPECIALIST, f"status=current&{query}")
                costs.add(tuple(calls))
                assert (found.status, found.json["total"]) == (200, 0)

        assert costs == {("Query", "BatchGetItem", "PutItem")}


class TestVersions:
    @pytest.mark.parametrize("code", CODES)
    def test_that_were_hidden_stay_so(self, minor: MinorRecord, code: str) -> None:
        document = minor.publish()
        patch(minor, document, [{"op": "add", "path": "/securityLabel/-", "value": label(code)}], AUTHOR)
        patch(minor, document, lifting(code), AUTHOR)
        url, who = f"/fhir/DocumentReference/{document}/_history", readers(minor)[CODES[code]]

        history = minor.api.get(url, as_=who).json
        versions = [minor.api.get(f"{url}/{n}", as_=who) for n in (1, 2, 3, 4)]

        assert [one["resource"]["meta"]["versionId"] for one in history["entry"]] == ["3", "1"]
        assert history["total"] == 2
        assert [(one.status, one.code if one.status == 404 else "") for one in versions] == [
            *((200, ""), (404, "no-version"), (200, ""), (404, "no-version"))
        ]
        assert versions[1].body == versions[3].body
        assert code not in json.dumps(history)

    def test_all_show_to_who_could_always_see_them(self, record: FedRecord) -> None:
        document = record.publish(**hidden("MASQUE_PS"))
        patch(record, document, lifting("MASQUE_PS"), record.patient)
        url = f"/fhir/DocumentReference/{document}/_history"

        totals = [record.api.get(url, as_=who).json["total"] for who in (record.patient, AUTHOR, SPECIALIST)]

        assert totals == [2, 2, 1]
        assert record.api.get(f"{url}/1", as_=AUTHOR).status == 200
