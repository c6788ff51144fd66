"""Drives the production's services through a history, in one process and without AWS.

Consents, emergencies, closing and the expiry job go through their services, requests through FHIR's reading; deposits
and masks through the decision and the record alone. `tests/history_memory.py` stands for the tables.
"""

import itertools
import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

from dmp.domain.access import decide
from dmp.domain.access_request import AccessRequest
from dmp.domain.audit import Interaction
from dmp.domain.authorisation_state import authorisation_state
from dmp.domain.consent import Consent, ConsentStatus, EmergencyPurpose, PatientRef
from dmp.domain.directives import Lasting
from dmp.domain.document import DocumentEntry, Visibility
from dmp.domain.emergency import Declaration
from dmp.domain.errors import Conflict, Invalid, NotFound, Refused
from dmp.domain.identifiers import SERVICE, Identifier
from dmp.domain.record import Closure, ClosureMotive, Evidence, OpeningMethod
from dmp.domain.requester import Requester, RequesterKind
from dmp.domain.rights import Action as Asked
from dmp.fhir.consent_patch import read_consent_patch
from dmp.fhir.consent_reading import read_consent
from dmp.services.call import Call
from dmp.services.consent_changes import ConsentChangesService, Period
from dmp.services.consents import ConsentsService
from dmp.services.delegations import Delegations
from dmp.services.emergencies import EmergenciesService
from dmp.services.expiry import ExpiryService
from dmp.services.gate import Gate
from dmp.services.notices import Notices
from dmp.services.quotas import Quota, Quotas
from dmp.services.record_changes import RecordChanges
from dmp.services.records import RecordsService
from dmp.services.related_persons import RelatedPersonsService
from dmp.services.wishes import Wishes
from tests import bodies
from tests.histories import Step
from tests.history_calendar import When, instant
from tests.history_memory import RECORD, Memory, Pseudonyms, opened
from tests.oracle import OF_DOCUMENTS
from tests.oracle_adapter import ACTIONS, question, reason_of
from tests.oracle_case import Case
from tests.oracle_people import caller, document_entry, ins, named

_KINDS = {
    "authorise": "authorisation", "block": "block", "attend": "attending-physician", "delegate": "delegation",
    "oppose": "opposition", "masked": "masked-in-emergency", "default": "default-visibility",
}  # fmt: skip
_CHOICES, _DENIALS = {"masked-in-emergency", "default-visibility"}, {"block", "opposition"}
_ROLE_CODE = "http://terminology.hl7.org/CodeSystem/v3-RoleCode"
_ACT_REASON = "http://terminology.hl7.org/CodeSystem/v3-ActReason"
_JOB = Requester(kind=RequesterKind.SERVICE, identifier=Identifier(SERVICE, "consent-expiry"))


class Production:
    """One record, from its opening on."""

    def __init__(self, now: int, birth: str) -> None:
        self._now = instant(now)
        self._memory = memory = Memory(opened(self._now, birth))
        self._made: dict[int, str] = {}
        self._delegates: dict[int, str] = {}
        self._documents: dict[int, DocumentEntry] = {}
        store: Any = memory
        entropy = itertools.count(1)
        keyring: Any = Pseudonyms()
        gate = Gate(store, keyring, lambda: next(entropy).to_bytes(16, "little"))
        notices = Notices(gate, "")
        quotas = Quotas(gate, store, dict.fromkeys(Quota, 1))
        delegations = Delegations(gate, store, store, test_identities=True)
        lasting = Lasting(12, timedelta(days=30))
        self._consents = ConsentsService(
            gate, store, store, delegations, Wishes(store), notices=notices, lasting=lasting
        )
        self._changes = ConsentChangesService(gate, store, store, Wishes(store), lasting)
        self._emergencies = EmergenciesService(gate, store, store, notices, quotas, minutes=60)
        self._records = RecordsService(
            gate, store, RecordChanges(gate, store, store), notices, quotas, archive_years=10
        )
        self._people = RelatedPersonsService(gate, store, store, store, delegations, test_identities=True)
        self._expiry = ExpiryService(gate, store, store, notices)

    def take(self, step: Step) -> tuple[str, str]:
        """Do what a step says: `done`, `denied` by a decision or `invalid` by a rule, with the code."""
        try:
            self._take(step)
        except Refused as refused:
            return "denied", refused.code
        except Conflict as conflict:
            return ("denied" if conflict.code == "record-closed" else "invalid"), conflict.code
        except NotFound as missing:
            return "denied", "no-record" if missing.code == "no-record" else "hidden"
        except Invalid as invalid:
            return "invalid", invalid.code
        return "done", ""

    def answer(self, case: Case, number: int) -> tuple[bool, str]:
        """Decide on a question of the oracle, about the document of a step where it is about one."""
        decision = decide(self._question(case, number))
        return decision.permit, reason_of(decision)

    def standing(self, case: Case) -> str:
        """The state of the caller's authorisation as TD0.2 tells it."""
        return authorisation_state(self._question(case, -1)).value

    def _question(self, case: Case, number: int) -> AccessRequest:
        requester, action = caller(case.who), ACTIONS[case.action]
        asked = question(case, requester)
        if case.action in OF_DOCUMENTS:
            asked = {"document": self._documents[number]}
        record = self._memory.existing(RECORD)
        return AccessRequest(requester=requester, action=action, record=record, now=self._now, **asked)

    def _take(self, step: Step) -> None:
        call = Call(requester=caller(step.by), now=self._now, request_id="r")
        match step.kind:
            case "wait":
                self._now = instant(int(self._now.timestamp()) + step.seconds)
            case "job":
                self._expiry.sweep(Call(requester=_JOB, now=self._now, request_id="r"), lambda: 900.0)
            case "renew" | "revoke":
                self._amend(call, step)
            case "forget":
                self._people.delete(call, RECORD, self._delegates[step.target])
            case "emergency":
                self._declare(call, step)
            case "deposit" | "mask":
                self._document(call, step)
            case "close" | "reopen":
                self._open_or_close(call, step.kind)
            case _:
                self._create(call, step)

    def _open_or_close(self, call: Call, kind: str) -> None:
        if kind == "close":
            closure = Closure(self._now, ClosureMotive.PATIENT, "")
            self._records.close(call, RECORD, lambda: (closure, "au guichet"))
        else:
            evidence = Evidence(method=OpeningMethod.WRITTEN, date=self._now, attestation="au guichet")
            self._records.reopen(call, RECORD, lambda: evidence)

    def _create(self, call: Call, step: Step) -> None:
        body, now = consent_body(step), self._now
        consent, _ = self._consents.create(call, PatientRef(record=RECORD), lambda: read_consent(body, now))
        self._made[step.number] = consent.local
        self._delegates[step.number] = consent.delegate or ""

    def _amend(self, call: Call, step: Step) -> None:
        value = {"path": "/status", "value": "inactive"}
        if step.kind == "renew":
            value = {"path": "/provision/period/end", "value": fhir_time(step.end) or ""}
        patch = json.dumps([{"op": "replace", **value}]).encode()

        def period(_: Consent) -> Period | None:
            asked = read_consent_patch(patch, "application/json-patch+json")
            return None if asked.status is ConsentStatus.INACTIVE else (asked.period_start, asked.period_end)

        local = self._made[step.target]
        self._changes.amend(call, RECORD, local, period, interaction=Interaction.PATCH)

    def _declare(self, call: Call, step: Step) -> None:
        declaration = Declaration(EmergencyPurpose(step.purposes[0]), "inconscient")
        consent = self._emergencies.declare(call, PatientRef(record=RECORD), lambda: declaration)
        self._made[step.number] = consent.local

    def _document(self, call: Call, step: Step) -> None:
        record = self._memory.existing(RECORD)
        ask = AccessRequest(requester=call.requester, action=Asked.FEED, record=record, now=self._now)
        if step.kind == "deposit" and step.document:
            entry = document_entry(step.document)
            default = {Visibility.MASQUE_PS} if record.masks_new_documents(self._now) else set()
            _admit(ask)
            self._documents[step.number] = replace(entry, visibility=entry.visibility | default)
        else:
            entry = self._documents[step.target]
            _admit(replace(ask, action=Asked.MASK, document=entry))
            others = entry.visibility - {Visibility.MASQUE_PS}
            masked = {Visibility.MASQUE_PS} if step.choice == "deny" else set()
            self._documents[step.target] = replace(entry, visibility=others | masked)


def _admit(request: AccessRequest) -> None:
    decision = decide(request)
    if not decision.permit:
        raise NotFound(decision.reason) if decision.hidden else Refused(decision.reason)


def consent_body(step: Step) -> dict[str, Any]:
    """The Consent that a client sends for a step."""
    kind, actor = _KINDS[step.kind], named(step.actor)
    permit = step.choice if kind in _CHOICES else "deny" if kind in _DENIALS else "permit"
    purposes = ("BTG",) if kind == "masked-in-emergency" else step.purposes
    period = {"start": fhir_time(step.start), "end": fhir_time(step.end)}
    provision = {
        "purpose": [{"system": _ACT_REASON, "code": code} for code in purposes],
        "period": {name: text for name, text in period.items() if text},
    }
    said = {name: value for name, value in provision.items() if value}
    if kind != "delegation":
        return bodies.consent(
            RECORD, kind, permit, actor.value if actor else None, actor.system if actor else "", **said
        )
    body = bodies.consent(RECORD, kind, permit, None, "", **said)
    body["provision"]["actor"] = [{"reference": {"reference": "#p"}}]
    return {**body, "contained": [_related_person(step)]}


def _related_person(step: Step) -> dict[str, Any]:
    identifier = ins(step.actor or "")
    return {
        "resourceType": "RelatedPerson",
        "id": "p",
        "patient": {"reference": f"Patient/{RECORD}"},
        "identifier": [{"system": identifier.system, "value": identifier.value}],
        "relationship": [{"coding": [{"system": _ROLE_CODE, "code": step.code}]}],
        "name": [{"family": "PAT-TEST", "given": ["CAMILLE"]}],
    }


def fhir_time(at: When | None) -> str | None:
    """An instant in UTC or a day alone, as FHIR writes it."""
    if at is None:
        return None
    return instant(at).isoformat() if isinstance(at, int) else at.isoformat()
