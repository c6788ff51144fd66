"""The way into a record: every request is decided, and every decision traced, before anything is answered."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, NoReturn

from dmp.domain.access import decide
from dmp.domain.access_request import AccessRequest, Decision
from dmp.domain.audit import AuditAction, AuditEntry, AuditOutcome, Interaction
from dmp.domain.changes import Trace
from dmp.domain.clinical_profile import ProfileKind
from dmp.domain.consent import Consent, ConsentKind
from dmp.domain.errors import DmpError, NotFound, Refused, TooManyRequests
from dmp.domain.identifiers import PSEUDONYM, RECORD, Identifier, local_id
from dmp.domain.record import Record
from dmp.domain.requester import RequesterKind
from dmp.domain.rights import Action
from dmp.services.call import Call

if TYPE_CHECKING:
    from dmp.adapters.keyring import Keyring
    from dmp.adapters.ledger import Ledger

_PURPOSES = {
    RequesterKind.PATIENT: "PATRQT",
    RequesterKind.CPAM_AGENT: "HOPERAT",
    RequesterKind.CNAM_FEED: "HPAYMT",
    RequesterKind.SERVICE: "HSYSADMIN",
}
TREATMENT = "TREAT"
_MISSING: dict[str, str] = {
    "Consent": "no-consent",
    "List": "no-list",
    "ExplanationOfBenefit": "not-found",
    **{kind.value: "not-found" for kind in ProfileKind},
}
"""What is said of a missing resource of a type, and so of a hidden one; of all others as of a document."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """What is about to be done, as the trace will tell it; `what` are FHIR references, `query` holds no INS."""

    interaction: Interaction
    action: AuditAction
    resource_type: str
    what: tuple[str, ...] = ()
    query: str = ""
    purpose: str = ""
    """Of an emergency that is declared; else it follows from the caller and the decision."""
    hides: bool = False
    """Whether a document of `what` has an INVISIBLE code."""
    is_secret: bool = False
    """Whether it is about an entry of the trace that representatives never learn of."""


def asking(call: Call, record: Record, action: Action, consent: Consent | None = None) -> AccessRequest:
    """The question whether a caller may do this to a record, or to a Consent of it."""
    return AccessRequest(
        requester=call.requester,
        action=action,
        record=record,
        now=call.now,
        consent=consent.directive if consent else None,
        attested_by=consent.attested_by if consent else None,
        is_secret=consent.directive.is_secret if consent else False,
    )


class Gate:
    """Decides and traces; the only part of the services that knows how a denial looks from outside."""

    def __init__(self, ledger: "Ledger", keyring: "Keyring", entropy: Callable[[], bytes]) -> None:
        self._ledger = ledger
        self._keyring = keyring
        self._entropy = entropy

    def new_local(self, call: Call) -> str:
        """A new local id, of this moment."""
        return local_id(call.now, self._entropy())

    def admit(self, call: Call, request: AccessRequest, attempt: Attempt) -> Decision:
        """Decide; a denial is traced and raised as `Refused`, or as `NotFound` where nothing may be learnt."""
        decision = decide(request)
        if not decision.permit:
            self.refuse(call, request.record, attempt, decision)
        return decision

    def refuse(self, call: Call, record: Record | None, attempt: Attempt, decision: Decision) -> NoReturn:
        """Trace a denial, then raise it."""
        self.trace_refusal(call, record, attempt, decision)
        raise failure_of(decision, attempt.resource_type)

    def trace_refusal(self, call: Call, record: Record | None, attempt: Attempt, decision: Decision) -> None:
        """Append a denial to the trace."""
        self._ledger.append(self.entry(call, record, attempt, decision))

    def trace_access(self, call: Call, record: Record | None, attempt: Attempt, decision: Decision) -> None:
        """Append a permitted read to the trace, before its answer leaves."""
        self._ledger.append(self.entry(call, record, attempt, decision))

    def entry(self, call: Call, record: Record | None, attempt: Attempt, decision: Decision) -> Trace:
        """The entry of the trace for an attempt, to be committed with the change it tells of."""
        requester = call.requester
        return Trace(
            AuditEntry(
                record=record.id if record else "",
                local=self.new_local(call),
                at=call.now,
                interaction=attempt.interaction,
                action=attempt.action,
                resource_type=attempt.resource_type,
                what=attempt.what,
                outcome=AuditOutcome.SUCCESS if decision.permit else AuditOutcome.REFUSED,
                reason=decision.reason,
                basis=decision.consents,
                actor=self._actor(call, record),
                actor_name=requester.name,
                role=self._role(call, record),
                profession=requester.profession,
                structure=requester.structure,
                structure_name=requester.structure_name,
                purpose=attempt.purpose or _purpose(call, record, decision),
                query=attempt.query,
                request_id=call.request_id,
                software=requester.software,
                is_secret=requester.is_secret or attempt.is_secret or _rests_on_a_secret(record, decision),
                hides=attempt.hides,
            )
        )

    def _actor(self, call: Call, record: Record | None) -> Identifier:
        """The caller without any INS: the own record for its person, a pseudonym for another person."""
        ins = call.requester.ins
        if ins is None:
            return call.requester.identifier
        if record and record.identity.ins == ins:
            return Identifier(RECORD, record.id)
        return Identifier(PSEUDONYM, self._keyring.person(ins))

    @staticmethod
    def _role(call: Call, record: Record | None) -> str:
        ins = call.requester.ins
        is_other_person = ins is not None and record is not None and record.identity.ins != ins
        return "other-person" if is_other_person else call.requester.kind.value


def _purpose(call: Call, record: Record | None, decision: Decision) -> str:
    """The mode of an access that rests on an emergency; else what the kind of caller is about."""
    held = record.directives if record and decision.permit else ()
    modes = [d.purposes for d in held if d.kind is ConsentKind.EMERGENCY and d.consent in decision.consents]
    return modes[0][0] if modes and modes[0] else _PURPOSES.get(call.requester.kind, TREATMENT)


def _rests_on_a_secret(record: Record | None, decision: Decision) -> bool:
    """Whether an entry names a Consent of a connexion secrète as what it rests on."""
    held = record.directives if record else ()
    return any(d.is_secret and d.consent in decision.consents for d in held)


def failure_of(decision: Decision, resource_type: str = "") -> DmpError:
    """How a denial looks from outside: hidden things look missing."""
    if decision.reason == "quota-exceeded":
        return TooManyRequests(decision.reason)
    if decision.hidden:
        missing = _MISSING.get(resource_type, "no-document")
        return NotFound("no-record" if decision.reason == "no-record" else missing)
    return Refused(decision.reason)
