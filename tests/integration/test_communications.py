"""Communication over HTTP: who finds, reads and marks which message, and what of it (R.1111-48, R.1111-43)."""

import json
from collections.abc import Mapping
from typing import Any

import pytest
from time_machine import TimeMachineFixture

from dmp.domain.identifiers import professional, structure
from dmp.domain.notification import Kind
from dmp.domain.requester import Requester
from tests import bodies
from tests.api_client import ApiClient, Response
from tests.aws_calls import Killed, Moment, counted, killed, meanwhile, refused
from tests.fed_record import AUTHOR, FedRecord
from tests.fed_record import open_record as open_fed_record
from tests.open_record import OpenRecord, open_record
from tests.requester_factories import (
    requester_cpam_agent,
    requester_employee,
    requester_patient,
    requester_professional,
    requester_server,
)
from tests.token_factory import TokenFactory
from tests.told import stored, tell

READ = [{"op": "replace", "path": "/status", "value": "completed"}]
UNREAD = [{"op": "replace", "path": "/status", "value": "in-progress"}]
OWN = "https://interop.esante.gouv.fr/ig/fhir/dmp/CodeSystem/dmp-message-kind"
HIDE = [{"op": "add", "path": "/securityLabel/-", "value": {"coding": [{
    "system": "https://mos.esante.gouv.fr/NOS/TRE_A07-StatutVisibiliteDocument/FHIR/TRE-A07-StatutVisibiliteDocument",
    "code": "INVISIBLE_REPRESENTANTS_LEGAUX"}]}}]  # fmt: skip

type Json = dict[str, Any]


@pytest.fixture
def record(api: ApiClient, clock: TimeMachineFixture) -> OpenRecord:
    """A record while time stands still."""
    return open_record(api)


@pytest.fixture
def healer(clock: TimeMachineFixture) -> Requester:
    """A professional, in a structure, to whom no other test writes."""
    number = bodies.new_ins()[7:13]
    return requester_professional(f"30000{number}", f"4000{number}")


@pytest.fixture
def family(api: ApiClient, stack: Mapping[str, str]) -> tuple[FedRecord, Requester]:
    """The record of a minor, and the parent who opened it."""
    parent, ins = requester_patient(bodies.qualified(bodies.new_ins())), bodies.new_ins()
    opening = bodies.opening(
        ins,
        patient={"resource": bodies.patient(ins, birthDate="2012-03-28")},
        guardian={"resource": bodies.guardian(parent.identifier.value)},
    )
    answer = api.post("/fhir/Patient/$open", opening, as_=parent)
    assert answer.status == 201, answer.body
    return FedRecord(api, answer.id, ins, requester_patient(bodies.qualified(ins)), stack), parent


def listed(api: ApiClient, record: str, as_: Requester, query: str = "") -> Response:
    answer = api.get(f"/fhir/Communication?recipient=Patient/{record}{query}", as_=as_)
    assert answer.status == 200, answer.body
    return answer


def mine(api: ApiClient, as_: Requester, query: str = "") -> Response:
    answer = api.get(f"/fhir/Communication?recipient=me{query}", as_=as_)
    assert answer.status == 200, answer.body
    return answer


def ids(answer: Response) -> list[str]:
    return [one["id"] for one in answer.resources]


def pages(api: ApiClient, url: str, as_: Requester) -> list[list[str]]:
    found = []
    while url:
        answer = api.get(url, as_=as_)
        assert answer.status == 200, answer.body
        found.append(ids(answer))
        url = answer.links.get("next", "")
    return found


def entries(record: OpenRecord | FedRecord, stack: Mapping[str, str]) -> list[Json]:
    """The record's trace of messages as it is stored, oldest first."""
    trace = FedRecord(record.api, record.id, record.ins, record.patient, stack).trace()
    return [entry for entry in trace if entry["type"] == "Communication"]


# --- what a message looks like


def test_the_patient_finds_what_happened_newest_first(
    record: OpenRecord, tokens: TokenFactory, clock: TimeMachineFixture
) -> None:
    about = f"Consent/{record.authorise().id}"
    clock.shift(60)
    [first] = tell(record.id, Kind.AUTHORISATION_EXPIRING, about=(about,))
    clock.shift(60)
    [second] = tell(record.id, Kind.EMERGENCY_ACCESS)
    token = tokens.patient(ins=bodies.qualified(record.ins))

    found = record.api.get(f"/fhir/Communication?recipient=Patient/{record.id}", as_=token)

    newest, oldest = found.resources[:2]
    assert [newest["id"], oldest["id"]] == [second, first]
    assert oldest == {
        "resourceType": "Communication",
        "id": first,
        "meta": {"versionId": "1", "lastUpdated": "2026-03-02T12:01:00.000Z"},
        "status": "in-progress",
        "category": [{"coding": [{"system": OWN, "code": "authorisation-expiring"}]}],
        "subject": {"reference": f"Patient/{record.id}"},
        "about": [{"reference": about}],
        "sent": "2026-03-02T12:01:00.000Z",
        "recipient": [{"reference": f"Patient/{record.id}"}],
        "payload": [{"contentString": "Une autorisation d'accès à votre dossier arrive bientôt à échéance."}],
    }
    assert found.json["total"] == len(found.resources)
    assert found.links["self"] == f"https://dmp.example/fhir/Communication?recipient={record.id}"


def test_me_is_the_own_record_and_no_link_names_an_ins(record: OpenRecord) -> None:
    [told] = tell(record.id)

    by_get = mine(record.api, record.patient)
    by_post = record.api.search("/fhir/Communication", {"recipient": "me"}, as_=record.patient)

    assert told in ids(by_get)
    assert by_get.json == by_post.json
    assert record.ins not in by_get.body.decode()


def test_a_person_without_a_record_has_no_messages(api: ApiClient) -> None:
    nobody = requester_patient(bodies.qualified(bodies.new_ins()))

    found = api.get("/fhir/Communication?recipient=me", as_=nobody)

    assert (found.status, found.json["total"], found.resources) == (200, 0, [])


def test_one_message_is_read_by_its_id_with_its_version(record: OpenRecord) -> None:
    [told] = tell(record.id)

    answer = record.api.get(f"/fhir/Communication/{told}", as_=record.patient)
    again = record.api.get(
        f"/fhir/Communication/{told}", as_=record.patient, headers={"If-None-Match": answer.headers["etag"]}
    )

    assert (answer.status, answer.id, answer.headers["etag"]) == (200, told, 'W/"1"')
    assert again.status == 304


# --- searching


def test_a_search_narrows_by_status_and_counts_what_it_found(record: OpenRecord, clock: TimeMachineFixture) -> None:
    told = []
    for _ in range(3):
        told += tell(record.id)
        clock.shift(1)
    record.api.patch(f"/fhir/Communication/{told[1]}", READ, as_=record.patient)

    unread = ids(listed(record.api, record.id, record.patient, "&status=in-progress"))
    read = listed(record.api, record.id, record.patient, "&status=completed")

    assert [one for one in unread if one in told] == [told[2], told[0]]
    assert (ids(read), read.json["total"]) == ([told[1]], 1)
    assert ids(listed(record.api, record.id, record.patient, "&status=preparation")) == []


def test_pages_hold_every_message_once(
    record: OpenRecord, clock: TimeMachineFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dmp.services.communications._CHUNK", 3)
    monkeypatch.setattr("dmp.services.communications.MOST_READ", 5)
    doctor = professional("810101234567")
    told = []
    for number in range(11):
        told.append(tell(record.id, also=(doctor,) * (number % 3 == 0))[0])
        clock.shift(1)
    url = f"/fhir/Communication?recipient=Patient/{record.id}&_count=4"

    found = pages(record.api, url, record.patient)
    accurate = listed(record.api, record.id, record.patient, "&_count=2&_total=accurate")

    assert [one for page in found for one in page if one in told] == told[::-1]
    assert max(map(len, found)) <= 4
    assert accurate.json["total"] == sum(map(len, found))
    assert len(accurate.resources) == 2


def test_a_link_to_a_page_is_for_its_caller_and_its_query_alone(record: OpenRecord) -> None:
    for _ in range(3):
        tell(record.id)
    onward = listed(record.api, record.id, record.patient, "&_count=1").links["next"]
    stranger = open_record(record.api).patient

    altered = record.api.get(onward.replace("_count=1", "_count=2"), as_=record.patient)
    forged = record.api.get(onward[:-2] + "AA", as_=record.patient)

    assert record.api.get(onward, as_=record.patient).status == 200
    assert {altered.code, forged.code, record.api.get(onward, as_=stranger).code} == {"invalid-cursor"}


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("", "missing-parameter"),
        ("status=completed", "missing-parameter"),
        ("recipient=Practitioner/1", "invalid-parameter"),
        ("recipient=Patient/a&recipient=Patient/b", "wrong-patient"),
        ("recipient=me&_cursor=none", "invalid-cursor"),
        ("recipient:missing=true", "unsupported-modifier"),
    ],
)
def test_a_search_that_names_no_recipient_is_malformed(record: OpenRecord, query: str, code: str) -> None:
    answer = record.api.get(f"/fhir/Communication?{query}", as_=record.patient)

    assert (answer.status, answer.code) == (400, code)


def test_the_cost_of_a_page_is_that_of_one_chunk(record: OpenRecord) -> None:
    tell(record.id)

    with counted() as calls:
        listed(record.api, record.id, record.patient)

    assert calls == ["GetItem", "Query", "PutItem"]


# --- who it is for


def test_what_is_for_the_patient_is_for_no_professional(record: OpenRecord, healer: Requester) -> None:
    [told] = tell(record.id)
    record.authorise(healer.identifier.value)
    record.consent(bodies.attending_physician(record.id, healer.identifier.value))
    others = [healer, requester_professional(), requester_employee(), requester_server(), requester_cpam_agent()]

    searches = [record.api.get(f"/fhir/Communication?recipient=Patient/{record.id}", as_=one) for one in others]
    reads = [record.api.get(f"/fhir/Communication/{told}", as_=one) for one in others]
    marks = [record.api.patch(f"/fhir/Communication/{told}", READ, as_=one) for one in others]

    assert {(answer.status, answer.code) for answer in searches} == {(403, "not-authorised")}
    assert {(answer.status, answer.code) for answer in reads + marks} == {(404, "no-message")}


def test_a_message_of_somebody_else_and_one_that_is_not_there_look_alike(
    record: OpenRecord, stack: Mapping[str, str], healer: Requester
) -> None:
    [told], missing = tell(record.id), f"{record.id}.{'0' * 26}"

    answers = [record.api.get(f"/fhir/Communication/{one}", as_=healer) for one in (told, missing)]

    assert answers[0].json == answers[1].json
    [one, other] = [(e["reason"], e["outcome"], e["secret"]) for e in entries(record, stack)]
    assert one == other == ("no-message", "8", False)


def test_what_is_addressed_to_a_professional_is_not_the_patients_to_mark(record: OpenRecord, healer: Requester) -> None:
    own, theirs = tell(record.id, also=(healer.identifier,))

    found = ids(listed(record.api, record.id, record.patient))
    marked = record.api.patch(f"/fhir/Communication/{theirs}", READ, as_=record.patient)

    assert own in found
    assert theirs not in found
    assert (marked.status, marked.code) == (404, "no-message")


def test_another_person_learns_not_even_of_the_record(record: OpenRecord) -> None:
    [told], stranger = tell(record.id), requester_patient(bodies.qualified(bodies.new_ins()))

    found = record.api.get(f"/fhir/Communication?recipient=Patient/{record.id}", as_=stranger)
    read = record.api.get(f"/fhir/Communication/{told}", as_=stranger)
    own = record.api.get("/fhir/Communication?recipient=me", as_=stranger)

    assert {(answer.status, answer.code) for answer in (found, read)} == {(404, "no-record")}
    assert own.resources == []


def test_in_a_closed_record_nobody_reads_messages(record: OpenRecord, healer: Requester) -> None:
    own, theirs = tell(record.id, also=(healer.identifier,))
    record.close()

    answers = [record.api.get(f"/fhir/Communication/{own}", as_=record.patient),
               record.api.get(f"/fhir/Communication/{theirs}", as_=healer),
               record.api.get(f"/fhir/Communication?recipient=Patient/{record.id}", as_=record.patient)]  # fmt: skip

    assert {(answer.status, answer.code) for answer in answers} == {(403, "record-closed")}
    assert ids(mine(record.api, healer)) == []


def test_a_representative_finds_all_but_secrets_and_nothing_tells_of_them(
    family: tuple[FedRecord, Requester], stack: Mapping[str, str]
) -> None:
    child, parent = family
    [secret] = tell(child.id, is_secret=True)
    [open_one] = tell(child.id)

    of_parent = listed(child.api, child.id, parent, "&_total=accurate")
    of_child = listed(child.api, child.id, child.patient, "&_total=accurate")
    read = [child.api.get(f"/fhir/Communication/{one}", as_=parent) for one in (secret, f"{child.id}.{'0' * 26}")]

    assert ids(of_child) == [open_one, secret]
    assert (ids(of_parent), of_parent.json["total"]) == ([open_one], 1)
    assert [(answer.status, answer.code) for answer in read] == [(404, "no-message")] * 2
    assert child.api.patch(f"/fhir/Communication/{secret}", READ, as_=parent).status == 404


def test_that_a_secret_was_read_is_a_secret_too(
    family: tuple[FedRecord, Requester], stack: Mapping[str, str], healer: Requester
) -> None:
    child, _ = family
    secret, theirs = tell(child.id, is_secret=True, also=(healer.identifier,))
    [open_one] = tell(child.id)

    child.api.get(f"/fhir/Communication/{secret}", as_=child.patient)
    child.api.patch(f"/fhir/Communication/{secret}", READ, as_=child.patient)
    child.api.get(f"/fhir/Communication/{open_one}", as_=child.patient)
    mine(child.api, healer)

    told = [(entry["what"], entry["secret"]) for entry in entries(child, stack)]
    assert sorted(told) == sorted(
        [
            ([f"Communication/{secret}"], True),
            ([f"Communication/{secret}"], True),
            ([f"Communication/{open_one}"], False),
            ([f"Communication/{theirs}"], True),
        ]
    )


# --- the inbox of professionals


def test_a_professional_finds_what_is_addressed_to_them_or_their_structure_in_any_record(
    api: ApiClient, healer: Requester, tokens: TokenFactory, clock: TimeMachineFixture
) -> None:
    assert healer.structure
    one, other = open_record(api), open_record(api)
    told = []
    for record, actor in ((one, healer.identifier), (other, healer.structure), (one, healer.structure)):
        told.append(tell(record.id, also=(actor,))[1])
        clock.shift(1)
    tell(one.id, also=(professional("810199999999"), structure("1999999999")))
    token = tokens.professional(rpps=healer.identifier.value[1:], structure=healer.structure.value)

    found = api.get("/fhir/Communication?recipient=me", as_=token)

    assert ids(found) == told[::-1]
    assert found.json["total"] == 3
    assert found.links["self"] == "https://dmp.example/fhir/Communication?recipient=me"
    [mine_, _, _] = found.resources[::-1]
    system = "urn:oid:1.2.250.1.71.4.2.1"
    assert mine_["recipient"] == [
        {"type": "Practitioner", "identifier": {"system": system, "value": healer.identifier.value}}
    ]
    assert mine_["payload"] == [{"contentString": "Un accès en urgence à ce dossier a été déclaré."}]
    assert api.get(f"/fhir/Communication/{told[0]}", as_=healer).json == mine_


def test_what_is_addressed_to_one_structure_is_not_for_another_of_the_same_professional(
    record: OpenRecord, healer: Requester
) -> None:
    assert healer.structure
    _, theirs = tell(record.id, also=(healer.structure,))
    elsewhere = requester_professional(healer.identifier.value[1:], "1888888888")

    assert ids(mine(record.api, elsewhere)) == []
    assert record.api.get(f"/fhir/Communication/{theirs}", as_=elsewhere).status == 404
    assert ids(mine(record.api, healer)) == [theirs]


def test_who_was_blocked_meanwhile_finds_nothing_of_the_record(record: OpenRecord, healer: Requester) -> None:
    _, theirs = tell(record.id, also=(healer.identifier,))
    block = bodies.block(record.id, healer.identifier.value)

    with meanwhile("BatchGetItem", lambda: record.consent(block)):
        found = ids(mine(record.api, healer))

    assert found == []
    assert record.api.get(f"/fhir/Communication/{theirs}", as_=healer).code == "blocked"


def test_the_pages_of_an_inbox_hold_every_message_once(
    api: ApiClient, healer: Requester, clock: TimeMachineFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert healer.structure
    monkeypatch.setattr("dmp.services.inbox._MOST_LOOKED_AT", 4)
    records, told = [open_record(api) for _ in range(3)], []
    for number in range(13):
        actor = healer.structure if number % 2 else healer.identifier
        told.append(tell(records[number % 3].id, also=(actor,))[1])
        clock.shift(number % 3)  # some share their instant
    for number in (2, 3, 4, 5, 6):
        api.patch(f"/fhir/Communication/{told[number]}", READ, as_=healer)

    every = pages(api, "/fhir/Communication?recipient=me&_count=3", healer)
    unread = pages(api, "/fhir/Communication?recipient=me&_count=3&status=in-progress", healer)

    found = [one for page in every for one in page]
    assert sorted(found) == sorted(told)
    assert [one.partition(".")[2] for one in found] == sorted((one.partition(".")[2] for one in told), reverse=True)
    assert sorted(one for page in unread for one in page) == sorted(told[:2] + told[7:])
    assert len(mine(api, healer, "&_count=100").resources) == 4


def test_reading_an_inbox_is_one_trace_entry_a_record(
    api: ApiClient, healer: Requester, stack: Mapping[str, str]
) -> None:
    one, other = open_record(api), open_record(api)
    first, second = (tell(one.id, also=(healer.identifier,))[1] for _ in range(2))
    third = tell(other.id, also=(healer.identifier,))[1]

    mine(api, healer)

    [of_one], [of_other] = entries(one, stack), entries(other, stack)
    assert sorted(of_one["what"]) == sorted(f"Communication/{message}" for message in (first, second))
    assert of_other["what"] == [f"Communication/{third}"]
    assert (of_one["reason"], of_one["query"]) == ("addressee", "recipient=me")


@pytest.mark.parametrize("caller", [requester_employee(), requester_server(), requester_cpam_agent()])
def test_none_but_people_and_professionals_have_messages(api: ApiClient, caller: Requester) -> None:
    answer = api.get("/fhir/Communication?recipient=me", as_=caller)

    assert (answer.status, answer.code) == (403, "not-authorised")


# --- marking


@pytest.mark.parametrize(
    "change",
    [
        READ,
        [{"op": "add", "path": "/status", "value": "completed"}],
        bodies.parameters(
            operation={
                "part": [
                    {"name": "type", "valueCode": "replace"},
                    {"name": "path", "valueString": "Communication.status"},
                    {"name": "value", "valueCode": "completed"},
                ]
            }
        ),
    ],
)
def test_a_message_is_marked_as_read_and_as_unread_again(
    record: OpenRecord, stack: dict[str, str], clock: TimeMachineFixture, change: Any
) -> None:
    [told], url = tell(record.id, about=(f"Patient/{record.id}",)), "/fhir/Communication/"
    before = stored(stack, told)
    clock.shift(3_600)

    read = record.api.patch(url + told, change, as_=record.patient, headers={"If-Match": 'W/"1"'})
    unread = record.api.patch(url + told, UNREAD, as_=record.patient)

    assert (read.status, read.json["status"], read.headers["etag"]) == (200, "completed", 'W/"2"')
    assert read.json["received"] == read.json["meta"]["lastUpdated"] == "2026-03-02T13:00:00.000Z"
    assert (unread.json["status"], unread.json["meta"]["versionId"]) == ("in-progress", "3")
    assert "received" not in unread.json
    after = stored(stack, told)
    unchanged = before.keys() - {"v", "body", "st"}
    assert {name: after[name] for name in unchanged} == {name: before[name] for name in unchanged}
    assert json.loads(after["body"]["S"]) == {**json.loads(before["body"]["S"]), "updated": after_time(after)}


def after_time(item: Json) -> str:
    return str(json.loads(item["body"]["S"])["updated"])


def test_marking_twice_changes_nothing_and_a_stale_version_is_refused(record: OpenRecord) -> None:
    [told], url = tell(record.id), "/fhir/Communication/"
    record.api.patch(url + told, READ, as_=record.patient)

    again = record.api.patch(url + told, READ, as_=record.patient)
    stale = record.api.patch(url + told, UNREAD, as_=record.patient, headers={"If-Match": 'W/"1"'})

    assert (again.status, again.headers["etag"]) == (200, 'W/"2"')
    assert (stale.status, stale.code) == (412, "version-conflict")


@pytest.mark.parametrize(
    ("change", "status", "code"),
    [
        ([{"op": "replace", "path": "/status", "value": "stopped"}], 422, "invalid-parameter"),
        ([{"op": "replace", "path": "/status", "value": 1}], 422, "invalid-parameter"),
        ([{"op": "replace", "path": "/payload/0/contentString", "value": "x"}], 405, "patch-path-forbidden"),
        ([*READ, {"op": "remove", "path": "/about"}], 405, "patch-path-forbidden"),
        ([{"op": "remove", "path": "/status"}], 405, "patch-path-forbidden"),
        ([], 400, "malformed-request"),
    ],
)
def test_nothing_but_the_status_is_changed(record: OpenRecord, change: Any, status: int, code: str) -> None:
    [told] = tell(record.id)

    answer = record.api.patch(f"/fhir/Communication/{told}", change, as_=record.patient)

    assert (answer.status, answer.code) == (status, code)
    assert record.api.get(f"/fhir/Communication/{told}", as_=record.patient).headers["etag"] == 'W/"1"'


def test_what_is_wrong_with_a_patch_is_told_to_the_addressee_alone(record: OpenRecord, healer: Requester) -> None:
    [told], wrong = tell(record.id), [{"op": "replace", "path": "/status", "value": "stopped"}]

    answer = record.api.patch(f"/fhir/Communication/{told}", wrong, as_=healer)

    assert (answer.status, answer.code) == (404, "no-message")


@pytest.mark.parametrize("method", ["PUT", "POST", "DELETE"])
def test_nobody_writes_or_deletes_a_message(record: OpenRecord, method: str) -> None:
    [told] = tell(record.id)
    url = "/fhir/Communication" if method == "POST" else f"/fhir/Communication/{told}"

    answer = record.api.request(method, url, {"resourceType": "Communication"}, as_=record.patient)

    assert (answer.status, answer.code) == (405, "method-not-allowed")


@pytest.mark.parametrize("moment", list(Moment))
def test_a_mark_that_is_cut_short_is_whole_or_not_there(
    record: OpenRecord, stack: dict[str, str], moment: Moment
) -> None:
    [told] = tell(record.id)

    with pytest.raises(Killed), killed("TransactWriteItems", moment):
        record.api.patch(f"/fhir/Communication/{told}", READ, as_=record.patient)

    is_done = moment is Moment.AFTER
    assert stored(stack, told)["st"]["S"] == ("completed" if is_done else "in-progress")
    assert len(entries(record, stack)) == is_done


def test_without_a_trace_nothing_is_disclosed(record: OpenRecord) -> None:
    [told] = tell(record.id)

    with refused("PutItem"):
        read = record.api.get(f"/fhir/Communication/{told}", as_=record.patient)
        found = record.api.get("/fhir/Communication?recipient=me", as_=record.patient)

    assert (read.status, found.status) == (503, 503)
    assert told not in (read.body + found.body).decode()


def test_a_mark_is_decided_anew_when_the_record_changes_meanwhile(record: OpenRecord, stack: dict[str, str]) -> None:
    [told] = tell(record.id)

    with meanwhile("TransactWriteItems", record.close):
        answer = record.api.patch(f"/fhir/Communication/{told}", READ, as_=record.patient)

    assert (answer.status, answer.code) == (403, "record-closed")
    assert stored(stack, told)["st"]["S"] == "in-progress"


# --- documents that may not be known


def test_a_message_names_no_document_that_its_reader_may_not_see_now(family: tuple[FedRecord, Requester]) -> None:
    child, parent = family
    seen, hidden = (f"DocumentReference/{child.publish()}" for _ in range(2))
    [both] = tell(child.id, Kind.DOCUMENT_ADDED, about=(seen, hidden))
    [only] = tell(child.id, Kind.DOCUMENT_REPLACED, about=(hidden,))
    before = ids(listed(child.api, child.id, parent))

    assert child.api.patch(f"/fhir/{hidden}", HIDE, as_=AUTHOR).status == 200

    answer = listed(child.api, child.id, parent)
    own = listed(child.api, child.id, child.patient)
    assert {both, only} <= set(before)
    assert both in ids(answer)
    assert only not in ids(answer)
    assert hidden not in answer.body.decode()
    assert [one["about"] for one in answer.resources if one["id"] == both] == [[{"reference": seen}]]
    assert child.api.get(f"/fhir/Communication/{both}", as_=parent).json["about"] == [{"reference": seen}]
    assert child.api.get(f"/fhir/Communication/{only}", as_=parent).status == 404
    assert {both, only} <= set(ids(own))


def test_marking_a_message_forgets_nothing_that_its_reader_may_not_see(
    family: tuple[FedRecord, Requester], stack: dict[str, str]
) -> None:
    child, parent = family
    about = tuple(f"DocumentReference/{child.publish()}" for _ in range(2))
    [told] = tell(child.id, Kind.DOCUMENT_ADDED, about=about)
    child.api.patch(f"/fhir/{about[1]}", HIDE, as_=AUTHOR)

    marked = child.api.patch(f"/fhir/Communication/{told}", READ, as_=parent)

    assert marked.json["about"] == [{"reference": about[0]}]
    assert json.loads(stored(stack, told)["body"]["S"])["about"] == list(about)


def test_a_masked_document_is_not_named_to_a_professional(api: ApiClient, stack: Mapping[str, str]) -> None:
    record = open_fed_record(api, stack)
    record.authorise()
    reader = requester_professional("10107654321", "1690000005")
    document = record.publish()
    _, told = tell(record.id, Kind.DOCUMENT_ADDED, about=(f"DocumentReference/{document}",), also=(reader.identifier,))
    named = api.get(f"/fhir/Communication/{told}", as_=reader)

    record.mask(document)

    assert named.json["about"] == [{"reference": f"DocumentReference/{document}"}]
    assert told not in ids(mine(api, reader))
    assert api.get(f"/fhir/Communication/{told}", as_=reader).status == 404
    assert document not in mine(api, reader).body.decode()


def test_a_notice_of_a_consultation_stays_though_its_document_is_hidden(family: tuple[FedRecord, Requester]) -> None:
    child, parent = family
    document = f"DocumentReference/{child.publish(securityLabel=[HIDE[0]['value']])}"
    [told] = tell(child.id, Kind.CONSULTATION, about=(document,))

    answer = child.api.get(f"/fhir/Communication/{told}", as_=parent)

    assert answer.status == 200
    assert "about" not in answer.json
