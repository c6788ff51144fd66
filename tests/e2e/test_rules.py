"""Every rule of access, over HTTP against the local stack, with tokens that its issuers signed."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import pytest

from infra.local.process import LocalProcess
from tests import bodies
from tests.http_people import Caller, HttpRecord, code, employee, insurer, opened, person, professional, server

HOSPITAL, PRACTICE = "1750100125", "1690000005"
DAY, YEAR = 86_400, 366 * 86_400


@pytest.fixture(scope="module")
def stack() -> Iterator[LocalProcess]:
    with LocalProcess(seed="none", LOG_LEVEL="ERROR") as stack:
        yield stack


@pytest.fixture
def record(stack: LocalProcess) -> HttpRecord:
    return opened(stack)


@pytest.fixture(scope="module")
def author(stack: LocalProcess) -> Caller:
    return professional(stack, "10109999991", HOSPITAL)


@pytest.fixture(scope="module")
def doctor(stack: LocalProcess) -> Caller:
    return professional(stack, "10102222222", PRACTICE)


@contextmanager
def later(stack: LocalProcess, seconds: float) -> Iterator[None]:
    stack.move_clock(seconds)
    try:
        yield
    finally:
        stack.move_clock(0)


def refusal(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, code(answer)


# --- state of the record


def test_a_closed_record_is_read_and_fed_by_nobody_but_its_person_reads_the_trace_and_reopens(
    record: HttpRecord, author: Caller, doctor: Caller
) -> None:
    document = record.deposit(author)
    record.authorise(doctor)

    record.close()

    assert refusal(record.search(doctor)) == (403, "record-closed")
    assert refusal(record.patient.get(f"DocumentReference/{document}")) == (403, "record-closed")
    assert refusal(author.post("DocumentReference", bodies.document(record.id))) == (403, "record-closed")
    assert refusal(record.declare(doctor)) == (409, "record-closed")
    assert record.trace()
    body = bodies.parameters(method={"valueCode": "electronic"}, date={"valueDateTime": "2026-01-02"})
    assert record.patient.post(f"Patient/{record.id}/$reopen", body).status_code == 200
    assert record.found(doctor) == [document]


def test_a_suspended_record_is_closed_to_all_but_the_trace(
    stack: LocalProcess, record: HttpRecord, doctor: Caller
) -> None:
    record.authorise(doctor)
    event = {"record": record.id, "action": "suspend", "reason": "Enquête", "operator": "operateur-1"}

    assert httpx.post(f"{stack.url}/local/jobs/suspension", json=event).status_code == 200

    assert refusal(record.search(doctor)) == (403, "record-closed")
    assert refusal(record.search(record.patient)) == (403, "record-closed")
    assert record.trace()


def test_an_unknown_record_is_404_and_for_td02_an_empty_answer(stack: LocalProcess, doctor: Caller) -> None:
    unknown = "0" * 26
    never_opened = bodies.new_ins()

    by_id = doctor.get(f"DocumentReference?patient={unknown}&status=current")
    by_ins = doctor.get(f"Patient?identifier={bodies.qualified(never_opened)}")

    assert refusal(by_id) == (404, "no-record")
    assert (by_ins.status_code, by_ins.json()["total"]) == (200, 0)


# --- people of the record


def test_a_patient_sees_all_but_what_awaits_an_announcement(record: HttpRecord, author: Caller) -> None:
    seen = record.deposit(author)
    masked = record.deposit(author)
    record.mask(masked)
    hidden = record.deposit(author, securityLabel=[label("INVISIBLE_PATIENT")])

    assert set(record.found(record.patient)) == {seen, masked}
    assert record.patient.get(f"DocumentReference/{hidden}").status_code == 404


def test_another_persons_record_does_not_exist(stack: LocalProcess, record: HttpRecord) -> None:
    stranger = person(stack, bodies.new_ins())

    answers = [
        stranger.get(f"Patient/{record.id}"),
        record.search(stranger),
        stranger.get(f"AuditEvent?patient={record.id}"),
        stranger.post(f"Patient/{record.id}/$close", bodies.parameters(motive={"valueCode": "autre"})),
    ]

    assert {refusal(answer) for answer in answers} == {(404, "no-record")}


def test_a_legal_representative_acts_until_the_eighteenth_birthday_and_misses_what_is_hidden(
    stack: LocalProcess, author: Caller
) -> None:
    child, mother = bodies.new_ins(), bodies.new_ins()
    parent = person(stack, mother)
    in_a_year = time.gmtime(time.time() + YEAR)
    birth = f"{in_a_year.tm_year - 18:04d}-{in_a_year.tm_mon:02d}-{min(in_a_year.tm_mday, 28):02d}"
    parameters = {
        "patient": {"resource": bodies.patient(child, birthDate=birth)},
        "guardian": {"resource": bodies.guardian(mother)},
        "date": {"valueDateTime": "2026-01-01"},
    }
    made = parent.post("Patient/$open", bodies.opening(child, **parameters))
    assert made.status_code == 201, made.text
    record = HttpRecord(stack, child, made.json()["id"], parent)
    seen = record.deposit(author)
    secret = record.deposit(author, securityLabel=[label("INVISIBLE_REPRESENTANTS_LEGAUX")])
    hidden = record.deposit(author, securityLabel=[label("INVISIBLE_PATIENT")])

    assert record.found(parent) == [seen]
    assert {parent.get(f"DocumentReference/{one}").status_code for one in (secret, hidden)} == {404}
    assert set(record.found(person(stack, child))) == {seen, secret}
    with later(stack, YEAR + 2 * DAY):
        assert refusal(record.search(person(stack, mother))) == (404, "no-record")


def test_a_caregiver_reads_and_adds_and_neither_closes_nor_shares(stack: LocalProcess, record: HttpRecord) -> None:
    helper = bodies.new_ins()
    made = record.patient.post("RelatedPerson", related(record.id, helper, "SPS"))
    assert made.status_code == 201, made.text
    body = bodies.consent(record.id, "delegation", "permit", None, "")
    body["provision"]["actor"] = [{"reference": {"reference": f"RelatedPerson/{made.json()['id']}"}}]
    delegation = record.patient.post("Consent", body)
    assert delegation.status_code == 201, delegation.text
    caregiver = person(stack, helper)

    added = record.deposit(caregiver, contained=None, author=[{"reference": f"Patient/{record.id}"}])
    closing = caregiver.post(f"Patient/{record.id}/$close", bodies.parameters(motive={"valueCode": "autre"}))
    sharing = caregiver.post("Consent", bodies.authorisation(record.id, "810102222222"))
    exporting = caregiver.get(f"AuditEvent?patient={record.id}")

    assert record.found(caregiver) == [added]
    assert {answer.status_code for answer in (closing, sharing, exporting)} == {403}
    record.revoke(delegation.json()["id"])
    assert refusal(record.search(caregiver)) == (404, "no-record")


# --- professionals


def test_a_blocked_professional_is_denied_in_every_mode_mark_and_authorship_included(
    record: HttpRecord, author: Caller
) -> None:
    document = record.deposit(author)
    record.authorise(author)
    record.consent("attending-physician", "permit", author.actor)
    assert record.declare(author).status_code == 201

    block = record.consent("block", "deny", author.actor)

    assert refusal(record.search(author)) == (403, "blocked")
    assert refusal(author.get(f"DocumentReference/{document}")) == (403, "blocked")
    assert refusal(record.declare(author)) == (403, "blocked")
    assert refusal(author.post("DocumentReference", bodies.document(record.id))) == (403, "blocked")
    record.revoke(block)
    assert record.found(author) == [document]  # as its author alone: unblocking restores nothing
    assert refusal(author.get(f"AuditEvent?patient={record.id}")) == (403, "not-authorised")


def test_feeding_needs_no_authorisation_and_reads_back_the_own_documents_alone(
    stack: LocalProcess, record: HttpRecord, author: Caller, doctor: Caller
) -> None:
    own, other = record.deposit(doctor), record.deposit(author)
    colleague = professional(stack, "10103333333", PRACTICE)

    assert record.found(doctor) == [own]
    assert refusal(doctor.get(f"DocumentReference/{other}")) == (403, "not-authorised")
    assert record.found(colleague) == [own]  # of the same structure
    assert record.found(server(stack, PRACTICE)) == [own]
    assert record.found(employee(stack, PRACTICE)) == [own]
    assert refusal(record.search(professional(stack, "10104444444", "1310000003"))) == (403, "not-authorised")


def test_an_authorisation_reads_what_the_matrix_permits_until_it_ends(
    stack: LocalProcess, record: HttpRecord, author: Caller
) -> None:
    letter, request = record.deposit(author), record.deposit(author, type_code="75496-0")
    pharmacist = professional(stack, "10105555555", "1330000009", profession="21", specialties=())
    consent = record.authorise(pharmacist)

    assert record.found(pharmacist) == [letter]
    assert refusal(pharmacist.get(f"DocumentReference/{request}")) == (403, "not-habilitated")
    with later(stack, YEAR):
        stale = professional(stack, "10105555555", "1330000009", profession="21", specialties=())
        assert refusal(record.search(stale)) == (403, "authorisation-expired")
    record.revoke(consent)
    assert refusal(record.search(pharmacist)) == (403, "not-authorised")


def test_an_authorised_structure_reads_through_its_professionals_of_the_token_alone(
    stack: LocalProcess, record: HttpRecord, author: Caller
) -> None:
    document = record.deposit(author)
    body = bodies.authorisation_of_structure(record.id, "1310000003")
    assert record.patient.post("Consent", body).status_code == 201
    inside, outside = (professional(stack, "10106666666", one) for one in ("1310000003", PRACTICE))

    assert record.found(inside) == [document]
    assert refusal(record.search(outside)) == (403, "not-authorised")
    assert refusal(record.search(server(stack, "1310000003"))) == (403, "not-authorised")


def test_a_server_that_presents_a_professional_of_another_structure_is_refused_and_traced(
    stack: LocalProcess, record: HttpRecord
) -> None:
    claims = {
        "Identifiant_Structure": "1310000003",
        "Authentification_Mode": "INDIRECTE_RENFORCEE",
        "SubjectNameID": "810102222222",
        "SubjectRole": ["10^1.2.250.1.213.1.1.5.5"],
        "SubjectOrganizationID": PRACTICE,
    }
    impostor = Caller(stack, stack.token("establishment", claims))

    answer = record.search(impostor)

    assert refusal(answer) == (403, "structure-mismatch")
    assert outcomes(record)["structure-mismatch"] == 1


def test_the_attending_physician_sees_what_is_masked_reads_the_trace_and_keeps_blocks_and_masks(
    record: HttpRecord, author: Caller, doctor: Caller
) -> None:
    document = record.deposit(author, type_code="75496-0")
    record.mask(document)
    mark = record.consent("attending-physician", "permit", doctor.actor)

    assert record.found(doctor) == [document]
    assert doctor.get(f"AuditEvent?patient={record.id}").status_code == 200
    block = doctor.post("Consent", bodies.block(record.id, "810107777777"))
    assert block.status_code == 201
    unmask = [{"op": "replace", "path": "/securityLabel", "value": [normal()]}]
    assert doctor.patch(f"DocumentReference/{document}", unmask).status_code == 200
    closing = doctor.post(f"Patient/{record.id}/$close", bodies.parameters(motive={"valueCode": "autre"}))
    assert closing.status_code == 403
    record.revoke(mark)
    assert refusal(record.search(doctor)) == (403, "not-authorised")


def test_an_occupational_physician_needs_an_authorisation_of_the_patient_in_person(
    stack: LocalProcess, record: HttpRecord, author: Caller, doctor: Caller
) -> None:
    document = record.deposit(author)
    occupational = professional(stack, "10108888888", "1330000009", specialties=("SM25",))
    attested = doctor.post("Consent", bodies.authorisation(record.id, occupational.actor))
    assert attested.status_code == 201, attested.text

    assert refusal(record.search(occupational)) == (403, "not-authorised")
    assert refusal(record.declare(occupational)) == (403, "not-authorised")
    record.authorise(occupational)
    assert record.found(occupational) == [document]


def test_to_all_but_patient_attending_physician_and_author_a_masked_document_does_not_exist(
    record: HttpRecord, author: Caller, doctor: Caller
) -> None:
    seen, masked = record.deposit(author), record.deposit(author)
    record.authorise(doctor)

    record.mask(masked)

    found = record.search(doctor)
    assert [entry["resource"]["id"] for entry in found.json()["entry"]] == [seen]
    assert found.json()["total"] == 1
    for path in (f"DocumentReference/{masked}", f"DocumentReference/{masked}/_history", f"Binary/{masked}"):
        assert doctor.get(path).status_code == 404
    assert author.get(f"DocumentReference/{masked}").status_code == 200


def test_a_purpose_outside_care_is_refused_even_to_whom_the_patient_authorised(
    stack: LocalProcess, record: HttpRecord, doctor: Caller
) -> None:
    record.authorise(doctor)
    insurance = professional(stack, "10102222222", PRACTICE, purpose_of_use="HPAYMT")

    by_token = record.search(insurance)
    by_header = doctor.get(
        f"DocumentReference?patient={record.id}&status=current", **{"x-purpose-of-use": "EMPLOYMENT"}
    )

    assert refusal(by_token) == refusal(by_header) == (403, "purpose-outside-care")
    assert outcomes(record)["purpose-outside-care"] == 2


# --- emergencies


def test_a_declared_emergency_opens_for_an_hour_and_tells_the_patient_and_the_attending_physician(
    stack: LocalProcess, author: Caller, doctor: Caller
) -> None:
    record = opened(stack, telecom=[{"system": "email", "value": "urgence.patient@example.org"}])
    document, masked = record.deposit(author), record.deposit(author)
    record.mask(masked)
    record.consent("attending-physician", "permit", doctor.actor)
    urgent = professional(stack, "10101111111", "1310000003")

    consent = record.declare(urgent)

    assert consent.status_code == 201, consent.text
    assert record.found(urgent) == [document]
    messages = record.patient.get(f"Communication?recipient=Patient/{record.id}").json()["entry"]
    assert "emergency-access" in str(messages)
    assert "emergency-access" in str(doctor.get("Communication?recipient=me").json()["entry"])
    assert wait_for_mail(stack, "urgence.patient@example.org")
    assert wait_for_mail(stack, doctor.actor)
    shown = [event for event in record.trace() if "BTG" in str(event["agent"])]
    assert len(shown) == 2  # the declaration, and the search it permitted
    with later(stack, 3_700):
        assert refusal(record.search(professional(stack, "10101111111", "1310000003"))) == (403, "not-authorised")


def test_an_emergency_needs_a_reason_a_person_and_no_opposition(
    stack: LocalProcess, record: HttpRecord, doctor: Caller
) -> None:
    no_reason = doctor.post(f"Patient/{record.id}/$emergency-access", bodies.parameters(mode={"valueCode": "BTG"}))
    by_structure = record.declare(server(stack, HOSPITAL))
    by_agent = record.declare(insurer(stack, "CPAM_AGENT"))
    record.consent("opposition", "deny", purpose=[purpose("BTG")])
    opposed = record.declare(doctor)

    assert no_reason.status_code == 422
    assert refusal(by_structure) == (403, "not-authorised")
    assert refusal(by_agent) == (403, "not-authorised")
    assert refusal(opposed) == (403, "emergency-opposed")


def test_centre_15_is_for_its_physicians_and_ends_with_an_opposition(
    stack: LocalProcess, record: HttpRecord, author: Caller, doctor: Caller
) -> None:
    document = record.deposit(author)
    regulator = professional(stack, "10101212121", "1750100125", Acces_Regulation_Medicale="VRAI")
    elsewhere = professional(stack, "10101212122", "1310000003", Acces_Regulation_Medicale="VRAI")

    assert refusal(record.declare(doctor, "ETREAT")) == (403, "not-authorised")
    by_ins = bodies.parameters(
        identifier={"valueIdentifier": {"system": "urn:oid:1.2.250.1.213.1.4.10", "value": record.ins}},
        mode={"valueCode": "ETREAT"},
        reason={"valueString": "Appel au centre 15"},
    )
    assert elsewhere.post("Patient/$emergency-access", by_ins).status_code == 201
    assert record.found(elsewhere) == [document]
    record.consent("opposition", "deny", purpose=[purpose("ETREAT")])
    assert refusal(record.search(elsewhere)) == (403, "not-authorised")
    assert refusal(record.declare(regulator, "ETREAT")) == (403, "emergency-opposed")


def test_masked_documents_show_in_an_emergency_where_the_patient_permits(
    record: HttpRecord, author: Caller, doctor: Caller
) -> None:
    document = record.deposit(author)
    record.mask(document)
    assert record.declare(doctor).status_code == 201
    assert record.found(doctor) == []

    record.consent("masked-in-emergency", "permit", purpose=[purpose("BTG")])

    assert record.found(doctor) == [document]
    record.consent("masked-in-emergency", "deny", purpose=[purpose("BTG")])
    assert record.found(doctor) == []


# --- insurers, and what all of them leave behind


def test_the_desk_opens_and_closes_with_an_attestation_and_reads_nothing(
    stack: LocalProcess, record: HttpRecord, author: Caller
) -> None:
    document = record.deposit(author)
    desk, feed = insurer(stack, "CPAM_AGENT"), insurer(stack, "CNAM_FEED")

    assert refusal(record.search(desk)) == (403, "not-authorised")
    assert desk.get(f"Binary/{document}").status_code == 403
    assert refusal(record.search(feed)) == (403, "not-authorised")
    closing = bodies.parameters(motive={"valueCode": "patient-demande"}, attestation=bodies.attested())
    assert desk.post(f"Patient/{record.id}/$close", closing).status_code == 200


def test_every_refusal_is_in_the_trace_of_the_patient(stack: LocalProcess, record: HttpRecord, author: Caller) -> None:
    document = record.deposit(author)
    stranger, nobody = professional(stack, "10104444444", "1310000003"), person(stack, bodies.new_ins())
    before = len([event for event in record.trace() if event["outcome"] == "8"])

    asked = [
        record.search(stranger),
        stranger.get(f"DocumentReference/{document}"),
        stranger.get(f"Binary/{document}"),
        stranger.get(f"Patient/{record.id}"),
        stranger.get(f"AuditEvent?patient={record.id}"),
        stranger.get(f"Communication?recipient=Patient/{record.id}"),
        stranger.post(f"Patient/{record.id}/$explain", bodies.parameters(document={"valueReference": {}})),
        stranger.post(f"Patient/{record.id}/$erase"),
        stranger.delete(f"DocumentReference/{document}"),
        nobody.get(f"Patient/{record.id}"),
        nobody.post(f"Patient/{record.id}/$erase"),
    ]

    assert {answer.status_code for answer in asked} <= {403, 404}
    assert len([event for event in record.trace() if event["outcome"] == "8"]) == before + len(asked)


def test_nobody_opens_a_record_for_a_person_who_opposed_it(stack: LocalProcess, doctor: Caller) -> None:
    ins = bodies.new_ins()
    identifier = {"valueIdentifier": {"system": "urn:oid:1.2.250.1.213.1.4.10", "value": ins}}
    parameters = bodies.parameters(identifier=identifier)

    assert person(stack, ins).post("Patient/$oppose", parameters).status_code == 204
    refused = doctor.post("Patient/$open", bodies.opening(ins, attestation=bodies.attested(), **since()))
    assert refusal(refused) == (409, "opposed")
    assert person(stack, ins).post("Patient/$lift-opposition", parameters).status_code == 204
    made = doctor.post("Patient/$open", bodies.opening(ins, attestation=bodies.attested(), **since()))
    assert made.status_code == 201, made.text


def since() -> dict[str, dict[str, str]]:
    return {"date": {"valueDateTime": "2026-01-01"}}


def label(visibility: str) -> dict[str, object]:
    system = "https://mos.esante.gouv.fr/NOS/TRE_A07-StatutVisibiliteDocument/FHIR/TRE-A07-StatutVisibiliteDocument"
    return {"coding": [{"system": system, "code": visibility}]}


def normal() -> dict[str, object]:
    return {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/v3-Confidentiality", "code": "N"}]}


def purpose(mode: str) -> dict[str, str]:
    return {"system": "http://terminology.hl7.org/CodeSystem/v3-ActReason", "code": mode}


def related(record: str, ins: str, relationship: str) -> dict[str, object]:
    code = {"system": "http://terminology.hl7.org/CodeSystem/v3-RoleCode", "code": relationship}
    return bodies.guardian(ins, patient={"reference": f"Patient/{record}"}, relationship=[{"coding": [code]}])


def outcomes(record: HttpRecord) -> dict[str, int]:
    """How often each rule refused, by the policy that the trace names."""
    refused = [event["agent"][0]["policy"][0] for event in record.trace() if event["outcome"] == "8"]
    rules = [policy.rpartition("/")[2] for policy in refused]
    return {rule: rules.count(rule) for rule in rules}


def wait_for_mail(stack: LocalProcess, address: str) -> bool:
    """Whether a mail to somebody arrives."""
    until = time.monotonic() + 20
    while time.monotonic() < until:
        sent = httpx.get(f"{stack.url}/local/outbox").json()
        if any(address in str(mail["to"]) for mail in sent):
            return True
        time.sleep(0.05)
    return False
