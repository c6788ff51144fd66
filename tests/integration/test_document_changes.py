"""Mask, hide, archive, supersede, delete: who may, in which form, and what remains (TD3.3a to TD3.3d)."""

import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import quote

import pytest

from dmp.domain.requester import Requester
from tests import bodies
from tests.api_client import ApiClient, Response
from tests.fed_record import AUTHOR, COLLEAGUE, HOSPITAL, SPECIALIST, STRANGER, FedRecord, open_record

VISIBILITY = "https://mos.esante.gouv.fr/NOS/TRE_A07-StatutVisibiliteDocument/FHIR/TRE-A07-StatutVisibiliteDocument"
ARCHIVED = "https://interop.esante.gouv.fr/ig/fhir/pdsm/StructureDefinition/pdsm-ext-is-archived"
NORMAL = {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/v3-Confidentiality", "code": "N"}]}
UNMASK = [{"op": "replace", "path": "/securityLabel", "value": [NORMAL]}]
DELETE = [{"op": "replace", "path": "/status", "value": "entered-in-error"}]
ARCHIVE = [{"op": "add", "path": "/extension/-", "value": {"url": ARCHIVED, "valueBoolean": True}}]

type Json = dict[str, Any]


@pytest.fixture
def record(api: ApiClient, stack: dict[str, str]) -> FedRecord:
    return open_record(api, stack)


@pytest.fixture
def document(record: FedRecord) -> str:
    return record.publish(AUTHOR)


def patch(record: FedRecord, document: str, body: object, as_: Requester, **headers: str) -> Response:
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    return record.api.patch(f"/fhir/DocumentReference/{document}", body, as_=as_, headers=sent)


def hide(code: str) -> list[Json]:
    return [{"op": "add", "path": "/securityLabel/-", "value": {"coding": [{"system": VISIBILITY, "code": code}]}}]


def fhirpath(kind: str, path: str, value: Json) -> Json:
    parts = [{"name": "type", "valueCode": kind}, {"name": "path", "valueString": path}, {"name": "value", **value}]
    return {"resourceType": "Parameters", "parameter": [{"name": "operation", "part": parts}]}


def labels(answer: Response) -> list[str]:
    return [coding["code"] for one in answer.json["securityLabel"] for coding in one["coding"]]


class TestMasking:
    def test_the_patient_masks_and_unmasks(self, record: FedRecord, document: str) -> None:
        masked = patch(record, document, bodies.MASK, record.patient)
        unmasked = patch(record, document, UNMASK, record.patient)

        assert (masked.status, labels(masked), masked.headers["etag"]) == (200, ["N", "MASQUE_PS"], 'W/"2"')
        assert (unmasked.status, labels(unmasked), unmasked.headers["etag"]) == (200, ["N"], 'W/"3"')
        last = record.trace()[-1]
        assert (last["act"], last["action"], last["what"]) == ("patch", "U", [f"DocumentReference/{document}"])

    @pytest.mark.parametrize(
        "operation",
        [
            {"op": "remove", "path": "/securityLabel/1"},
            {"op": "remove", "path": "/securityLabel"},
            {"op": "replace", "path": "/securityLabel/0", "value": NORMAL},
        ],
    )
    def test_a_mask_is_lifted_in_many_ways(self, record: FedRecord, document: str, operation: Json) -> None:
        record.mask(document)

        answer = patch(record, document, [operation], record.patient)

        assert (answer.status, labels(answer)) == (200, ["N"])

    def test_author_and_attending_physician_mask_too(self, record: FedRecord, document: str) -> None:
        record.name_attending_physician(SPECIALIST)

        assert patch(record, document, bodies.MASK, SPECIALIST).status == 200
        assert patch(record, document, UNMASK, AUTHOR).status == 200
        assert patch(record, document, bodies.MASK, COLLEAGUE).status == 200

    def test_a_reader_masks_nothing(self, record: FedRecord, document: str) -> None:
        record.authorise(SPECIALIST)
        before = record.state()

        answers = [patch(record, document, bodies.MASK, who) for who in (SPECIALIST, STRANGER, HOSPITAL)]

        assert {answer.status for answer in answers} == {403}
        assert record.state() == before

    def test_a_second_mask_changes_nothing(self, record: FedRecord, document: str) -> None:
        record.mask(document)
        before = record.state()

        again = patch(record, document, bodies.MASK, record.patient)

        assert (again.status, labels(again), again.headers["etag"]) == (200, ["N", "MASQUE_PS"], 'W/"2"')
        assert record.state() == before

    def test_a_fhirpath_patch_masks(self, record: FedRecord, document: str) -> None:
        value = {"valueCodeableConcept": {"coding": [{"system": VISIBILITY, "code": "MASQUE_PS"}]}}
        body = fhirpath("add", "DocumentReference", value)
        body["parameter"][0]["part"].insert(2, {"name": "name", "valueString": "securityLabel"})

        answer = patch(record, document, body, record.patient)

        assert answer.status == 200, answer.body
        assert labels(answer) == ["N", "MASQUE_PS"]

    def test_labels_of_others_are_kept(self, record: FedRecord, document: str) -> None:
        other = [{"op": "add", "path": "/securityLabel/-", "value": {"coding": [{"system": "urn:x", "code": "Q"}]}}]

        answer = patch(record, document, other, record.patient)

        assert (answer.status, labels(answer)) == (200, ["N", "Q"])
        assert labels(record.api.get(f"/fhir/DocumentReference/{document}", as_=record.patient)) == ["N", "Q"]


class TestInvisibility:
    @pytest.mark.parametrize("code", ["INVISIBLE_PATIENT", "INVISIBLE_REPRESENTANTS_LEGAUX"])
    def test_only_the_author_hides_from_patients(self, record: FedRecord, document: str, code: str) -> None:
        record.name_attending_physician(SPECIALIST)

        others = [patch(record, document, hide(code), who) for who in (record.patient, SPECIALIST, STRANGER)]
        author = patch(record, document, hide(code), AUTHOR)

        assert {answer.status for answer in others} == {403}
        assert (author.status, labels(author)) == (200, ["N", code])

    def test_only_the_author_shows_again(self, record: FedRecord, document: str) -> None:
        patch(record, document, hide("INVISIBLE_PATIENT"), AUTHOR)

        patient = patch(record, document, UNMASK, record.patient)
        author = patch(record, document, UNMASK, AUTHOR)

        assert (patient.status, patient.code) == (404, "no-document")
        assert author.status == 200


class TestArchiving:
    @pytest.mark.parametrize(
        "body",
        [
            ARCHIVE,
            [{"op": "replace", "path": f"/extension[url:'{ARCHIVED}']/valueBoolean", "value": True}],
        ],
        ids=["standard", "of the draft"],
    )
    def test_the_patient_archives(self, record: FedRecord, document: str, body: object) -> None:
        answer = patch(record, document, body, record.patient)

        assert answer.status == 200, answer.body
        assert answer.json["extension"] == [{"url": ARCHIVED, "valueBoolean": True}]

    def test_a_reader_archives_nothing(self, record: FedRecord, document: str) -> None:
        record.authorise()

        assert patch(record, document, ARCHIVE, SPECIALIST).status == 403

    def test_two_changes_need_both_rights(self, record: FedRecord, document: str) -> None:
        before = record.state()

        answer = patch(record, document, ARCHIVE + hide("INVISIBLE_PATIENT"), record.patient)

        assert answer.status == 403
        assert record.state() == before


class TestDeletion:
    def test_a_patch_deletes_and_answers_the_last_version(self, record: FedRecord, document: str) -> None:
        answer = patch(record, document, DELETE, AUTHOR)

        assert (answer.status, answer.json["status"]) == (200, "entered-in-error")
        assert record.api.get(f"/fhir/DocumentReference/{document}", as_=AUTHOR).status == 410
        assert record.found(record.patient, "status=current,superseded") == []
        assert record.trace()[-2]["action"] in {"D", "R"}

    def test_delete_deletes_and_may_be_repeated(self, record: FedRecord, document: str) -> None:
        answers = [record.api.delete(f"/fhir/DocumentReference/{document}", as_=AUTHOR) for _ in range(2)]

        assert [(answer.status, answer.body) for answer in answers] == [(204, b"")] * 2
        assert [one["action"] for one in record.trace()[-2:]] == ["D", "U"]

    def test_only_the_author_deletes(self, record: FedRecord, document: str) -> None:
        record.name_attending_physician(SPECIALIST)
        before = record.state()

        answers = [
            answer
            for who in (record.patient, SPECIALIST, STRANGER)
            for answer in (
                record.api.delete(f"/fhir/DocumentReference/{document}", as_=who),
                patch(record, document, DELETE, who),
            )
        ]

        assert {answer.status for answer in answers} == {403}
        assert record.state() == before

    def test_patients_delete_what_they_deposited(self, record: FedRecord) -> None:
        own = record.publish(record.patient, content=b"bonjour", content_type="text/plain")

        assert record.api.delete(f"/fhir/DocumentReference/{own}", as_=record.patient).status == 204

    def test_nothing_brings_a_deleted_document_back(self, record: FedRecord, document: str) -> None:
        patch(record, document, DELETE, AUTHOR)

        answer = patch(record, document, [{"op": "replace", "path": "/status", "value": "current"}], AUTHOR)

        assert (answer.status, answer.code) == (410, "gone")

    def test_a_superseded_document_is_not_made_current(self, record: FedRecord, document: str) -> None:
        patch(record, document, [{"op": "replace", "path": "/status", "value": "superseded"}], AUTHOR)

        answer = patch(record, document, [{"op": "replace", "path": "/status", "value": "current"}], AUTHOR)

        assert (answer.status, answer.code) == (422, "status-transition")

    def test_the_bytes_of_a_deleted_document_are_kept(self, record: FedRecord, document: str) -> None:
        before = record.objects()
        patch(record, document, DELETE, AUTHOR)

        assert record.objects() == before


class TestForms:
    def test_a_document_that_is_not_there_is_not_changed(self, record: FedRecord, document: str) -> None:
        missing = document[:-4] + ("0000" if document[-4:] != "0000" else "1111")

        answers = [patch(record, missing, bodies.MASK, who) for who in (record.patient, AUTHOR, STRANGER)]

        assert [(answer.status, answer.code) for answer in answers] == [(404, "no-document")] * 3

    @pytest.mark.parametrize("path", ["/type", "/subject", "/content/0/attachment/hash", "/date", "/id", "/author/0"])
    def test_no_other_element_is_changed(self, record: FedRecord, document: str, path: str) -> None:
        before = record.state()

        answer = patch(record, document, [{"op": "replace", "path": path, "value": "x"}], AUTHOR)

        assert (answer.status, answer.code) == (405, "patch-path-forbidden")
        assert record.state() == before

    @pytest.mark.parametrize("body", ["", "{", "[]", '[{"op":"replace"}]', "null", "7"])
    def test_what_is_no_patch_is_refused(self, record: FedRecord, document: str, body: str) -> None:
        answer = record.api.patch(
            f"/fhir/DocumentReference/{document}", body, as_=AUTHOR, content_type="application/json-patch+json"
        )

        assert answer.status == 400

    def test_another_media_type_is_refused(self, record: FedRecord, document: str) -> None:
        answer = record.api.patch(
            f"/fhir/DocumentReference/{document}", "<x/>", as_=AUTHOR, content_type="application/xml"
        )

        assert answer.status == 415

    def test_put_is_not_allowed(self, record: FedRecord, document: str) -> None:
        answer = record.api.put(f"/fhir/DocumentReference/{document}", bodies.document(record.id), as_=AUTHOR)

        assert answer.status == 405

    def test_minimal_answers_carry_no_body(self, record: FedRecord, document: str) -> None:
        answer = patch(record, document, bodies.MASK, record.patient, Prefer="return=minimal")

        assert (answer.status, answer.body, answer.headers["etag"]) == (200, b"", 'W/"2"')


class TestVersions:
    @pytest.mark.parametrize("tag", ['W/"1"', '"1"', "*", ""])
    def test_the_expected_version_is_changed(self, record: FedRecord, document: str, tag: str) -> None:
        assert patch(record, document, bodies.MASK, record.patient, If_Match=tag).status == 200

    @pytest.mark.parametrize("tag", ['W/"2"', 'W/"0"', "1", 'W/"x"'])
    def test_another_version_is_not(self, record: FedRecord, document: str, tag: str) -> None:
        before = record.state()

        changed = patch(record, document, bodies.MASK, record.patient, If_Match=tag)
        deleted = record.api.delete(f"/fhir/DocumentReference/{document}", as_=AUTHOR, headers={"If-Match": tag})

        assert (changed.status, changed.code) == (412, "version-conflict")
        assert (deleted.status, deleted.code) == (412, "version-conflict")
        assert record.state() == before

    def test_a_stranger_learns_no_version(self, record: FedRecord, document: str) -> None:
        record.mask(document)

        answer = patch(record, document, bodies.MASK, STRANGER, If_Match='W/"1"')

        assert (answer.status, answer.code) == (404, "no-document")

    def test_racing_changes_of_one_version_have_one_winner(self, record: FedRecord, document: str) -> None:
        made = [bodies.MASK, ARCHIVE, hide("INVISIBLE_REPRESENTANTS_LEGAUX")]

        with ThreadPoolExecutor(3) as pool:
            answers = list(pool.map(lambda body: patch(record, document, body, AUTHOR, If_Match='W/"1"'), made))

        assert sorted(answer.status for answer in answers) == [200, 412, 412]

    def test_racing_changes_without_a_version_are_all_made(self, record: FedRecord, document: str) -> None:
        made = [bodies.MASK, ARCHIVE, hide("INVISIBLE_REPRESENTANTS_LEGAUX")]

        with ThreadPoolExecutor(3) as pool:
            answers = list(pool.map(lambda body: patch(record, document, body, AUTHOR), made))

        read = record.api.get(f"/fhir/DocumentReference/{document}", as_=AUTHOR)
        assert [answer.status for answer in answers] == [200] * 3
        assert set(labels(read)) == {"N", "MASQUE_PS", "INVISIBLE_REPRESENTANTS_LEGAUX"}
        assert read.json["meta"]["versionId"] == "4"
        assert ARCHIVED in json.dumps(read.json)


class TestByIdentifier:
    def named(self, number: str) -> Json:
        return {"system": "https://hospital.example/n+1", "value": f"{number}+a b"}

    def patch(self, record: FedRecord, identifier: Json, as_: Requester) -> Response:
        value = quote(f"{identifier['system']}|{identifier['value']}")
        return record.api.patch(f"/fhir/DocumentReference?identifier={value}", bodies.MASK, as_=as_)

    def test_one_match_is_changed(self, record: FedRecord) -> None:
        document = record.publish(identifier=[self.named("1")])

        answer = self.patch(record, self.named("1"), record.patient)

        assert (answer.status, answer.id) == (200, document)

    def test_a_unique_id_is_enough(self, record: FedRecord) -> None:
        unique = bodies.unique_id()
        document = record.publish(masterIdentifier=unique)

        answer = record.api.patch(
            f"/fhir/DocumentReference?identifier=urn:ietf:rfc:3986|{unique['value']}", bodies.MASK, as_=record.patient
        )

        assert (answer.status, answer.id) == (200, document)

    def test_none_is_not_found(self, record: FedRecord, document: str) -> None:
        assert document
        answer = self.patch(record, self.named("2"), record.patient)

        assert (answer.status, answer.code) == (404, "no-document")

    def test_several_are_refused(self, record: FedRecord) -> None:
        for content in (bodies.PDF, b"%PDF-1.4 second"):
            record.publish(content=content, identifier=[self.named("3")])

        answer = self.patch(record, self.named("3"), record.patient)

        assert (answer.status, answer.code) == (412, "multiple-matches")

    def test_only_what_the_caller_may_change_counts(
        self, record: FedRecord, api: ApiClient, stack: dict[str, str]
    ) -> None:
        other = open_record(api, stack)
        record.publish(identifier=[self.named("4")])
        own = other.publish(identifier=[self.named("4")])

        assert self.patch(other, self.named("4"), other.patient).id == own
        assert self.patch(other, self.named("4"), STRANGER).status == 404

    def test_a_deleted_document_does_not_count(self, record: FedRecord) -> None:
        gone = record.publish(identifier=[self.named("5")])
        kept = record.publish(content=b"%PDF-1.4 kept", identifier=[self.named("5")])
        record.api.delete(f"/fhir/DocumentReference/{gone}", as_=AUTHOR)

        assert self.patch(record, self.named("5"), record.patient).id == kept

    @pytest.mark.parametrize("query", ["", "?status=current", "?identifier=", "?identifier=a&identifier=b"])
    def test_another_condition_is_refused(self, record: FedRecord, query: str) -> None:
        answer = record.api.patch(f"/fhir/DocumentReference{query}", bodies.MASK, as_=record.patient)

        assert (answer.status, answer.code) == (400, "unsupported-criterion")
