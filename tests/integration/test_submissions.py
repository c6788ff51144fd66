"""Feeding: ITI-65 bundles and ITI-105 documents, all or nothing, once however often they come (TD2.1)."""

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from dmp.adapters import aws
from dmp.domain.requester import Requester
from tests import bodies
from tests.api_client import ApiClient, Response
from tests.fed_record import AUTHOR, COLLEAGUE, HOSPITAL, SPECIALIST, STRANGER, FedRecord, open_record

SHARED = Path(__file__).parents[3] / "shared" / "data"
OTHER_PDF = b"%PDF-1.7\n%other\n%%EOF\n"
VISIBILITY = "https://mos.esante.gouv.fr/NOS/TRE_A07-StatutVisibiliteDocument/FHIR/TRE-A07-StatutVisibiliteDocument"


@pytest.fixture
def record(api: ApiClient, stack: dict[str, str]) -> FedRecord:
    return open_record(api, stack)


def submit(record: FedRecord, body: object, as_: Requester = HOSPITAL) -> Response:
    return record.api.post("/fhir", body, as_=as_)


def publish(record: FedRecord, body: object, as_: Requester = AUTHOR, **headers: str) -> Response:
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    return record.api.post("/fhir/DocumentReference", body, as_=as_, headers=sent)


def documents_of(answer: Response) -> list[str]:
    """Ids of the DocumentReferences that a transaction answer names."""
    locations = [entry["response"].get("location", "") for entry in answer.json["entry"]]
    return [one.split("/")[1] for one in locations if one.startswith("DocumentReference/")]


def replacing(document: str) -> dict[str, Any]:
    return {"relatesTo": [{"code": "replaces", "target": {"reference": f"DocumentReference/{document}"}}]}


class TestProvideBundle:
    def test_answers_each_entry_in_its_place(self, record: FedRecord) -> None:
        answer = submit(record, bodies.submission(record.id, bodies.PDF, OTHER_PDF))

        kinds = [entry["response"]["location"].split("/")[0] for entry in answer.json["entry"]]
        assert answer.status == 200
        assert answer.json["type"] == "transaction-response"
        assert kinds == ["List", "DocumentReference", "DocumentReference", "Binary", "Binary"]
        assert {entry["response"]["status"] for entry in answer.json["entry"]} == {"201 Created"}

    def test_every_location_is_there(self, record: FedRecord) -> None:
        answer = submit(record, bodies.submission(record.id))

        for entry in answer.json["entry"]:
            assert record.api.get(f"/fhir/{entry['response']['location']}", as_=HOSPITAL).status == 200
        (document,) = documents_of(answer)
        assert record.api.get(f"/fhir/Binary/{document}", as_=record.patient).body == bodies.PDF

    def test_the_bytes_lie_encrypted_under_our_key(self, record: FedRecord) -> None:
        submit(record, bodies.submission(record.id))

        (key,) = record.objects()
        head = aws.client("s3").head_object(Bucket=record.stores["DOCUMENTS_BUCKET"], Key=key)
        assert head["ServerSideEncryption"] == "aws:kms"
        assert record.stores["DATA_KEY"] in head["SSEKMSKeyId"]
        assert record.ins not in key

    def test_the_submission_set_lists_its_documents(self, record: FedRecord) -> None:
        answer = submit(record, bodies.submission(record.id, bodies.PDF, OTHER_PDF))
        location = answer.json["entry"][0]["response"]["location"].partition("/_history")[0]

        read = record.api.get(f"/fhir/{location}", as_=record.patient)

        items = [entry["item"]["reference"] for entry in read.json["entry"]]
        assert items == [f"DocumentReference/{one}" for one in documents_of(answer)]
        assert read.json["subject"] == {"reference": f"Patient/{record.id}"}

    @pytest.mark.parametrize("subject", ["id", "conditional", "logical", "contained", "bundled"])
    def test_the_patient_is_named_in_five_ways(self, record: FedRecord, subject: str) -> None:
        body = bodies.submission(record.id)
        insured = {"system": "urn:oid:1.2.250.1.213.1.4.10", "value": record.ins}
        patient = {"resourceType": "Patient", "identifier": [insured]}
        url = f"urn:uuid:{uuid4()}"
        reference = {
            "id": {"reference": f"Patient/{record.id}"},
            "conditional": {"reference": f"Patient?identifier={insured['system']}|{insured['value']}"},
            "logical": {"type": "Patient", "identifier": insured},
            "contained": {"reference": "#p"},
            "bundled": {"reference": url},
        }[subject]
        for entry in body["entry"][:2]:
            entry["resource"]["subject"] = reference
            if subject == "contained":
                entry["resource"].setdefault("contained", []).append({**patient, "id": "p"})
        if subject == "bundled":
            body["entry"].append({"fullUrl": url, "resource": patient, "request": {"method": "POST", "url": "Patient"}})

        answer = submit(record, body)

        assert answer.status == 200, answer.body
        (document,) = documents_of(answer)
        read = record.api.get(f"/fhir/DocumentReference/{document}", as_=HOSPITAL)
        assert read.json["subject"] == {"reference": f"Patient/{record.id}"}
        assert record.ins not in json.dumps(read.json["subject"])

    def test_thirty_documents_are_one_transaction(self, record: FedRecord) -> None:
        contents = [f"Document {n}\n".encode() for n in range(30)]
        body = bodies.submission(record.id, *contents)
        for entry in body["entry"]:
            if entry["resource"]["resourceType"] == "Binary":
                entry["resource"]["contentType"] = "text/plain"
            if entry["resource"]["resourceType"] == "DocumentReference":
                entry["resource"]["content"][0]["attachment"]["contentType"] = "text/plain"

        answer = submit(record, body)

        assert answer.status == 200, answer.body
        assert len(set(documents_of(answer))) == 30
        assert len(record.objects()) == 30

    def test_a_patient_feeds_the_own_record(self, record: FedRecord) -> None:
        assert submit(record, bodies.submission(record.id), record.patient).status == 200

    def test_a_new_type_code_corrects_the_category(self, record: FedRecord) -> None:
        wrong = [{"coding": [{"system": bodies.LOINC, "code": "99999-9"}]}]

        answer = submit(record, bodies.submission(record.id, category=wrong))

        (document,) = documents_of(answer)
        read = record.api.get(f"/fhir/DocumentReference/{document}", as_=HOSPITAL)
        assert "99999-9" not in json.dumps(read.json["category"])

    def test_a_document_without_type_is_for_patient_author_and_attending_physician(self, record: FedRecord) -> None:
        body = bodies.submission(record.id)
        del body["entry"][1]["resource"]["type"]
        (document,) = documents_of(submit(record, body))
        record.authorise(SPECIALIST)
        record.name_attending_physician(COLLEAGUE)

        statuses = {
            who.name: record.api.get(f"/fhir/DocumentReference/{document}", as_=who).status
            for who in (record.patient, HOSPITAL, COLLEAGUE, SPECIALIST)
        }

        assert statuses == {record.patient.name: 200, HOSPITAL.name: 200, COLLEAGUE.name: 200, SPECIALIST.name: 403}
        assert record.found(SPECIALIST) == []


class TestIdempotence:
    def test_the_same_submission_again_is_the_first_answer(self, record: FedRecord) -> None:
        body = bodies.submission(record.id)
        first = submit(record, body)
        before = record.state()

        again = submit(record, body)

        def places(answer: Response) -> list[str]:
            return [entry["response"]["location"] for entry in answer.json["entry"]]

        assert again.status == 200
        assert places(again) == places(first)
        assert {entry["response"]["status"] for entry in again.json["entry"]} == {"200 OK"}
        assert record.state() == before

    def test_the_same_document_again_is_the_first(self, record: FedRecord) -> None:
        body = bodies.document(record.id)
        first = publish(record, body)

        again = publish(record, body)

        assert (first.status, again.status) == (201, 200)
        assert again.id == first.id
        assert len(record.objects()) == 1

    @pytest.mark.parametrize("spelling", ["urn:oid:2.999.1.2", "2.999.1.2"])
    def test_a_unique_id_is_one_in_every_spelling(self, record: FedRecord, spelling: str) -> None:
        system = {"system": "urn:ietf:rfc:3986"}
        first = publish(record, bodies.document(record.id, masterIdentifier={**system, "value": "urn:oid:2.999.1.2"}))

        again = publish(record, bodies.document(record.id, masterIdentifier={**system, "value": spelling}))

        assert (again.status, again.id) == (200, first.id)

    def test_other_bytes_under_the_same_unique_id_are_refused(self, record: FedRecord) -> None:
        unique = bodies.unique_id()
        publish(record, bodies.document(record.id, masterIdentifier=unique))
        before = record.state()

        alone = publish(record, bodies.document(record.id, OTHER_PDF, masterIdentifier=unique))
        bundled = submit(record, bodies.submission(record.id, OTHER_PDF, masterIdentifier=unique))

        assert (alone.status, alone.code) == (409, "duplicate-unique-id")
        assert (bundled.status, bundled.code) == (409, "duplicate-unique-id")
        assert record.state() == before

    def test_the_same_unique_id_in_two_records_is_two_documents(
        self, record: FedRecord, api: ApiClient, stack: dict[str, str]
    ) -> None:
        unique, other = bodies.unique_id(), open_record(api, stack)

        first = publish(record, bodies.document(record.id, masterIdentifier=unique))
        second = publish(other, bodies.document(other.id, masterIdentifier=unique))

        assert (first.status, second.status) == (201, 201)

    def test_two_documents_of_a_bundle_with_one_unique_id_are_refused(self, record: FedRecord) -> None:
        answer = submit(
            record, bodies.submission(record.id, bodies.PDF, OTHER_PDF, masterIdentifier=bodies.unique_id())
        )

        assert (answer.status, answer.code) == (409, "duplicate-unique-id")
        assert record.objects() == {}

    def test_a_submission_set_named_like_its_document_is_refused(self, record: FedRecord) -> None:
        body, unique = bodies.submission(record.id), bodies.unique_id()
        body["entry"][0]["resource"]["identifier"] = [{"use": "usual", **unique}]
        body["entry"][1]["resource"]["masterIdentifier"] = unique

        answer = submit(record, body)

        assert (answer.status, answer.code) == (409, "duplicate-unique-id")
        assert record.objects() == {}

    def test_a_submission_set_named_like_another_is_refused(self, record: FedRecord) -> None:
        first, second = bodies.submission(record.id), bodies.submission(record.id)
        second["entry"][0]["resource"]["identifier"] = first["entry"][0]["resource"]["identifier"]
        submit(record, first)
        before = record.state()

        answer = submit(record, second)

        assert (answer.status, answer.code) == (409, "duplicate-unique-id")
        assert record.state() == before

    def test_a_deleted_document_does_not_come_back_unnoticed(self, record: FedRecord) -> None:
        body = bodies.document(record.id)
        document = publish(record, body).id
        record.api.delete(f"/fhir/DocumentReference/{document}", as_=AUTHOR)

        again = publish(record, body)

        assert (again.status, again.code) == (409, "duplicate-unique-id")

    def test_whoever_repeats_a_hidden_document_learns_nothing_of_it(self, record: FedRecord) -> None:
        body = bodies.document(record.id)
        record.mask(publish(record, body).id)

        again = publish(record, body, STRANGER)

        assert (again.status, again.code) == (409, "duplicate-unique-id")

    @pytest.mark.parametrize("rounds", range(3))
    def test_racing_duplicates_have_one_effect(self, record: FedRecord, rounds: int) -> None:
        body = bodies.submission(record.id)

        with ThreadPoolExecutor(4) as pool:
            answers = list(pool.map(lambda _: submit(record, body), range(4)))

        assert [answer.status for answer in answers] == [200] * 4
        assert len({tuple(documents_of(answer)) for answer in answers}) == 1
        assert len(record.found(record.patient)) == len(record.objects()) == 1
        assert rounds < 3

    def test_racing_clashes_leave_one_document(self, record: FedRecord) -> None:
        unique = bodies.unique_id()
        contents = [b"%PDF-1.4\n" + bytes([65 + n]) for n in range(4)]

        with ThreadPoolExecutor(4) as pool:
            answers = list(
                pool.map(lambda c: publish(record, bodies.document(record.id, c, masterIdentifier=unique)), contents)
            )

        assert sorted(answer.status for answer in answers) == [201, 409, 409, 409]
        assert len(record.objects()) == 1


class TestConditionalCreate:
    condition = "identifier=urn:ietf:rfc:3986|urn:oid:2.999.7.7"
    identifier = ({"system": "urn:ietf:rfc:3986", "value": "urn:oid:2.999.7.7"},)

    def test_creates_once(self, record: FedRecord) -> None:
        first = publish(record, bodies.document(record.id), If_None_Exist=self.condition)
        second = publish(record, bodies.document(record.id, OTHER_PDF), If_None_Exist=self.condition)

        assert (first.status, second.status) == (201, 200)
        assert second.id == first.id
        assert len(record.objects()) == 1

    def test_finds_what_came_without_a_condition(self, record: FedRecord) -> None:
        first = publish(record, bodies.document(record.id, identifier=list(self.identifier)))

        second = publish(record, bodies.document(record.id, OTHER_PDF), If_None_Exist=self.condition)

        assert (second.status, second.id) == (200, first.id)

    @pytest.mark.parametrize("spelling", ["identifier=urn:ietf:rfc:3986%7Curn:oid:2.999.7.7", f"?{condition}"])
    def test_a_condition_is_one_in_every_spelling(self, record: FedRecord, spelling: str) -> None:
        first = publish(record, bodies.document(record.id), If_None_Exist=self.condition)

        second = publish(record, bodies.document(record.id, OTHER_PDF), If_None_Exist=spelling)

        assert (second.status, second.id) == (200, first.id)

    def test_several_matches_are_refused(self, record: FedRecord) -> None:
        for content in (bodies.PDF, OTHER_PDF):
            publish(record, bodies.document(record.id, content, identifier=list(self.identifier)))

        answer = publish(record, bodies.document(record.id), If_None_Exist=self.condition)

        assert (answer.status, answer.code) == (412, "multiple-matches")

    def test_a_deleted_match_does_not_count(self, record: FedRecord) -> None:
        first = publish(record, bodies.document(record.id), If_None_Exist=self.condition)
        record.api.delete(f"/fhir/DocumentReference/{first.id}", as_=AUTHOR)

        second = publish(record, bodies.document(record.id), If_None_Exist=self.condition)
        third = publish(record, bodies.document(record.id), If_None_Exist=self.condition)

        assert (second.status, third.status) == (201, 200)
        assert third.id == second.id != first.id

    @pytest.mark.parametrize("condition", ["status=current", "identifier=a|b&status=current", "identifier="])
    def test_another_condition_is_refused(self, record: FedRecord, condition: str) -> None:
        answer = publish(record, bodies.document(record.id), If_None_Exist=condition)

        assert (answer.status, answer.code) == (400, "unsupported-criterion")

    def test_racing_creates_have_one_effect(self, record: FedRecord) -> None:
        made = [bodies.document(record.id) for _ in range(4)]

        with ThreadPoolExecutor(4) as pool:
            answers = list(pool.map(lambda body: publish(record, body, If_None_Exist=self.condition), made))

        assert sorted(answer.status for answer in answers) == [200, 200, 200, 201]
        assert len(record.objects()) == 1


class TestReplacement:
    def test_the_former_document_is_superseded(self, record: FedRecord) -> None:
        former = record.publish()

        answer = publish(record, bodies.document(record.id, OTHER_PDF, **replacing(former)))

        assert answer.status == 201
        assert record.found(record.patient) == [answer.id]
        assert record.found(record.patient, "status=superseded") == [former]
        read = record.api.get(f"/fhir/DocumentReference/{former}", as_=AUTHOR)
        assert (read.json["status"], read.headers["etag"]) == ("superseded", 'W/"2"')

    def test_a_former_document_is_named_by_its_unique_id(self, record: FedRecord) -> None:
        unique = bodies.unique_id()
        former = record.publish(masterIdentifier=unique)
        named = {key: value for key, value in unique.items() if key != "type"}

        related = [{"code": "replaces", "target": {"identifier": named}}]
        answer = publish(record, bodies.document(record.id, OTHER_PDF, relatesTo=related))

        assert answer.status == 201, answer.body
        assert record.found(record.patient, "status=superseded") == [former]

    @pytest.mark.parametrize("with_patch", [False, True])
    def test_a_bundle_replaces_with_and_without_a_patch_entry(self, record: FedRecord, with_patch: bool) -> None:
        former = record.publish(HOSPITAL)
        body = bodies.submission(record.id, OTHER_PDF, **replacing(former))
        if with_patch:
            body["entry"].append(superseding(former))

        answer = submit(record, body)

        assert answer.status == 200, answer.body
        assert record.found(record.patient, "status=superseded") == [former]
        if with_patch:
            assert answer.json["entry"][-1]["response"]["location"] == f"DocumentReference/{former}/_history/2"
            assert answer.json["entry"][-1]["response"]["status"] == "200 OK"

    def test_a_repeated_replacement_is_the_first_answer(self, record: FedRecord) -> None:
        former = record.publish(HOSPITAL)
        body = bodies.submission(record.id, OTHER_PDF, **replacing(former))
        body["entry"].append(superseding(former))
        submit(record, body)
        before = record.state()

        again = submit(record, body)

        assert again.status == 200, again.body
        assert record.state() == before

    def test_a_document_is_replaced_once(self, record: FedRecord) -> None:
        former = record.publish()
        publish(record, bodies.document(record.id, OTHER_PDF, **replacing(former)))
        before = record.state()

        answer = publish(record, bodies.document(record.id, b"%PDF-1.4 third", **replacing(former)))

        assert (answer.status, answer.code) == (409, "not-current")
        assert record.state() == before

    def test_another_author_replaces_nothing(self, record: FedRecord) -> None:
        former = record.publish()
        record.authorise(SPECIALIST)
        before = record.state()

        answer = publish(record, bodies.document(record.id, OTHER_PDF, **replacing(former)), SPECIALIST)

        assert answer.status == 403
        assert record.state() == before

    def test_the_same_structure_replaces(self, record: FedRecord) -> None:
        former = record.publish(AUTHOR)

        answer = publish(record, bodies.document(record.id, OTHER_PDF, **replacing(former)), COLLEAGUE)

        assert answer.status == 201

    def test_a_document_of_another_record_is_not_replaced(
        self, record: FedRecord, api: ApiClient, stack: dict[str, str]
    ) -> None:
        elsewhere = open_record(api, stack)
        former = elsewhere.publish()

        answer = publish(record, bodies.document(record.id, OTHER_PDF, **replacing(former)))

        assert answer.status == 403
        assert record.objects() == {}
        assert elsewhere.found(AUTHOR) == [former]

    def test_what_may_not_be_known_is_replaced_like_what_is_not_there(self, record: FedRecord) -> None:
        former = record.publish()
        record.mask(former)
        missing = former[:-4] + ("0000" if former[-4:] != "0000" else "1111")

        masked = publish(record, bodies.document(record.id, OTHER_PDF, **replacing(former)), STRANGER)
        absent = publish(record, bodies.document(record.id, OTHER_PDF, **replacing(missing)), STRANGER)

        assert (masked.status, masked.code) == (422, "unknown-reference")
        assert masked.json == absent.json

    @pytest.mark.parametrize("target", ["x", "0" * 53, "urn:uuid:0f5c2d5e-0001-4c1a-9a10-000000000001"])
    def test_what_is_no_document_is_not_replaced(self, record: FedRecord, target: str) -> None:
        answer = publish(record, bodies.document(record.id, **replacing(target)))

        assert (answer.status, answer.code) == (422, "unknown-reference")
        assert record.objects() == {}

    def test_an_unknown_unique_id_is_not_replaced(self, record: FedRecord) -> None:
        related = [{"code": "replaces", "target": {"identifier": {"system": "urn:n", "value": "1"}}}]

        answer = publish(record, bodies.document(record.id, relatesTo=related))

        assert (answer.status, answer.code) == (422, "unknown-reference")

    def test_racing_replacements_leave_one_current(self, record: FedRecord) -> None:
        former = record.publish()
        made = [bodies.document(record.id, b"%PDF-1.4 " + bytes([65 + n]), **replacing(former)) for n in range(3)]

        with ThreadPoolExecutor(3) as pool:
            answers = list(pool.map(lambda body: publish(record, body), made))

        assert sorted(answer.status for answer in answers) == [201, 409, 409]
        assert len(record.found(record.patient)) == 1
        assert len(record.objects()) == 2


class TestFolders:
    def test_a_folder_is_made_and_then_filled(self, record: FedRecord) -> None:
        name = {"system": "urn:ietf:rfc:3986", "value": "urn:oid:2.999.8.1"}
        made = submit(record, with_folder(record, name, "POST"))
        folder = made.json["entry"][-1]["response"]["location"].split("/")[1]

        filled = submit(record, with_folder(record, name, "PUT", OTHER_PDF, existing=documents_of(made)))

        assert (made.status, filled.status) == (200, 200), filled.body
        assert filled.json["entry"][-1]["response"]["location"] == f"List/{folder}/_history/2"
        read = record.api.get(f"/fhir/List/{folder}", as_=record.patient)
        held = {entry["item"]["reference"] for entry in read.json["entry"]}
        assert held == {f"DocumentReference/{one}" for one in documents_of(made) + documents_of(filled)}

    def test_a_folder_of_somebody_else_is_not_filled(self, record: FedRecord) -> None:
        name = {"system": "urn:ietf:rfc:3986", "value": "urn:oid:2.999.8.2"}
        submit(record, with_folder(record, name, "POST"))
        before = record.state()

        answer = submit(record, with_folder(record, name, "PUT", OTHER_PDF), SPECIALIST)

        assert (answer.status, answer.code) == (409, "duplicate-unique-id")
        assert record.state() == before

    def test_a_folder_without_a_name_is_made_once(self, record: FedRecord) -> None:
        body = with_folder(record, {}, "POST")
        first = submit(record, body)
        before = record.state()

        again = submit(record, body)

        made = first.json["entry"][-1]["response"]
        assert again.json["entry"][-1]["response"] == {**made, "status": "200 OK"}
        assert record.state() == before

    def test_a_folder_holds_documents_of_its_record_alone(
        self, record: FedRecord, api: ApiClient, stack: dict[str, str]
    ) -> None:
        elsewhere = open_record(api, stack).publish()
        name = {"system": "urn:ietf:rfc:3986", "value": "urn:oid:2.999.8.4"}

        answer = submit(record, with_folder(record, name, "POST", existing=[elsewhere]))

        assert (answer.status, answer.code) == (422, "unknown-reference")
        assert record.objects() == {}

    def test_a_submission_set_is_no_folder(self, record: FedRecord) -> None:
        body = bodies.submission(record.id)
        submit(record, body)
        (name,) = body["entry"][0]["resource"]["identifier"]
        before = record.state()

        answer = submit(record, with_folder(record, {k: name[k] for k in ("system", "value")}, "PUT", OTHER_PDF))

        assert (answer.status, answer.code) == (409, "duplicate-unique-id")
        assert record.state() == before

    def test_a_second_folder_of_one_name_is_refused(self, record: FedRecord) -> None:
        name = {"system": "urn:ietf:rfc:3986", "value": "urn:oid:2.999.8.3"}
        submit(record, with_folder(record, name, "POST"))
        before = record.state()

        answer = submit(record, with_folder(record, name, "POST", OTHER_PDF))

        assert (answer.status, answer.code) == (409, "duplicate-unique-id")
        assert record.state() == before


def superseding(document: str) -> dict[str, Any]:
    """The PATCH entry of an ITI-65 replacement."""
    named = [
        {"name": "type", "valueCode": "replace"},
        {"name": "path", "valueString": "DocumentReference.status"},
        {"name": "value", "valueCode": "superseded"},
    ]
    return {
        "fullUrl": f"urn:uuid:{uuid4()}",
        "resource": {"resourceType": "Parameters", "parameter": [{"name": "operation", "part": named}]},
        "request": {"method": "PATCH", "url": f"DocumentReference/{document}"},
    }


def with_folder(
    record: FedRecord, name: dict[str, str], method: str, content: bytes = bodies.PDF, existing: list[str] | None = None
) -> dict[str, Any]:
    """A submission that puts its document into a Folder."""
    body = bodies.submission(record.id, content)
    held = [body["entry"][1]["fullUrl"], *(f"DocumentReference/{one}" for one in existing or [])]
    code = {"system": "https://profiles.ihe.net/ITI/MHD/CodeSystem/MHDlistTypes", "code": "folder"}
    folder = {
        "resourceType": "List",
        **({"identifier": [name]} if name else {}),
        "status": "current",
        "mode": "working",
        "title": "Suivi",
        "code": {"coding": [code]},
        "subject": {"reference": f"Patient/{record.id}"},
        "entry": [{"item": {"reference": one}} for one in held],
    }
    url = f"urn:uuid:{uuid4()}"
    body["entry"].append({"fullUrl": url, "resource": folder, "request": {"method": method, "url": "List"}})
    return body
