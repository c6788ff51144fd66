"""What may not be known leaks nowhere: a record with hidden documents answers like its twin without them."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from time_machine import TimeMachineFixture

from dmp.domain.requester import Requester
from tests import bodies, uploads
from tests.api_client import ApiClient, Response
from tests.conftest import NOON
from tests.fed_record import HOSPITAL, SPECIALIST, STRANGER
from tests.requester_factories import (
    requester_cpam_agent,
    requester_employee,
    requester_patient,
    requester_professional,
    requester_server,
)
from tests.twins import HIDER, Request, Requests, Twin, Twins, Who, get, labelled, open_twins, unique

NURSE = requester_professional("10106666666", "1250000002", profession="60", specialties=(), name="Nour LEROY")
BLOCKED = requester_professional("10108888888", "1210000001", name="Max HENRY")
URGENTIST = requester_professional("10109999999", "1590000003", name="Sam FAURE")
SMALL_FEEDER = requester_professional("10104444444", "1670000006", name="Eli NOEL")
PERSON = requester_patient(bodies.qualified(bodies.new_ins()), name="Autre PERSONNE")
CERTIFICATE = "75496-0"
"""A type of document that nurses do not consult."""
READERS = {
    "authorised": SPECIALIST,
    "nurse": NURSE,
    "hospital that fed": HOSPITAL,
    "in an emergency": URGENTIST,
    "without any right": STRANGER,
    "with own documents alone": SMALL_FEEDER,
}
OTHERS = {
    "blocked": BLOCKED,
    "server that fed nothing": requester_server("1640000007"),
    "secretary": requester_employee(structure_id="1690000005"),
    "agent": requester_cpam_agent(),
    "another person": PERSON,
}
OUTSIDERS = READERS | OTHERS
FATES = ("one", "many")
CODES = {"patient": "INVISIBLE_PATIENT", "guardian": "INVISIBLE_REPRESENTANTS_LEGAUX"}
SENT = {"X-Request-Id": "twin"}
QUICK = {*OTHERS, "authorised", "in an emergency"}
MASKED = [
    pytest.param(fate, name, marks=() if fate == "many" and name in QUICK else pytest.mark.long)
    for fate in FATES
    for name in OUTSIDERS
]

_made: dict[tuple[str, str], Twins] = {}


def twins_with(api: ApiClient, stack: dict[str, str], clock: TimeMachineFixture, fate: str, code: str) -> Twins:
    """Twins of several depositors, one of which holds documents with a code besides; made once."""
    if (fate, code) not in _made:
        twins = open_twins(api, stack, clock, NOON + timedelta(days=len(_made)))
        _made[fate, code] = twins
        twins.both(lambda twin: twin.record.authorise(SPECIALIST))
        twins.both(lambda twin: twin.record.authorise(NURSE))
        twins.both(lambda twin: twin.record.block(BLOCKED))
        twins.both(lambda twin: twin.documents.append(twin.publish(2)))
        twins.both(lambda twin: twin.documents.append(twin.publish(4, HOSPITAL, type_code=CERTIFICATE)))
        twins.both(lambda twin: _note(twin, twin.submit(8, 9, as_=HOSPITAL)))
        {"one": _hide_one, "many": _hide_many, "awaited": _await}[fate](twins, code)
        twins.both(lambda twin: twin.documents.append(twin.publish(16, SMALL_FEEDER)))
        twins.both(lambda twin: twin.documents.append(twin.publish(18, type_code=bodies.CONSULTATION)))
        twins.both(_declare_emergency)
        twins.make_up()
    twins = _made[fate, code]
    twins.clock = clock
    return twins


def _note(twin: Twin, submitted: list[str]) -> None:
    twin.lists.append(submitted[0])
    twin.documents += submitted[1:]


def _declare_emergency(twin: Twin) -> None:
    body = bodies.parameters(mode={"valueCode": "BTG"}, reason={"valueString": "Inconsciente"})
    answer = twin.api.post(f"/fhir/Patient/{twin.record.id}/$emergency-access", body, as_=URGENTIST)
    assert answer.status == 201, answer.body


def _hide_one(twins: Twins, code: str) -> None:
    """One hidden document, that came alone, and so its SubmissionSet."""
    twins.later()
    submission, document = twins.holding.submit(5, hidden=5, code=code)
    twins.holding.hidden_lists.append(submission)
    twins.holding.hidden.append(document)


def _hide_many(twins: Twins, code: str) -> None:
    """Hidden documents of every fate: in a bundle, alone in one, replaced, deleted, hidden later than deposited."""
    holding = twins.holding
    twins.later()
    _note(twins.plain, twins.plain.submit(10))
    submission, visible, hidden = holding.submit(10, 11, hidden=11, code=code)
    _note(holding, [submission, visible])
    twins.later()
    submission, alone = holding.submit(12, hidden=12, code=code)
    holding.hidden_lists.append(submission)
    twins.later()
    former = holding.publish(13, HIDER, **labelled(code))
    twins.later()
    replaces = [{"code": "replaces", "target": {"reference": f"DocumentReference/{former}"}}]
    latter = holding.publish(14, HIDER, relatesTo=replaces, **labelled(code))
    twins.later()
    deleted = holding.publish(15, HIDER, **labelled(code))
    twins.later()
    assert holding.api.delete(f"/fhir/DocumentReference/{deleted}", as_=HIDER).status == 204
    holding.hidden += [hidden, alone, former, latter, deleted]
    _show_a_successor(twins, code)


def _await(twins: Twins, _: str) -> None:
    """Documents whose bytes have not come, were wrong, or were not waited for."""
    for day, fate in ((5, "awaited"), (11, "failed"), (13, "deleted")):
        twins.later()
        record = twins.holding.record
        content = f"%PDF-1.4 {day}".encode()
        document = uploads.announce(
            record, content, HIDER, masterIdentifier=unique(day), date=f"2026-01-{day:02d}T08:00:00Z"
        )
        twins.holding.hidden.append(document.id)
        twins.later()
        if fate == "failed":
            document.complete(b"x" * len(content))
        if fate == "deleted":
            assert twins.holding.api.delete(f"/fhir/DocumentReference/{document.id}", as_=HIDER).status == 204


def _show_a_successor(twins: Twins, code: str) -> None:
    """A document that was hidden and is no more: in one record it replaced, and belongs to, what still is."""
    label = labelled(code)
    twins.later()
    gone = twins.holding.publish(17, HIDER, **label)
    twins.later()
    replaces = [{"code": "replaces", "target": {"reference": f"DocumentReference/{gone}"}}]
    twins.plain.documents.append(twins.plain.publish(19, HIDER, **label))
    other = {"reference": f"DocumentReference/{twins.holding.hidden[0]}"}
    relations = {"relatesTo": [*replaces, {"code": "appends", "target": other}], "context": {"related": [other]}}
    twins.holding.documents.append(twins.holding.publish(19, HIDER, **relations, **label))
    twins.holding.hidden.insert(0, gone)
    lift = [{"op": "remove", "path": "/securityLabel"}]
    twins.both(lambda twin: twin.api.patch(f"/fhir/DocumentReference/{twin.documents[-1]}", lift, as_=HIDER).json["id"])


def documents(twin: Twin) -> list[str]:
    return twin.documents[1:]


def hidden(twin: Twin) -> list[str]:
    return twin.hidden


def latest(twin: Twin) -> list[str]:
    """Of the hidden ones, one that was replaced, its successor and one that was deleted."""
    return twin.hidden[-3:]


SEARCHES: Requests = {
    query: get(f"DocumentReference?patient={{}}&{query}")
    for query in (
        *("status=current,superseded&_total=accurate&_count=4", "status=superseded", "status=current&_count=5"),
        *("status=current&type=11490-0&_count=3", "status=current&category=10&_total=accurate", "type=11490-0"),
        *("status=current&date=ge2026-01-05&date=lt2026-01-06", "status=current,superseded&date=le2026-01-14&_count=3"),
        "status=current,superseded&_lastUpdated=ge2026-03-01",
        *("status=current,superseded&_sort=date&_count=3", "status=current,superseded&_sort=-_lastUpdated&_count=4"),
        "status=current,superseded&relation=replaces,appends&_total=accurate",
        "status=current,superseded&author:identifier=810101234567&contenttype=application/pdf&_count=3",
        "status=current&isArchived=false&_include=DocumentReference:relatesto&_include=DocumentReference:related",
        "status=current,superseded&creation=ge2000",
        *("status=current&_content=lettre+liaison&_count=3", "status=current,superseded&_content=nulle"),
        "status=current,superseded&_content=liaison&_total=accurate&_count=4",
        "status=current&_content=liaison&_sort=-_lastUpdated&_count=4",
        *(f"status=current,superseded&identifier=urn:ietf:rfc:3986%7C{unique(day)['value']}" for day in (5, 13)),
    )
}
LIST_SEARCHES: Requests = {
    query: get(f"List?patient={{}}&status=current&{query}")
    for query in (
        *("_count=2", "_total=accurate&_count=1", "code=submissionset&_sort=date&_count=1", "code=folder"),
        *("_include=List:item&_include=List:patient", "date=ge2026-01-01", "sourceId=urn:oid:1.2.3.4&_count=2"),
        *(f"identifier=urn:ietf:rfc:3986%7C{unique(1000 + day)['value']}" for day in (5, 8, 10, 12)),
    )
}


def named(path: str) -> Request:
    """Search for what each hidden document is named by."""

    def ask(twin: Twin, who: Requester) -> Iterator[Response]:
        for one in twin.hidden:
            url = f"/fhir/{path.format(record=twin.record.id, hidden=one)}"
            yield twin.api.get(url, as_=who, headers=SENT)

    return ask


BY_NAME: Requests = {
    f"{name} of the hidden": named(f"DocumentReference?patient={{record}}&status=current,superseded&{name}={{hidden}}")
    for name in ("_id", "relatesto", "related")
} | {"lists by hidden ids": named("List?patient={record}&status=current&_id={hidden}")}
READS: Requests = {
    "documents": get("DocumentReference/{}", documents),
    "histories of lists": get("List/{}/_history", lambda twin: twin.lists),
    "versions of lists": get("List/{}/_history/1", lambda twin: twin.lists),
    "histories of hidden lists": get("List/{}/_history", lambda twin: twin.hidden_lists),
    "histories": get("DocumentReference/{}/_history", lambda twin: twin.documents[-1:]),
    "bytes": get("Binary/{}", documents, Accept="*/*"),
    "lists": get("List/{}", lambda twin: twin.lists),
    "hidden documents": get("DocumentReference/{}", hidden),
    "hidden histories": get("DocumentReference/{}/_history", latest),
    "hidden versions": get("DocumentReference/{}/_history/1", latest),
    "hidden bytes": get("Binary/{}", hidden, Accept="*/*"),
    "hidden Binaries": get("Binary/{}", latest, Accept="application/fhir+json"),
    "hidden lists": get("List/{}", lambda twin: twin.hidden_lists),
}
AROUND: Requests = {
    "record": get("Patient/{}"),
    "TD0.2": get(f"Patient?identifier={bodies.qualified('')}{{ins}}"),
    "Consents": get("Consent?patient={}&_count=2&category=authorisation,block,emergency"),
    "messages": get("Communication?recipient=Patient/{}&_count=3"),
    "trace": get("AuditEvent?patient={}&_count=50"),
}


def change(method: str, body: object = None, **headers: str) -> Request:
    """Try to change each hidden document."""

    def ask(twin: Twin, who: Requester) -> Iterator[Response]:
        for one in latest(twin):
            url = f"/fhir/DocumentReference/{one}"
            yield twin.api.request(method, url, body, as_=who, headers=SENT | headers)

    return ask


def deposit(day: int, target: Callable[[Twin], dict[str, Any]] | None = None, condition: str = "") -> Request:
    """Deposit a document, perhaps in the place of another, or where there is none."""

    def ask(twin: Twin, who: Requester) -> Iterator[Response]:
        related = {"relatesTo": [{"code": "replaces", "target": target(twin)}]} if target else {}
        body = twin.document(day, **related)
        headers = SENT | ({"If-None-Exist": condition} if condition else {})
        yield twin.api.post("/fhir/DocumentReference", body, as_=who, headers=headers)

    return ask


HIDE = [{"op": "add", "path": "/securityLabel/-", "value": labelled("INVISIBLE_PATIENT")["securityLabel"][0]}]
DELETE = [{"op": "replace", "path": "/status", "value": "entered-in-error"}]
NAMED = {key: value for key, value in unique(5).items() if key != "type"}
CHANGES: Requests = {
    "mask": change("PATCH", bodies.MASK),
    "hide": change("PATCH", HIDE),
    "delete by patch": change("PATCH", DELETE, **{"If-Match": 'W/"1"'}),
    "delete": change("DELETE"),
    "replace by id": deposit(20, lambda twin: {"reference": f"DocumentReference/{twin.hidden[0]}"}),
    "replace by unique id": deposit(20, lambda _: {"identifier": NAMED}),
    "create unless there": deposit(21, condition=f"identifier={NAMED['system']}|{NAMED['value']}"),
}
FINDS = SEARCHES | LIST_SEARCHES | BY_NAME
EVERYTHING = FINDS | READS | AROUND | CHANGES
OF_WHO_NEVER_READS = {name: request for name, request in EVERYTHING.items() if "hidden" in name or name in CHANGES}
EVENTS: Requests = {
    "hidden events": get("AuditEvent/{}", lambda twin: twin.hidden_events),
    "trace in pages": get("AuditEvent?patient={}&_count=30"),
    "trace of changes": get("AuditEvent?patient={}&_count=7&action=C&_total=accurate"),
    "trace of a document": get("AuditEvent?patient={0}&entity=DocumentReference/{0}", hidden),
}


def hidden_events(twin: Twin) -> Iterator[str]:
    """The events that tell of hidden documents alone."""
    for entry in twin.record.trace():
        documents = {what.partition("/")[2] for what in entry["what"] if not what.startswith("List/")}
        if documents and documents <= {*twin.hidden}:
            yield f"{twin.record.id}.{entry['id']}"


@pytest.mark.parametrize(("fate", "name"), MASKED)
def test_masked_documents_change_no_answer(
    api: ApiClient, stack: dict[str, str], clock: TimeMachineFixture, fate: str, name: str
) -> None:
    twins = twins_with(api, stack, clock, fate, "MASQUE_PS")

    requests = EVERYTHING if name in READERS else OF_WHO_NEVER_READS

    statuses = twins.compare(requests, lambda _: OUTSIDERS[name], costs=fate == "one")

    assert statuses & {403, 404}


@pytest.mark.parametrize(
    "name",
    ["authorised", "patient", *(pytest.param(name, marks=pytest.mark.long) for name in ("guardian", *OUTSIDERS))],
)
def test_awaited_documents_change_no_answer(
    api: ApiClient, stack: dict[str, str], clock: TimeMachineFixture, name: str
) -> None:
    twins = twins_with(api, stack, clock, "awaited", "")
    people: dict[str, Who] = {
        "patient": lambda twin: twin.record.patient,
        "guardian": lambda twin: twin.record.guardian,
    }
    who = people.get(name, lambda _: OUTSIDERS[name])
    requests = OF_WHO_NEVER_READS if name in OTHERS else FINDS | READS | CHANGES

    statuses = twins.compare(requests, who, costs=False)

    assert statuses & {403, 404}


@pytest.mark.parametrize("name", ["authorised", "nurse", "with own documents alone"])
def test_a_masked_document_costs_no_call(
    api: ApiClient, stack: dict[str, str], clock: TimeMachineFixture, name: str
) -> None:
    twins = twins_with(api, stack, clock, "one", "MASQUE_PS")

    twins.compare(EVERYTHING, lambda _: OUTSIDERS[name], costs=True)


@pytest.mark.parametrize("name", CODES)
@pytest.mark.parametrize("fate", ["one", pytest.param("many", marks=pytest.mark.long)])
def test_invisible_documents_change_no_answer(
    api: ApiClient, stack: dict[str, str], clock: TimeMachineFixture, fate: str, name: str
) -> None:
    twins = twins_with(api, stack, clock, fate, CODES[name])
    people: dict[str, Who] = {
        "patient": lambda twin: twin.record.patient,
        "guardian": lambda twin: twin.record.guardian,
    }
    twins.holding.hidden_events = list(hidden_events(twins.holding))
    twins.make_up()

    for who in dict.fromkeys(["guardian", name]):
        statuses = twins.compare(FINDS | READS | CHANGES, people[who], costs=fate == "one")
        twins.compare(AROUND | EVENTS, people[who], costs=False)
        assert {200, 404} <= statuses
