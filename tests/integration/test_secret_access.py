"""What the trace keeps from whom: secret accesses from representatives, hidden documents from patients too."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

import pytest

from dmp.domain.requester import Requester
from tests import bodies
from tests.api_client import ApiClient, Caller, Response
from tests.aws_calls import counted
from tests.fed_record import AUTHOR, HOSPITAL, SPECIALIST, STRANGER, FedRecord, open_record
from tests.integration.test_visibility import hidden, label, lifting, patch, told
from tests.minor_record import MinorRecord, open_minor_record
from tests.token_factory import TokenFactory

OTHER_PDF = b"%PDF-1.7\n%other\n%%EOF\n"
SECRET = replace(SPECIALIST, is_secret=True)
CLAIM = "urn:oasis:names:tc:xspa:1.0:resource:patient:hl7:confidentiality-code"
CODE = "INVISIBLE_REPRESENTANTS_LEGAUX"
HIDE = [{"op": "add", "path": "/securityLabel/-", "value": label("INVISIBLE_PATIENT")}]

type Json = dict[str, Any]


@pytest.fixture
def record(api: ApiClient, stack: dict[str, str]) -> FedRecord:
    return open_record(api, stack)


@pytest.fixture
def minor(api: ApiClient, stack: dict[str, str]) -> MinorRecord:
    return open_minor_record(api, stack)


def search(record: FedRecord, as_: Requester, **values: str) -> Response:
    answer = record.api.get(f"/fhir/AuditEvent?{urlencode({'patient': record.id, **values})}", as_=as_)
    assert answer.status == 200, answer.body
    return answer


def pages(record: FedRecord, as_: Requester, **values: str) -> Iterator[list[str]]:
    """The ids of each page of the trace as it was: what the reading itself leaves is past its end."""
    answer = search(record, as_, date=f"lt{_now()}", **values)
    while True:
        yield [event["id"] for event in answer.resources]
        if "next" not in answer.links:
            return
        answer = record.api.get(answer.links["next"], as_=as_)
        assert answer.status == 200


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def ids(record: FedRecord, as_: Requester, **values: str) -> list[str]:
    return [one for page in pages(record, as_, _count="100", **values) for one in page]


def event_of(record: FedRecord, act: str, as_: Requester | None = None) -> str:
    """The id of the last event of an interaction."""
    events = [
        one for one in record.trace() if one["act"] == act and (as_ is None or one["actor"] == str(as_.identifier))
    ]
    return f"{record.id}.{events[-1]['id']}"


def named(event: Json) -> set[str]:
    """What an event says was touched."""
    return {one["what"]["reference"] for one in event["entity"] if "reference" in one.get("what", {})}


def get(record: FedRecord, event: str, as_: Requester) -> Response:
    return record.api.get(f"/fhir/AuditEvent/{event}", as_=as_)


class TestSecretAccess:
    @pytest.mark.parametrize("stated", ["claim", "header"])
    def test_by_token_or_header_leaves_nothing_that_a_representative_sees(
        self, minor: MinorRecord, tokens: TokenFactory, stated: str
    ) -> None:
        token = tokens.professional(rpps="10107654321", structure="1690000005")
        headers = {"X-Confidentiality-Code": CODE}
        if stated == "claim":
            token = tokens.professional(
                rpps="10107654321", structure="1690000005", **{CLAIM: f"{CODE}^1.2.250.1.213.1.1.4.13"}
            )
            headers = {}
        minor.publish()
        minor.authorise(SPECIALIST)
        before = ids(minor, minor.guardian)

        answer = minor.api.get(f"/fhir/DocumentReference?patient={minor.id}&status=current", as_=token, headers=headers)

        event = event_of(minor, "ITI-67")
        assert len(answer.resources) == 1
        assert event in ids(minor, minor.patient)
        assert set(before) <= set(ids(minor, minor.guardian)) - {event}
        assert event not in ids(minor, minor.guardian)
        assert get(minor, event, minor.patient).status == 200
        assert get(minor, event, minor.guardian).body == get(minor, f"{minor.id}.{'0' * 26}", minor.guardian).body

    def test_a_secret_deposit_is_told_to_the_minor_alone(self, minor: MinorRecord) -> None:
        minor.publish(SECRET)

        assert [one.is_secret for one in told(minor)] == [True]
        assert event_of(minor, "ITI-105") in ids(minor, minor.patient)
        assert event_of(minor, "ITI-105") not in ids(minor, minor.guardian)

    def test_a_secret_refusal_is_secret_too(self, minor: MinorRecord) -> None:
        document = minor.publish()

        refused = minor.api.get(f"/fhir/Binary/{document}", as_=SECRET)

        assert refused.status == 403
        assert event_of(minor, "ITI-68") in ids(minor, minor.patient, outcome="8")
        assert ids(minor, minor.guardian, outcome="8") == []

    def test_counts_in_no_total_and_fills_no_page_of_a_representative(self, minor: MinorRecord) -> None:
        document = minor.publish()
        minor.authorise(SPECIALIST)
        for who in (SECRET, SPECIALIST, SECRET, SECRET, SECRET, SPECIALIST, SECRET):
            minor.api.get(f"/fhir/DocumentReference/{document}", as_=who)

        own = list(pages(minor, minor.patient, _count="2"))
        hers = list(pages(minor, minor.guardian, _count="2"))
        total = search(minor, minor.guardian, _count="1", _total="accurate", agent=SPECIALIST.identifier.value)

        assert sum(map(len, own)) > 8
        assert [len(page) for page in hers[:-1]] == [2] * (len(hers) - 1)
        assert hers[-1]
        assert total.json["total"] == 2

    def test_the_trace_of_reading_it_is_secret_too(self, minor: MinorRecord) -> None:
        minor.name_attending_physician(STRANGER)
        minor.publish(SECRET)
        event = event_of(minor, "ITI-105")

        read = [get(minor, event, who).status for who in (minor.patient, STRANGER)]

        assert read == [200, 200]
        traced = [one for one in minor.trace() if f"AuditEvent/{event}" in one["what"]]
        assert [one["secret"] for one in traced] == [True, True]
        assert not {f"{minor.id}.{one['id']}" for one in traced} & set(ids(minor, minor.guardian))

    def test_an_adult_sees_all(self, record: FedRecord) -> None:
        record.publish(SECRET)

        assert event_of(record, "ITI-105") in ids(record, record.patient)


class TestHiddenDocuments:
    def test_no_event_tells_the_patient_of_one_until_it_is_released(self, record: FedRecord) -> None:
        record.authorise(SPECIALIST)
        before = ids(record, record.patient)
        document = record.publish(**hidden("INVISIBLE_PATIENT"))
        record.api.get(f"/fhir/DocumentReference/{document}", as_=SPECIALIST)
        record.api.get(f"/fhir/Binary/{document}", as_=SPECIALIST)
        record.api.get(f"/fhir/Binary/{document}", as_=STRANGER)
        patch(record, document, bodies.MASK, AUTHOR)
        events = {f"{record.id}.{one['id']}" for one in record.trace() if f"/{document}" in "".join(one["what"])}

        unseen = set(ids(record, record.patient))
        found = search(record, record.patient, entity=f"DocumentReference/{document}", _total="accurate").json["total"]
        read = {get(record, event, record.patient).status for event in events}
        patch(record, document, lifting("INVISIBLE_PATIENT"), AUTHOR)

        assert len(events) == 5
        assert unseen.isdisjoint(events)
        assert unseen.issuperset(before)
        assert (found, read) == (0, {404})
        assert set(ids(record, record.patient)) > events
        assert len(ids(record, record.patient, entity=f"DocumentReference/{document}")) == 6

    def test_the_attending_physician_sees_all(self, record: FedRecord) -> None:
        record.name_attending_physician(SPECIALIST)
        document = record.publish(**hidden("INVISIBLE_PATIENT"))

        assert event_of(record, "ITI-105") in ids(record, SPECIALIST, entity=f"DocumentReference/{document}")

    def test_reading_such_an_event_tells_the_patient_nothing(self, record: FedRecord) -> None:
        record.name_attending_physician(SPECIALIST)
        record.publish(**hidden("INVISIBLE_PATIENT"))
        get(record, event_of(record, "ITI-105"), SPECIALIST)

        reading = event_of(record, "read")

        assert reading in ids(record, SPECIALIST)
        assert reading not in ids(record, record.patient)

    def test_a_representative_sees_nothing_of_what_only_representatives_must_not_know(self, minor: MinorRecord) -> None:
        minor.publish(**hidden("INVISIBLE_REPRESENTANTS_LEGAUX"))
        event = event_of(minor, "ITI-105")

        assert event in ids(minor, minor.patient)
        assert event not in ids(minor, minor.guardian)

    def test_a_submission_is_told_without_the_hidden_document(self, record: FedRecord) -> None:
        body = bodies.submission(record.id, bodies.PDF, OTHER_PDF)
        body["entry"][1]["resource"] |= hidden("INVISIBLE_PATIENT")
        answer = record.api.post("/fhir", body, as_=HOSPITAL)
        places = [entry["response"]["location"].partition("/_history")[0] for entry in answer.json["entry"][:3]]
        record.api.get(f"/fhir/{places[0]}", as_=HOSPITAL)

        submitted = get(record, event_of(record, "ITI-65"), record.patient)

        assert named(submitted.json) == {f"Patient/{record.id}", places[0], places[2]}
        assert event_of(record, "read") in ids(record, record.patient)
        assert ids(record, record.patient, entity=places[1]) == []

    def test_a_submission_of_hidden_documents_alone_is_not_told(self, record: FedRecord) -> None:
        body = bodies.submission(record.id, bodies.PDF, OTHER_PDF, **hidden("INVISIBLE_PATIENT"))
        answer = record.api.post("/fhir", body, as_=HOSPITAL)
        place = answer.json["entry"][0]["response"]["location"].partition("/_history")[0]
        record.api.get(f"/fhir/{place}", as_=HOSPITAL)

        seen = ids(record, record.patient)

        assert event_of(record, "ITI-65") not in seen
        assert event_of(record, "read") not in seen

    def test_the_trace_of_a_closed_record_hides_as_much(self, record: FedRecord) -> None:
        record.publish(**hidden("INVISIBLE_PATIENT"))
        record.publish(content=OTHER_PDF, **hidden("INVISIBLE_REPRESENTANTS_LEGAUX"))
        first, second = [f"{record.id}.{one['id']}" for one in record.trace() if one["act"] == "ITI-105"]
        close = bodies.parameters(motive={"valueCode": "patient-demande"})
        record.api.post(f"/fhir/Patient/{record.id}/$close", close, as_=record.patient)

        seen = ids(record, record.patient)

        assert (first in seen, second in seen) == (False, True)

    @pytest.mark.parametrize("by", ["patient", "guardian"])
    @pytest.mark.parametrize("way", ["read", "history", "bytes", "patch", "delete", "list"])
    def test_who_asks_by_id_for_what_is_hidden_finds_that_as_if_it_were_not_there(
        self, minor: MinorRecord, by: str, way: str
    ) -> None:
        body = bodies.submission(minor.id, bodies.PDF, **hidden("INVISIBLE_PATIENT"))
        answer = minor.api.post("/fhir", body, as_=HOSPITAL)
        places = [entry["response"]["location"].split("/")[1] for entry in answer.json["entry"][:2]]
        who = minor.patient if by == "patient" else minor.guardian
        present, absent = places[0 if way == "list" else 1], f"{minor.id}.{'0' * 26}"

        asked = [ask(minor, way, one, who) for one in (present, absent)]
        told_of = [self.told_of(minor, one, reader) for one in (present, absent) for reader in (minor.patient, who)]

        assert {answer.status for answer in asked} == {404}
        assert asked[0].body == asked[1].body
        assert told_of[0]
        assert told_of[0] == told_of[1] == told_of[2] == told_of[3]

    @staticmethod
    def told_of(record: FedRecord, asked: str, reader: Requester) -> list[Json]:
        """The events that name an id, without what is each event's own."""
        events = [
            one for one in search(record, reader, _count="100").resources if f"/{asked}" in "".join(sorted(named(one)))
        ]
        text = str([{k: v for k, v in one.items() if k not in ("id", "meta", "recorded")} for one in events])
        own = [
            e["what"]["identifier"]["value"]
            for one in events
            for e in one["entity"]
            if "identifier" in e.get("what", {})
        ]
        for value in [asked, *own]:
            text = text.replace(value, "…")
        return [{"events": text}] if events else []

    def test_whoever_asks_by_an_identifier_is_not_told_of_what_is_hidden(self, record: FedRecord) -> None:
        unique = bodies.unique_id()
        document = record.publish(masterIdentifier=unique, **hidden("INVISIBLE_PATIENT"))

        url = f"/fhir/DocumentReference?identifier=urn:ietf:rfc:3986|{unique['value']}"
        answer = record.api.patch(url, bodies.MASK, as_=record.patient)

        assert (answer.status, answer.code) == (404, "no-document")
        assert record.trace()[-1]["what"] == [f"DocumentReference/{document}"]
        assert ids(record, record.patient, outcome="8") == []

    def test_pages_are_filled_and_end_where_nothing_more_is_seen(self, record: FedRecord) -> None:
        for number in range(5):
            record.publish(content=b"%PDF-1.4 " + bytes([48 + number]), **hidden("INVISIBLE_PATIENT"))
            record.authorise(STRANGER)

        found = list(pages(record, record.patient, _count="3"))
        total = search(record, record.patient, _count="1", _total="accurate", action="C").json["total"]

        assert [len(page) for page in found] == [3, 3]
        assert total == 6

    def test_a_page_without_hidden_documents_costs_what_it_did(self, record: FedRecord) -> None:
        record.publish()
        search(record, record.patient)

        with counted() as plain:
            search(record, record.patient)
        record.publish(content=OTHER_PDF, **hidden("INVISIBLE_PATIENT"))
        with counted() as hiding:
            search(record, record.patient)

        assert plain == ["GetItem", "Query", "PutItem"]
        assert hiding == ["GetItem", "Query", "BatchGetItem", "PutItem"]

    def test_a_document_hidden_later_hides_from_then_on(self, record: FedRecord) -> None:
        document = record.publish()
        deposit = event_of(record, "ITI-105")
        patch(record, document, HIDE, AUTHOR)
        record.api.get(f"/fhir/Binary/{document}", as_=HOSPITAL)

        seen = ids(record, record.patient)

        assert deposit in seen
        assert event_of(record, "patch") not in seen
        assert event_of(record, "ITI-68") not in seen


def ask(record: FedRecord, way: str, asked: str, as_: Caller) -> Response:
    document = f"/fhir/DocumentReference/{asked}"
    match way:
        case "read":
            return record.api.get(document, as_=as_)
        case "history":
            return record.api.get(f"{document}/_history", as_=as_)
        case "bytes":
            return record.api.get(f"/fhir/Binary/{asked}", as_=as_)
        case "patch":
            return record.api.patch(document, bodies.MASK, as_=as_)
        case "delete":
            return record.api.delete(document, as_=as_)
        case _:
            return record.api.get(f"/fhir/List/{asked}", as_=as_)
