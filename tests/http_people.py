"""People who call a running local stack over HTTP, each with a token that its issuers signed."""

from dataclasses import dataclass
from typing import Any

import httpx

from infra.local.process import LocalProcess
from tests import bodies
from tests.token_factory import professional_claims

type Json = dict[str, Any]
FHIR = {"content-type": "application/fhir+json"}


@dataclass(frozen=True)
class Caller:
    """One caller; `actor` is the identifier by which a Consent names them."""

    stack: LocalProcess
    token: str
    actor: str = ""

    def get(self, path: str, **headers: str) -> httpx.Response:
        return self._send("GET", path, None, headers)

    def post(self, path: str, body: Any = None, **headers: str) -> httpx.Response:
        return self._send("POST", path, body, headers)

    def patch(self, path: str, body: Any) -> httpx.Response:
        return self._send("PATCH", path, body, {"content-type": "application/json-patch+json"})

    def put(self, path: str, body: Any) -> httpx.Response:
        return self._send("PUT", path, body, {})

    def delete(self, path: str) -> httpx.Response:
        return self._send("DELETE", path, None, {})

    def _send(self, method: str, path: str, body: Any, headers: dict[str, str]) -> httpx.Response:
        url = path if path.startswith("http") else f"{self.stack.url}/fhir/{path}".rstrip("/")
        sent = {**FHIR, **headers, "authorization": f"Bearer {self.token}"}
        return httpx.request(method, url, json=body, headers=sent, timeout=30)


def professional(stack: LocalProcess, rpps: str, structure: str = "1690000005", **claims: Any) -> Caller:
    """A physician with a card; see `professional_claims` for what can be told short."""
    told = professional_claims(rpps=rpps, structure=structure, **claims)
    return Caller(stack, stack.token("pro-sante-connect", told), f"8{rpps}")


def employee(stack: LocalProcess, structure: str) -> Caller:
    """A secretary with a CPE card."""
    claims = {"Identifiant_Structure": structure, "Authentification_Mode": "DIRECTE", "subject_id": "secretaire-7"}
    return Caller(stack, stack.token("establishment", claims))


def server(stack: LocalProcess, structure: str) -> Caller:
    """The software of a structure, with its certificate alone."""
    claims = {"Identifiant_Structure": structure, "Authentification_Mode": "INDIRECTE"}
    return Caller(stack, stack.token("establishment", claims))


def person(stack: LocalProcess, ins: str) -> Caller:
    """A person by the own INS."""
    return Caller(stack, stack.token("patient", {"ins": bodies.qualified(ins)}))


def insurer(stack: LocalProcess, role: str) -> Caller:
    """The desk or the feed of the health insurance."""
    return Caller(stack, stack.token("insurer", {"role": role, "agent_id": "agent-7"}))


@dataclass(frozen=True)
class HttpRecord:
    """One record over HTTP; its patient decides."""

    stack: LocalProcess
    ins: str
    id: str
    patient: Caller

    def consent(self, kind: str, permit: str, actor: str | None = None, **provision: Any) -> str:
        """The patient makes a Consent; its id."""
        body = bodies.consent(self.id, kind, permit, actor, "urn:oid:1.2.250.1.71.4.2.1", **provision)
        answer = self.patient.post("Consent", body)
        assert answer.status_code == 201, answer.text
        return str(answer.json()["id"])

    def authorise(self, who: Caller, **provision: Any) -> str:
        return self.consent("authorisation", "permit", who.actor, **provision)

    def revoke(self, consent: str) -> None:
        body = [{"op": "replace", "path": "/status", "value": "inactive"}]
        assert self.patient.patch(f"Consent/{consent}", body).status_code == 200

    def deposit(self, who: Caller, content: bytes = bodies.PDF, **elements: Any) -> str:
        """Somebody deposits a document; its id."""
        answer = who.post("DocumentReference", bodies.document(self.id, content, **elements))
        assert answer.status_code == 201, answer.text
        return str(answer.json()["id"])

    def mask(self, document: str) -> None:
        assert self.patient.patch(f"DocumentReference/{document}", bodies.MASK).status_code == 200

    def declare(self, who: Caller, mode: str = "BTG", reason: str = "Patient inconscient") -> httpx.Response:
        body = bodies.parameters(mode={"valueCode": mode}, reason={"valueString": reason})
        return who.post(f"Patient/{self.id}/$emergency-access", body)

    def search(self, who: Caller) -> httpx.Response:
        return who.get(f"DocumentReference?patient={self.id}&status=current")

    def found(self, who: Caller) -> list[str]:
        answer = self.search(who)
        assert answer.status_code == 200, answer.text
        return [entry["resource"]["id"] for entry in answer.json().get("entry", [])]

    def close(self) -> None:
        body = bodies.parameters(motive={"valueCode": "patient-demande"}, reason={"valueString": "Ne souhaite plus"})
        assert self.patient.post(f"Patient/{self.id}/$close", body).status_code == 200

    def trace(self) -> list[Json]:
        answer = self.patient.get(f"AuditEvent?patient={self.id}&_count=100")
        assert answer.status_code == 200, answer.text
        return [entry["resource"] for entry in answer.json().get("entry", [])]


def opened(stack: LocalProcess, **patient: Any) -> HttpRecord:
    """A new record, opened by its patient."""
    ins = bodies.new_ins()
    caller = person(stack, ins)
    body = bodies.opening(
        ins, patient={"resource": bodies.patient(ins, **patient)}, date={"valueDateTime": "2026-01-01"}
    )
    answer = caller.post("Patient/$open", body)
    assert answer.status_code == 201, answer.text
    return HttpRecord(stack, ins, str(answer.json()["id"]), caller)


def code(answer: httpx.Response) -> str:
    """The code of an OperationOutcome."""
    return str(answer.json()["issue"][0]["details"]["coding"][0]["code"])
