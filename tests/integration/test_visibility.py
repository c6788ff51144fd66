"""Who sees a document by its codes, what the patient's default does to new ones, and what is told of them."""

import json
from dataclasses import dataclass
from typing import Any

import pytest

from dmp.domain.requester import Requester
from tests import bodies
from tests.api_client import ApiClient, Response
from tests.aws_calls import meanwhile
from tests.fed_record import AUTHOR, COLLEAGUE, HOSPITAL, SPECIALIST, STRANGER, FedRecord, open_record
from tests.integration import test_official_documents as cda
from tests.minor_record import MinorRecord, open_minor_record

A07 = "https://mos.esante.gouv.fr/NOS/TRE_A07-StatutVisibiliteDocument/FHIR/TRE-A07-StatutVisibiliteDocument"
MISSPELT = A07.replace("Statut", "Status")
ACT_CODE = "http://terminology.hl7.org/CodeSystem/v3-ActCode"
CONFIDENTIALITY = "http://terminology.hl7.org/CodeSystem/v3-Confidentiality"
OTHER_PDF = b"%PDF-1.7\n%other\n%%EOF\n"
DELETE = [{"op": "replace", "path": "/status", "value": "entered-in-error"}]
SUPERSEDE = [{"op": "replace", "path": "/status", "value": "superseded"}]

type Json = dict[str, Any]


@pytest.fixture
def record(api: ApiClient, stack: dict[str, str]) -> FedRecord:
    return open_record(api, stack)


@pytest.fixture
def minor(api: ApiClient, stack: dict[str, str]) -> MinorRecord:
    return open_minor_record(api, stack)


def label(code: str, system: str = A07) -> Json:
    return {"coding": [{"system": system, "code": code}]}


def hidden(*codes: str) -> Json:
    """The labels of a document with these extra codes."""
    return {"securityLabel": [label(code) for code in codes]}


def lifting(code: str) -> Json:
    """A FHIRPath Patch that removes one code and leaves the others."""
    path = f"DocumentReference.securityLabel.where(coding.code='{code}')"
    parts = [{"name": "type", "valueCode": "delete"}, {"name": "path", "valueString": path}]
    return {"resourceType": "Parameters", "parameter": [{"name": "operation", "part": parts}]}


def patch(record: FedRecord, document: str, body: object, as_: Requester) -> Response:
    return record.api.patch(f"/fhir/DocumentReference/{document}", body, as_=as_)


def status(record: FedRecord, document: str, as_: Requester) -> int:
    return record.api.get(f"/fhir/DocumentReference/{document}", as_=as_).status


def codes(resource: Json) -> list[str]:
    return [coding["code"] for one in resource["securityLabel"] for coding in one["coding"]]


def mask_by_default(record: FedRecord, permit: str = "deny") -> None:
    body = bodies.consent(record.id, "default-visibility", permit, None, "")
    answer = record.api.post("/fhir/Consent", body, as_=record.patient)
    assert answer.status == 201, answer.body


def replacing(document: str) -> Json:
    return {"relatesTo": [{"code": "replaces", "target": {"reference": f"DocumentReference/{document}"}}]}


@dataclass(frozen=True)
class Told:
    """A message, as it lies in the table."""

    kind: str
    about: frozenset[str]
    is_secret: bool


def told(record: FedRecord) -> list[Told]:
    """What the patient was told, oldest first."""
    items = [item for item in record.items() if item["sk"]["S"].startswith("M#")]
    found = [json.loads(item["body"]["S"]) for item in sorted(items, key=lambda item: item["sent"]["S"])]
    assert {one["recipient"] for one in found} <= {"patient"}
    return [Told(one["kind"], frozenset(one["about"]), one["secret"]) for one in found]


def about(*documents: str) -> frozenset[str]:
    return frozenset(f"DocumentReference/{one}" for one in documents)


class TestDefault:
    @pytest.mark.parametrize("depositor", [AUTHOR, HOSPITAL, "patient"])
    def test_masks_whatever_arrives_and_shows_it_to_who_deposits(
        self, record: FedRecord, depositor: Requester | str
    ) -> None:
        mask_by_default(record)
        record.authorise(SPECIALIST)
        who = record.patient if isinstance(depositor, str) else depositor

        answer = record.api.post("/fhir/DocumentReference", bodies.document(record.id), as_=who)

        assert (answer.status, codes(answer.json)) == (201, ["N", "MASQUE_PS"])
        assert status(record, answer.id, who) == status(record, answer.id, record.patient) == 200
        assert status(record, answer.id, SPECIALIST) == 404
        assert record.found(SPECIALIST) == []

    def test_masks_every_document_of_a_bundle_beside_its_own_codes(self, record: FedRecord) -> None:
        mask_by_default(record)
        body = bodies.submission(record.id, bodies.PDF, OTHER_PDF, **hidden("INVISIBLE_PATIENT"))
        assert record.api.post("/fhir", body, as_=HOSPITAL).status == 200

        found = record.find(HOSPITAL).resources

        assert [codes(one) for one in found] == [["N", "INVISIBLE_PATIENT", "MASQUE_PS"]] * 2

    def test_says_nothing_of_documents_that_are_there(self, record: FedRecord) -> None:
        record.authorise(SPECIALIST)
        before = record.publish()
        mask_by_default(record)

        assert record.found(SPECIALIST) == [before]

    def test_can_be_taken_back(self, record: FedRecord) -> None:
        record.authorise(SPECIALIST)
        mask_by_default(record)
        mask_by_default(record, "permit")

        document = record.publish()

        assert record.found(SPECIALIST) == [document]

    def test_holds_for_a_deposit_that_began_before(self, record: FedRecord) -> None:
        with meanwhile("TransactWriteItems", lambda: mask_by_default(record)):
            answer = record.api.post("/fhir/DocumentReference", bodies.document(record.id), as_=AUTHOR)

        assert codes(answer.json) == ["N", "MASQUE_PS"]


class TestReplacement:
    @pytest.mark.parametrize("code", ["MASQUE_PS", "INVISIBLE_PATIENT", "INVISIBLE_REPRESENTANTS_LEGAUX"])
    def test_keeps_what_hides_the_former(self, record: FedRecord, code: str) -> None:
        former = record.publish(**hidden(code))

        answer = record.api.post(
            "/fhir/DocumentReference", bodies.document(record.id, OTHER_PDF, **replacing(former)), as_=AUTHOR
        )

        assert (answer.status, codes(answer.json)) == (201, ["N", code])

    def test_of_one_document_leaves_the_others_of_a_bundle_visible(self, record: FedRecord) -> None:
        former = record.publish(HOSPITAL, **hidden("MASQUE_PS"))
        body = bodies.submission(record.id, OTHER_PDF, b"%PDF-1.4 third")
        body["entry"][1]["resource"] |= replacing(former)
        assert record.api.post("/fhir", body, as_=HOSPITAL).status == 200

        labels = sorted(codes(one) for one in record.find(HOSPITAL).resources)

        assert labels == [["N"], ["N", "MASQUE_PS"]]

    def test_that_a_clinical_document_tells_of_keeps_it_too(self, record: FedRecord) -> None:
        first = cda.deposit(record, cda.relating(record, "2.25.78.1", "2.25.78.99"), **hidden("MASQUE_PS"))

        second = cda.deposit(record, cda.relating(record, "2.25.78.2", "2.25.78.1"))

        assert record.found(AUTHOR, "status=superseded") == [first.id]
        assert "MASQUE_PS" in codes(second.json)

    def test_is_told_only_to_those_who_may_know_what_was_replaced(self, record: FedRecord) -> None:
        record.authorise(SPECIALIST)
        former = record.publish(**hidden("MASQUE_PS"))
        document = record.publish(content=OTHER_PDF, **replacing(former))
        patch(record, document, lifting("MASQUE_PS"), record.patient)

        def relations(who: Requester) -> list[bool]:
            url = f"/fhir/DocumentReference/{document}"
            versions = record.api.get(f"{url}/_history", as_=who).json["entry"]
            found = [one for one in record.find(who).resources if one["id"] == document]
            answers = [record.api.get(url, as_=who).json, *found, *(one["resource"] for one in versions)]
            return ["relatesTo" in answer for answer in answers]

        hers, before = relations(record.patient), relations(SPECIALIST)
        patch(record, former, lifting("MASQUE_PS"), record.patient)
        shown = relations(SPECIALIST)
        patch(record, former, bodies.MASK, record.patient)

        assert (hers, before, shown, relations(SPECIALIST)) == ([True] * 4, [False] * 3, [True] * 3, [False] * 3)
        assert record.api.get(f"/fhir/DocumentReference/{document}", as_=AUTHOR).headers["etag"] == 'W/"2"'

    def test_shows_once_the_author_announces(self, record: FedRecord) -> None:
        former = record.publish(**hidden("INVISIBLE_PATIENT"))
        document = record.publish(content=OTHER_PDF, **replacing(former))
        before = record.found(record.patient), told(record)

        patch(record, document, lifting("INVISIBLE_PATIENT"), AUTHOR)

        assert before == ([], [])
        assert record.found(record.patient) == [document]
        assert told(record) == [Told("document-added", about(document), is_secret=False)]


FORMS: dict[str, tuple[list[Json], list[str]]] = {
    "official": ([label("N", CONFIDENTIALITY), label("MASQUE_PS")], ["N", "MASQUE_PS"]),
    "of the draft": ([label("MASQUE_PS")], ["N", "MASQUE_PS"]),
    "misspelt": ([label("MASQUE_PS", MISSPELT)], ["N", "MASQUE_PS"]),
    "by oid": ([label("INVISIBLE_PATIENT", "urn:oid:1.2.250.1.213.1.1.4.13")], ["N", "INVISIBLE_PATIENT"]),
    "of 2026": ([label("NOPAT", ACT_CODE)], ["N", "INVISIBLE_PATIENT"]),
    "of HL7 v2": ([label("INVISIBLE_REP_LEGAUX")], ["N", "INVISIBLE_REPRESENTANTS_LEGAUX"]),
    "in one concept": (
        [{"coding": [{"system": CONFIDENTIALITY, "code": "R"}, {"system": A07, "code": "MASQUE_PS"}]}],
        ["N", "R", "MASQUE_PS"],
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", FORMS)
def test_every_form_of_a_label_is_stored_in_one(record: FedRecord, name: str) -> None:
    sent, expected = FORMS[name]

    deposited = record.api.post("/fhir/DocumentReference", bodies.document(record.id, securityLabel=sent), as_=AUTHOR)
    patched = patch(
        record, record.publish(), [{"op": "replace", "path": "/securityLabel/0", "value": sent[-1]}], AUTHOR
    )

    assert (deposited.status, codes(deposited.json)) == (201, expected)
    assert (patched.status, codes(patched.json)) == (200, expected)


def test_the_label_that_a_draft_puts_first_leaves_the_mask(record: FedRecord) -> None:
    document = record.publish(**hidden("MASQUE_PS"))
    first = [{"op": "replace", "path": "/securityLabel/0", "value": label("INVISIBLE_REPRESENTANTS_LEGAUX")}]

    answer = patch(record, document, first, AUTHOR)

    assert codes(answer.json) == ["N", "INVISIBLE_REPRESENTANTS_LEGAUX", "MASQUE_PS"]


class TestChanges:
    def test_a_mask_is_for_patient_representative_attending_physician_and_author(self, minor: MinorRecord) -> None:
        minor.name_attending_physician(SPECIALIST)
        document = minor.publish()

        answers = [
            patch(minor, document, body, who)
            for who in (minor.patient, minor.guardian, SPECIALIST, AUTHOR, COLLEAGUE)
            for body in (bodies.MASK, lifting("MASQUE_PS"))
        ]

        assert [codes(answer.json) for answer in answers] == [["N", "MASQUE_PS"], ["N"]] * 5

    def test_a_patient_hides_nothing_even_of_the_own_documents(self, record: FedRecord) -> None:
        own = record.publish(record.patient, content=b"bonjour", content_type="text/plain")
        before = record.state()

        answers = [
            patch(record, own, [{"op": "add", "path": "/securityLabel/-", "value": label(code)}], record.patient)
            for code in ("INVISIBLE_PATIENT", "INVISIBLE_REPRESENTANTS_LEGAUX")
        ]

        assert [(answer.status, answer.code) for answer in answers] == [(403, "not-authorised")] * 2
        assert record.state() == before

    @pytest.mark.parametrize("code", ["INVISIBLE_PATIENT", "INVISIBLE_REPRESENTANTS_LEGAUX"])
    def test_to_a_representative_what_is_hidden_is_not_there(self, minor: MinorRecord, code: str) -> None:
        document = minor.publish(**hidden(code))
        missing = f"{minor.id}.{'0' * 26}"
        before = minor.state()

        bodies_ = (bodies.MASK, lifting(code), DELETE)
        answers = [patch(minor, one, body, minor.guardian) for one in (document, missing) for body in bodies_]
        deleted = [
            minor.api.delete(f"/fhir/DocumentReference/{one}", as_=minor.guardian) for one in (document, missing)
        ]
        read = [minor.api.get(f"/fhir/Binary/{one}", as_=minor.guardian) for one in (document, missing)]

        assert {(answer.status, answer.code) for answer in [*answers, *deleted, *read]} == {(404, "no-document")}
        assert len({answer.body for answer in [*answers, *deleted, *read]}) == 1
        assert minor.found(minor.guardian) == []
        assert minor.state() == before

    def test_the_author_alone_lets_representatives_see(self, minor: MinorRecord) -> None:
        document = minor.publish(**hidden("INVISIBLE_REPRESENTANTS_LEGAUX"))
        minor.name_attending_physician(SPECIALIST)
        lift = lifting("INVISIBLE_REPRESENTANTS_LEGAUX")

        others = [patch(minor, document, lift, who).status for who in (minor.patient, SPECIALIST, STRANGER)]
        seen_before = status(minor, document, minor.guardian)
        author = patch(minor, document, lift, AUTHOR)

        assert others == [403] * 3
        assert (seen_before, status(minor, document, minor.patient)) == (404, 200)
        assert (author.status, status(minor, document, minor.guardian)) == (200, 200)

    def test_the_patient_masks_what_representatives_do_not_see(self, minor: MinorRecord) -> None:
        document = minor.publish(**hidden("INVISIBLE_REPRESENTANTS_LEGAUX"))

        answer = patch(minor, document, bodies.MASK, minor.patient)

        assert codes(answer.json) == ["N", "INVISIBLE_REPRESENTANTS_LEGAUX", "MASQUE_PS"]


class TestNotices:
    def test_one_tells_of_all_documents_of_a_submission(self, record: FedRecord) -> None:
        body = bodies.submission(record.id, bodies.PDF, OTHER_PDF)

        record.api.post("/fhir", body, as_=HOSPITAL)
        record.api.post("/fhir", body, as_=HOSPITAL)

        assert told(record) == [Told("document-added", about(*record.found(record.patient)), is_secret=False)]

    def test_a_replacement_is_told_as_one(self, record: FedRecord) -> None:
        former = record.publish()
        body = bodies.document(record.id, OTHER_PDF, **replacing(former))

        new = record.api.post("/fhir/DocumentReference", body, as_=AUTHOR).id
        again = record.api.post("/fhir/DocumentReference", body, as_=AUTHOR)

        assert again.status == 200
        assert told(record)[1:] == [Told("document-replaced", about(new), is_secret=False)]

    def test_a_submission_that_also_adds_is_told_as_an_addition(self, record: FedRecord) -> None:
        former = record.publish(HOSPITAL)
        body = bodies.submission(record.id, OTHER_PDF, b"%PDF-1.4 third")
        body["entry"][1]["resource"] |= replacing(former)
        record.api.post("/fhir", body, as_=HOSPITAL)

        assert told(record)[1].kind == "document-added"

    @pytest.mark.parametrize("by_patch", [False, True])
    def test_a_deletion_is_told_once(self, record: FedRecord, by_patch: bool) -> None:
        document = record.publish()
        for _ in range(2):
            if by_patch:
                patch(record, document, DELETE, AUTHOR)
            else:
                record.api.delete(f"/fhir/DocumentReference/{document}", as_=AUTHOR)

        assert told(record)[1:] == [Told("document-deleted", about(document), is_secret=False)]

    def test_a_document_taken_out_of_use_is_told_as_replaced(self, record: FedRecord) -> None:
        document = record.publish()
        patch(record, document, SUPERSEDE, AUTHOR)

        assert told(record)[1:] == [Told("document-replaced", about(document), is_secret=False)]

    def test_masks_and_archiving_are_not_told(self, record: FedRecord) -> None:
        document = record.publish()
        for body in (bodies.MASK, lifting("MASQUE_PS"), bodies.MASK):
            patch(record, document, body, AUTHOR)

        assert len(told(record)) == 1

    def test_what_is_hidden_from_the_patient_is_not_told(self, record: FedRecord) -> None:
        one = record.publish(**hidden("INVISIBLE_PATIENT"))
        record.publish(content=OTHER_PDF, **replacing(one), **hidden("INVISIBLE_PATIENT"))
        gone = record.publish(content=b"%PDF-1.4 third", **hidden("INVISIBLE_PATIENT"))
        record.api.delete(f"/fhir/DocumentReference/{gone}", as_=AUTHOR)

        assert told(record) == []

    def test_a_bundle_tells_of_what_may_be_known_alone(self, record: FedRecord) -> None:
        body = bodies.submission(record.id, bodies.PDF, OTHER_PDF)
        body["entry"][1]["resource"] |= hidden("INVISIBLE_PATIENT")
        record.api.post("/fhir", body, as_=HOSPITAL)

        assert told(record) == [Told("document-added", about(*record.found(record.patient)), is_secret=False)]

    def test_what_is_hidden_from_representatives_is_told_apart(self, minor: MinorRecord) -> None:
        body = bodies.submission(minor.id, bodies.PDF, OTHER_PDF)
        body["entry"][1]["resource"] |= hidden("INVISIBLE_REPRESENTANTS_LEGAUX")
        minor.api.post("/fhir", body, as_=HOSPITAL)

        (open_to_all,) = minor.found(minor.guardian)
        (secret,) = set(minor.found(minor.patient)) - {open_to_all}

        assert set(told(minor)) == {
            Told("document-added", about(open_to_all), is_secret=False),
            Told("document-added", about(secret), is_secret=True),
        }

    def test_the_end_of_a_secret_document_stays_secret(self, minor: MinorRecord) -> None:
        document = minor.publish(**hidden("INVISIBLE_REPRESENTANTS_LEGAUX"))
        minor.api.delete(f"/fhir/DocumentReference/{document}", as_=AUTHOR)

        assert [one.is_secret for one in told(minor)] == [True, True]

    def test_people_are_not_told_what_they_did_themselves(self, minor: MinorRecord) -> None:
        own = minor.publish(minor.patient, content=b"bonjour", content_type="text/plain")
        minor.api.delete(f"/fhir/DocumentReference/{own}", as_=minor.patient)
        before = told(minor)
        by_mother = minor.publish(minor.guardian, content=b"bonsoir", content_type="text/plain")

        assert before == []
        assert told(minor) == [Told("document-added", about(by_mother), is_secret=False)]

    def test_thirty_documents_and_what_tells_of_them_are_one_transaction(self, record: FedRecord) -> None:
        contents = [b"%PDF-1.4 " + bytes([48 + n]) for n in range(30)]
        body = bodies.submission(record.id, *contents, **hidden("MASQUE_PS"))
        for entry in body["entry"][1:16]:
            entry["resource"] |= hidden("INVISIBLE_REPRESENTANTS_LEGAUX")

        answer = record.api.post("/fhir", body, as_=HOSPITAL)

        assert answer.status == 200, answer.body
        assert sorted(len(one.about) for one in told(record)) == [15, 15]


class TestRefusals:
    def test_a_replacement_that_is_refused_is_in_the_trace(self, record: FedRecord) -> None:
        former = record.publish()
        record.authorise(SPECIALIST)

        answer = record.api.post(
            "/fhir/DocumentReference", bodies.document(record.id, OTHER_PDF, **replacing(former)), as_=SPECIALIST
        )

        last = record.trace()[-1]
        assert answer.status == 403
        assert (last["act"], last["outcome"], last["reason"]) == ("ITI-105", "8", "not-authorised")

    def test_whoever_repeats_a_hidden_bundle_learns_nothing_of_it(self, record: FedRecord) -> None:
        body = bodies.submission(record.id)
        record.api.post("/fhir", body, as_=HOSPITAL)
        (document,) = record.found(HOSPITAL)
        record.mask(document)
        record.authorise(SPECIALIST)

        again, stranger = (record.api.post("/fhir", body, as_=who) for who in (HOSPITAL, SPECIALIST))

        assert again.status == 200
        assert (stranger.status, stranger.code) == (409, "duplicate-unique-id")
        assert document not in stranger.body.decode()
