"""What a summary of a record tells one caller: the profile, what documents offer it, wishes and people ($summary)."""

from collections.abc import Container, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from dmp.domain.access import decide
from dmp.domain.audit import AuditAction, Interaction
from dmp.domain.clinical_profile import Candidate, Extraction, ProfileEntry, ProfileKind, is_laboratory
from dmp.domain.consent import WISHES, Consent, ConsentKind, Directive
from dmp.domain.document import DocumentEntry
from dmp.domain.record import Record
from dmp.domain.related_person import RelatedPerson
from dmp.domain.rights import Action
from dmp.services.call import Call
from dmp.services.document_access import of_document
from dmp.services.gate import Gate, asking
from dmp.services.profile_sight import Offered, offered, offers, visible_entries
from dmp.services.record_changes import as_operation
from dmp.services.records import patient_attempt
from dmp.services.wishes import ADVANCE_DIRECTIVES

if TYPE_CHECKING:
    from dmp.adapters.profile_store import Profile, ProfileStore
    from dmp.adapters.summary_store import SummaryStore

_MOST_TOLD = 30
"""Documents that offer nothing but are told of for their own sake; and wishes."""
_FIRST = (
    (ProfileKind.ALLERGY,),
    (ProfileKind.CONDITION, ProfileKind.MEDICATION, ProfileKind.IMMUNIZATION),
    (ProfileKind.PROCEDURE,),
    (ProfileKind.FAMILY_HISTORY,),
    (ProfileKind.OBSERVATION,),
)
"""Documents that offer these are looked at before those that offer others alone."""
_RANKS = {kind: rank for rank, kinds in enumerate(_FIRST) for kind in kinds}
_TOLD_OF_PEOPLE = (ConsentKind.ATTENDING_PHYSICIAN, ConsentKind.DELEGATION)


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """All that a caller may see of what a summary tells; `is_whole`: all of the record was looked at for it.

    `documents` are those that what is offered comes from and that the caller may see as such; `roles` the directives
    that make somebody médecin traitant or a delegate, `marks` the Consents of the first. `saying_more` are the local
    ids of documents that state more than could be found in them at once.
    """

    record: Record
    entries: tuple[ProfileEntry, ...]
    offered: tuple[Offered, ...]
    documents: frozenset[str]
    directives: tuple[DocumentEntry, ...]
    wishes: tuple[Consent, ...]
    persons: tuple[RelatedPerson, ...]
    roles: tuple[Directive, ...]
    marks: tuple[Consent, ...]
    is_whole: bool
    saying_more: frozenset[str]


class SummariesService:
    """Summaries of records: two reads, one after the other, and the trace; more where one does not bring the profile.

    Documents beyond 100 are read at the same time, 400 at most.
    """

    def __init__(self, gate: Gate, profiles: "ProfileStore", sources: "SummaryStore") -> None:
        self._gate = gate
        self._profiles = profiles
        self._sources = sources

    def summary(self, call: Call, record_id: str) -> Summary:
        """What the caller may see of a record, for a summary. Raises NotFound `no-record`, Refused, Conflict."""
        profile = self._profiles.profile(record_id)
        record = profile.record
        attempt = patient_attempt(Interaction.READ, AuditAction.READ, f"{record_id}/$summary")
        question = replace(asking(call, record, Action.READ_PATIENT), resource_type="Patient")
        with as_operation():
            decision = self._gate.admit(call, question, attempt)
        told = self._told(call, self._profiles.fuller(profile))
        self._gate.trace_access(call, record, attempt, decision)
        return told

    def _told(self, call: Call, profile: "Profile") -> Summary:
        record = profile.record
        wishes, roles = _wishes(call, record), _roles(call, record)
        marks = [d for d in roles if d.kind is ConsentKind.ATTENDING_PHYSICIAN]
        consents = [d.consent for d in (*wishes, *marks)]
        of_wishes = [d.document for d in wishes if d.document]
        asked = _most_telling(profile.extractions, self._sources.most - len(consents) - len(of_wishes))
        locals_ = dict.fromkeys([*of_wishes, *(one.local for one in asked)])
        found, made = self._sources.sources(record.id, list(locals_), consents)
        seen = {local: found[local] for local in locals_ if local in found and offers(call, record, found[local])}
        named = {local: entry for local, entry in seen.items() if _is_told_as_document(call, record, entry)}
        return Summary(
            record=record,
            entries=tuple(visible_entries(call, record, profile.entries)),
            offered=tuple(offered(call, record, asked, seen)),
            documents=frozenset(named),
            directives=tuple(filter(_is_directive, named.values())),
            wishes=tuple(_with_known_document(made[d.consent], named) for d in wishes if d.consent in made),
            persons=tuple(_persons(call, record, profile.persons)),
            roles=tuple(roles),
            marks=tuple(made[d.consent] for d in marks if d.consent in made),
            is_whole=profile.is_whole and len(asked) == len(profile.extractions),
            saying_more=frozenset(one.local for one in asked if one.is_cut),
        )


def _with_known_document(wish: Consent, documents: Container[str]) -> Consent:
    """A wish without the document behind it where the caller may not see that."""
    is_known = wish.directive.document in documents
    return wish if is_known else replace(wish, directive=replace(wish.directive, document=""))


def _most_telling(extractions: Sequence[Extraction], room: int) -> list[Extraction]:
    """As many as there is room for, by what they offer and the newest first; in the order in which they were given.

    Some of documents that are told of for their own sake come before all others.
    """
    own_sake = [one for one in extractions if not one.candidates]
    offering = sorted((one for one in extractions if one.candidates), key=_rank)
    chosen = {one.local for one in [*own_sake[:_MOST_TOLD], *offering, *own_sake[_MOST_TOLD:]][:room]}
    return [one for one in extractions if one.local in chosen]


def _rank(extraction: Extraction) -> int:
    return min(map(_rank_of, extraction.candidates))


def _rank_of(candidate: Candidate) -> int:
    is_result = candidate.kind is ProfileKind.OBSERVATION and is_laboratory(candidate.resource)
    return len(_FIRST) if is_result else _RANKS[candidate.kind]


def _is_directive(document: DocumentEntry) -> bool:
    return document.type is not None and document.type.code == ADVANCE_DIRECTIVES


def _is_told_as_document(call: Call, record: Record, document: DocumentEntry) -> bool:
    """Whether the caller, who may see what a document says, may see it among documents too: an app may not."""
    question = of_document(call, record, Action.READ, document)
    return decide(replace(question, resource_type="DocumentReference")).permit


def _wishes(call: Call, record: Record) -> list[Directive]:
    held = (directive for kind in sorted(WISHES) for directive in record.in_force(kind, call.now))
    question = replace(asking(call, record, Action.READ_CONSENT), resource_type="Consent")
    return [d for d in held if decide(replace(question, consent=d, is_secret=d.is_secret)).permit][:_MOST_TOLD]


def _roles(call: Call, record: Record) -> list[Directive]:
    """Who is médecin traitant, and who acts for the person."""
    held = (directive for kind in _TOLD_OF_PEOPLE for directive in record.in_force(kind, call.now))
    question = asking(call, record, Action.READ_PERSON)
    return [
        directive
        for directive in held
        if decide(replace(question, is_secret=directive.is_secret, resource_type=_type_of(directive))).permit
    ]


def _type_of(directive: Directive) -> str:
    return "CareTeam" if directive.kind is ConsentKind.ATTENDING_PHYSICIAN else "RelatedPerson"


def _persons(call: Call, record: Record, persons: Iterable[RelatedPerson]) -> Iterator[RelatedPerson]:
    question = replace(asking(call, record, Action.READ_PERSON), resource_type="RelatedPerson")
    if decide(question).permit:
        yield from (person for person in persons if not person.is_deleted)
