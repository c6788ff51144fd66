"""Lines of reimbursement as the insurer feeds them, one by one and in batches."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

from dmp.domain.civil_time import PARIS
from tests import bodies
from tests.api_client import ApiClient, Caller, Response
from tests.requester_factories import requester_cnam_feed

FEED = requester_cnam_feed()
URL = "/fhir/ExplanationOfBenefit"
SYSTEM = "https://insurer.example/lines"
ACTS = "https://insurer.example/acts"
HL7 = "http://terminology.hl7.org/CodeSystem"
CONSULTATION = "GS"

type Json = dict[str, Any]


def line(
    patient: str | Json, *, care: str = "", act: str = CONSULTATION, identifier: str = "", **elements: Any
) -> Json:
    """A consultation of a fortnight ago that was paid; an element given as None is left out.

    `patient` is an id or a Reference.
    """
    day = care or (datetime.now(PARIS) - timedelta(days=14)).date().isoformat()
    net = {"value": 31.5, "currency": "EUR"}
    paid = {"category": _concept(f"{HL7}/adjudication", "benefit"), "amount": {"value": 20.05, "currency": "EUR"}}
    body = {
        "resourceType": "ExplanationOfBenefit",
        "identifier": [{"system": SYSTEM, "value": identifier or uuid4().hex}],
        "status": "active",
        "type": _concept(f"{HL7}/claim-type", "professional"),
        "use": "claim",
        "patient": {"reference": f"Patient/{patient}"} if isinstance(patient, str) else patient,
        "created": "2026-02-20T06:30:00+01:00",
        "insurer": {"identifier": {"system": "https://sirene.fr", "value": "180035024"}, "display": "CNAM"},
        "provider": {"identifier": {"system": "urn:oid:1.2.250.1.71.4.2.1", "value": "810101234567"}},
        "outcome": "complete",
        "insurance": [{"focal": True, "coverage": {"display": "Régime général"}}],
        "item": [
            {
                "sequence": 1,
                "productOrService": _concept(ACTS, act),
                "servicedDate": day,
                "net": net,
                "adjudication": [paid],
            }
        ],
        "total": [{"category": paid["category"], "amount": paid["amount"]}],
        "payment": {"date": "2026-02-19", "amount": paid["amount"]},
        **elements,
    }
    return {name: value for name, value in body.items() if value is not None}


def by_ins(ins: str) -> Json:
    """A reference to whoever has an INS of TEST."""
    return {"reference": f"Patient?identifier={bodies.qualified(ins)}"}


def secret(body: Json) -> Json:
    """A line that its feeder marks as hidden from legal representatives."""
    system = "https://mos.esante.gouv.fr/NOS/TRE_A07-StatutVisibiliteDocument/FHIR/TRE-A07-StatutVisibiliteDocument"
    return {**body, "meta": {"security": [{"system": system, "code": "INVISIBLE_REPRESENTANTS_LEGAUX"}]}}


def batch(*lines: object, **request: Any) -> Json:
    """A batch that creates these lines; `request` are elements of the request of each."""
    asked = {"method": "POST", "url": "ExplanationOfBenefit", **request}
    entries = [{"fullUrl": f"urn:uuid:{uuid4()}", "resource": one, "request": asked} for one in lines]
    return {"resourceType": "Bundle", "type": "batch", "entry": entries}


def feed(api: ApiClient, body: Json, as_: Caller = FEED, **options: Any) -> Response:
    """Feed one line."""
    return api.post(URL, body, as_=as_, **options)


def fed(api: ApiClient, body: Json) -> Response:
    """Feed one new line, which succeeds."""
    answer = feed(api, body)
    assert answer.status == 201, answer.body
    return answer


def feed_batch(api: ApiClient, body: Json, as_: Caller = FEED, **options: Any) -> Response:
    """Feed a batch."""
    return api.post("/fhir", body, as_=as_, **options)


def statuses(answer: Response) -> list[str]:
    """The statuses of a batch, and the codes of what went wrong."""
    assert answer.status == 200, answer.body
    assert answer.json["type"] == "batch-response"
    return [_status(entry["response"]) for entry in answer.json["entry"]]


def _status(response: Mapping[str, Any]) -> str:
    code = response["status"].partition(" ")[0]
    if "outcome" not in response:
        return str(code)
    return f"{code} {response['outcome']['issue'][0]['details']['coding'][0]['code']}"


def _concept(system: str, code: str) -> Json:
    return {"coding": [{"system": system, "code": code}]}
