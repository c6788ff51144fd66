"""What a client says of one entry of the structured profile, and what follows from it (L.1111-15)."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from dmp.domain.clinical_profile import ProfileEntry, ProfileKind
from dmp.domain.consent import PatientRef
from dmp.domain.document import INVISIBLE, Depositor, Visibility
from dmp.domain.errors import Invalid
from dmp.domain.identifiers import Identifier
from dmp.domain.record import Record
from dmp.domain.record_references import RecordReference, check_references
from dmp.domain.requester import Requester, RequesterKind
from dmp.domain.rights import Action


@dataclass(frozen=True, slots=True, kw_only=True)
class ProfileRequest:
    """An entry as a client sends it; `resource` is what is kept of it."""

    kind: ProfileKind
    patient: PatientRef
    visibility: frozenset[Visibility] | None
    """What hides it; None where no label is told: what hid it so far then goes on to."""
    resource: Mapping[str, object] = field(repr=False)
    is_in_error: bool = False
    """Whether it says of itself that it was entered in error."""
    references: tuple[RecordReference, ...] = ()

    def check_record(self, record: Record) -> None:
        """Raise Invalid where it is about another person than the record's, or refers to what is not of the record.

        The codes are `ins-mismatch`, `wrong-patient`, `unknown-reference`.
        """
        if not self.patient.is_of(record.id, record.identity.ins):
            raise Invalid("ins-mismatch" if self.patient.ins else "wrong-patient", f"{self.kind}.subject")
        check_references(self.references, record.id)

    def made(self, record: Record, local: str, requester: Requester, now: datetime) -> ProfileEntry:
        """The first version of the entry: masked, where the patient wants what is new to be.

        Raises Invalid: `status-transition` for one entered in error, `label-not-permitted` where a person hides it from
        themselves.
        """
        if self.is_in_error:
            raise Invalid("status-transition", self.kind, "a new entry is not entered in error")
        told = self.visibility or frozenset()
        if requester.kind is RequesterKind.PATIENT and told & INVISIBLE:
            raise Invalid("label-not-permitted", f"{self.kind}.meta.security")
        default = {Visibility.MASQUE_PS} if record.masks_new_documents(now) else frozenset[Visibility]()
        made = ProfileEntry(
            record=record.id,
            local=local,
            kind=self.kind,
            version=1,
            updated=now,
            depositor=Depositor.of(requester),
            visibility=told | default,
            resource=self.resource,
        )
        return made.told_by(requester, record.identity.ins)


def changed(
    entry: ProfileEntry, request: ProfileRequest, requester: Requester, patient: Identifier, now: datetime
) -> ProfileEntry:
    """The next version of an entry, as a request has it; what says that it was entered in error is deleted.

    It comes from this caller where it says something else, and from whom it came where only its labels are others;
    `patient` is the INS of the person whose record it is.
    """
    resource, visibility = request.resource, request.visibility
    if visibility is None:
        resource, visibility = _with_labels_of(entry, resource), entry.visibility
    after = replace(entry.saying(resource, visibility, now), is_deleted=request.is_in_error)
    return after if _content(after) == _content(entry) else after.told_by(requester, patient)


def needed(before: ProfileEntry, after: ProfileEntry) -> Iterator[Action]:
    """Which rights a change needs, each by itself; none where nothing changes."""
    different = before.visibility ^ after.visibility
    is_replaced = _content(before) != _content(after)
    if after.is_deleted:
        yield Action.DELETE
    elif is_replaced:
        yield Action.REPLACE
    is_labelled_anew = not (is_replaced or after.is_deleted) and before.resource != after.resource
    if Visibility.MASQUE_PS in different or (is_labelled_anew and not different):
        yield Action.MASK  # other labels than those of the DMP, too: whoever may mask may set them
    if different - {Visibility.MASQUE_PS}:
        yield Action.HIDE


def _with_labels_of(entry: ProfileEntry, resource: Mapping[str, object]) -> dict[str, object]:
    before, after = _meta(entry.resource), _meta(resource)
    meta = after | ({"security": before["security"]} if "security" in before else {})
    return dict(resource) | ({"meta": meta} if meta else {})


def _content(entry: ProfileEntry) -> dict[str, Any]:
    """What an entry says, but for its labels."""
    content = {name: value for name, value in entry.resource.items() if name != "meta"}
    return content | {f"meta.{name}": value for name, value in _meta(entry.resource).items() if name != "security"}


def _meta(resource: Mapping[str, object]) -> dict[str, Any]:
    meta = resource.get("meta")
    return dict(meta) if isinstance(meta, Mapping) else {}
