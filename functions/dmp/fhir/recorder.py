"""Who told this server of something: named in an extension of ours, by no INS ever (L.1111-15)."""

from typing import Any, Protocol

from dmp.domain.document import Depositor
from dmp.domain.identifiers import INS_SYSTEMS
from dmp.fhir.systems import DMP_RECORDED_BY

type Json = dict[str, Any]


class Recorded(Protocol):
    """What somebody entered into a record."""

    @property
    def record(self) -> str:
        """The record that it is in."""

    @property
    def depositor(self) -> Depositor:
        """Who entered it."""

    @property
    def depositor_name(self) -> str:
        """The name of that person or structure."""

    @property
    def is_by_patient(self) -> bool:
        """Whether the person entered it whose record it is."""

    @property
    def is_secret(self) -> bool:
        """Whether that was in a connexion secrète: then nobody is named, to whomever."""


def recorder_of(entry: Recorded) -> Json:
    """The reference that names who entered it; empty where that is not told."""
    by = entry.depositor.person or entry.depositor.structure
    if entry.is_secret or by is None:
        return {}
    if entry.is_by_patient:
        return {"reference": f"Patient/{entry.record}"}
    named = {"display": entry.depositor_name} if entry.depositor_name else {}
    if by.system in INS_SYSTEMS:
        return named
    kind = "Practitioner" if entry.depositor.person else "Organization"
    return {"type": kind, "identifier": {"system": by.system, "value": by.value}, **named}


def with_recorder(extensions: list[Any], by: Json) -> list[Any]:
    """These extensions and the one that names who entered it, if that is told."""
    return [*extensions, {"url": DMP_RECORDED_BY, "valueReference": by}] if by else extensions
