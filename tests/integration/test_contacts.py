"""How a person is reached and of what: contacts and preferences of the Patient, by PATCH and PUT (TD1.3, R.1111-43)."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from time_machine import TimeMachineFixture

from dmp.domain.identifiers import INS_NIR_TEST
from dmp.domain.requester import Requester
from tests import bodies
from tests.api_client import ApiClient, Caller, Response
from tests.aws_calls import meanwhile, refused
from tests.closed_record import small_stack
from tests.open_record import OpenRecord, items_of, open_record
from tests.requester_factories import requester_cpam_agent, requester_patient, requester_professional, requester_server

HEALER = requester_professional()
DOCTOR = requester_professional("10107654321")
URL = "https://interop.esante.gouv.fr/ig/fhir/dmp/StructureDefinition/dmp-notification"
PHONE = {"system": "phone", "value": "0612345678"}
MAIL = {"system": "email", "value": "dominique@example.org"}

type Json = dict[str, Any]


@pytest.fixture(scope="module")
def stack() -> Iterator[dict[str, str]]:
    with small_stack() as environment:
        yield environment


@pytest.fixture(scope="module")
def api(stack: dict[str, str]) -> ApiClient:
    assert stack
    return ApiClient()


@pytest.fixture
def record(api: ApiClient) -> OpenRecord:
    return open_record(api)


def preference(kind: str, channel: str, active: bool = False) -> Json:
    parts = [
        {"url": "type", "valueCode": kind},
        {"url": "canal", "valueCode": channel},
        {"url": "actif", "valueBoolean": active},
    ]
    return {"url": URL, "extension": parts}


def get(record: OpenRecord, as_: Caller = None) -> Response:
    return record.api.get(f"/fhir/Patient/{record.id}", as_=as_ or record.patient)


def patch(record: OpenRecord, *operations: Json, as_: Caller = None, **options: Any) -> Response:
    return record.api.patch(f"/fhir/Patient/{record.id}", list(operations), as_=as_ or record.patient, **options)


def add(path: str, value: object) -> Json:
    return {"op": "add", "path": path, "value": value}


def put(record: OpenRecord, resource: Json, as_: Caller = None, **options: Any) -> Response:
    return record.api.put(f"/fhir/Patient/{record.id}", resource, as_=as_ or record.patient, **options)


def preferences(patient: Json) -> list[tuple[str, str, bool]]:
    """Kind, channel and switch of every preference."""
    found = [each["extension"] for each in patient.get("extension", []) if each["url"] == URL]
    return [(kind["valueCode"], channel["valueCode"], switch["valueBoolean"]) for kind, channel, switch in found]


# --- contacts


def test_the_address_of_the_persons_token_is_the_contact_where_none_is_given(api: ApiClient) -> None:
    def contacts(as_: Requester, ins: str, **patient: Any) -> list[Json]:
        body = bodies.opening(ins, patient={"resource": bodies.patient(ins, **patient)}, attestation=bodies.attested())
        opened = api.post("/fhir/Patient/$open", body, as_=as_)
        assert opened.status == 201, opened.body
        return list(opened.json.get("telecom", []))

    ins = [bodies.new_ins() for _ in range(8)]
    own = [requester_patient(bodies.qualified(each), email="moi@example.org") for each in ins]

    assert contacts(own[0], ins[0]) == [{"system": "email", "value": "moi@example.org"}]
    assert contacts(own[1], ins[1], telecom=[PHONE]) == [PHONE, {"system": "email", "value": "moi@example.org"}]
    assert contacts(own[2], ins[2], telecom=[MAIL]) == [MAIL]
    assert contacts(requester_cpam_agent(email="agent@example.org"), ins[3]) == []
    assert contacts(requester_patient(bodies.qualified(ins[4]), email=""), ins[4]) == []
    malformed = [requester_patient(bodies.qualified(ins[5]), email="moi"),
                 requester_patient(bodies.qualified(ins[6]), email="m" * 250 + "@example.org")]  # fmt: skip
    assert [contacts(who, one) for who, one in zip(malformed, ins[5:7], strict=True)] == [[], []]
    assert contacts(own[7], ins[7], telecom=[PHONE] * 20) == [PHONE] * 20


def test_contacts_change_and_the_former_ones_stay_in_their_version(record: OpenRecord) -> None:
    before = get(record).json["telecom"]

    added = patch(record, add("/telecom/-", PHONE))
    replaced = patch(record, {"op": "replace", "path": "/telecom", "value": [MAIL]})
    removed = patch(record, {"op": "remove", "path": "/telecom/0"})

    assert [(a.status, a.headers["etag"]) for a in (added, replaced, removed)] == [
        (200, 'W/"2"'), (200, 'W/"3"'), (200, 'W/"4"')
    ]  # fmt: skip
    assert added.json["telecom"] == [*before, PHONE]
    assert replaced.json["telecom"] == [MAIL]
    assert "telecom" not in removed.json
    assert added.json["name"] == removed.json["name"]
    versions = [record.api.get(f"/fhir/Patient/{record.id}/_history/{n}", as_=record.patient).json for n in range(1, 5)]
    assert [v.get("telecom") for v in versions] == [before, [*before, PHONE], [MAIL], None]
    assert get(record).headers["etag"] == 'W/"4"'


def test_a_patient_that_was_read_is_put_back_with_other_contacts(record: OpenRecord) -> None:
    record.authorise()  # another version of the head, the same of the Patient
    read = get(record)

    same = put(record, read.json)
    changed = put(record, {**read.json, "telecom": [PHONE, MAIL]}, headers={"If-Match": read.headers["etag"]})
    stale = put(record, {**read.json, "telecom": []} | {"telecom": [PHONE]}, headers={"If-Match": read.headers["etag"]})
    bare = put(record, {"resourceType": "Patient", "id": record.id})

    assert (same.status, same.headers["etag"]) == (200, 'W/"1"')
    assert (changed.status, changed.headers["etag"], changed.json["telecom"]) == (200, 'W/"2"', [PHONE, MAIL])
    assert (stale.status, stale.code) == (412, "version-conflict")
    assert (bare.status, "telecom" in bare.json, bare.json["birthDate"]) == (200, False, "1979-03-28")


IDENTITY: dict[str, Json] = {
    "another INS": {"identifier": [{"system": INS_NIR_TEST, "value": "279035121518989"}]},
    "a second INS": {"identifier": [{"system": INS_NIR_TEST, "value": "279035121518989"}, {}]},
    "closed": {"active": False},
    "another birth name": {"name": [{"use": "official", "family": "AUTRE", "given": ["DOMINIQUE"]}]},
    "other given names": {"name": [{"use": "official", "family": "PAT-TEST", "given": ["CLAUDE"]}]},
    "a usual name": {"name": [{"use": "usual", "family": "AUTRE"}]},
    "another gender": {"gender": "male"},
    "another birth date": {"birthDate": "1979-03-29"},
    "another birth place": {
        "extension": json.loads(json.dumps(bodies.patient("")["extension"]).replace("51215", "75056"))
    },
}


@pytest.mark.parametrize("what", IDENTITY)
def test_who_the_person_is_does_not_change(record: OpenRecord, stack: dict[str, str], what: str) -> None:
    before, read = items_of(stack, record.id), get(record).json
    changed = dict(IDENTITY[what])
    if "identifier" in changed:
        changed["identifier"] = [each or read["identifier"][0] for each in changed["identifier"]]

    refusal = put(record, {**read, "telecom": [PHONE], **changed})

    assert (refusal.status, refusal.code) == (422, "identity-immutable")
    assert items_of(stack, record.id) == before


@pytest.mark.parametrize(
    ("operations", "status", "code"),
    [
        ([{"op": "replace", "path": "/active", "value": False}], 405, "patch-path-forbidden"),
        ([{"op": "replace", "path": "/birthDate", "value": "2000-01-01"}], 405, "patch-path-forbidden"),
        ([{"op": "remove", "path": "/extension/0"}], 405, "patch-path-forbidden"),
        ([{"op": "remove", "path": "/name/0"}], 405, "patch-path-forbidden"),
        ([add("/extension/-", {"url": "https://example.org/x", "valueBoolean": True})], 405, "patch-path-forbidden"),
        ([add("/telecom/-", PHONE), {"op": "remove", "path": "/identifier"}], 405, "patch-path-forbidden"),
        ([{"op": "remove", "path": "/telecom/7"}], 422, "invalid-parameter"),
        ([add("/telecom/-", {"system": "pigeon", "value": "x"})], 422, "invalid-resource"),
        ([add("/telecom/-", {"value": "x"})], 422, "invalid-resource"),
        ([add("/telecom/-", {"system": "email", "value": "nowhere"})], 422, "invalid-parameter"),
        ([add("/telecom/-", {"system": "email", "value": "a@b.fr x@y.fr"})], 422, "invalid-parameter"),
        ([add("/telecom/-", {"system": "phone", "value": "0" * 255})], 422, "too-many"),
        ([add("/telecom", [PHONE] * 21)], 422, "too-many"),
        ([add("/telecom", "0612345678")], 422, "invalid-resource"),
        ([{"op": "test", "path": "/telecom", "value": [MAIL]}, add("/telecom/-", PHONE)], 422, "precondition-failed"),
        ([{"op": "move", "path": "/telecom/0", "from": "/name"}], 405, "patch-path-forbidden"),
        ([{"op": "add", "path": "/telecom/-"}], 400, "malformed-request"),
        ([], 400, "malformed-request"),
        ([add("/extension/-", preference("ennui", "mail"))], 422, "unknown-code"),
        ([add("/extension/-", preference("document-added", "pigeon"))], 422, "unknown-code"),
        ([add("/extension/-", {"url": URL, "valueBoolean": True})], 422, "invalid-resource"),
        ([add("/extension/-", {"url": URL, "extension": preference("x", "mail")["extension"][:2]})], 422,
         "invalid-resource"),
        ([add("/extension/-", preference("emergency-access", "mail"))], 422, "notification-mandatory"),
        ([add("/extension/-", preference("record-closed", "message"))], 422, "notification-mandatory"),
        ([add("/extension/-", preference("record-suspended", "mail"))], 422, "notification-mandatory"),
    ],
)  # fmt: skip
def test_a_wrong_patch_changes_nothing(
    record: OpenRecord, stack: dict[str, str], operations: list[Json], status: int, code: str
) -> None:
    before = items_of(stack, record.id)

    refusal = patch(record, *operations)

    assert (refusal.status, refusal.code) == (status, code)
    assert items_of(stack, record.id) == before


def test_a_wrong_body_is_told_to_those_alone_who_may_change_something(record: OpenRecord) -> None:
    wrong = add("/extension/-", preference("ennui", "mail"))
    stranger = requester_patient(bodies.qualified(bodies.new_ins()))

    assert [patch(record, wrong, as_=who).status for who in (HEALER, stranger)] == [403, 404]
    assert put(record, {"resourceType": "Patient", "active": False}, as_=HEALER).status == 403
    assert put(record, {"resourceType": "Patient", "id": "0" * 26}).code == "wrong-id"
    assert record.api.patch(f"/fhir/Patient/{record.id}", b"{", as_=record.patient).status == 400
    assert patch(record, wrong, content_type="application/json").status == 415
    assert record.api.patch("/fhir/Patient/nobody", [wrong], as_=record.patient).code == "no-record"


def test_a_fhirpath_patch_does_the_same(record: OpenRecord) -> None:
    parts = [
        {"name": "type", "valueCode": "add"},
        {"name": "path", "valueString": "Patient"},
        {"name": "name", "valueString": "telecom"},
        {"name": "value", "valueContactPoint": PHONE},
    ]
    body = {"resourceType": "Parameters", "parameter": [{"name": "operation", "part": parts}]}

    answer = record.api.patch(f"/fhir/Patient/{record.id}", body, as_=record.patient)

    assert (answer.status, answer.json["telecom"][-1]) == (200, PHONE)


def test_the_person_and_a_representative_change_contacts_and_nobody_else(api: ApiClient) -> None:
    parent, ins = bodies.new_ins(), bodies.new_ins()
    mother = requester_patient(bodies.qualified(parent))
    child = {"resource": bodies.patient(ins, birthDate="2020-05-17")}
    opening = bodies.opening(ins, patient=child, guardian={"resource": bodies.guardian(parent)})
    record = OpenRecord(api, ins, api.post("/fhir/Patient/$open", opening, as_=mother).id, mother)
    record.authorise(HEALER.identifier.value)
    record.consent(bodies.attending_physician(record.id, DOCTOR.identifier.value))
    others = (HEALER, DOCTOR, requester_server(), requester_cpam_agent())

    refusals = [patch(record, add("/telecom/-", PHONE), as_=who) for who in others]
    accepted = [
        patch(record, add("/telecom/-", PHONE)),
        patch(record, add("/telecom/-", MAIL), as_=requester_patient(bodies.qualified(ins))),
    ]
    record.close()
    closed = patch(record, add("/telecom/-", PHONE))

    assert {(a.status, a.code) for a in refusals} == {(403, "not-authorised")}
    assert [a.status for a in accepted] == [200, 200]
    assert (closed.status, closed.code) == (403, "record-closed")
    told = [(e["outcome"], e["action"]) for e in record.trace() if "patch" in str(e["subtype"])]
    assert sorted(told) == [("0", "U")] * 2 + [("8", "E")] * 5


def test_a_change_meanwhile_is_kept(record: OpenRecord) -> None:
    with meanwhile("TransactWriteItems", lambda: patch(record, add("/telecom/-", PHONE))):
        answer = patch(record, add("/telecom/-", MAIL))
    with meanwhile("TransactWriteItems", lambda: patch(record, {"op": "remove", "path": "/telecom"})):
        stale = patch(record, add("/telecom/-", MAIL), headers={"If-Match": answer.headers["etag"]})
    with refused("TransactWriteItems"):
        failed = patch(record, add("/telecom/-", PHONE))

    assert answer.json["telecom"][-2:] == [PHONE, MAIL]
    assert (stale.status, failed.status, "telecom" in get(record).json) == (412, 503, False)


# --- preferences


def test_a_preference_is_kept_shown_and_taken_back(record: OpenRecord) -> None:
    first = patch(record, add("/extension/-", preference("document-added", "mail")))
    second = patch(record, add("/extension", preference("first-access", "message")))
    read = get(record).json
    index = next(n for n, each in enumerate(read["extension"]) if each["url"] == URL)
    switched = {"op": "replace", "path": f"/extension/{index}/extension/2/valueBoolean", "value": True}
    third = patch(record, switched)
    both = put(record, {**read, "extension": [preference("document-deleted", c) for c in ("mail", "message")]})
    none = patch(record, {"op": "remove", "path": "/extension"})

    assert preferences(first.json) == [("document-added", "mail", False)]
    assert preferences(second.json) == preferences(read) == [("first-access", "message", False)]
    assert preferences(third.json) == []
    assert preferences(both.json) == [("document-deleted", "mail", False), ("document-deleted", "message", False)]
    assert (preferences(none.json), none.status) == ([], 200)
    assert none.json["extension"] == [each for each in read["extension"] if each["url"] != URL]


def test_of_two_words_on_one_thing_the_last_counts_and_what_is_always_told_may_be_wanted(record: OpenRecord) -> None:
    answer = patch(
        record,
        add("/extension/-", preference("document-added", "mail")),
        add("/extension/-", preference("document-added", "mail", active=True)),
        add("/extension/-", preference("emergency-access", "mail", active=True)),
    )

    assert (answer.status, preferences(answer.json)) == (200, [])


def test_preferences_are_shown_to_the_person_and_the_representative_alone(api: ApiClient) -> None:
    parent, ins = bodies.new_ins(), bodies.new_ins()
    mother = requester_patient(bodies.qualified(parent))
    child = {"resource": bodies.patient(ins, birthDate="2020-05-17")}
    opening = bodies.opening(ins, patient=child, guardian={"resource": bodies.guardian(parent)})
    record = OpenRecord(api, ins, api.post("/fhir/Patient/$open", opening, as_=mother).id, mother)
    record.authorise(HEALER.identifier.value)
    record.consent(bodies.attending_physician(record.id, DOCTOR.identifier.value))
    patch(record, add("/extension/-", preference("document-added", "mail")))
    look_up = f"/fhir/Patient?identifier={bodies.qualified(ins)}"
    version = f"/fhir/Patient/{record.id}/_history/2"

    for who, is_shown in ((mother, True), (requester_patient(bodies.qualified(ins)), True), (HEALER, False),
                          (DOCTOR, False)):  # fmt: skip
        seen = [get(record, who).json, api.get(version, as_=who).json, *api.get(look_up, as_=who).resources]
        assert [bool(preferences(patient)) for patient in seen] == [is_shown] * 3
        assert [bool(patient.get("birthDate")) for patient in seen] == [True] * 3


def test_what_is_not_wanted_is_not_told(record: OpenRecord, stack: dict[str, str], clock: TimeMachineFixture) -> None:
    patch(record, {"op": "replace", "path": "/telecom", "value": [MAIL]})
    patch(record, add("/extension/-", preference("authorisation-expired", "mail")))
    record.authorise(HEALER.identifier.value, period={"end": "2026-03-05"})
    clock.move_to("2026-03-06T12:00:00Z", tick=False)
    record.api.run("ConsentExpiry")
    patch(record, add("/extension/-", preference("authorisation-expired", "message")))
    record.authorise(DOCTOR.identifier.value, period={"end": "2026-03-08"})
    clock.move_to("2026-03-09T12:00:00Z", tick=False)
    record.api.run("ConsentExpiry")
    record.close()

    told = [json.loads(item["body"]["S"]) for item in items_of(stack, record.id, "M#")]
    own = [(m["kind"], m["email"]) for m in told if m["recipient"] == "patient" and m["kind"] != "authorisation-added"]

    assert sorted(own) == [("authorisation-expired", ""), ("record-closed", MAIL["value"])]
