"""The record: opened by everybody who may, looked up, read, closed and reopened (TD0.2, TD1.1 to TD1.5)."""

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from time_machine import TimeMachineFixture

from dmp.domain.identifiers import INS_NIR, INS_NIR_DEMO, INS_NIR_TEST, STRUCT_IDNAT
from dmp.domain.requester import Requester
from dmp.fhir.systems import FR_BIRTH_GIVEN_NAMES
from tests import bodies
from tests.api_client import ApiClient, Caller, Response
from tests.aws_calls import answer_lost, counted, meanwhile, refused
from tests.open_record import OpenRecord, everything_stored, extension, items_of, kind_of, open_record
from tests.requester_factories import (
    requester_cnam_feed,
    requester_cpam_agent,
    requester_employee,
    requester_patient,
    requester_professional,
    requester_server,
)
from tests.token_factory import TokenFactory

HEALER = requester_professional()
AGENT = requester_cpam_agent()
ATTESTED = {"attestation": bodies.attested()}
CHILD = "2020-05-17"


@pytest.fixture
def record(api: ApiClient) -> OpenRecord:
    return open_record(api)


def opens(api: ApiClient, ins: str, as_: Caller, **parameters: Any) -> Response:
    return api.post("/fhir/Patient/$open", bodies.opening(ins, **parameters), as_=as_)


def looked_up(api: ApiClient, ins: str, as_: Caller, system: str = INS_NIR_TEST) -> Response:
    return api.get(f"/fhir/Patient?identifier={system}|{ins}", as_=as_)


def opening_of(api: ApiClient, ins: str, record: str) -> dict[str, Any]:
    query = f"/fhir/Consent?patient={record}&category=opening"
    [consent] = api.get(query, as_=requester_patient(bodies.qualified(ins))).resources
    return consent


def child(ins: str, birth_date: str = CHILD) -> dict[str, Any]:
    return {"resource": bodies.patient(ins, birthDate=birth_date)}


# --- opening


def test_a_patient_opens_the_own_record_and_the_consent_is_its_evidence(api: ApiClient, tokens: TokenFactory) -> None:
    ins = bodies.new_ins()
    token = tokens.patient(ins=bodies.qualified(ins))

    opened = opens(api, ins, token)

    assert (opened.status, opened.json["active"]) == (201, True)
    assert opened.headers["location"] == f"https://dmp.example/fhir/Patient/{opened.id}/_history/1"
    assert opened.headers["etag"] == 'W/"1"'
    assert opened.json["identifier"][0]["value"] == ins
    consent = opening_of(api, ins, opened.id)
    assert (consent["status"], consent["dateTime"]) == ("active", "2026-02-28T23:00:00.000Z")
    assert extension(consent, "dmp-mode-recueil")["valueCode"] == "electronic"
    assert not extension(consent, "dmp-attestant")


OPENERS: dict[str, Callable[[TokenFactory], str]] = {
    "CPAM agent": lambda tokens: tokens.insurer(),
    "professional": lambda tokens: tokens.professional(),
    "pharmacist": lambda tokens: tokens.professional(rpps="10107777777", profession="21", specialties=()),
    "secretary": lambda tokens: tokens.employee(),
    "server": lambda tokens: tokens.server(),
    "server with Pro Santé Connect": lambda tokens: tokens.air(),
}


@pytest.mark.parametrize("who", OPENERS)
def test_others_open_with_an_attestation_that_names_them(api: ApiClient, tokens: TokenFactory, who: str) -> None:
    ins, token = bodies.new_ins(), OPENERS[who](tokens)

    without = opens(api, ins, token)
    opened = opens(api, ins, token, method={"valueCode": "verbal"}, **ATTESTED)

    assert (without.status, without.code) == (422, "attestation-required")
    assert opened.status == 201
    consent = opening_of(api, ins, opened.id)
    assert extension(consent, "dmp-attestant")["valueReference"]["identifier"]["value"]
    assert extension(consent, "dmp-mode-recueil")["valueCode"] == "verbal"
    assert consent["sourceAttachment"]["data"]
    page = api.get(f"/fhir/Patient/{opened.id}/$attestation", as_=token)
    assert (page.status, page.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert ins in page.body.decode()


def test_the_insurers_feed_opens_nothing(api: ApiClient, tokens: TokenFactory) -> None:
    refusal = opens(api, bodies.new_ins(), tokens.insurer(role="CNAM_FEED"), **ATTESTED)

    assert (refusal.status, refusal.code) == (403, "not-authorised")


def test_the_evidence_is_written_with_the_record_or_not_at_all(api: ApiClient, stack: dict[str, str]) -> None:
    ins, before = bodies.new_ins(), everything_stored(stack)

    with refused("TransactWriteItems"):
        failed = opens(api, ins, requester_patient(bodies.qualified(ins)))
    after = everything_stored(stack)
    opened = opens(api, ins, requester_patient(bodies.qualified(ins)))

    assert (failed.status, failed.code, failed.headers["retry-after"]) == (503, "service-unavailable", "1")
    assert before == after
    kinds = [item["kind"]["S"] for item in items_of(stack, opened.id)]
    assert sorted(kinds) == ["consent", "record"]


def test_an_opening_reads_once_counts_once_and_writes_once(api: ApiClient) -> None:
    ins = bodies.new_ins()

    with counted() as calls:
        opens(api, ins, requester_patient(bodies.qualified(ins)))

    assert calls == ["UpdateItem", "GetItem", "TransactWriteItems"]


def test_a_second_opening_is_told_so_and_traced(record: OpenRecord) -> None:
    again = opens(record.api, record.ins, record.patient)
    by_another = opens(record.api, record.ins, HEALER, **ATTESTED)

    assert (again.status, again.code) == (by_another.status, by_another.code) == (409, "record-exists")
    refusals = [e for e in record.trace() if e["outcome"] == "8"]
    assert len(refusals) == 2


def links_from_ins(stack: dict[str, str]) -> int:
    """How many INS lead to a record."""
    return sum(sort == "INS" for _, sort in everything_stored(stack))


def test_two_openings_at_once_make_one_record(api: ApiClient, stack: dict[str, str]) -> None:
    ins = bodies.new_ins()
    callers: list[tuple[Caller, dict[str, Any]]] = [
        (requester_patient(bodies.qualified(ins)), {}), (AGENT, ATTESTED), (HEALER, ATTESTED), (AGENT, ATTESTED)
    ]  # fmt: skip
    before = links_from_ins(stack)

    with ThreadPoolExecutor() as pool:
        answers = list(pool.map(lambda caller: opens(api, ins, caller[0], **caller[1]), callers))

    assert sorted(a.status for a in answers) == [201, 409, 409, 409]
    assert {a.code for a in answers if a.status == 409} == {"record-exists"}
    [winner] = [a for a in answers if a.status == 201]
    assert [r["id"] for r in looked_up(api, ins, HEALER).resources] == [winner.id]
    assert links_from_ins(stack) == before + 1


def test_an_opening_that_loses_the_race_finds_the_winner(api: ApiClient) -> None:
    ins = bodies.new_ins()
    patient = requester_patient(bodies.qualified(ins))

    with meanwhile("TransactWriteItems", lambda: opens(api, ins, AGENT, **ATTESTED)):
        late = opens(api, ins, patient)

    assert (late.status, late.code) == (409, "record-exists")


def test_an_opening_whose_answer_was_lost_stands(api: ApiClient) -> None:
    ins = bodies.new_ins()
    patient = requester_patient(bodies.qualified(ins))

    with answer_lost("TransactWriteItems"):
        lost = opens(api, ins, patient)
    again = opens(api, ins, patient)

    assert (lost.status, again.status, again.code) == (503, 409, "record-exists")


def test_a_patient_opens_for_nobody_else(api: ApiClient, record: OpenRecord) -> None:
    stranger = requester_patient(bodies.qualified(bodies.new_ins()))
    unknown = bodies.new_ins()

    for ins in (unknown, record.ins):
        refusal = opens(api, ins, stranger, **ATTESTED)
        guardian_is_other = opens(
            api, ins, stranger, patient=child(ins), guardian={"resource": bodies.guardian(bodies.new_ins())}
        )
        assert refusal.status == guardian_is_other.status == 403
    assert not looked_up(api, unknown, HEALER).resources
    assert sum(e["outcome"] == "8" for e in record.trace()) == 2


# --- a guardian


def test_a_guardian_opens_for_a_minor_and_acts_for_it_afterwards(
    api: ApiClient, tokens: TokenFactory, stack: dict[str, str]
) -> None:
    parent, ins = bodies.new_ins(), bodies.new_ins()
    token = tokens.patient(ins=bodies.qualified(parent))

    opened = opens(api, ins, token, patient=child(ins), guardian={"resource": bodies.guardian(parent)})
    authorised = api.post("/fhir/Consent", bodies.authorisation(opened.id), as_=token)

    assert (opened.status, authorised.status) == (201, 201)
    consents = api.get(f"/fhir/Consent?patient={opened.id}", as_=token).resources
    [delegation] = [c for c in consents if kind_of(c) == "delegation"]
    assert delegation["provision"]["period"]["end"] == "2038-05-16T22:00:00.000Z"
    [opening] = [c for c in consents if kind_of(c) == "opening"]
    assert opening["performer"][0]["type"] == "RelatedPerson"
    [person] = items_of(stack, opened.id, "EP#")
    assert '"relationship"' in person["body"]["S"]
    assert api.get(f"/fhir/Patient/{opened.id}", as_=token).status == 200


def test_a_guardian_named_by_a_professional_acts_too(api: ApiClient) -> None:
    parent, ins = bodies.new_ins(), bodies.new_ins()

    opened = opens(api, ins, HEALER, patient=child(ins), guardian={"resource": bodies.guardian(parent)}, **ATTESTED)

    as_parent = requester_patient(bodies.qualified(parent))
    assert api.get(f"/fhir/Patient/{opened.id}", as_=as_parent).status == 200


def test_a_guardian_without_an_ins_is_kept_but_cannot_act(api: ApiClient, stack: dict[str, str]) -> None:
    ins, nameless = bodies.new_ins(), {"resource": bodies.guardian("", identifier=None)}
    del nameless["resource"]["identifier"]

    opened = opens(api, ins, HEALER, patient=child(ins), guardian=nameless, **ATTESTED)

    assert opened.status == 201
    kinds = [item["kind"]["S"] for item in items_of(stack, opened.id)]
    assert sorted(kinds) == ["consent", "record", "related-person"]


@pytest.mark.parametrize("birth_date", ["1979-03-28", "2008-03-02"])
def test_a_guardian_is_for_minors_alone(api: ApiClient, clock: TimeMachineFixture, birth_date: str) -> None:
    parent, ins = bodies.new_ins(), bodies.new_ins()

    refusal = opens(
        api, ins, requester_patient(bodies.qualified(parent)), patient=child(ins, birth_date),
        guardian={"resource": bodies.guardian(parent)},
    )  # fmt: skip

    assert (refusal.status, refusal.code) == (422, "not-a-minor")


def test_a_delegation_ends_with_the_majority_whatever_any_job_does(api: ApiClient, clock: TimeMachineFixture) -> None:
    parent, ins = bodies.new_ins(), bodies.new_ins()
    as_parent = requester_patient(bodies.qualified(parent))
    opened = opens(
        api, ins, as_parent, patient=child(ins, "2008-03-03"), guardian={"resource": bodies.guardian(parent)}
    )

    clock.move_to("2026-03-02T22:59:59Z", tick=False)
    before = api.get(f"/fhir/Patient/{opened.id}", as_=as_parent)
    clock.move_to("2026-03-02T23:00:00Z", tick=False)
    after = api.get(f"/fhir/Patient/{opened.id}", as_=as_parent)

    assert (before.status, after.status, after.code) == (200, 404, "no-record")


# --- bad input at opening


TESTED = [{"system": INS_NIR_TEST, "value": bodies.new_ins()}]
ROLE_CODE = "http://terminology.hl7.org/CodeSystem/v3-RoleCode"
RELATED = {code: [{"coding": [{"system": ROLE_CODE, "code": code}]}] for code in ("NBOR", "GRPRN", "MTH", "GUARD")}


def named(*others: dict[str, Any], **official: Any) -> dict[str, Any]:
    return {"patient": {"name": [{"use": "official", "family": "A", "given": ["B"], **official}, *others]}}


WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "no patient": ({"patient": None}, "missing-parameter"),
    "no INS": ({"patient": {"identifier": []}}, "ins-required"),
    "an INS that is none": ({"patient": {"identifier": [{"system": INS_NIR_TEST, "value": "abc"}]}}, "ins-invalid"),
    "a wrong key": ({"patient": {"identifier": [{"system": INS_NIR, "value": "279035121518988"}]}}, "ins-invalid"),
    "no birth name": ({"patient": {"name": [{"use": "official", "given": ["DOMINIQUE"]}]}}, "ins-invalid"),
    "no given name": ({"patient": {"name": [{"use": "official", "family": "PAT-TEST"}]}}, "ins-invalid"),
    "no birth date": ({"patient": {"birthDate": None}}, "ins-invalid"),
    "a birth date to come": ({"patient": {"birthDate": "2126-01-01"}}, "ins-invalid"),
    "no gender": ({"patient": {"gender": None}}, "ins-invalid"),
    "no birth place": ({"patient": {"extension": []}}, "ins-invalid"),
    "no method": ({"method": None}, "consent-required"),
    "a method that is none": ({"method": {"valueCode": "telepathy"}}, "invalid-parameter"),
    "no date": ({"date": None}, "consent-required"),
    "a date to come": ({"date": {"valueDateTime": "2126-01-01"}}, "invalid-parameter"),
    "a date of another type": ({"date": {"valueString": "2026-01-01"}}, "invalid-parameter"),
    "no attestation": ({"attestation": None}, "attestation-required"),
    "a blank attestation": ({"attestation": {"valueString": "  "}}, "invalid-resource"),
    "a guardian of another type": ({"guardian": {"resource": {"resourceType": "Patient"}}}, "invalid-parameter"),
    "a birth year that is not the INS's": ({"patient": {"birthDate": "1980-03-28"}}, "ins-invalid"),
    "a birth name without end": (named(family="A" * 201), "invalid-resource"),
    "a usual name without end": (named({"use": "usual", "family": "A" * 201}), "invalid-resource"),
    "a given name without end": (named(given=["A" * 201]), "invalid-resource"),
    "given names without end": (named(given=["A"] * 21), "invalid-resource"),
    "given names of birth without end": (named(extension=[
        {"url": FR_BIRTH_GIVEN_NAMES, "valueString": "A " * 20 + "A"}
    ]), "invalid-resource"),
    "no mail address": ({"patient": {"telecom": [{"system": "email", "value": "dominique"}]}}, "invalid-parameter"),
    "a guardian who is a neighbour": (
        {"patient": {"birthDate": CHILD, "identifier": TESTED}, "guardian": {"resource": bodies.guardian(
            "279035121518989", relationship=RELATED["NBOR"])}},
        "not-a-representative",
    ),
    "a guardian who is a grandparent": (
        {"patient": {"birthDate": CHILD, "identifier": TESTED}, "guardian": {"resource": bodies.guardian(
            "279035121518989", relationship=RELATED["GRPRN"])}},
        "not-a-representative",
    ),
    "a guardian with a wrong INS": (
        {"patient": {"birthDate": CHILD, "identifier": TESTED}, "guardian": {"resource": bodies.guardian(
            "279035121518988", identifier=[{"system": INS_NIR, "value": "279035121518988"}])}},
        "ins-invalid",
    ),
}  # fmt: skip


@pytest.mark.parametrize("what", WRONG)
def test_a_wrong_opening_stores_nothing(api: ApiClient, stack: dict[str, str], what: str) -> None:
    ins = bodies.new_ins()
    changed, code = WRONG[what]
    parameters: dict[str, Any] = {**ATTESTED, **changed}
    if parameters.get("patient"):
        elements = bodies.patient(ins, INS_NIR, **parameters["patient"])
        parameters["patient"] = {"resource": {k: v for k, v in elements.items() if v not in (None, [])}}
    elif "patient" not in parameters:
        parameters["patient"] = {"resource": bodies.patient(ins)}
    before = everything_stored(stack)

    refusal = opens(api, ins, AGENT, **parameters)

    assert (refusal.status, refusal.code) == (422, code)
    assert everything_stored(stack) == before


def test_an_identity_of_test_may_lack_traits(api: ApiClient) -> None:
    ins = bodies.new_ins()
    bare = {k: v for k, v in bodies.patient(ins).items() if k in ("resourceType", "identifier")}

    opened = opens(api, ins, AGENT, patient={"resource": bare}, **ATTESTED)
    read = api.get(f"/fhir/Patient/{opened.id}", as_=requester_patient(bodies.qualified(ins)))

    assert (opened.status, read.status) == (201, 200)
    assert not read.json.keys() & {"name", "gender", "birthDate"}


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b'{"resourceType":"Patient"}', b"\xff\xfe"])
def test_an_opening_that_cannot_be_read_is_malformed(api: ApiClient, body: bytes) -> None:
    refusal = api.post("/fhir/Patient/$open", body, content_type="application/fhir+json", as_=AGENT)

    assert refusal.status in (400, 422)


@pytest.mark.parametrize("number", ["185032A004021", "292072B033017", "279035121518900"])
def test_real_identities_need_their_right_key(api: ApiClient, number: str) -> None:
    from tests.token_factory import ins_with_key

    ins = ins_with_key(number[:13])
    wrong = ins[:13] + f"{int(ins[13:]) % 97 + 1:02d}"

    born = f"19{number[1:3]}-03-28"

    refusal = opens(api, wrong, AGENT, patient={"resource": bodies.patient(wrong, INS_NIR, birthDate=born)}, **ATTESTED)
    opened = opens(api, ins, AGENT, patient={"resource": bodies.patient(ins, INS_NIR, birthDate=born)}, **ATTESTED)

    assert (refusal.status, refusal.code, opened.status) == (422, "ins-invalid", 201)


@pytest.mark.parametrize("system", [INS_NIR_TEST, INS_NIR_DEMO])
def test_test_identities_may_have_a_wrong_key(api: ApiClient, system: str) -> None:
    ins = bodies.new_ins()
    wrong = ins[:13] + f"{int(ins[13:]) % 97 + 1:02d}"

    opened = opens(api, wrong, AGENT, patient={"resource": bodies.patient(wrong, system)}, **ATTESTED)

    assert opened.status == 201


def test_a_name_of_the_longest_leaves_room_in_the_head_for_every_decision(api: ApiClient) -> None:
    longest = {"use": "official", "family": "é" * 200, "given": ["é" * 200] * 20}
    contacts = [{"system": "phone", "value": "é" * 254}] * 20

    record = open_record(api, name=[longest, {"use": "usual", "family": "é" * 200}], telecom=contacts)

    assert record.consent(bodies.block(record.id)).status == 201
    assert record.close().status == 200


def test_a_guardian_is_described_in_so_many_bytes_and_no_more(api: ApiClient, stack: dict[str, str]) -> None:
    ins, parent = bodies.new_ins(), bodies.new_ins()
    too_large = {"resource": bodies.guardian(parent, name=[{"text": "x" * 100_000}])}
    before = everything_stored(stack)

    refusal = opens(api, ins, AGENT, patient=child(ins), guardian=too_large, **ATTESTED)

    assert (refusal.status, refusal.code) == (413, "too-large")
    assert everything_stored(stack) == before


@pytest.mark.parametrize("relationship", [RELATED["GUARD"], [*RELATED["NBOR"], *RELATED["MTH"]]])
def test_every_relationship_of_a_guardian_counts_and_is_kept(
    api: ApiClient, stack: dict[str, str], relationship: list[dict[str, Any]]
) -> None:
    ins, parent = bodies.new_ins(), bodies.new_ins()
    mother = requester_patient(bodies.qualified(parent))
    guardian = {"resource": bodies.guardian(parent, relationship=relationship)}

    opened = opens(api, ins, mother, patient=child(ins), guardian=guardian)

    assert opened.status == 201
    [person] = items_of(stack, opened.id, "EP#")
    kept = json.loads(person["body"]["S"])["relationships"]
    assert kept == [concept["coding"][0]["code"] for concept in relationship]
    authorised = api.post("/fhir/Consent", bodies.authorisation(opened.id), as_=mother)
    assert authorised.status == 201


def test_the_reason_of_a_closure_is_bounded(record: OpenRecord) -> None:
    def close(reason: str) -> Response:
        body = bodies.parameters(motive={"valueCode": "autre"}, reason={"valueString": reason})
        return record.api.post(f"/fhir/Patient/{record.id}/$close", body, as_=record.patient)

    too_long, longest = close("é" * 1001), close("é" * 1000)

    assert (too_long.status, too_long.code, longest.status) == (422, "invalid-parameter", 200)


def test_what_a_client_says_of_id_and_meta_is_ignored(api: ApiClient) -> None:
    ins = bodies.new_ins()
    resource = bodies.patient(ins, id="mine", meta={"versionId": "7", "lastUpdated": "2020-01-01T00:00:00Z"})

    opened = opens(api, ins, AGENT, patient={"resource": {**resource, "active": False}}, **ATTESTED)

    assert (opened.id == "mine", opened.json["meta"]["versionId"], opened.json["active"]) == (False, "1", True)


# --- reading


def test_the_patient_reads_the_own_record_in_every_version(record: OpenRecord) -> None:
    url = f"/fhir/Patient/{record.id}"
    record.close()
    reopens(record)

    now = record.api.get(url, as_=record.patient)
    versions = [record.api.get(f"{url}/_history/{n}", as_=record.patient) for n in (1, 2, 3)]
    unchanged = record.api.get(url, as_=record.patient, headers={"If-None-Match": 'W/"3"'})

    assert (now.status, now.headers["etag"]) == (200, 'W/"3"')
    assert [v.json["active"] for v in versions] == [True, False, True]
    assert [v.headers["etag"] for v in versions] == ['W/"1"', 'W/"2"', 'W/"3"']
    assert unchanged.status == 304
    for missing in ("0", "4", "x", "1.5"):
        assert record.api.get(f"{url}/_history/{missing}", as_=record.patient).status == 404
    assert [coding["code"] for e in record.trace() for coding in e["subtype"]].count("vread") == 5


def test_a_professional_reads_the_record_once_authorised(record: OpenRecord) -> None:
    url = f"/fhir/Patient/{record.id}"

    before = record.api.get(url, as_=HEALER)
    record.authorise()
    after = record.api.get(url, as_=HEALER)

    assert (before.status, before.code) == (403, "not-authorised")
    assert (after.status, after.json["name"][0]["family"]) == (200, "PAT-TEST")


def test_to_another_person_a_record_does_not_exist(record: OpenRecord) -> None:
    stranger = requester_patient(bodies.qualified(bodies.new_ins()))

    of_other = record.api.get(f"/fhir/Patient/{record.id}", as_=stranger)
    of_nobody = record.api.get(f"/fhir/Patient/{'0' * 26}", as_=stranger)
    no_id = record.api.get("/fhir/Patient/nobody", as_=stranger)

    assert {(a.status, a.code) for a in (of_other, of_nobody, no_id)} == {(404, "no-record")}
    assert of_other.json == of_nobody.json


def test_a_read_that_cannot_be_traced_discloses_nothing(record: OpenRecord) -> None:
    with refused("PutItem"):
        answer = record.api.get(f"/fhir/Patient/{record.id}", as_=record.patient)

    assert (answer.status, b"PAT-TEST" in answer.body) == (503, False)


# --- TD0.2


def test_without_a_record_a_look_up_finds_no_entry(api: ApiClient, tokens: TokenFactory) -> None:
    found = looked_up(api, bodies.new_ins(), tokens.professional())

    assert (found.status, found.json["total"], found.resources) == (200, 0, [])


@pytest.mark.parametrize("system", ["urn:oid:1.2.250.1.213.1.4.2", "https://example.org"])
def test_an_identifier_of_another_system_finds_no_entry(record: OpenRecord, system: str) -> None:
    assert looked_up(record.api, record.ins, HEALER, system).json["total"] == 0


def test_the_states_of_an_authorisation_are_told(record: OpenRecord, clock: TimeMachineFixture) -> None:
    def state() -> str:
        [patient] = looked_up(record.api, record.ins, HEALER).resources
        return str(extension(patient, "dmp-autorisation")["valueCode"])

    states = [state()]
    consent = record.authorise(period={"end": "2026-03-05"}).id
    states.append(state())
    clock.move_to("2026-03-05T23:00:00Z", tick=False)
    states.append(state())
    renewed = record.authorise().id
    states.append(state())
    record.revoke(renewed)
    states.append(state())
    block = record.consent(bodies.block(record.id)).id
    states.append(state())
    record.revoke(block)
    states.append(state())

    assert record.status_of(consent)
    assert states == ["NON_EXISTE", "VALIDE", "EXPIRE", "VALIDE", "NON_EXISTE", "INTERDIT", "NON_EXISTE"]


def test_traits_are_shown_to_those_alone_who_may_read(record: OpenRecord) -> None:
    hidden = looked_up(record.api, record.ins, HEALER).resources[0]
    record.authorise()
    shown = looked_up(record.api, record.ins, HEALER).resources[0]
    to_agent = looked_up(record.api, record.ins, AGENT).resources[0]
    to_patient = looked_up(record.api, record.ins, record.patient).resources[0]

    for patient in (hidden, to_agent):
        assert not patient.keys() & {"name", "birthDate", "gender", "telecom", "address"}
    for patient in (shown, to_patient):
        assert patient["birthDate"] == "1979-03-28"
    assert not extension(to_agent, "dmp-autorisation")
    assert extension(hidden, "dmp-medecin-traitant") == {
        **extension(hidden, "dmp-medecin-traitant"),
        "valueBoolean": False,
    }


def test_the_mark_of_the_attending_physician_is_told(record: OpenRecord) -> None:
    record.consent(bodies.attending_physician(record.id))

    [patient] = looked_up(record.api, record.ins, HEALER).resources

    assert extension(patient, "dmp-medecin-traitant")["valueBoolean"] is True


def test_a_closed_record_tells_when_and_why(record: OpenRecord) -> None:
    record.authorise()
    record.close()

    [patient] = looked_up(record.api, record.ins, HEALER).resources

    parts = {part["url"]: part for part in extension(patient, "dmp-fermeture")["extension"]}
    assert (patient["active"], "name" in patient) == (False, False)
    assert parts["motifFermeture"]["valueCode"] == "patient-demande"
    assert parts["raisonFermeture"]["valueString"] == "Ne souhaite plus"
    assert parts["dateFermeture"]["valueDateTime"]


def test_a_look_up_works_by_form_and_no_link_carries_the_ins(record: OpenRecord) -> None:
    form = {"identifier": f"{INS_NIR_TEST}|{record.ins}"}

    found = record.api.search("/fhir/Patient", form, as_=HEALER)
    by_url = looked_up(record.api, record.ins, HEALER)

    assert [r["id"] for r in found.resources] == [r["id"] for r in by_url.resources] == [record.id]
    for answer in (found, by_url):
        assert record.ins not in str(answer.json["link"])
        assert answer.json["entry"][0]["fullUrl"] == f"https://dmp.example/fhir/Patient/{record.id}"


def test_a_look_up_of_somebody_else_finds_nothing_and_is_traced(record: OpenRecord) -> None:
    stranger = requester_patient(bodies.qualified(bodies.new_ins()))

    found = looked_up(record.api, record.ins, stranger)

    assert (found.status, found.json["total"]) == (200, 0)
    assert [e["outcome"] for e in record.trace()].count("8") == 1


def test_a_look_up_reads_twice_counts_once_and_traces_once(record: OpenRecord) -> None:
    with counted() as calls:
        looked_up(record.api, record.ins, HEALER)

    assert calls == ["GetItem", "GetItem", "UpdateItem", "PutItem"]


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("", "missing-parameter"),
        ("?identifier=", "missing-parameter"),
        ("?identifier=279035121518989", "invalid-parameter"),
        ("?identifier=urn:oid:1.2.250.1.213.1.4.10|", "invalid-parameter"),
        ("?identifier:exact=urn:oid:1.2.250.1.213.1.4.10|279035121518989", "unsupported-modifier"),
    ],
)
def test_a_look_up_names_one_person(api: ApiClient, query: str, code: str) -> None:
    refusal = api.get(f"/fhir/Patient{query}", as_=HEALER)

    assert (refusal.status, refusal.code) == (400, code)


def test_unknown_parameters_are_refused_when_the_client_is_strict(record: OpenRecord) -> None:
    url = f"/fhir/Patient?identifier={INS_NIR_TEST}|{record.ins}&family=x"

    lenient = record.api.get(url, as_=HEALER)
    strict = record.api.get(url, as_=HEALER, headers={"Prefer": "handling=strict"})

    assert (lenient.status, "family" in lenient.links["self"]) == (200, False)
    assert (strict.status, strict.code) == (400, "unknown-parameter")


# --- closing and reopening


REOPENING = {"method": {"valueCode": "written"}, "date": {"valueDateTime": "2026-03-01"}}


def reopens(record: OpenRecord, as_: Caller = None, **more: Any) -> Response:
    body = bodies.parameters(**{**REOPENING, **more})
    return record.api.post(f"/fhir/Patient/{record.id}/$reopen", body, as_=as_ or record.patient)


def closes(record: OpenRecord, as_: Caller, **more: Any) -> Response:
    body = bodies.parameters(motive={"valueCode": "deces"}, **more)
    return record.api.post(f"/fhir/Patient/{record.id}/$close", body, as_=as_)


def test_a_closed_record_is_neither_read_nor_fed_by_anybody(record: OpenRecord, tokens: TokenFactory) -> None:
    record.authorise()
    fed = record.api.post("/fhir/DocumentReference", bodies.document(record.id), as_=HEALER)
    mother = tokens.patient(ins=bodies.qualified(record.ins))

    closed = record.close(as_=mother)

    assert (closed.json["active"], closed.headers["etag"]) == (False, 'W/"2"')
    reads = [
        f"Patient/{record.id}",
        f"Patient/{record.id}/_history/1",
        f"DocumentReference?patient={record.id}&status=current",
        f"DocumentReference/{fed.id}",
        f"Consent?patient={record.id}",
    ]
    for who in (HEALER, record.patient):
        answers = [record.api.get(f"/fhir/{url}", as_=who) for url in reads]
        answers.append(record.consent(bodies.authorisation(record.id), who))
        assert {(a.status, a.code) for a in answers} == {(403, "record-closed")}
    for who in (HEALER, requester_server(), record.patient):
        feeds = [
            record.api.post("/fhir/DocumentReference", bodies.document(record.id), as_=who),
            record.api.post("/fhir", bodies.submission(record.id), as_=who),
        ]
        assert {(a.status, a.code) for a in feeds} == {(403, "record-closed")}
    assert record.api.get(f"/fhir/AuditEvent?patient={record.id}", as_=record.patient).status == 200


def test_operations_on_a_closed_record_conflict(record: OpenRecord) -> None:
    record.close()

    again = closes(record, record.patient)
    page = record.api.get(f"/fhir/Patient/{record.id}/$attestation", as_=record.patient)
    opening = opens(record.api, record.ins, record.patient)

    assert {(a.status, a.code) for a in (again, page)} == {(409, "record-closed")}
    assert (opening.status, opening.code) == (409, "record-exists")


def test_a_cpam_agent_closes_and_reopens_with_an_attestation(record: OpenRecord, tokens: TokenFactory) -> None:
    agent = tokens.insurer()

    without = closes(record, agent)
    closed = closes(record, agent, **ATTESTED)
    not_reopened = reopens(record, agent)
    reopened = reopens(record, agent, **ATTESTED)

    assert [(a.status, a.code) for a in (without, not_reopened)] == [(422, "attestation-required")] * 2
    assert (closed.status, closed.json["active"], "name" in closed.json) == (200, False, False)
    assert (reopened.status, reopened.json["active"]) == (200, True)


@pytest.mark.parametrize(
    "opener", [AGENT, requester_employee(), requester_server(), HEALER], ids=lambda one: one.kind.value
)
def test_whoever_opens_a_record_finds_the_consent_to_it_and_no_other(api: ApiClient, opener: Requester) -> None:
    ins = bodies.new_ins()
    opened = opens(api, ins, opener, **ATTESTED)
    patient = requester_patient(bodies.qualified(ins))
    block = api.post("/fhir/Consent", bodies.block(opened.id, "810109998887"), as_=patient)

    found = api.get(f"/fhir/Consent?patient={opened.id}", as_=opener)

    assert block.status == 201
    assert [kind_of(one) for one in found.resources] == ["opening"]
    assert api.get(f"/fhir/Consent/{block.id}", as_=opener).status == 403


def test_a_cpam_agent_reads_no_content_not_even_of_a_record_it_opened(api: ApiClient) -> None:
    ins = bodies.new_ins()
    opened = opens(api, ins, AGENT, **ATTESTED)
    patient = requester_patient(bodies.qualified(ins))
    document = api.post("/fhir/DocumentReference", bodies.document(opened.id), as_=HEALER)
    url = f"/fhir/Patient/{opened.id}"

    reads = [
        url,
        f"{url}/_history/1",
        f"/fhir/DocumentReference?patient={opened.id}&status=current",
        f"/fhir/DocumentReference/{document.id}",
        f"/fhir/Binary/{document.id}",
        f"/fhir/AuditEvent?patient={opened.id}",
    ]
    answers = [api.get(read, as_=AGENT) for read in reads]
    answers.append(api.post("/fhir/DocumentReference", bodies.document(opened.id), as_=AGENT))
    answers.append(api.patch(url, [{"op": "remove", "path": "/telecom"}], as_=AGENT))

    assert opened.status == 201
    assert {a.status for a in answers} == {403}
    assert api.get(url, as_=patient).status == 200


def test_a_representative_closes_but_no_professional_does(api: ApiClient) -> None:
    parent, ins = bodies.new_ins(), bodies.new_ins()
    as_parent = requester_patient(bodies.qualified(parent))
    opened = opens(api, ins, as_parent, patient=child(ins), guardian={"resource": bodies.guardian(parent)})
    record = OpenRecord(api, ins, opened.id, as_parent)
    record.consent(bodies.attending_physician(record.id))

    others = [closes(record, who, **ATTESTED) for who in (HEALER, requester_employee(), requester_server())]
    stranger = closes(record, requester_patient(bodies.qualified(bodies.new_ins())))
    by_parent = closes(record, as_parent)

    assert {(a.status, a.code) for a in others} == {(403, "not-authorised")}
    assert (stranger.status, stranger.code, by_parent.status) == (404, "no-record", 200)


def test_reopening_leaves_a_new_evidence_in_place_of_the_former(record: OpenRecord) -> None:
    consent = record.authorise().id
    record.close()

    reopened = reopens(record)
    again = reopens(record)

    assert (reopened.status, reopened.json["active"], extension(reopened.json, "dmp-fermeture")) == (200, True, {})
    assert (again.status, again.code) == (409, "record-open")
    openings = [c for c in record.consents().resources if kind_of(c) == "opening"]
    assert sorted(c["status"] for c in openings) == ["active", "inactive"]
    [active] = [c for c in openings if c["status"] == "active"]
    assert extension(active, "dmp-mode-recueil")["valueCode"] == "written"
    assert record.status_of(consent) == "active"
    assert record.may_read(HEALER)


def test_closing_and_reopening_for_years_does_not_fill_the_record(record: OpenRecord, stack: dict[str, str]) -> None:
    sizes = []
    for _ in range(3):
        record.close()
        reopens(record)
        [head] = items_of(stack, record.id, "D~")
        sizes.append(len(head["body"]["S"]))

    assert len(set(sizes)) == 1


@pytest.mark.parametrize(
    ("parameters", "code"),
    [
        ({}, "invalid-resource"),
        ({"reason": {"valueString": "Sans motif"}}, "missing-parameter"),
        ({"motive": {"valueCode": "ennui"}}, "invalid-parameter"),
        ({"motive": {"valueString": "deces"}}, "invalid-parameter"),
    ],
)
def test_a_wrong_closing_changes_nothing(
    record: OpenRecord, stack: dict[str, str], parameters: dict[str, Any], code: str
) -> None:
    before = items_of(stack, record.id)
    body = bodies.parameters(**parameters)
    url = f"/fhir/Patient/{record.id}/$close"

    refusal = record.api.post(url, body, as_=record.patient)
    by_stranger = record.api.post(url, body, as_=requester_patient(bodies.qualified(bodies.new_ins())))
    by_professional = record.api.post(url, body, as_=HEALER)

    assert (refusal.status, refusal.code) == (422, code)
    assert (by_stranger.status, by_professional.status) == (404, 403)
    assert items_of(stack, record.id) == before


@pytest.mark.parametrize("parameters", [{"method": None}, {"date": None}, {"date": {"valueDateTime": "2126-01-01"}}])
def test_a_wrong_reopening_changes_nothing(record: OpenRecord, parameters: dict[str, Any]) -> None:
    record.close()
    body = bodies.parameters(**{k: v for k, v in {**REOPENING, **parameters}.items() if v})

    refusal = record.api.post(f"/fhir/Patient/{record.id}/$reopen", body, as_=record.patient)

    assert refusal.status == 422
    assert looked_up(record.api, record.ins, HEALER).resources[0]["active"] is False


def test_a_closing_between_decision_and_write_is_decided_anew(record: OpenRecord) -> None:
    with meanwhile("TransactWriteItems", record.close):
        late = closes(record, record.patient)

    assert (late.status, late.code) == (409, "record-closed")


def test_the_dollar_of_an_operation_may_be_escaped(api: ApiClient) -> None:
    ins = bodies.new_ins()
    patient = requester_patient(bodies.qualified(ins))

    opened = api.post("/fhir/Patient/%24open", bodies.opening(ins), as_=patient)
    page = api.get(f"/fhir/Patient/{opened.id}/%24attestation", as_=patient)
    motive = bodies.parameters(motive={"valueCode": "autre"})
    closed = api.post(f"/fhir/Patient/{opened.id}/%24close", motive, as_=patient)
    reopened = api.post(f"/fhir/Patient/{opened.id}/%24reopen", bodies.parameters(**REOPENING), as_=patient)

    assert [a.status for a in (opened, page, closed, reopened)] == [201, 200, 200, 200]


def test_the_attestation_is_for_who_opened_and_for_the_patient(api: ApiClient) -> None:
    ins = bodies.new_ins()
    names = [{"use": "official", "family": "<b>O'NEIL & Cie</b>", "given": ["Zoé"]}]
    opener = requester_employee()
    opened = opens(api, ins, opener, patient={"resource": bodies.patient(ins, name=names)}, **ATTESTED)
    url = f"/fhir/Patient/{opened.id}/$attestation"

    page = api.get(url, as_=opener)
    own = api.get(url, as_=requester_patient(bodies.qualified(ins)))
    others = [api.get(url, as_=who) for who in (HEALER, requester_employee("autre"), requester_server(), AGENT)]

    assert (page.status, own.status) == (200, 200)
    assert b"&lt;b&gt;O&#x27;NEIL &amp; Cie&lt;/b&gt;" in page.body
    assert {(a.status, a.code) for a in others} == {(403, "not-authorised")}


def test_every_use_of_a_record_is_in_its_trace(record: OpenRecord) -> None:
    looked_up(record.api, record.ins, HEALER)
    record.api.get(f"/fhir/Patient/{record.id}", as_=HEALER)
    record.api.get(f"/fhir/Patient/{record.id}/$attestation", as_=record.patient)
    record.close()
    reopens(record)

    told = [(e["action"], e["outcome"], e["subtype"][0]["code"]) for e in reversed(record.trace())]

    assert told == [
        ("C", "0", "open"),
        ("E", "0", "TD0.2"),
        ("E", "8", "AuthZ-Consent"),
        ("R", "0", "read"),
        ("U", "0", "close"),
        ("U", "0", "reopen"),
    ]


def test_no_ins_is_kept_in_a_key(record: OpenRecord, stack: dict[str, str]) -> None:
    looked_up(record.api, record.ins, HEALER)

    keys = [(item["pk"]["S"], item["sk"]["S"]) for item in items_of(stack, record.id)]

    assert not [key for key in keys if record.ins in "".join(key)]
    assert STRUCT_IDNAT not in str(keys)


def test_minimal_answers_carry_no_body(api: ApiClient) -> None:
    ins = bodies.new_ins()
    patient = requester_patient(bodies.qualified(ins))

    opened = api.post("/fhir/Patient/$open", bodies.opening(ins), as_=patient, headers={"Prefer": "return=minimal"})

    assert (opened.status, opened.body) == (201, b"")
    assert opened.headers["location"]


def test_the_insurers_feed_may_only_look_up(record: OpenRecord) -> None:
    feed = requester_cnam_feed()

    found = looked_up(record.api, record.ins, feed)
    refusals = [record.api.get(f"/fhir/Patient/{record.id}", as_=feed), closes(record, feed, **ATTESTED)]

    assert found.json["total"] == 1
    assert {(a.status, a.code) for a in refusals} == {(403, "not-authorised")}
