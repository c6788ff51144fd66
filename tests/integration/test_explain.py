"""$explain: who may see what, by which rule and on which Consents, as the one decision has it."""

import json
import re
from collections.abc import Mapping
from itertools import groupby
from typing import Any

import pytest
from time_machine import TimeMachineFixture

from dmp.domain import access_matrix
from dmp.domain.identifiers import PS_IDNAT, STRUCT_IDNAT
from dmp.domain.requester import Requester
from dmp.services import explanations
from tests import bodies
from tests.api_client import ApiClient, Response
from tests.fed_record import AUTHOR, SPECIALIST, STRANGER, FedRecord, open_record
from tests.requester_factories import requester_cpam_agent, requester_patient, requester_professional, requester_server

PHYSICIAN = requester_professional("10104444444", "1590000004", name="Dominique LEROY")
TITLE = "Lettre de liaison"
PHARMACY = "75496-0"
OTHER_PDF = b"%PDF-1.4 other"
VISIBILITY = "https://mos.esante.gouv.fr/NOS/TRE_A07-StatutVisibiliteDocument/FHIR/TRE-A07-StatutVisibiliteDocument"

type Json = dict[str, Any]


@pytest.fixture
def record(api: ApiClient, stack: dict[str, str], clock: TimeMachineFixture) -> FedRecord:
    return open_record(api, stack)


def explain(record: FedRecord, as_: Requester | None = None, **parameters: Json) -> Response:
    url = f"/fhir/Patient/{record.id}/$explain"
    return record.api.post(url, bodies.parameters(**parameters), as_=as_ or record.patient)


def actor(who: Requester | str = SPECIALIST, profession: str | None = "10", **parts: Json) -> Json:
    """The parameter that asks about a professional."""
    value = who if isinstance(who, str) else who.identifier.value
    identified: Json = {"identifier": {"valueIdentifier": {"system": PS_IDNAT, "value": value}}}
    if profession:
        identified["profession"] = {"valueCode": profession}
    return {"part": [{"name": name, **part} for name, part in (identified | parts).items()]}


def at_structure(value: str) -> Json:
    return {"valueIdentifier": {"system": STRUCT_IDNAT, "value": value}}


def of_document(document: str) -> Json:
    return {"valueReference": {"reference": f"DocumentReference/{document}"}}


def told(answer: Response) -> list[tuple[str, Mapping[str, list[Any]]]]:
    """The parameters of an answer, each with the values of its parts by name."""
    assert answer.status == 200, answer.body
    return [
        (one["name"], {n: [_value(p) for p in ps] for n, ps in groupby(one.get("part", []), lambda p: p["name"])})
        for one in answer.json["parameter"]
    ]


def _value(part: Json) -> Any:
    (value,) = (value for name, value in part.items() if name.startswith("value"))
    if isinstance(value, dict):
        return value.get("reference") or value.get("value") or value["display"]
    return value


def documents(answer: Response) -> dict[str, tuple[bool, str]]:
    """Permit and rule by document."""
    return {
        parts["reference"][0].removeprefix("DocumentReference/"): (parts["permit"][0], parts["rule"][0])
        for name, parts in told(answer)
        if name == "document"
    }


def people(answer: Response) -> dict[str, list[tuple[bool, str, list[str]]]]:
    """Permit, rule and professions by person or structure."""
    found: dict[str, list[tuple[bool, str, list[str]]]] = {}
    for _, parts in told(answer):
        (who,) = parts.get("identifier") or parts["reference"]
        found.setdefault(who, []).append((parts["permit"][0], parts["rule"][0], parts.get("profession", [])))
    return found


def outcomes(answer: Response, who: str, profession: str) -> tuple[bool, str]:
    """What is told of somebody, if they have this profession."""
    (found,) = [(p, rule) for p, rule, rows in people(answer)[who] if not rows or profession in rows]
    return found


def hidden(record: FedRecord, label: str, **elements: Any) -> str:
    labels = [{"coding": [{"system": VISIBILITY, "code": label}]}]
    return record.publish(content=OTHER_PDF, securityLabel=labels, **elements)


class TestOfAnActor:
    def test_it_tells_of_every_document_whether_the_actor_may_see_it_and_why(self, record: FedRecord) -> None:
        first = record.publish(date="2026-01-01T00:00:00Z")
        masked = record.publish(content=OTHER_PDF, date="2026-01-02T00:00:00Z")
        record.mask(masked)
        residence = record.publish(content=b"%PDF-1.4 third", type=residence_type(), date="2026-01-03T00:00:00Z")
        consent = record.authorise(SPECIALIST)

        answer = explain(record, actor=actor())

        name, access = told(answer)[0]
        assert (name, access["permit"], access["rule"]) == ("access", [True], ["authorised"])
        assert access["text"] == ["Accès autorisé par le patient."]
        assert access["consent"] == [f"Consent/{consent}"]
        assert list(documents(answer).items()) == [
            (residence, (False, "not-habilitated")),
            (masked, (False, "masked")),
            (first, (True, "authorised")),
        ]
        assert told(answer)[3][1]["consent"] == [f"Consent/{consent}"]
        assert "consent" not in told(answer)[1][1]

    def test_it_says_what_then_happens(self, record: FedRecord) -> None:
        """Whatever is said of an actor is what the actor meets."""
        open_one, masked = record.publish(), record.publish(content=OTHER_PDF)
        record.mask(masked)
        record.authorise(SPECIALIST)
        record.block(STRANGER)
        record.name_attending_physician(PHYSICIAN)
        declare(record, requester_professional("10108880009", "1690000005"))
        people = {
            "authorised": SPECIALIST,
            "blocked": STRANGER,
            "attending": PHYSICIAN,
            "author": AUTHOR,
            "emergency": requester_professional("10108880009", "1690000005"),
            "nobody": requester_professional("10108880010", "1690000099"),
        }

        seen: set[str] = set()
        for name, who in people.items():
            assert who.structure
            answer = explain(record, actor=actor(who, structure=at_structure(who.structure.value)))
            seen |= set(documents(answer))
            for document, (permitted, _) in documents(answer).items():
                met = record.api.get(f"/fhir/DocumentReference/{document}", as_=who).status
                assert (met == 200) is permitted, name
            searched = record.find(who).status
            own = name == "author"
            assert (searched == 200) is (told(answer)[0][1]["permit"][0] or own), name
        assert seen == {open_one, masked}

    def test_a_structure_is_asked_about_by_profession_or_as_a_server(self, record: FedRecord) -> None:
        own, other = record.publish(as_=requester_server("1330000009")), record.publish(content=OTHER_PDF)
        hospital: Json = {"name": "identifier", **at_structure("1330000009")}
        body = bodies.authorisation(record.id, "1330000009", STRUCT_IDNAT)
        assert record.api.post("/fhir/Consent", body, as_=record.patient).status == 201

        nurse = explain(record, actor={"part": [hospital, {"name": "profession", "valueCoding": {"code": "60"}}]})
        server = explain(record, actor={"part": [hospital]})

        assert documents(nurse) == {own: (True, "author"), other: (True, "authorised")}
        assert documents(server) == {own: (True, "author"), other: (False, "not-habilitated")}

    def test_an_occupational_physician_is_explained_as_one(self, record: FedRecord) -> None:
        document = record.publish()
        attested = bodies.authorisation(record.id, SPECIALIST.identifier.value)
        record.api.post("/fhir/Consent", attested, as_=SPECIALIST)

        plain = explain(record, actor=actor())
        occupational = explain(record, actor=actor(specialty={"valueCode": "SM25"}))

        assert documents(plain) == {document: (True, "authorised")}
        assert documents(occupational) == {document: (False, "not-authorised")}

    def test_a_long_answer_says_that_there_is_more(self, record: FedRecord, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(explanations, "MOST_DOCUMENTS", 2)
        monkeypatch.setattr(explanations, "_CHUNK", 1)
        shown = [record.publish(content=f"%PDF-1.4 {n}".encode()) for n in range(2)]
        whole = explain(record, actor=actor())
        hidden(record, "INVISIBLE_PATIENT")
        same = explain(record, actor=actor())
        record.publish(content=b"%PDF-1.4 more")

        cut = explain(record, actor=actor())

        assert set(documents(whole)) == set(documents(same)) == set(shown)
        assert {"truncated"}.isdisjoint(dict(told(whole)) | dict(told(same)))
        assert len(documents(cut)) == 2
        assert cut.json["parameter"][-1] == {"name": "truncated", "valueBoolean": True}


def residence_type() -> Json:
    system = "https://mos.esante.gouv.fr/NOS/TRE_A05-TypeDocComplementaire/FHIR/TRE-A05-TypeDocComplementaire"
    return {"coding": [{"system": system, "code": "ATTEST-RESID"}]}


def declare(record: FedRecord, who: Requester) -> None:
    body = bodies.parameters(mode={"valueCode": "BTG"}, reason={"valueString": "Urgence"})
    answer = record.api.post(f"/fhir/Patient/{record.id}/$emergency-access", body, as_=who)
    assert answer.status == 201, answer.body


class TestOfADocument:
    def test_it_tells_of_everybody_whom_the_record_knows_and_of_anybody_else(self, record: FedRecord) -> None:
        document = record.publish(type=pharmacy_type())
        consent = record.authorise(SPECIALIST)
        record.block(STRANGER)
        record.name_attending_physician(PHYSICIAN)
        urgent = requester_professional("10108880011", "1690000005")
        declare(record, urgent)

        answer = explain(record, document=of_document(document))

        found = people(answer)
        anybody = "Tout autre professionnel de santé"
        assert set(found) == {
            f"Patient/{record.id}",
            *(who.identifier.value for who in (AUTHOR, SPECIALIST, STRANGER, PHYSICIAN, urgent)),
            "1750100125",
            anybody,
        }
        assert found[f"Patient/{record.id}"] == [(True, "patient", [])]
        assert found[AUTHOR.identifier.value] == found["1750100125"] == [(True, "author", [])]
        assert found[STRANGER.identifier.value] == [(False, "blocked", [])]
        assert found[PHYSICIAN.identifier.value] == [(True, "attending-physician", [])]
        assert outcomes(answer, SPECIALIST.identifier.value, "10") == (True, "authorised")
        assert outcomes(answer, SPECIALIST.identifier.value, "60") == (False, "not-habilitated")
        assert outcomes(answer, urgent.identifier.value, "10") == (True, "emergency")
        assert outcomes(answer, anybody, "10") == (False, "not-authorised")
        assert outcomes(answer, anybody, "60") == (False, "not-habilitated")
        rows = [code for _, _, codes in found[SPECIALIST.identifier.value] for code in codes]
        assert sorted(rows) == sorted(access_matrix.professions())
        assert [p["consent"] for _, p in told(answer) if p["rule"] == ["authorised"]] == [[f"Consent/{consent}"]]
        assert record.ins not in answer.body.decode()

    def test_delegates_are_named_by_their_person_never_by_an_ins(self, api: ApiClient, stack: dict[str, str]) -> None:
        record, parent, guardian = of_a_child(api, stack)
        document, secret = record.publish(as_=parent), hidden(record, "INVISIBLE_REPRESENTANTS_LEGAUX")

        plain, withheld = (explain(record, document=of_document(one)) for one in (document, secret))
        as_parent = explain(record, parent, document=of_document(document))

        assert people(plain)[guardian] == [(True, "representative", [])]
        assert people(withheld)[guardian] == [(False, "invisible", [])]
        assert people(as_parent) == people(plain)
        assert parent.identifier.value not in plain.body.decode() + withheld.body.decode()

    @pytest.mark.parametrize("label", ["INVISIBLE_PATIENT", "MASQUE_PS"])
    def test_the_attending_physician_sees_all_of_it(self, record: FedRecord, label: str) -> None:
        document = hidden(record, label)
        record.name_attending_physician(PHYSICIAN)

        answer = explain(record, PHYSICIAN, document=of_document(document))

        person = (False, "invisible") if label == "INVISIBLE_PATIENT" else (True, "patient")
        assert outcomes(answer, f"Patient/{record.id}", "") == person
        assert documents(explain(record, PHYSICIAN, actor=actor(AUTHOR))) == {document: (True, "author")}


def pharmacy_type() -> Json:
    return {"coding": [{"system": bodies.LOINC, "code": PHARMACY}]}


def of_a_child(api: ApiClient, stack: Mapping[str, str]) -> tuple[FedRecord, Requester, str]:
    """A child's record, the parent who opened it, and the reference of that parent there."""
    ins, parent = bodies.new_ins(), bodies.new_ins()
    as_parent = requester_patient(bodies.qualified(parent))
    child = {"resource": bodies.patient(ins, birthDate="2012-05-05")}
    body = bodies.opening(ins, patient=child, guardian={"resource": bodies.guardian(parent)})
    opened = api.post("/fhir/Patient/$open", body, as_=as_parent)
    assert opened.status == 201, opened.body
    record = FedRecord(api, opened.id, ins, requester_patient(bodies.qualified(ins)), stack)
    (person,) = [item["sk"]["S"].removeprefix("EP#") for item in record.items() if item["sk"]["S"].startswith("EP#")]
    return record, as_parent, f"RelatedPerson/{record.id}.{person}"


class TestHidingWhatIsHidden:
    def test_an_invisible_document_leaves_no_hint(
        self, record: FedRecord, api: ApiClient, stack: dict[str, str]
    ) -> None:
        """A twin record without the document answers the same, but for the ids."""
        twin = open_record(api, stack)
        secret = hidden(record, "INVISIBLE_PATIENT")
        answers = []
        for one in (record, twin):
            document = one.publish()
            one.authorise(SPECIALIST)
            missing = secret if one is record else f"{twin.id}.{'0' * 26}"
            asked = [explain(one, actor=actor(who)) for who in (SPECIALIST, AUTHOR)]
            asked += [explain(one, document=of_document(which)) for which in (document, missing)]
            answers.append([(answer.status, anonymous(answer.body.decode())) for answer in asked])

        assert answers[0] == answers[1]
        assert [status for status, _ in answers[0]] == [200, 200, 200, 404]
        assert "no-document" in answers[0][3][1]
        told_of = [(e["act"], e["what"], e["reason"]) for e in record.trace() if e["outcome"] == "8"]
        assert told_of == [("explain", [f"Patient/{record.id}/$explain"], "no-document")]

    def test_a_representative_learns_of_no_secret_emergency(self, api: ApiClient, stack: dict[str, str]) -> None:
        record, parent, _ = of_a_child(api, stack)
        document, healer = record.publish(), requester_professional("10108880012", "1690000005")
        before = [explain(record, parent, actor=actor(healer)), explain(record, parent, document=of_document(document))]
        secret = requester_professional("10108880012", "1690000005", is_secret=True)

        declare(record, secret)

        after = [explain(record, parent, actor=actor(healer)), explain(record, parent, document=of_document(document))]
        assert [answer.body for answer in after] == [answer.body for answer in before]
        assert documents(explain(record, actor=actor(healer))) == {document: (True, "emergency")}

    def test_a_representative_learns_of_no_secret_depositor(self, api: ApiClient, stack: dict[str, str]) -> None:
        record, parent, guardian = of_a_child(api, stack)
        secret = requester_professional("10108880013", "1690000006", is_secret=True)
        named = [{"type": "Practitioner", "identifier": {"system": PS_IDNAT, "value": "810101234567"}}]
        document = record.publish(as_=secret, author=named, contained=None)
        mentioned = requester_professional("10101234567", "1690000006")
        asked = [actor(who, structure=at_structure("1690000006")) for who in (secret, mentioned)]
        asked.append({"part": [{"name": "identifier", **at_structure("1690000006")}]})

        hers = explain(record, parent, document=of_document(document))
        rules = [documents(explain(record, parent, actor=one))[document] for one in asked]
        seen = record.api.get(f"/fhir/DocumentReference/{document}", as_=parent)

        anybody = "Tout autre professionnel de santé"
        assert set(people(hers)) == {f"Patient/{record.id}", guardian, "810101234567", anybody}
        assert people(hers)["810101234567"] == [(True, "named-author", [])]
        assert rules == [(False, "not-authorised"), (True, "named-author"), (False, "not-habilitated")]
        assert {"1690000006", "810108880013"}.isdisjoint(re.findall(r"\w+", seen.body.decode()))
        own = people(explain(record, document=of_document(document)))
        assert own["1690000006"] == own["810108880013"] == [(True, "author", [])]


def anonymous(text: str) -> str:
    """An answer without the ids of resources."""
    return re.sub(r"[0-9a-z]{26}(\.[0-9a-z]{26})?", "ID", text)


def test_it_is_traced(record: FedRecord) -> None:
    document = record.publish()

    explain(record, actor=actor())
    explain(record, document=of_document(document))

    asked = [entry for entry in record.trace() if entry["act"] == "explain"]
    whats = sorted(entry["what"][0] for entry in asked)
    assert whats == [f"DocumentReference/{document}", f"Patient/{record.id}/$explain"]
    assert {(entry["action"], entry["outcome"], entry["reason"]) for entry in asked} == {("R", "0", "patient")}


NOT_ASKED_BY = {
    "a professional whom the patient authorised": (SPECIALIST, 403),
    "the author": (AUTHOR, 403),
    "a server": (requester_server(), 403),
    "an agent": (requester_cpam_agent(), 403),
    "another person": (requester_patient(bodies.qualified(bodies.new_ins())), 404),
}


@pytest.mark.parametrize("who", NOT_ASKED_BY)
def test_nobody_else_asks(record: FedRecord, who: str) -> None:
    requester, status = NOT_ASKED_BY[who]
    record.publish()
    record.authorise(SPECIALIST)

    answer = explain(record, requester, actor=actor())
    nonsense = explain(record, requester)

    assert answer.status == nonsense.status == status
    assert [entry["reason"] for entry in record.trace() if entry["act"] == "explain"] != []


def test_a_record_that_is_not_open_explains_nothing(record: FedRecord) -> None:
    record.name_attending_physician(PHYSICIAN)
    close = bodies.parameters(motive={"valueCode": "patient-demande"})
    record.api.post(f"/fhir/Patient/{record.id}/$close", close, as_=record.patient)

    answers = [explain(record, who, actor=actor()) for who in (record.patient, PHYSICIAN)]

    assert [(answer.status, answer.code) for answer in answers] == [(409, "record-closed")] * 2


WRONG: dict[str, tuple[Json, str]] = {
    "neither": ({"other": {"valueCode": "10"}}, "missing-parameter"),
    "both": ({"actor": actor(), "document": of_document(f"{'0' * 26}.{'0' * 26}")}, "invalid-parameter"),
    "no identifier": ({"actor": {"part": [{"name": "profession", "valueCode": "10"}]}}, "missing-parameter"),
    "no profession": ({"actor": actor(profession=None)}, "missing-parameter"),
    "nobody's number": (
        {"actor": {"part": [
            {"name": "identifier", "valueIdentifier": {"system": "urn:oid:1.2.250.1.213.1.4.10", "value": "1"}},
        ]}}, "actor-invalid",
    ),
    "a structure that is a person": ({"actor": actor(structure={
        "valueIdentifier": {"system": PS_IDNAT, "value": "810101234567"}})}, "actor-invalid"),
    "another resource": ({"document": {"valueReference": {"reference": "Binary/1"}}}, "invalid-parameter"),
    "a profession in words": ({"actor": actor(profession=None, profession_text={"valueString": "médecin"})},
                              "missing-parameter"),
    "a document in words": ({"document": {"valueString": TITLE}}, "invalid-parameter"),
}  # fmt: skip


@pytest.mark.parametrize("what", WRONG)
def test_a_wrong_question_is_refused(record: FedRecord, what: str) -> None:
    parameters, code = WRONG[what]

    answer = explain(record, **parameters)

    assert (answer.status, answer.code) == (422, code)


def test_a_document_of_another_record_does_not_exist(record: FedRecord, api: ApiClient, stack: dict[str, str]) -> None:
    other = open_record(api, stack).publish()

    answers = [explain(record, document=of_document(one)) for one in (other, "nonsense")]

    assert [(answer.status, answer.code) for answer in answers] == [(404, "no-document")] * 2


def test_of_a_deleted_document_it_tells_who_reads_its_history(record: FedRecord) -> None:
    document = record.publish()
    assert record.api.delete(f"/fhir/DocumentReference/{document}", as_=AUTHOR).status == 204

    answer = explain(record, document=of_document(document))

    assert people(answer)[AUTHOR.identifier.value] == [(True, "author", [])]
    assert documents(explain(record, actor=actor(AUTHOR))) == {}
    assert json.dumps(TITLE) not in answer.body.decode()
