"""What the patient decides and professionals attest: made, renewed, revoked, found (TD0.3, IHE PCF)."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from time_machine import TimeMachineFixture

from dmp.domain.identifiers import INS_NIR_TEST, PS_IDNAT, STRUCT_IDNAT
from tests import bodies
from tests.api_client import ApiClient
from tests.aws_calls import answer_lost, counted, meanwhile, refused
from tests.open_record import REVOKE, OpenRecord, extension, items_of, kind_of, open_record
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
COLLEAGUE = requester_professional("10107654321")
"""Of the same structure."""
ELSEWHERE = requester_professional("10101112223", "1310000003")
NURSE = requester_professional("10102223334", "1310000003", profession="60", specialties=())
ID = {"healer": "810101234567", "colleague": "810107654321", "elsewhere": "810101112223"}
HOSPITAL = "1750100125"
END_OF_A_YEAR = "2027-03-02T12:00:00.000Z"


@pytest.fixture
def record(api: ApiClient, clock: TimeMachineFixture) -> OpenRecord:
    """A record while time stands still."""
    return open_record(api)


def end_of(consent: dict[str, Any]) -> str:
    return str(consent["provision"]["period"]["end"])


def attested(record: OpenRecord, actor: str = "810101234567", **provision: Any) -> dict[str, Any]:
    performer = [{"reference": f"Patient/{record.id}"}]
    return {**bodies.authorisation(record.id, actor, **provision), "performer": performer}


# --- authorisations


def test_the_patient_authorises_a_professional_for_a_year(
    record: OpenRecord, clock: TimeMachineFixture, tokens: TokenFactory
) -> None:
    patient = tokens.patient(ins=bodies.qualified(record.ins))

    made = record.consent(bodies.authorisation(record.id), patient)

    assert (made.status, made.headers["etag"]) == (201, 'W/"1"')
    assert made.headers["location"] == f"https://dmp.example/fhir/Consent/{made.id}/_history/1"
    assert made.json["provision"]["period"] == {"start": "2026-03-02T12:00:00.000Z", "end": END_OF_A_YEAR}
    assert made.json["performer"] == [{"reference": f"Patient/{record.id}"}]
    assert record.may_read(HEALER)
    assert not record.may_read(COLLEAGUE)


def test_an_authorised_structure_is_all_its_professionals(record: OpenRecord) -> None:
    record.consent(bodies.authorisation_of_structure(record.id, HOSPITAL))

    assert record.may_read(HEALER)
    assert record.may_read(COLLEAGUE)
    assert not record.may_read(ELSEWHERE)
    assert not record.may_read(requester_professional(structure_id=None))


@pytest.mark.parametrize("actor", ["healer", "colleague", "structure"])
def test_a_professional_attests_for_self_for_a_colleague_and_for_the_structure(
    record: OpenRecord, tokens: TokenFactory, actor: str
) -> None:
    body = attested(record, ID.get(actor, ""))
    if actor == "structure":
        body = {**bodies.authorisation_of_structure(record.id, HOSPITAL), "performer": body["performer"]}

    made = record.consent(body, tokens.professional())

    assert made.status == 201
    witness = extension(made.json, "dmp-attestant")["valueReference"]
    assert witness["identifier"]["value"] == ID["healer"]
    assert made.json["performer"] == [{"reference": f"Patient/{record.id}"}]
    assert made.json["organization"][0]["identifier"]["value"] == HOSPITAL
    assert record.may_read(COLLEAGUE if actor == "colleague" else HEALER)


@pytest.mark.parametrize(
    "who", [requester_employee(), requester_server(), requester_cpam_agent(), requester_cnam_feed()]
)
def test_nobody_else_attests_anything(record: OpenRecord, who: Any) -> None:
    refusals = [
        record.consent(body, who)
        for body in (attested(record), bodies.block(record.id), bodies.attending_physician(record.id))
    ]

    assert {(r.status, r.code) for r in refusals} == {(403, "not-authorised")}


def test_to_another_person_the_record_does_not_exist(record: OpenRecord) -> None:
    stranger = requester_patient(bodies.qualified(bodies.new_ins()))
    consent = record.authorise().id

    answers = [
        record.consent(bodies.authorisation(record.id), stranger),
        record.consent({**bodies.authorisation(record.id), "status": "draft"}, stranger),
        record.consents(as_=stranger),
        record.revoke(consent, stranger),
        record.api.get(f"/fhir/Consent/{consent}", as_=stranger),
        record.api.get(f"/fhir/Consent/{consent}/_history", as_=stranger),
        record.api.get(f"/fhir/Consent?patient={'0' * 26}", as_=stranger),
    ]

    assert {(a.status, a.code) for a in answers} == {(404, "no-record")}


PERIODS = {
    "nothing said": ("2026-03-02T12:00:00Z", {}, END_OF_A_YEAR),
    "a date is the end of that day in Paris": (
        "2026-03-02T12:00:00Z",
        {"end": "2026-07-14"},
        "2026-07-14T22:00:00.000Z",
    ),
    "in winter too": ("2026-03-02T12:00:00Z", {"end": "2026-12-31"}, "2026-12-31T23:00:00.000Z"),
    "an instant is itself": ("2026-03-02T12:00:00Z", {"end": "2026-07-14T10:00:00Z"}, "2026-07-14T10:00:00.000Z"),
    "a month ends with its last day": ("2026-03-02T12:00:00Z", {"end": "2026-07"}, "2026-07-31T22:00:00.000Z"),
    "the same civil time, in summer": ("2026-07-14T10:00:00Z", {}, "2027-07-14T10:00:00.000Z"),
    "29 February becomes 28": ("2028-02-29T12:00:00Z", {}, "2029-02-28T12:00:00.000Z"),
    "the same day next year is still allowed": (
        "2026-03-02T12:00:00Z",
        {"end": "2027-03-02"},
        "2027-03-02T23:00:00.000Z",
    ),
    "from a later start": (
        "2026-03-02T12:00:00Z",
        {"start": "2026-04-01T08:00:00+02:00"},
        "2027-04-01T06:00:00.000Z",
    ),
}


@pytest.mark.parametrize("what", PERIODS)
def test_the_period_is_completed(record: OpenRecord, clock: TimeMachineFixture, what: str) -> None:
    now, period, end = PERIODS[what]
    clock.move_to(now, tick=False)

    body = bodies.authorisation(record.id)
    if period:
        body["provision"]["period"] = period

    made = record.consent(body)

    assert end_of(made.json) == end


WRONG_PERIODS = {
    "longer than a year": ({"end": "2027-03-03"}, "period-too-long"),
    "much longer": ({"end": "9999-12-31T23:59:59Z"}, "period-too-long"),
    "longer from a later start": ({"start": "2026-04-01", "end": "2027-04-02"}, "period-too-long"),
    "past": ({"end": "2026-03-01"}, "period-invalid"),
    "ending as it begins": ({"start": "2026-04-01T00:00:00Z", "end": "2026-04-01T00:00:00Z"}, "period-invalid"),
    "ending before it begins": ({"start": "2026-05-01", "end": "2026-04-01"}, "period-invalid"),
    "begun and over": ({"start": "2024-01-01"}, "period-empty"),
    "beyond the calendar": ({"start": "9999-06-01"}, "period-invalid"),
    "no dates": ({"start": "demain"}, "period-invalid"),
}


@pytest.mark.parametrize("what", WRONG_PERIODS)
def test_a_wrong_period_is_refused(record: OpenRecord, clock: TimeMachineFixture, what: str) -> None:
    period, code = WRONG_PERIODS[what]

    refusal = record.consent(bodies.authorisation(record.id, period=period))

    assert refusal.status == 422
    assert refusal.code in (code, "invalid-resource")
    assert not record.may_read(HEALER)


def test_an_authorisation_holds_from_its_start_to_its_end_to_the_second(
    record: OpenRecord, clock: TimeMachineFixture
) -> None:
    record.authorise(period={"start": "2026-03-03T08:00:00Z", "end": "2026-03-04T08:00:00Z"})

    readable = {}
    for moment in ("03-03T07:59:59", "03-03T08:00:00", "03-04T07:59:59", "03-04T08:00:00"):
        clock.move_to(f"2026-{moment}Z", tick=False)
        readable[moment] = record.documents(HEALER)

    assert [r.status for r in readable.values()] == [403, 200, 200, 403]
    assert readable["03-03T07:59:59"].code == "not-authorised"
    assert readable["03-04T08:00:00"].code == "authorisation-expired"


def test_a_shorter_attested_authorisation_shortens_nothing(record: OpenRecord, clock: TimeMachineFixture) -> None:
    longer = record.authorise().id
    shorter = record.consent(attested(record, period={"end": "2026-03-10"}), COLLEAGUE)

    clock.move_to("2026-06-01T12:00:00Z", tick=False)

    assert shorter.status == 201
    assert record.may_read(HEALER)
    assert record.status_of(longer) == "active"


def test_the_patients_authorisation_ends_the_others_of_that_actor(
    record: OpenRecord, clock: TimeMachineFixture
) -> None:
    by_colleague = record.consent(attested(record), COLLEAGUE).id
    of_another = record.authorise(ID["elsewhere"]).id
    of_structure = record.consent(bodies.authorisation_of_structure(record.id, HOSPITAL)).id
    first = record.authorise().id
    second = record.authorise(period={"end": "2026-03-10"}).id

    statuses = [record.status_of(c) for c in (by_colleague, of_another, of_structure, first, second)]

    assert statuses == ["inactive", "active", "active", "inactive", "active"]
    record.revoke(of_structure)
    clock.move_to("2026-03-11T12:00:00Z", tick=False)
    assert not record.may_read(HEALER)


def test_a_renewal_attested_again_takes_the_place_of_what_it_covers(
    record: OpenRecord, clock: TimeMachineFixture
) -> None:
    by_patient = record.authorise().id
    first = record.consent(attested(record), HEALER).id
    clock.move_to("2026-09-02T12:00:00Z", tick=False)

    renewed = record.consent(attested(record), HEALER)

    assert end_of(renewed.json) == "2027-09-02T12:00:00.000Z"
    assert [record.status_of(c) for c in (by_patient, first, renewed.id)] == ["active", "inactive", "active"]


def test_a_professional_attests_at_every_visit_and_the_patient_still_blocks(
    record: OpenRecord, clock: TimeMachineFixture
) -> None:
    for day in range(1, 60):
        clock.move_to(f"2026-0{3 + day // 28}-{1 + day % 28:02d}T09:00:00Z", tick=False)
        assert record.consent(attested(record), HEALER).status == 201

    blocked = record.consent(bodies.block(record.id))

    assert (blocked.status, record.documents(HEALER).code) == (201, "blocked")


@pytest.mark.parametrize("decision", [bodies.block, bodies.authorisation])
def test_what_one_actor_holds_can_always_end_in_one_transaction(
    record: OpenRecord, clock: TimeMachineFixture, decision: Callable[[str], dict[str, Any]]
) -> None:
    statuses = []
    for day in range(42):  # each shorter than the one before, so that none covers another
        end = f"2026-0{9 - day // 28}-{28 - day % 28:02d}"
        statuses.append(record.consent(largest(attested(record, period={"end": end})), HEALER))

    decided = record.consent(decision(record.id))

    assert [s.status for s in statuses] == [201] * 40 + [409] * 2
    assert {s.code for s in statuses[40:]} == {"too-many"}
    assert (decided.status, record.may_read(HEALER)) == (201, decision is bodies.authorisation)
    ended = record.consents("&category=authorisation&status=inactive&_count=100")
    assert ended.json["total"] == 40


def largest(consent: dict[str, Any]) -> dict[str, Any]:
    """The Consent with as much text as one may have."""
    consent["provision"]["actor"][0]["reference"]["display"] = "\N{BUTTERFLY}" * 200
    return {**consent, "policy": [{"uri": "https://example.org/".ljust(500, "x")}]}


# --- revocation


@pytest.mark.parametrize("who", ["patient", "professional", "attesting professional"])
def test_a_revocation_is_in_force_at_once(record: OpenRecord, tokens: TokenFactory, who: str) -> None:
    by_colleague = who == "attesting professional"
    consent = record.consent(attested(record), COLLEAGUE).id if by_colleague else record.authorise().id
    callers = {
        "patient": tokens.patient(ins=bodies.qualified(record.ins)),
        "professional": tokens.professional(),
        "attesting professional": tokens.professional(rpps="10107654321"),
    }
    assert record.may_read(HEALER)

    revoked = record.revoke(consent, callers[who])

    assert (revoked.status, revoked.json["status"], revoked.headers["etag"]) == (200, "inactive", 'W/"2"')
    assert not record.may_read(HEALER)


def test_a_stranger_revokes_nothing(record: OpenRecord) -> None:
    consent = record.authorise().id

    refusal = record.revoke(consent, ELSEWHERE)

    assert (refusal.status, refusal.code) == (403, "not-authorised")
    assert record.may_read(HEALER)


def test_revoking_twice_changes_nothing_the_second_time(record: OpenRecord) -> None:
    consent = record.authorise().id
    record.revoke(consent)

    again = record.revoke(consent)
    back = record.api.patch(
        f"/fhir/Consent/{consent}", [{"op": "replace", "path": "/status", "value": "active"}], as_=record.patient
    )

    assert (again.status, again.headers["etag"]) == (200, 'W/"2"')
    assert (back.status, back.code) == (422, "consent-ended")
    assert not record.may_read(HEALER)


def test_a_revocation_that_fails_is_not_half_done(record: OpenRecord, stack: dict[str, str]) -> None:
    consent = record.authorise().id
    before = items_of(stack, record.id)

    with refused("TransactWriteItems"):
        failed = record.revoke(consent)

    assert (failed.status, items_of(stack, record.id) == before) == (503, True)


def test_a_revocation_whose_answer_was_lost_holds(record: OpenRecord) -> None:
    consent = record.authorise().id

    with answer_lost("TransactWriteItems"):
        lost = record.revoke(consent)
    again = record.revoke(consent)

    assert (lost.status, again.status, again.json["status"]) == (503, 200, "inactive")
    assert not record.may_read(HEALER)


def test_revocations_and_authorisations_at_once_all_take_effect(record: OpenRecord) -> None:
    consents = [record.authorise(f"8101012345{n:02d}").id for n in range(3)]
    actions: list[Callable[[], Any]] = [
        *(lambda c=c: record.revoke(c) for c in consents),
        *(lambda n=n: record.consent(bodies.authorisation(record.id, f"8101012399{n:02d}")) for n in range(3)),
    ]

    def until_done(act: Callable[[], Any]) -> int:
        statuses = (int(act().status) for _ in range(20))
        return next(status for status in statuses if status != 503)

    with ThreadPoolExecutor() as pool:
        statuses = list(pool.map(until_done, actions))

    assert statuses == [200] * 3 + [201] * 3
    active = record.consents("&category=authorisation&status=active").resources
    assert {c["provision"]["actor"][0]["reference"]["identifier"]["value"][-3] for c in active} == {"9"}
    assert len(active) == 3


def test_an_opening_is_not_revoked(record: OpenRecord) -> None:
    [opening] = record.consents("&category=opening").resources

    refusal = record.revoke(opening["id"])

    assert (refusal.status, refusal.code) == (422, "consent-immutable")


# --- blocks


@pytest.mark.parametrize(("system", "actor"), [(PS_IDNAT, "810101234567"), (STRUCT_IDNAT, HOSPITAL)])
def test_a_block_ends_what_that_actor_had_and_unblocking_restores_nothing(
    record: OpenRecord, system: str, actor: str
) -> None:
    body = bodies.authorisation(record.id, actor, system)
    authorisation = record.consent(body).id
    other = record.authorise(ID["elsewhere"]).id

    blocked = record.consent(bodies.block(record.id, actor, system))
    while_blocked = record.documents(HEALER)
    unblocked = record.revoke(blocked.id)

    assert blocked.json["provision"]["type"] == "deny"
    assert "end" not in blocked.json["provision"]["period"]
    assert (while_blocked.status, while_blocked.code) == (403, "blocked")
    assert [record.status_of(c) for c in (authorisation, other)] == ["inactive", "active"]
    assert (unblocked.status, record.documents(HEALER).code) == (200, "not-authorised")


def test_blocking_the_attending_physician_ends_the_mark(record: OpenRecord) -> None:
    mark = record.consent(bodies.attending_physician(record.id)).id
    assert record.may_read(HEALER)

    blocked = record.consent(bodies.block(record.id)).id
    record.revoke(blocked)

    assert record.status_of(mark) == "inactive"
    assert not record.may_read(HEALER)


def test_an_authorisation_does_not_lift_a_block(record: OpenRecord) -> None:
    record.consent(bodies.block(record.id))

    made = record.authorise()
    refusal = record.consent(attested(record), HEALER)

    assert made.status == 201
    assert record.documents(HEALER).code == "blocked"
    assert (refusal.status, refusal.code) == (403, "blocked")


@pytest.mark.parametrize("wrong", [{"provision": {}}, {"status": ""}, {"provision": {"type": "maybe"}}])
@pytest.mark.parametrize("named", ["by id", "by INS"])
def test_who_is_blocked_learns_of_nothing_that_is_wrong_with_a_consent(
    record: OpenRecord, named: str, wrong: dict[str, Any]
) -> None:
    record.consent(bodies.block(record.id))
    patient = {"identifier": {"system": INS_NIR_TEST, "value": record.ins}}
    body = attested(record) | ({"patient": patient} if named == "by INS" else {}) | wrong

    refusal, other = (record.consent(body, who) for who in (HEALER, ELSEWHERE))

    assert (refusal.status, refusal.code) == (403, "blocked")
    assert other.status == 422


def test_the_attending_physician_blocks_and_unblocks(record: OpenRecord) -> None:
    record.consent(bodies.attending_physician(record.id))
    record.authorise(ID["elsewhere"])

    blocked = record.consent(bodies.block(record.id, ID["elsewhere"]), HEALER)
    by_another = record.consent(bodies.block(record.id, ID["colleague"]), COLLEAGUE)
    unblocked = record.revoke(blocked.id, HEALER)

    assert (blocked.status, unblocked.status) == (201, 200)
    assert (by_another.status, by_another.code) == (403, "not-authorised")


# --- médecin traitant


def test_there_is_one_attending_physician_at_most(record: OpenRecord) -> None:
    first = record.consent(bodies.attending_physician(record.id)).id
    second = record.consent(bodies.attending_physician(record.id, ID["elsewhere"])).id

    assert [record.status_of(c) for c in (first, second)] == ["inactive", "active"]
    assert not record.may_read(HEALER)
    assert record.may_read(ELSEWHERE)


def test_a_physician_takes_the_mark_with_the_patients_agreement_for_self_alone(
    record: OpenRecord, tokens: TokenFactory
) -> None:
    for_another = record.consent(bodies.attending_physician(record.id, ID["colleague"]), HEALER)
    by_nurse = record.consent(bodies.attending_physician(record.id, "810102223334"), NURSE)
    for_self = record.consent(bodies.attending_physician(record.id), tokens.professional())

    assert {(r.status, r.code) for r in (for_another, by_nurse)} == {(403, "not-authorised")}
    assert for_self.status == 201
    assert extension(for_self.json, "dmp-attestant")


def test_a_mark_to_come_would_leave_the_patient_without_a_physician(
    record: OpenRecord, clock: TimeMachineFixture
) -> None:
    held = record.consent(bodies.attending_physician(record.id)).id
    to_come = {"start": "2026-03-03T12:00:00Z"}

    made = record.consent(bodies.attending_physician(record.id, ID["elsewhere"], period=to_come))
    path = [{"op": "replace", "path": "/provision/period/start", "value": to_come["start"]}]
    moved = record.api.patch(f"/fhir/Consent/{held}", path, as_=record.patient)

    assert [(r.status, r.code) for r in (made, moved)] == [(422, "period-invalid")] * 2
    assert (record.status_of(held), record.may_read(HEALER)) == ("active", True)


def test_a_structure_is_no_attending_physician(record: OpenRecord) -> None:
    body = bodies.consent(record.id, "attending-physician", "permit", HOSPITAL, STRUCT_IDNAT)

    assert record.consent(body).status == 422


def test_an_occupational_physician_reads_by_the_patients_own_authorisation_alone(record: OpenRecord) -> None:
    occupational = requester_professional(specialties=("SM25",))

    record.consent(attested(record), COLLEAGUE)
    attested_only = record.may_read(occupational)
    record.authorise()

    assert (attested_only, record.may_read(occupational)) == (False, True)


# --- read, history, update


def test_every_version_of_a_consent_is_kept(record: OpenRecord, clock: TimeMachineFixture) -> None:
    consent = record.authorise().id
    clock.shift(60)
    period = [{"op": "replace", "path": "/provision/period/end", "value": "2026-12-31"}]
    shortened = record.api.patch(f"/fhir/Consent/{consent}", period, as_=record.patient)
    clock.shift(60)
    record.revoke(consent)

    url = f"/fhir/Consent/{consent}"
    versions = [record.api.get(f"{url}/_history/{n}", as_=record.patient) for n in (1, 2, 3)]
    history = record.api.get(f"{url}/_history", as_=record.patient)

    assert end_of(shortened.json) == "2026-12-31T23:00:00.000Z"
    assert [v.headers["etag"] for v in versions] == ['W/"1"', 'W/"2"', 'W/"3"']
    assert [end_of(v.json)[:4] for v in versions] == ["2027", "2026", "2026"]
    assert [v.json["status"] for v in versions] == ["active", "active", "inactive"]
    assert [e["resource"]["meta"]["versionId"] for e in history.json["entry"]] == ["3", "2", "1"]
    assert history.json["total"] == 3
    assert record.api.get(f"{url}/_history/4", as_=record.patient).status == 404
    assert record.api.get(url, as_=record.patient, headers={"If-None-Match": 'W/"3"'}).status == 304


def test_looking_for_a_version_that_never_was_leaves_a_trace(record: OpenRecord, clock: TimeMachineFixture) -> None:
    consent = record.authorise().id
    clock.shift(60)

    answer = record.api.get(f"/fhir/Consent/{consent}/_history/2", as_=HEALER)

    assert (answer.status, answer.code) == (404, "no-consent")
    [entry] = [one for one in record.trace() if one["subtype"][0]["code"] == "vread"]
    assert {"reference": f"Consent/{consent}"} in [one.get("what") for one in entry["entity"]]


def test_a_professional_reads_the_consents_that_name_or_came_from_them(record: OpenRecord) -> None:
    own = record.authorise().id
    by_healer = record.consent(attested(record, ID["elsewhere"]), HEALER).id
    foreign = record.authorise(ID["colleague"]).id

    statuses = [record.api.get(f"/fhir/Consent/{c}", as_=HEALER).status for c in (own, by_healer, foreign)]
    found = {c["id"] for c in record.consents(as_=HEALER).resources}
    nothing = record.consents(as_=requester_professional("10109999999", "1310000004"))

    assert statuses == [200, 200, 403]
    assert found == {own, by_healer}
    assert (nothing.status, nothing.code) == (403, "not-authorised")


def test_what_is_no_consent_of_the_record_is_not_found(record: OpenRecord) -> None:
    other = open_record(record.api)
    foreign = other.authorise().id
    mixed = f"{record.id}.{foreign.partition('.')[2]}"

    answers = [record.api.get(f"/fhir/Consent/{c}", as_=record.patient) for c in (mixed, "x", record.id, "a.b")]

    assert {a.status for a in answers} == {404}


def test_an_update_wants_the_current_version(record: OpenRecord) -> None:
    consent = record.authorise()
    url, body = f"/fhir/Consent/{consent.id}", consent.json

    stale = record.api.put(url, {**body, "status": "inactive"}, as_=record.patient, headers={"If-Match": 'W/"7"'})
    odd = record.revoke(consent.id, headers={"If-Match": "what"})
    current = record.api.put(url, {**body, "status": "inactive"}, as_=record.patient, headers={"If-Match": 'W/"1"'})
    again = record.revoke(consent.id, headers={"If-Match": 'W/"1"'})

    assert {(r.status, r.code) for r in (stale, odd, again)} == {(412, "version-conflict")}
    assert (current.status, current.json["status"]) == (200, "inactive")


def test_a_stale_update_of_a_stranger_is_refused_rather_than_stale(record: OpenRecord) -> None:
    consent = record.authorise().id

    refusal = record.revoke(consent, ELSEWHERE, headers={"If-Match": 'W/"7"'})

    assert (refusal.status, refusal.code) == (403, "not-authorised")


def test_an_update_changes_the_period_and_nothing_else(record: OpenRecord, clock: TimeMachineFixture) -> None:
    consent = record.authorise()
    url, body = f"/fhir/Consent/{consent.id}", consent.json

    def put(**elements: Any) -> Any:
        return record.api.put(url, {**body, **elements}, as_=record.patient)

    provision = body["provision"]
    period = {**provision["period"], "end": "2026-06-30"}
    other_actor = bodies.authorisation(record.id, ID["colleague"])["provision"]
    other_patient = {"reference": f"Patient/{open_record(record.api).id}"}

    assert put(provision=other_actor).code == "consent-immutable"
    assert put(patient=other_patient).code == "wrong-patient"
    assert put(id="other").code == "wrong-id"
    assert put(status="rejected").status == 422
    assert put(provision={**provision, "type": "deny"}).status == 422
    assert record.get_consent(consent.id)["meta"]["versionId"] == "1"
    assert end_of(put(provision={**provision, "period": period}).json) == "2026-06-30T22:00:00.000Z"


def test_a_consent_that_is_past_can_still_be_put_inactive(record: OpenRecord, clock: TimeMachineFixture) -> None:
    consent = record.authorise(period={"end": "2026-03-10"})
    clock.move_to("2026-04-01T12:00:00Z", tick=False)

    put = record.api.put(f"/fhir/Consent/{consent.id}", {**consent.json, "status": "inactive"}, as_=record.patient)

    assert (put.status, put.json["status"]) == (200, "inactive")


FHIRPATH_REVOKE = bodies.parameters(
    operation={
        "part": [
            {"name": "type", "valueCode": "replace"},
            {"name": "path", "valueString": "Consent.status"},
            {"name": "value", "valueCode": "inactive"},
        ]
    }
)


def test_both_forms_of_patch_revoke(record: OpenRecord) -> None:
    first, second = record.authorise().id, record.authorise(ID["elsewhere"]).id

    by_json = record.api.patch(f"/fhir/Consent/{first}", REVOKE, as_=record.patient)
    by_fhirpath = record.api.patch(f"/fhir/Consent/{second}", FHIRPATH_REVOKE, as_=record.patient)

    assert (by_json.json["status"], by_fhirpath.json["status"]) == ("inactive", "inactive")


WRONG_PATCHES = {
    "another element": ([{"op": "replace", "path": "/patient", "value": {"reference": "Patient/1"}}], 405),
    "the actor": ([{"op": "replace", "path": "/provision/actor/0", "value": {"reference": {"display": "X"}}}], 405),
    "a removal": ([{"op": "remove", "path": "/status"}], 405),
    "an unknown status": ([{"op": "replace", "path": "/status", "value": "maybe"}], 422),
    "a period that is none": ([{"op": "replace", "path": "/provision/period/end", "value": 7}], 422),
    "a period too long": ([{"op": "replace", "path": "/provision/period/end", "value": "2031-01-01"}], 422),
    "a period that is past": ([{"op": "replace", "path": "/provision/period/end", "value": "2020-01-01"}], 422),
    "no JSON": (b"[{", 400),
    "no body": (b"", 400),
}


@pytest.mark.parametrize("what", WRONG_PATCHES)
def test_a_wrong_patch_changes_nothing(record: OpenRecord, stack: dict[str, str], what: str) -> None:
    body, status = WRONG_PATCHES[what]
    consent = record.authorise().id
    before = items_of(stack, record.id)

    refusal = record.api.patch(
        f"/fhir/Consent/{consent}", body, as_=record.patient, content_type="application/json-patch+json"
    )

    assert refusal.status == status
    assert items_of(stack, record.id) == before


def test_a_professional_shortens_but_never_lengthens(record: OpenRecord, clock: TimeMachineFixture) -> None:
    consent = record.authorise(period={"end": "2026-06-30"}).id

    def ending(end: str, as_: Any = HEALER) -> Any:
        change = [{"op": "replace", "path": "/provision/period/end", "value": end}]
        return record.api.patch(f"/fhir/Consent/{consent}", change, as_=as_)

    def starting(start: str) -> Any:
        change = [{"op": "replace", "path": "/provision/period/start", "value": start}]
        return record.api.patch(f"/fhir/Consent/{consent}", change, as_=HEALER)

    refusals = [ending("2026-07-01"), ending("2036-07-01"), starting("2026-01-01")]
    shortened = ending("2026-05-31")
    lengthened = ending("2026-12-31", record.patient)

    assert {(r.status, r.code) for r in refusals} == {(403, "not-authorised")}
    assert (shortened.status, lengthened.status) == (200, 200)
    assert end_of(record.get_consent(consent)) == "2026-12-31T23:00:00.000Z"


# --- conditional create


def test_a_conditional_create_finds_what_is_there(record: OpenRecord) -> None:
    made = record.authorise()
    criterion = {"If-None-Exist": f"actor={PS_IDNAT}|810101234567&status=active"}

    again = record.consent(bodies.authorisation(record.id), headers=criterion)

    assert (again.status, again.id, again.headers["etag"]) == (200, made.id, 'W/"1"')
    assert len(record.consents("&category=authorisation").resources) == 1


def test_a_conditional_create_does_not_take_a_revoked_consent_for_one_in_force(record: OpenRecord) -> None:
    criterion = {"If-None-Exist": f"patient={record.id}&actor={PS_IDNAT}|810101234567&status=active"}
    first = record.consent(bodies.authorisation(record.id), headers=criterion)
    record.revoke(first.id)

    second = record.consent(bodies.authorisation(record.id), headers=criterion)

    assert (first.status, second.status) == (201, 201)
    assert record.may_read(HEALER)


def test_a_conditional_create_with_several_matches_is_refused(record: OpenRecord) -> None:
    record.authorise()
    record.authorise(ID["elsewhere"])

    refusal = record.consent(
        bodies.authorisation(record.id, ID["colleague"]), headers={"If-None-Exist": "category=authorisation"}
    )

    assert (refusal.status, refusal.code) == (412, "multiple-matches")


@pytest.mark.parametrize("criterion", ["nonsense=1", "period=soon", "patient=" + "0" * 26])
def test_a_criterion_that_cannot_be_understood_is_malformed(record: OpenRecord, criterion: str) -> None:
    refusal = record.consent(bodies.authorisation(record.id), headers={"If-None-Exist": criterion})

    assert refusal.status == 400
    assert not record.may_read(HEALER)


def test_conditional_creates_that_race_make_one_consent(record: OpenRecord) -> None:
    criterion = {"If-None-Exist": f"actor={PS_IDNAT}|810101234567&status=active"}

    def create(_: int) -> Any:
        return record.consent(bodies.authorisation(record.id), headers=criterion)

    with ThreadPoolExecutor() as pool:
        answers = list(pool.map(create, range(4)))

    assert sorted(a.status for a in answers) == [200, 200, 200, 201]
    assert len({a.id for a in answers}) == 1
    assert len(record.consents("&category=authorisation").resources) == 1


# --- search


def found(record: OpenRecord, query: str) -> set[str]:
    response = record.consents(query)
    assert response.status == 200, response.body
    return {c["id"] for c in response.resources}


def test_a_search_understands_every_parameter(record: OpenRecord, clock: TimeMachineFixture) -> None:
    [opening] = [c["id"] for c in record.consents().resources]
    clock.move_to("2026-03-05T12:00:00Z", tick=False)
    short = record.authorise(period={"end": "2026-03-31"}).id
    clock.move_to("2026-03-06T12:00:00Z", tick=False)
    long = record.authorise(ID["elsewhere"]).id
    block = record.consent(bodies.block(record.id, ID["colleague"])).id
    record.revoke(short)

    kind = bodies.KIND
    cases = {
        "": {opening, short, long, block},
        "&status=active": {opening, long, block},
        "&status=inactive": {short},
        "&status=active,inactive": {opening, short, long, block},
        "&status=http://hl7.org/fhir/consent-state-codes|inactive": {short},
        "&category=authorisation": {short, long},
        f"&category={kind}|block": {block},
        "&category=59284-0": {opening, short, long, block},
        "&category=authorisation&category=block": set(),
        "&category=authorisation,block": {short, long, block},
        f"&actor={PS_IDNAT}|{ID['elsewhere']}": {long},
        f"&actor={ID['colleague']}": {block},
        f"&actor={STRUCT_IDNAT}|{ID['colleague']}": set(),
        "&period=le2026-03-31": {opening, short, long, block},
        "&period=eb2026-06-01": {short},
        "&period=sa2026-03-05": {long, block},
        "&_lastUpdated=ge2026-03-06": {short, long, block},
        "&_lastUpdated=lt2026-03-06": {opening},
        "&_lastUpdated=2026-03-06&status=active": {long, block},
    }
    assert {query: found(record, query) for query in cases} == cases


def test_a_search_by_ins_works_and_no_link_carries_it(record: OpenRecord) -> None:
    consent = record.authorise().id
    form = {"patient.identifier": f"{INS_NIR_TEST}|{record.ins}", "category": "authorisation"}

    by_form = record.api.search("/fhir/Consent", form, as_=record.patient)
    by_url = record.api.get(
        f"/fhir/Consent?patient.identifier={INS_NIR_TEST}|{record.ins}&_count=1", as_=record.patient
    )
    onward = record.api.get(by_url.links["next"], as_=record.patient)

    assert [c["id"] for c in by_form.resources] == [consent]
    assert by_form.links["self"].endswith(f"/Consent?patient={record.id}&category=authorisation")
    assert record.ins not in str(by_form.json["link"]) + str(by_url.json["link"]) + str(onward.json["link"])
    assert len(onward.resources) == 1


def test_pages_hold_everything_once_newest_first(record: OpenRecord, clock: TimeMachineFixture) -> None:
    made = []
    for n in range(7):
        clock.shift(60)
        made.append(record.authorise(f"8101010000{n:02d}").id)

    pages, url = [], f"/fhir/Consent?patient={record.id}&category=authorisation&_count=3"
    while url:
        page = record.api.get(url, as_=record.patient)
        pages.append(page)
        url = page.links.get("next", "")

    assert [c["id"] for page in pages for c in page.resources] == made[::-1]
    assert [len(page.resources) for page in pages] == [3, 3, 1]
    assert not [page for page in pages if "total" in page.json]
    exact = record.api.get(f"/fhir/Consent?patient={record.id}&_count=3&_total=accurate", as_=record.patient)
    assert (exact.json["total"], len(exact.resources)) == (8, 3)
    whole = record.consents("&category=authorisation")
    assert whole.json["total"] == 7


def test_a_cursor_is_the_callers_and_the_querys_own(record: OpenRecord) -> None:
    record.authorise()
    url = f"/fhir/Consent?patient={record.id}&_count=1"
    following = record.api.get(url, as_=record.patient).links["next"]
    record.consent(bodies.attending_physician(record.id))

    refusals = [
        record.api.get(following, as_=HEALER),
        record.api.get(following + "x", as_=record.patient),
        record.api.get(following.replace("_count=1", "_count=2"), as_=record.patient),
        record.api.get(following.replace(record.id, open_record(record.api).id), as_=record.patient),
    ]

    assert {(r.status, r.code) for r in refusals} == {(400, "invalid-cursor")}


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("", "missing-parameter"),
        ("?patient=", "missing-parameter"),
        ("?patient=a/b/c", "invalid-parameter"),
        ("?patient={id}&period=soon", "invalid-parameter"),
        ("?patient={id}&_count=none", "invalid-parameter"),
        ("?patient={id}&_cursor=x", "invalid-cursor"),
    ],
)
def test_a_search_that_cannot_be_understood_is_malformed(record: OpenRecord, query: str, code: str) -> None:
    refusal = record.api.get(f"/fhir/Consent{query.format(id=record.id)}", as_=record.patient)

    assert (refusal.status, refusal.code) == (400, code)


# --- bad input


def with_(record: OpenRecord, **elements: Any) -> dict[str, Any]:
    body = {**bodies.authorisation(record.id), **elements}
    return {name: value for name, value in body.items() if value is not None}


def provision(record: OpenRecord, **elements: Any) -> dict[str, Any]:
    body = bodies.authorisation(record.id)["provision"] | elements
    return with_(record, provision={name: value for name, value in body.items() if value is not None})


def actor(system: str, value: str) -> list[dict[str, Any]]:
    return [{"reference": {"identifier": {"system": system, "value": value}}}]


WRONG: dict[str, Callable[[OpenRecord], Any]] = {
    "no scope": lambda r: with_(r, scope=None),
    "another scope": lambda r: with_(r, scope={"coding": [{"code": "research"}]}),
    "no category": lambda r: with_(r, category=None),
    "no kind": lambda r: with_(r, category=[{"coding": [{"system": bodies.LOINC, "code": "59284-0"}]}]),
    "an unknown kind": lambda r: bodies.consent(r.id, "whim", "permit", "810101234567", PS_IDNAT),
    "an opening": lambda r: bodies.consent(r.id, "opening", "permit", None, PS_IDNAT),
    "an emergency": lambda r: bodies.consent(r.id, "emergency", "permit", "810101234567", PS_IDNAT),
    "no provision": lambda r: with_(r, provision=None),
    "the other type": lambda r: provision(r, type="deny"),
    "a block that permits": lambda r: bodies.consent(r.id, "block", "permit", "810101234567", PS_IDNAT),
    "no actor": lambda r: provision(r, actor=None),
    "two actors": lambda r: provision(r, actor=actor(PS_IDNAT, "810101234567") + actor(PS_IDNAT, "810107654321")),
    "an actor of another system": lambda r: provision(r, actor=actor("urn:oid:1.2.3", "810101234567")),
    "a purpose that nobody knows": lambda r: provision(r, purpose=[{"code": "WHIM"}]),
    "a purpose of another kind": lambda r: provision(r, purpose=[{"code": "BTG"}]),
    "an opposition to nothing": lambda r: bodies.consent(r.id, "opposition", "deny", None, PS_IDNAT),
    "a médecin traitant to come": lambda r: bodies.attending_physician(r.id, period={"start": "2027-01-01"}),
    "a choice to come": lambda r: bodies.consent(
        r.id, "default-visibility", "deny", None, PS_IDNAT, period={"start": "2126-03-02"}
    ),
    "a patient as actor": lambda r: provision(r, actor=actor(INS_NIR_TEST, "279035121518989")),
    "an actor without value": lambda r: provision(r, actor=[{"reference": {"identifier": {"system": PS_IDNAT}}}]),
    "a name without end": lambda r: provision(
        r, actor=[{"reference": {**actor(PS_IDNAT, "810101234567")[0]["reference"], "display": "x" * 201}}]
    ),
    "a policy without end": lambda r: with_(r, policy=[{"uri": "https://example.org/".ljust(501, "x")}]),
    "another role": lambda r: provision(r, actor=[{"role": {"coding": [{"code": "X"}]}, **actor(PS_IDNAT, "8")[0]}]),
    "a draft": lambda r: with_(r, status="draft"),
    "another patient as performer": lambda r: with_(r, performer=[{"reference": f"Patient/{'0' * 26}"}]),
    "a period without sense": lambda r: provision(r, period={"start": "demain"}),
    "the INS of somebody else": lambda r: with_(
        r,
        patient={
            "reference": f"Patient/{r.id}",
            "identifier": {"system": INS_NIR_TEST, "value": "279035121518989"},
        },
    ),
    "an element that FHIR does not know": lambda r: with_(r, mood="sunny"),
    "a type that FHIR does not give it": lambda r: with_(r, category="authorisation"),
}


@pytest.mark.parametrize("what", WRONG)
def test_a_wrong_consent_stores_nothing(record: OpenRecord, stack: dict[str, str], what: str) -> None:
    before = items_of(stack, record.id)

    refusal = record.consent(WRONG[what](record))
    from_afar = record.consent(WRONG[what](record), requester_patient(bodies.qualified(bodies.new_ins())))

    assert refusal.status == 422
    assert from_afar.status == 404
    assert items_of(stack, record.id) == before


PATIENTS: list[Any] = [None, 5, "Patient/x", [], {}, {"reference": 5}, {"reference": "Group/1"}, {"display": "Moi"}]


@pytest.mark.parametrize("patient", PATIENTS)
def test_a_consent_without_a_patient_is_wrong(record: OpenRecord, patient: Any) -> None:
    assert record.consent(with_(record, patient=patient)).status == 422


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'"x"', b'{"resourceType":"Consent","status":NaN}'])
def test_a_consent_that_cannot_be_read_is_malformed(record: OpenRecord, body: bytes) -> None:
    refusal = record.api.post("/fhir/Consent", body, as_=record.patient, content_type="application/fhir+json")

    assert refusal.status in (400, 422)


def test_a_patient_is_named_by_ins_too(record: OpenRecord) -> None:
    by_ins = {"identifier": {"system": INS_NIR_TEST, "value": record.ins}}
    nobody = {"identifier": {"system": INS_NIR_TEST, "value": bodies.new_ins()}}

    made = record.consent(with_(record, patient=by_ins))
    missing = record.consent(with_(record, patient=nobody))

    assert (made.status, made.json["patient"]) == (201, {"reference": f"Patient/{record.id}"})
    assert (missing.status, missing.code) == (404, "no-record")


# --- limits, cost, trace


def test_a_head_holds_three_hundred_directives(record: OpenRecord, stack: dict[str, str]) -> None:
    fill(stack, record, 298)

    last = record.consent(bodies.authorisation(record.id))
    over = record.consent(bodies.authorisation(record.id, ID["elsewhere"]))
    instead = record.consent(bodies.authorisation(record.id))
    attested_over = record.consent(attested(record, ID["elsewhere"]), HEALER)

    assert (last.status, over.status, over.code) == (201, 409, "too-many")
    assert (instead.status, attested_over.code) == (201, "too-many")


def test_professionals_cannot_fill_a_head_so_that_the_patient_blocks_nobody(
    record: OpenRecord, stack: dict[str, str]
) -> None:
    fill(stack, record, 249)

    by_professional = record.consent(attested(record), HEALER)
    by_patient = record.consent(bodies.block(record.id))

    assert (by_professional.status, by_professional.code, by_patient.status) == (409, "too-many", 201)


def fill(stack: dict[str, str], record: OpenRecord, number: int) -> None:
    """Give the head that many authorisations of as many professionals."""
    import json

    from dmp.adapters import aws

    [head] = items_of(stack, record.id, "D~")
    content = json.loads(head["body"]["S"])
    start, end = "2026-01-01T00:00:00.000000+00:00", "2126-01-01T00:00:00.000000+00:00"
    content["directives"] += [
        [f"{n:026d}", "authorisation", True, f"{PS_IDNAT}|8{n:011d}", start, end, "patient", "", None]
        for n in range(number)
    ]
    head["body"]["S"] = json.dumps(content)
    aws.client("dynamodb").put_item(TableName=stack["RECORDS_TABLE"], Item=head)


def test_a_decision_reads_once_and_writes_once(record: OpenRecord) -> None:
    with counted() as authorising:
        consent = record.authorise().id
    with counted() as revoking:
        record.revoke(consent)
    with counted() as blocking:
        record.consent(bodies.block(record.id))
    with counted() as unnecessary:
        record.revoke(consent)
    with counted() as reading:
        record.get_consent(consent)

    assert authorising == ["GetItem", "TransactWriteItems"]
    assert revoking == ["BatchGetItem", "TransactWriteItems"]
    assert blocking == ["GetItem", "TransactWriteItems"]
    assert unnecessary == ["BatchGetItem", "TransactWriteItems"]
    assert reading == ["BatchGetItem", "PutItem"]


def test_what_a_decision_ends_costs_one_read_more(record: OpenRecord) -> None:
    for name in ("healer", "colleague"):
        record.consent(attested(record), COLLEAGUE if name == "colleague" else HEALER)

    with counted() as calls:
        record.consent(bodies.block(record.id))

    assert calls == ["GetItem", "BatchGetItem", "TransactWriteItems"]


def test_a_decision_made_meanwhile_is_respected(record: OpenRecord) -> None:
    with meanwhile("TransactWriteItems", lambda: record.consent(bodies.block(record.id))):
        late = record.consent(attested(record), HEALER)

    assert (late.status, late.code) == (403, "blocked")


def test_a_decision_holds_on_machines_whose_clock_is_behind(record: OpenRecord, clock: TimeMachineFixture) -> None:
    record.consent(bodies.authorisation_of_structure(record.id, HOSPITAL))
    clock.shift(60)
    record.consent(bodies.block(record.id))
    record.authorise(ID["elsewhere"])

    clock.shift(-0.5)

    assert record.documents(HEALER).code == "blocked"
    assert record.may_read(ELSEWHERE)


def test_every_decision_is_in_the_trace(record: OpenRecord, clock: TimeMachineFixture) -> None:
    clock.shift(60)
    consent = record.authorise().id
    steps: list[Callable[[], Any]] = [
        lambda: record.consent(bodies.block(record.id), ELSEWHERE),
        lambda: record.get_consent(consent),
        record.consents,
        lambda: record.revoke(consent),
        lambda: record.revoke(consent, ELSEWHERE),
    ]
    for step in steps:
        clock.shift(60)
        step()
    clock.shift(60)

    opened, *told = [(e["action"], e["outcome"]) for e in reversed(record.trace())]

    assert opened == ("C", "0")
    assert told == [("C", "0"), ("E", "8"), ("R", "0"), ("E", "0"), ("U", "0"), ("E", "8")]
    assert kind_of(record.get_consent(consent)) == "authorisation"


# --- found by a stranger's look from outside


def test_nobody_attests_for_a_foreign_structure(record: OpenRecord) -> None:
    foreign = bodies.authorisation_of_structure(record.id, "1990000615")

    refusal = record.consent(foreign, requester_professional(structure_id=HOSPITAL))

    assert (refusal.status, refusal.code) == (403, "not-authorised")
    assert not record.may_read(requester_professional("10100000699", structure_id="1990000615"))


def test_ten_revocations_at_once_all_get_through(record: OpenRecord) -> None:
    consents = [record.authorise(f"81010000{number:04d}").id for number in range(10)]

    with ThreadPoolExecutor(10) as at_once:
        answers = list(at_once.map(record.revoke, consents))

    assert [answer.status for answer in answers] == [200] * 10
    assert {record.status_of(consent) for consent in consents} == {"inactive"}
