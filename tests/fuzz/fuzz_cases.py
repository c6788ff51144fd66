"""One request of each kind, spoilt at random: what a seed gives is always the same."""

import base64
import json
from collections.abc import Callable
from datetime import UTC, date, datetime
from random import Random
from urllib.parse import quote, urlencode

from dmp.domain.identifiers import INS_NIR_TEST
from infra.local import demo_documents
from infra.local.demo_cda import DemoPatient
from tests import bodies, fhir_factories
from tests.fed_record import AUTHOR, HOSPITAL
from tests.fuzz import cda_mutations, json_mutations, profile_cases
from tests.fuzz.fuzzed_record import FuzzedRecord
from tests.reimbursements import FEED, URL, batch, line

_AT = datetime(2026, 2, 27, 10, tzinfo=UTC)
_FHIR, _JSON_PATCH, _FORM = "application/fhir+json", "application/json-patch+json", "application/x-www-form-urlencoded"
_PARAMETERS = (
    "patient", "patient.identifier", "subject", "status", "date", "creation", "period", "author.family",
    "author.identifier",
    "author", "type", "category", "format", "facility", "setting", "event", "security-label", "related", "identifier",
    "isArchived", "_count", "_sort", "_include", "_total", "_cursor", "_lastUpdated", "_id", "code", "source",
    "_format",
    "designationType", "sourceId", "content-type", "description", "_elements", "_summary", "period:missing", "type:not",
)  # fmt: skip
_VALUES = (
    "", "current", "superseded", "current,superseded", "a|b", "|", "|b", "a|", ",", "a,b", "\\,", "ge2026",
    "lt2026-02-30", "2026-01-01",
    "ge2026-01-01T00:00:00+01:00", "eq9999-12-31", "ap2026", "xx2026", "0", "-1", "101", "20", "9" * 50, "date",
    "-date", "_x", "true",
    "false", "none", "accurate", "DocumentReference:author", "*", "http://loinc.org|11490-0", "11490-0", "Patient/a",
    "#", "é", "\x00",
    "\u202e", "a" * 3_000, "eyJ9", "AAAA", "%", "$", "urn:oid:1.2.3", "List/a", "json", "xml", "\ud7ff",
    "https://dmp.example/fhir/Patient/a",
)  # fmt: skip


def cda(target: FuzzedRecord, chance: Random) -> None:
    """ITI-105, or ITI-106, of a spoilt CDA; what is taken is read as a page, too."""
    content = cda_mutations.spoilt(_document(target, chance), chance)
    whole = bodies.document(target.fed.id, content, content_type="application/xml", attachment={"title": None})
    kept = ("resourceType", "status", "subject", "content") + (("masterIdentifier",) if chance.random() < 0.5 else ())
    if chance.random() < 0.5:
        data = base64.b64encode(content).decode()
        binary = {"resourceType": "Binary", "contentType": "application/xml", "data": data}
        body = bodies.parameters(document={"resource": binary})
        target.send("POST", "/fhir/DocumentReference/$generate-metadata", body, as_=AUTHOR)
        return
    answer = target.send("POST", "/fhir/DocumentReference", {name: whole[name] for name in kept}, as_=AUTHOR)
    if answer.status == 201:
        page = target.fed.api.get(f"/fhir/Binary/{answer.id}", as_=AUTHOR, headers={"Accept": "text/html"})
        assert page.status in {200, 406}


def publication(target: FuzzedRecord, chance: Random) -> None:
    """ITI-105 of a spoilt DocumentReference."""
    body = bodies.document(target.fed.id, chance.choice((bodies.PDF, b"Bonjour")))
    target.send("POST", "/fhir/DocumentReference", json.dumps(json_mutations.spoilt(body, chance)).encode(), as_=AUTHOR)


def submission(target: FuzzedRecord, chance: Random) -> None:
    """ITI-65 of a spoilt Bundle, of level Minimal or of PDSm."""
    if chance.random() < 0.5:
        body = bodies.submission(target.fed.id, bodies.PDF, level=chance.choice(("Minimal", "Comprehensive")))
    else:
        text = json.dumps(fhir_factories.bundle()).replace(fhir_factories.INS, target.fed.ins)
        body = json.loads(text.replace(fhir_factories.INS_SYSTEM, INS_NIR_TEST))
    target.send("POST", "/fhir", json.dumps(json_mutations.spoilt(body, chance)).encode(), as_=HOSPITAL)


def text(target: FuzzedRecord, chance: Random) -> None:
    """ITI-105 and ITI-65 whose JSON is broken."""
    if chance.random() < 0.5:
        target.send("POST", "/fhir", json_mutations.spoilt_text(bodies.submission(target.fed.id), chance), as_=HOSPITAL)
    else:
        body = json_mutations.spoilt_text(bodies.document(target.fed.id), chance)
        target.send("POST", "/fhir/DocumentReference", body, as_=AUTHOR)


def patch(target: FuzzedRecord, chance: Random) -> None:
    """A spoilt patch, in both languages, by id and by identifier."""
    found = target.state()[0]
    documents = sorted(sort for sort in found if sort.startswith("D#"))
    local = documents[0].rpartition("#")[2] if documents else "a"
    where = f"/{target.fed.id}.{local}" if chance.random() < 0.9 else "?identifier=urn:ietf:rfc:3986|urn:oid:1.2.3"
    body, media = chance.choice(((bodies.MASK, _JSON_PATCH), (_FHIRPATH, _FHIR), (_ARCHIVE, _JSON_PATCH)))
    spoilt = json.dumps(json_mutations.spoilt(body, chance)).encode()
    target.send("PATCH", f"/fhir/DocumentReference{where}", spoilt, as_=target.fed.patient, content_type=media)


def search(target: FuzzedRecord, chance: Random) -> None:
    """A search of documents or lists with parameters that mean something, or nothing, or too much."""
    kind = chance.choice(("DocumentReference", "List"))
    pairs = [("patient", target.fed.id), ("status", "current")][: chance.choice((0, 1, 2, 2, 2))]
    pairs += [(chance.choice(_PARAMETERS), chance.choice(_VALUES)) for _ in range(chance.randint(1, 4))]
    query = urlencode(pairs, errors="replace")
    if chance.random() < 0.2:
        query = quote(query[: chance.randint(0, len(query))], safe="=&%+") + chance.choice(
            ("&", "=", "%", "%ff", "&&=", ";")
        )
    if chance.random() < 0.3:
        target.send("POST", f"/fhir/{kind}/_search", query.encode(), as_=target.fed.patient, content_type=_FORM)
    else:
        target.send("GET", f"/fhir/{kind}?{query}", as_=target.fed.patient)


def reimbursement(target: FuzzedRecord, chance: Random) -> None:
    """A spoilt line of reimbursement, alone or beside a sound one; what is taken is read."""
    body = line(target.fed.id, identifier=str(chance.random()), care=chance.choice(("", "2026", "1900-01-01")))
    if chance.random() < 0.5:
        target.send("POST", URL, json.dumps(json_mutations.spoilt(body, chance)).encode(), as_=FEED)
        return
    sound = line(target.fed.id, identifier=str(chance.random()))
    sent = json_mutations.spoilt(batch(body, sound, ifNoneExist="identifier=a|b"), chance)
    answer = target.send("POST", "/fhir", json.dumps(sent).encode(), as_=FEED)
    if answer.status == 200:
        assert not any(entry["response"]["status"].startswith("5") for entry in answer.json["entry"])
    target.send("GET", f"{URL}?patient={target.fed.id}&_count=3", as_=target.fed.patient)


_ARCHIVE = [{"op": "replace", "path": "/extension[url:'https://interop.esante.gouv.fr/ig/fhir/pdsm/StructureDefinition/"
             "pdsm-ext-is-archived']/valueBoolean", "value": True}]  # fmt: skip
_FHIRPATH = {
    "resourceType": "Parameters",
    "parameter": [
        {
            "name": "operation",
            "part": [
                {"name": "type", "valueCode": "add"},
                {"name": "path", "valueString": "DocumentReference"},
                {"name": "name", "valueString": "securityLabel"},
                {"name": "value", "valueCodeableConcept": bodies.MASK[0]["value"]},
            ],
        }
    ],
}
KINDS: dict[str, Callable[[FuzzedRecord, Random], None]] = {
    "cda": cda,
    "publication": publication,
    "submission": submission,
    "text": text,
    "patch": patch,
    "search": search,
    "reimbursement": reimbursement,
    "profile": profile_cases.entry,
}


def _document(target: FuzzedRecord, chance: Random) -> bytes:
    patient = DemoPatient(target.fed.ins, INS_NIR_TEST, "PAT-TEST", "DOMINIQUE", date(1979, 3, 28), "F")
    unique = f"2.25.{chance.getrandbits(120)}.1"
    make = chance.choice(
        (demo_documents.discharge_letter, demo_documents.medical_synthesis, demo_documents.biology_report,
         demo_documents.wrapped_consultation)
    )  # fmt: skip
    return make(patient, unique, _AT)
