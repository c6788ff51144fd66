"""The DMP's transactions TD0.2 to TD3.3d in order, over HTTP, in the shapes that the draft shows them."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import quote, urlencode

import httpx
import pytest

from infra.local.process import LocalProcess
from tests import bodies, dmp_messages
from tests.http_people import FHIR, Caller, code, person, professional

type Json = dict[str, Any]

FORM = {"content-type": "application/x-www-form-urlencoded"}
CDA = b'<?xml version="1.0" encoding="UTF-8"?><ClinicalDocument xmlns="urn:hl7-org:v3"/>'
FIRST, SECOND = b"%PDF-1.4 premier\n%%EOF\n", b"%PDF-1.4 second\n%%EOF\n"
AUTHORISATION = "https://interop.esante.gouv.fr/ig/fhir/dmp/StructureDefinition/dmp-autorisation"


@pytest.fixture(scope="module")
def stack() -> Iterator[LocalProcess]:
    with LocalProcess(seed="none", LOG_LEVEL="ERROR") as stack:
        yield stack


class Journey:
    """One person, whose record a hospital physician opens and feeds, and a specialist reads."""

    def __init__(self, stack: LocalProcess) -> None:
        self.ins = bodies.new_ins()
        self.author = professional(stack, "10109999991", "1750100125")
        self.reader = professional(stack, "10102222222", "1690000005")
        self.patient = person(stack, self.ins)
        self.stack = stack
        self.record = ""

    @property
    def by_ins(self) -> str:
        return quote(bodies.qualified(self.ins), safe=":")

    def existence(self, who: Caller) -> list[Json]:
        """TD0.2."""
        answer = who.get(f"Patient?identifier={self.by_ins}")
        assert answer.status_code == 200, answer.text
        return [entry["resource"] for entry in answer.json().get("entry", [])]

    def open(self) -> None:
        """TD1.1: a professional opens for the person who agreed."""
        body = bodies.opening(self.ins, attestation=bodies.attested(), method={"valueCode": "verbal"})
        answer = self.author.post("Patient/$open", body)
        assert answer.status_code == 201, answer.text
        self.record = answer.json()["id"]

    def found(self, who: Caller, **parameters: str) -> list[Json]:
        """TD3.1, both ways: GET, and POST _search; they find the same."""
        asked = {"patient.identifier": bodies.qualified(self.ins), "status": "current", **parameters}
        got = who.get(f"DocumentReference?{urlencode(asked)}")
        posted = httpx.post(
            f"{self.stack.url}/fhir/DocumentReference/_search",
            data=asked,
            headers={**FORM, "authorization": f"Bearer {who.token}"},
        )
        assert (got.status_code, posted.status_code) == (200, 200), got.text
        matches = [[entry["resource"] for entry in one.json().get("entry", [])] for one in (got, posted)]
        assert matches[0] == matches[1]
        assert self.ins not in str(got.json()["link"])
        return matches[0]

    def ids(self, who: Caller, **parameters: str) -> list[str]:
        return [one["id"] for one in self.found(who, **parameters)]

    def patched(self, who: Caller, document: Json, body: Any) -> httpx.Response:
        """TD3.3: a conditional PATCH, by the document's unique id."""
        master = document["masterIdentifier"]
        url = f"{self.stack.url}/fhir/DocumentReference?identifier={quote(master['system'] + '|' + master['value'])}"
        kind = FHIR if isinstance(body, dict) else {"content-type": "application/json-patch+json"}
        return httpx.patch(url, json=body, headers={**kind, "authorization": f"Bearer {who.token}"})


@pytest.fixture(scope="module")
def journey(stack: LocalProcess) -> Journey:
    """A record that was opened, fed and authorised: TD0.2, TD1.1, TD0.3, TD2.1."""
    journey = Journey(stack)
    assert journey.existence(journey.author) == []
    journey.open()
    return journey


@pytest.fixture(scope="module")
def document(journey: Journey) -> Json:
    """What TD2.1 fed, then TD2.2 replaced: the new one."""
    author = journey.author
    fed = author.post("", dmp_messages.submitted(journey.ins, author.actor, FIRST))
    assert fed.status_code == 200, fed.text
    first = located(fed)
    replaced = author.post("", dmp_messages.submitted(journey.ins, author.actor, SECOND, replaced=first))
    assert replaced.status_code == 200, replaced.text
    assert [entry["response"]["status"][:3] for entry in replaced.json()["entry"]] == ["201", "201", "200", "201"]
    assert author.get(f"DocumentReference/{first}").json()["status"] == "superseded"
    second: Json = author.get(f"DocumentReference/{located(replaced)}").json()
    assert second["relatesTo"][0]["target"]["reference"].endswith(first)
    return second


def test_td0_2_and_td0_3_tell_and_give_the_authorisation(journey: Journey) -> None:
    (before,) = journey.existence(journey.reader)

    attested = bodies.authorisation(journey.record, journey.reader.actor)
    attested["performer"] = [{"reference": f"Patient/{journey.record}"}]
    given = journey.reader.post("Consent", attested)

    (after,) = journey.existence(journey.reader)
    assert given.status_code == 201, given.text
    assert before["active"] is True
    assert [state(before), state(after)] == ["NON_EXISTE", "VALIDE"]


def located(answer: httpx.Response) -> str:
    """The id of the document of a bundle, which stands second in it."""
    return str(answer.json()["entry"][1]["response"]["location"].split("/")[1])


def state(patient: Json) -> str:
    return next(str(one["valueCode"]) for one in patient["extension"] if one["url"] == AUTHORISATION)


def test_td1_3_to_td1_5_change_contacts_close_and_reopen(stack: LocalProcess) -> None:
    journey = Journey(stack)
    journey.open()
    place = f"Patient/{journey.record}"
    mail = {"op": "add", "path": "/telecom/-", "value": {"system": "email", "value": "camille@example.org"}}

    assert journey.patient.patch(place, [mail]).status_code == 200
    closing = bodies.parameters(motive={"valueCode": "patient-demande"}, reason={"valueString": "Ne souhaite plus"})
    assert journey.patient.post(f"{place}/$close", closing).status_code == 200
    (closed,) = journey.existence(journey.author)
    reopening = bodies.parameters(method={"valueCode": "electronic"}, date={"valueDateTime": "2026-01-02"})
    assert journey.patient.post(f"{place}/$reopen", reopening).status_code == 200
    (reopened,) = journey.existence(journey.author)

    assert (closed["active"], reopened["active"]) == (False, True)
    assert "patient-demande" in str(closed["extension"])


def test_td2_1_simplified_publication_takes_the_example_of_the_draft(journey: Journey) -> None:
    body = dmp_messages.published(journey.ins, journey.author.actor, CDA, "application/xml")

    answer = journey.author.post("DocumentReference", body)

    assert answer.status_code == 201, answer.text
    assert answer.headers["location"].endswith(f"DocumentReference/{answer.json()['id']}/_history/1")
    assert journey.author.get(f"Binary/{answer.json()['id']}", accept="*/*").content == CDA


def test_td3_1_finds_and_td3_2_retrieves_what_td2_2_fed(journey: Journey, document: Json) -> None:
    for parameters in (
        {"type": "http://loinc.org|11488-4"},
        {"identifier": f"{document['masterIdentifier']['system']}|{document['masterIdentifier']['value']}"},
        {"period": "ge2026-02-12", "_sort": "-date"},
        {"facility": "http://snomed.info/sct|22232009"},
    ):
        assert document["id"] in journey.ids(journey.author, **parameters)

    url = document["content"][0]["attachment"]["url"]
    answer = journey.author.get(url, accept="application/pdf")

    assert (answer.content, answer.headers["content-type"]) == (SECOND, "application/pdf")
    assert journey.author.get(url, **{"if-none-match": answer.headers["etag"]}).status_code == 304
    assert journey.author.get(url, accept="*/*", range="bytes=0-3").content == SECOND[:4]
    assert journey.author.get(url, accept="application/fhir+json").json()["resourceType"] == "Binary"


def test_td3_3a_masks_under_either_name_of_the_code_system(journey: Journey, document: Json) -> None:
    for system in (dmp_messages.VISIBILITY, dmp_messages.MISSPELT):
        mask = [{"op": "add", "path": "/securityLabel/-", "value": dmp_messages.label("MASQUE_PS", system)}]

        masked = journey.patched(journey.author, document, mask)
        hidden = document["id"] in journey.ids(journey.author), document["id"] in journey.ids(journey.patient)
        shown = journey.patched(
            journey.patient, document, [{"op": "replace", "path": "/securityLabel", "value": [dmp_messages.normal()]}]
        )

        assert masked.status_code == 200, masked.text
        assert [one["coding"][0] for one in masked.json()["securityLabel"]][1]["system"] == dmp_messages.VISIBILITY
        assert hidden == (True, True)
        assert [one["coding"][0]["code"] for one in shown.json()["securityLabel"]] == ["N"]


def test_td3_3b_hides_from_the_patient_and_shows_again(journey: Journey, document: Json) -> None:
    hide = dmp_messages.fhirpath(
        {"type": "add", "path": "DocumentReference", "name": "securityLabel"},
        {"valueCodeableConcept": dmp_messages.label("INVISIBLE_PATIENT")},
    )
    show = dmp_messages.fhirpath(
        {"type": "delete", "path": "DocumentReference.securityLabel.where(coding.code='INVISIBLE_PATIENT')"}
    )

    assert journey.patched(journey.author, document, hide).status_code == 200
    assert document["id"] not in journey.ids(journey.patient)
    assert journey.patched(journey.author, document, show).status_code == 200
    assert document["id"] in journey.ids(journey.patient)


@pytest.mark.parametrize("quotation", ['"', "'"])
def test_td3_3d_archives_by_the_path_of_the_draft(journey: Journey, document: Json, quotation: str) -> None:
    path = f"/extension[url:{quotation}{dmp_messages.IS_ARCHIVED}{quotation}]/valueBoolean"

    archived = journey.patched(journey.author, document, [{"op": "add", "path": path, "value": True}])
    back = journey.patched(journey.author, document, [{"op": "replace", "path": path, "value": False}])

    assert archived.status_code == 200, archived.text
    assert [one["valueBoolean"] for one in archived.json()["extension"]] == [True]
    assert [one["valueBoolean"] for one in back.json()["extension"]] == [False]


def test_a_status_with_a_space_behind_it_is_that_status(journey: Journey, document: Json) -> None:
    answer = journey.patched(journey.author, document, [{"op": "replace", "path": "/status", "value": "current "}])

    assert (answer.status_code, answer.json()["status"]) == (200, "current")


def test_td3_3_changes_nothing_else_and_nothing_for_others(journey: Journey, document: Json) -> None:
    title = [{"op": "replace", "path": "/content/0/attachment/title", "value": "Autre"}]
    archive = [{"op": "add", "path": "/extension/-", "value": {"url": dmp_messages.IS_ARCHIVED, "valueBoolean": True}}]
    stranger = professional(journey.stack, "10103333333", "1310000003")

    assert journey.patched(journey.author, document, title).status_code == 405
    assert journey.patched(stranger, document, archive).status_code == 404


def test_td3_3c_deletes_for_everybody(journey: Journey) -> None:
    body = dmp_messages.published(journey.ins, journey.author.actor, FIRST, "application/pdf")
    made = journey.author.post("DocumentReference", body).json()

    deletion = dmp_messages.fhirpath(
        {"type": "replace", "path": "DocumentReference.status"}, {"valueCode": "entered-in-error"}
    )
    by_another = journey.patched(journey.patient, made, deletion)
    deleted = journey.patched(journey.author, made, deletion)

    assert by_another.status_code in {403, 404}
    assert (deleted.status_code, deleted.json()["status"]) == (200, "entered-in-error")
    gone = journey.author.get(f"DocumentReference/{made['id']}")
    assert (gone.status_code, code(gone)) == (410, "gone")
    assert made["id"] not in journey.ids(journey.author)
