"""Folders and SubmissionSets: what they hold of the bundle and of the record, and who sees which of it (ITI-65)."""

import json
from typing import Any

import pytest

from dmp.domain.requester import Requester
from tests import bodies
from tests.api_client import ApiClient, Response
from tests.aws_calls import counted
from tests.fed_record import AUTHOR, HOSPITAL, SPECIALIST, FedRecord, open_record
from tests.integration.test_official_documents import relating
from tests.integration.test_submissions import OTHER_PDF, documents_of, submit, superseding, with_folder

THIRD_PDF = b"%PDF-1.7\n%third\n%%EOF\n"

type Json = dict[str, Any]


@pytest.fixture
def record(api: ApiClient, stack: dict[str, str]) -> FedRecord:
    return open_record(api, stack)


def named() -> Json:
    unique = bodies.unique_id()
    return {key: unique[key] for key in ("system", "value")}


def lists_of(answer: Response) -> list[str]:
    """Ids of the Lists that a transaction answer names: the SubmissionSet, then the Folders."""
    assert answer.status == 200, answer.body
    locations = [entry["response"]["location"] for entry in answer.json["entry"]]
    return [one.split("/")[1] for one in locations if one.startswith("List/")]


def held(record: FedRecord, one: str, as_: Requester = HOSPITAL) -> list[str]:
    answer = record.api.get(f"/fhir/List/{one}", as_=as_)
    assert answer.status == 200, answer.body
    return [entry["item"]["reference"] for entry in answer.json["entry"]]


def holding(body: Json, place: int, *references: Json | str) -> Json:
    """The submission, its List at this place holding more."""
    items = [{"item": {"reference": one} if isinstance(one, str) else one} for one in references]
    body["entry"][place]["resource"]["entry"] += items
    return body


class TestSubmissionSets:
    def test_hold_the_folders_that_come_with_them(self, record: FedRecord) -> None:
        body = with_folder(record, named(), "POST")
        holding(body, 0, body["entry"][-1]["fullUrl"])

        answer = submit(record, body)

        submission_set, folder = lists_of(answer)
        assert held(record, submission_set) == [f"DocumentReference/{documents_of(answer)[0]}", f"List/{folder}"]

    @pytest.mark.parametrize("how", ["id", "conditional", "logical", "version", "absolute"])
    def test_hold_documents_and_folders_of_the_record(self, record: FedRecord, how: str) -> None:
        master, name = named(), named()
        first = submit(record, with_folder(record, name, "POST"))
        known, folder = record.publish(HOSPITAL, OTHER_PDF, masterIdentifier=master), lists_of(first)[1]

        def naming(kind: str, identity: str, identifier: Json) -> Json:
            references: dict[str, Json] = {
                "id": {"reference": f"{kind}/{identity}"},
                "conditional": {"reference": f"{kind}?identifier={identifier['system']}|{identifier['value']}"},
                "logical": {"type": kind, "identifier": identifier},
                "version": {"reference": f"{kind}/{identity}/_history/1"},
                "absolute": {"reference": f"https://dmp.example/fhir/{kind}/{identity}"},
            }
            return references[how]

        references = naming("DocumentReference", known, master), naming("List", folder, name)
        body = holding(bodies.submission(record.id, THIRD_PDF), 0, *references)
        answer = submit(record, body)

        new = documents_of(answer)[0]
        assert held(record, lists_of(answer)[0]) == [
            f"DocumentReference/{new}",
            f"DocumentReference/{known}",
            f"List/{folder}",
        ]

    @pytest.mark.parametrize("kind", ["DocumentReference", "List"])
    def test_hold_nothing_that_their_depositor_may_not_know_of(
        self, record: FedRecord, api: ApiClient, stack: dict[str, str], kind: str
    ) -> None:
        other = open_record(api, stack)
        theirs = submit(record, with_folder(record, named(), "POST"), AUTHOR)
        elsewhere = submit(other, with_folder(other, named(), "POST"))
        place = 0 if kind == "DocumentReference" else 1
        found = [(documents_of(one)[0], lists_of(one)[1])[place] for one in (theirs, elsewhere)]
        targets = [*found, f"{record.id}.{'0' * 26}"]
        before = record.state()

        answers = [
            submit(record, holding(bodies.submission(record.id, THIRD_PDF), 0, f"{kind}/{one}")) for one in targets
        ]

        assert [(one.status, one.code) for one in answers] == [(422, "unknown-reference")] * 3
        assert len({one.body for one in answers}) == 1
        assert answers[0].json["issue"][0]["expression"] == ["Bundle.entry[0].resource.entry[1].item"]
        assert record.state() == before

    def test_show_a_folder_to_those_alone_who_see_what_is_in_it(self, record: FedRecord) -> None:
        record.authorise(SPECIALIST)
        body = with_folder(record, named(), "POST", OTHER_PDF)
        body["entry"][-1]["resource"]["entry"] = []
        hidden, shown = bodies.submission(record.id, bodies.PDF), record.publish(HOSPITAL, THIRD_PDF)
        secret = hidden["entry"][1]
        body["entry"] += [secret, hidden["entry"][2]]
        holding(body, 3, secret["fullUrl"])
        holding(body, 0, secret["fullUrl"], body["entry"][3]["fullUrl"], f"DocumentReference/{shown}")
        answer = submit(record, body)
        submission_set, folder = lists_of(answer)
        record.mask(documents_of(answer)[1])

        seen = {who.name: held(record, submission_set, who) for who in (record.patient, SPECIALIST)}

        assert f"List/{folder}" in seen[record.patient.name]
        assert f"List/{folder}" not in seen[SPECIALIST.name]
        assert len(seen[SPECIALIST.name]) == 2
        assert record.api.get(f"/fhir/List/{folder}", as_=SPECIALIST).status == 404


class TestFolders:
    @pytest.mark.parametrize("how", ["id", "conditional", "absolute"])
    def test_are_filled_at_the_address_of_the_request(self, record: FedRecord, how: str) -> None:
        name = named()
        first = submit(record, with_folder(record, name, "POST"))
        folder, known = lists_of(first)[1], documents_of(first)
        body = with_folder(record, {} if how != "conditional" else name, "PUT", OTHER_PDF, existing=known)
        body["entry"][-1]["request"]["url"] = {
            "id": f"List/{folder}",
            "conditional": f"List?identifier={name['system']}|{name['value']}",
            "absolute": f"https://dmp.example/fhir/List/{folder}",
        }[how]

        answer = submit(record, body)
        again = submit(record, body)

        assert lists_of(answer)[1] == lists_of(again)[1] == folder
        made = answer.json["entry"][-1]["response"]
        assert made["location"] == f"List/{folder}/_history/2"
        assert again.json["entry"][-1]["response"] == made
        assert set(held(record, folder)) == {f"DocumentReference/{one}" for one in known + documents_of(answer)}

    def test_that_are_not_there_are_not_filled(self, record: FedRecord) -> None:
        submission_set = lists_of(submit(record, bodies.submission(record.id)))[0]
        before = record.state()

        for target in (f"{record.id}.{'0' * 26}", submission_set, "1"):
            body = with_folder(record, {}, "PUT", OTHER_PDF)
            body["entry"][-1]["request"]["url"] = f"List/{target}"
            answer = submit(record, body)

            assert (answer.status, answer.code) == (422, "unknown-reference")
            assert answer.json["issue"][0]["expression"] == ["Bundle.entry[3].request.url"]
        assert record.state() == before

    def test_keep_what_whoever_fills_them_may_not_see(self, record: FedRecord) -> None:
        name = named()
        theirs = record.publish(AUTHOR, THIRD_PDF)
        record.authorise(SPECIALIST)
        first = submit(record, with_folder(record, name, "POST", existing=[theirs]), SPECIALIST)
        folder, (own,) = lists_of(first)[1], documents_of(first)
        record.mask(theirs)

        filled = submit(record, with_folder(record, name, "PUT", OTHER_PDF, existing=[own]), SPECIALIST)

        new = documents_of(filled)
        assert set(held(record, folder, SPECIALIST)) == {f"DocumentReference/{one}" for one in [own, *new]}
        assert f"DocumentReference/{theirs}" in held(record, folder, record.patient)

    def test_leave_out_with_a_warning_what_no_server_of_this_kind_holds(self, record: FedRecord) -> None:
        body = with_folder(record, named(), "POST", existing=["ex-DocumentReferenceComprehensive"])

        answer = submit(record, body)

        (issue,) = answer.json["entry"][-1]["response"]["outcome"]["issue"]
        assert issue["severity"] == "warning"
        assert issue["details"]["coding"][0]["code"] == "entry-left-out"
        assert issue["expression"] == ["Bundle.entry[3].resource.entry[1].item"]
        assert len(held(record, lists_of(answer)[1])) == 1

    def test_have_every_name_they_came_with(self, record: FedRecord) -> None:
        names = [named(), named()]
        body = with_folder(record, names[0], "POST")
        body["entry"][-1]["resource"]["identifier"].append(names[1])
        folder = lists_of(submit(record, body))[1]

        filled = submit(record, with_folder(record, names[1], "PUT", OTHER_PDF))
        clash = submit(record, with_folder(record, names[1], "POST", THIRD_PDF))

        assert lists_of(filled)[1] == folder
        assert (clash.status, clash.code) == (409, "duplicate-unique-id")


class TestRepetition:
    @pytest.mark.parametrize("name", [{}, {"system": "urn:ietf:rfc:3986", "value": "urn:oid:2.999.8.9"}])
    def test_of_a_replacement_with_folders_and_patches_is_the_first_answer(self, record: FedRecord, name: Json) -> None:
        master = named()
        former = [record.publish(HOSPITAL), record.publish(HOSPITAL, THIRD_PDF, masterIdentifier=master)]
        relation = {"code": "replaces", "target": {"reference": f"DocumentReference/{former[0]}"}}
        body = with_folder(record, name, "POST", OTHER_PDF, existing=former)
        body["entry"][1]["resource"]["relatesTo"] = [relation]
        by_identifier = superseding(former[1])
        by_identifier["request"]["url"] = f"DocumentReference?identifier={master['system']}|{master['value']}"
        body["entry"] += [superseding(former[0]), by_identifier]
        first = submit(record, body)
        before = record.state()

        again = submit(record, body)

        def answers(answer: Response) -> list[Json]:
            return [{k: v for k, v in one["response"].items() if k != "status"} for one in answer.json["entry"]]

        assert (first.status, again.status) == (200, 200), first.body + again.body
        assert answers(first) == answers(again)
        assert [one["response"]["status"] for one in first.json["entry"]] == [
            *["201 Created"] * 4,
            *["200 OK"] * 2,
        ]
        assert {one["response"]["status"] for one in again.json["entry"]} == {"200 OK"}
        assert record.state() == before
        assert sorted(record.found(HOSPITAL, "status=superseded")) == sorted(former)


class TestRelations:
    @pytest.mark.parametrize("code", ["appends", "transforms", "signs"])
    @pytest.mark.parametrize("how", ["id", "conditional", "logical", "version", "absolute"])
    def test_lead_to_a_document_of_the_record(self, record: FedRecord, code: str, how: str) -> None:
        master = named()
        known = record.publish(HOSPITAL, masterIdentifier=master)
        target = {
            "id": {"reference": f"DocumentReference/{known}"},
            "conditional": {"reference": f"DocumentReference?identifier={master['system']}|{master['value']}"},
            "logical": {"identifier": master},
            "version": {"reference": f"DocumentReference/{known}/_history/1"},
            "absolute": {"reference": f"https://dmp.example/fhir/DocumentReference/{known}"},
        }[how]

        answer = submit(record, bodies.submission(record.id, OTHER_PDF, relatesTo=[{"code": code, "target": target}]))

        (new,) = documents_of(answer)
        (relation,) = record.api.get(f"/fhir/DocumentReference/{new}", as_=HOSPITAL).json["relatesTo"]
        assert relation["code"] == code
        assert f"DocumentReference/{known}" in relation["target"]["reference"]
        assert record.found(record.patient, "status=superseded") == []

    @pytest.mark.parametrize("code", ["appends", "transforms", "signs"])
    def test_lead_to_a_document_of_the_same_bundle(self, record: FedRecord, code: str) -> None:
        body = bodies.submission(record.id, bodies.PDF, OTHER_PDF)
        first, second = body["entry"][1], body["entry"][2]
        second["resource"]["relatesTo"] = [{"code": code, "target": {"reference": first["fullUrl"]}}]
        second["resource"]["context"] = {"related": [{"reference": first["fullUrl"]}]}

        made, signing = documents_of(submit(record, body))

        read = record.api.get(f"/fhir/DocumentReference/{signing}", as_=HOSPITAL).json
        assert read["relatesTo"][0]["target"] == {"reference": f"DocumentReference/{made}"}
        assert read["context"]["related"] == [{"reference": f"DocumentReference/{made}"}]
        assert "urn:uuid" not in json.dumps(read["relatesTo"])

    def test_transform_and_replace_at_once(self, record: FedRecord) -> None:
        known = record.publish(HOSPITAL)
        target = {"reference": f"DocumentReference/{known}"}
        relations = [{"code": code, "target": target} for code in ("transforms", "replaces")]

        answer = submit(record, bodies.submission(record.id, OTHER_PDF, relatesTo=relations))

        assert answer.status == 200, answer.body
        assert record.found(HOSPITAL, "status=superseded") == [known]

    def test_to_what_is_elsewhere_are_kept_with_a_warning(self, record: FedRecord) -> None:
        targets = [
            {"reference": "DocumentReference/ex-DocumentReferenceComprehensive"},
            {"reference": "https://other.example/fhir/DocumentReference/1"},
        ]
        relations = [{"code": "appends", "target": one} for one in targets]

        answer = submit(record, bodies.submission(record.id, relatesTo=relations))

        issues = answer.json["entry"][1]["response"]["outcome"]["issue"]
        assert [one["details"]["coding"][0]["code"] for one in issues] == ["related-document-unknown"] * 2
        assert [one["expression"] for one in issues] == [
            [f"Bundle.entry[1].resource.relatesTo[{n}].target"] for n in range(2)
        ]
        read = record.api.get(f"/fhir/DocumentReference/{documents_of(answer)[0]}", as_=HOSPITAL).json
        assert read["relatesTo"] == relations

    @pytest.mark.parametrize("target", [{"identifier": {"system": "urn:n", "value": "1"}}, {"display": "x"}])
    def test_to_nothing_are_refused(self, record: FedRecord, target: Json) -> None:
        relations = [{"code": "appends", "target": target}]

        answer = submit(record, bodies.submission(record.id, relatesTo=relations))

        assert (answer.status, answer.code) == (422, "unknown-reference")
        assert record.objects() == {}


class TestRemarks:
    def test_are_told_beside_the_entry_that_they_are_on(self, record: FedRecord) -> None:
        label = {"coding": [{"system": "urn:example:labels", "code": "HIGH"}]}
        wrong = [{"coding": [{"system": bodies.LOINC, "code": "99999-9"}]}]
        body = bodies.submission(record.id, category=wrong, securityLabel=[label])

        answer = submit(record, body)
        again = submit(record, body)

        outcome = answer.json["entry"][1]["response"]["outcome"]
        assert [(one["severity"], one["details"]["coding"][0]["code"]) for one in outcome["issue"]] == [
            ("information", "category-corrected"),
            ("warning", "unknown-label"),
        ]
        assert [one["expression"] for one in outcome["issue"]] == [
            ["Bundle.entry[1].resource.category"],
            ["Bundle.entry[1].resource.securityLabel[0]"],
        ]
        assert again.json["entry"][1]["response"]["outcome"] == outcome
        read = record.api.get(f"/fhir/DocumentReference/{documents_of(answer)[0]}", as_=HOSPITAL).json
        assert label in read["securityLabel"]

    def test_are_not_made_on_what_is_as_it_should_be(self, record: FedRecord) -> None:
        answer = submit(record, bodies.submission(record.id))

        assert not any("outcome" in one["response"] for one in answer.json["entry"])

    def test_tell_of_a_document_that_a_cda_replaces_and_the_record_has_not(self, record: FedRecord) -> None:
        content = relating(record, "2.25.77.31", "2.25.77.32")
        body = bodies.submission(record.id, content, content_type="application/xml", masterIdentifier=None, type=None)
        body["entry"][1]["resource"]["masterIdentifier"] = bodies.unique_id() | {"value": "urn:oid:2.25.77.31"}
        body["entry"][2]["resource"]["contentType"] = "application/xml"
        body["entry"][1]["resource"].pop("author")
        body["entry"][1]["resource"].pop("contained")

        answer = submit(record, body)

        assert answer.status == 200, answer.body
        (issue,) = answer.json["entry"][1]["response"]["outcome"]["issue"]
        assert issue["details"]["coding"][0]["code"] == "related-document-unknown"
        assert issue["expression"] == ["Bundle.entry[1].resource.relatesTo"]

    def test_tell_of_the_wrong_key_of_a_test_identity(self, api: ApiClient, stack: dict[str, str]) -> None:
        ins = bodies.new_ins()
        wrong = ins[:13] + f"{(int(ins[13:]) % 97) + 1:02d}"
        record = open_record(api, stack, wrong)
        subject = {"identifier": {"system": "urn:oid:1.2.250.1.213.1.4.10", "value": wrong}}

        answer = submit(record, bodies.submission(record.id, subject=subject))

        assert answer.status == 200, answer.body
        (issue,) = answer.json["entry"][1]["response"]["outcome"]["issue"]
        assert issue["details"]["coding"][0]["code"] == "ins-key-wrong"
        assert wrong not in answer.body.decode()


@pytest.mark.parametrize("how", ["id", "identifier"])
def test_a_folder_that_nobody_may_know_of_is_not_there(record: FedRecord, how: str) -> None:
    record.authorise(SPECIALIST)
    name = named()
    first = submit(record, with_folder(record, name, "POST"))
    for document in documents_of(first):
        record.mask(document)
    folder = lists_of(first)[1]
    record.api.get(f"/fhir/List/{folder}", as_=SPECIALIST)
    ways = {
        "id": (f"List/{folder}", f"List/{record.id}.{'0' * 26}"),
        "identifier": ("List", f"List/{record.id}.{'0' * 26}"),
    }

    answers = []
    for url in ways[how]:
        body = with_folder(record, name if url == "List" else named(), "PUT", THIRD_PDF)
        body["entry"][-1]["request"]["url"] = url
        with counted() as calls:
            answer = submit(record, body, as_=SPECIALIST)
        answers.append((answer.status, answer.code, list(calls)))

    hidden, missing = answers
    assert missing[:2] == (422, "unknown-reference")
    assert hidden == (missing if how == "id" else (409, "duplicate-unique-id", missing[2]))


def test_a_folder_that_one_sees_and_did_not_feed_is_refused(record: FedRecord) -> None:
    record.authorise(SPECIALIST)
    folder = lists_of(submit(record, with_folder(record, named(), "POST")))[1]
    body = with_folder(record, named(), "PUT", THIRD_PDF)
    body["entry"][-1]["request"]["url"] = f"List/{folder}"

    answer = submit(record, body, as_=SPECIALIST)

    assert (answer.status, answer.code) == (403, "not-authorised")
