"""PUT and PATCH of a Patient: contacts and preferences alone; who the person is never changes (TD1.3)."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from dmp.domain.errors import Invalid
from dmp.domain.notification import ALWAYS, Channel, Kind
from dmp.domain.record import Record, RecordStatus, Telecom
from dmp.fhir.json_patch import Change, applied, forbidden
from dmp.fhir.patch import read_patch
from dmp.fhir.patient import render_patient
from dmp.fhir.patient_reading import birth_place_of, given_names_of, name_of, telecom_of
from dmp.fhir.references import ins_of
from dmp.fhir.systems import DMP_NOTIFICATION
from dmp.fhir.validation import validate

type Resource = Mapping[str, Any]
type Preference = tuple[str, str]
type Contacts = tuple[tuple[Telecom, ...], frozenset[Preference]]
"""Contacts, and the kinds of messages that are unwanted, each with its channel."""

_CHANGEABLE = ("telecom", "extension")
_PARTS = {"type": "valueCode", "canal": "valueCode", "actif": "valueBoolean"}


@dataclass(frozen=True, slots=True)
class PatientPatch:
    """Changes that were read and may be tried on any Patient."""

    changes: tuple[Change, ...]

    def apply(self, record: Record) -> Contacts:
        """The contacts and preferences after the changes; raises Invalid where they do not fit the Patient.

        NotAllowed `patch-path-forbidden` where another extension would change.
        """
        before = {"telecom": [], **render_patient(record, full=True, own=True)}
        after = before
        for change in self.changes:
            after = _apply(after, change)
        if _other_extensions(before) != _other_extensions(after):
            raise forbidden("")
        return _contacts({name: value for name, value in after.items() if value != []})


def read_patient_patch(body: bytes, content_type: str) -> PatientPatch:
    """Read the body of a PATCH.

    Raises Malformed or Invalid for a patch that is none, NotAllowed `patch-path-forbidden` for other elements,
    UnsupportedMedia for other media types.
    """
    changes = read_patch(body, content_type, "Patient")
    for change in changes:
        if change.path[0] not in _CHANGEABLE or change.origin[:1] not in ((), change.path[:1]):
            raise forbidden(change.place)
    return PatientPatch(tuple(changes))


def read_patient_update(resource: Resource, record: Record) -> Contacts:
    """The contacts and preferences of a Patient sent whole; what it leaves out of them is given up.

    Raises Invalid: `wrong-id`, `identity-immutable` where it says something else of who the person is.
    """
    if resource.get("id", record.id) != record.id:
        raise Invalid("wrong-id", "Patient.id")
    checked = validate(resource, "Patient")
    for element, stated, held in _identity(checked, record):
        if stated is not None and stated != held:
            raise Invalid("identity-immutable", f"Patient.{element}")
    return _contacts(checked)


def _identity(patient: Resource, record: Record) -> Iterator[tuple[str, object, object]]:
    """Every element of the identity: what the Patient says of it (None: nothing), and what the record holds."""
    identity, official = record.identity, name_of(patient, "official")
    yield "identifier", frozenset(ins_of(patient)) or None, frozenset({identity.ins})
    yield "active", patient.get("active"), record.status is RecordStatus.OPEN
    yield "name", official.get("family"), identity.birth_name
    yield "name", _stated(lambda: given_names_of(official, "")), identity.given_names
    yield "name", name_of(patient, "usual").get("family"), identity.usual_name
    yield "gender", patient.get("gender"), identity.gender
    yield "birthDate", patient.get("birthDate"), identity.birth_date
    yield "extension", _stated(lambda: birth_place_of(patient, "")), identity.birth_place


def _stated[T](read: Callable[[], T]) -> T | None:
    try:
        return read()
    except Invalid:
        return None


def _apply(resource: Resource, change: Change) -> dict[str, Any]:
    """After one change; all extensions at once are all those of preferences, for the others are not the person's."""
    match change.path, change.op:
        case ("telecom",), "remove":
            return {**resource, "telecom": []}
        case ("extension",), "add" | "replace" | "remove":
            given = change.value if isinstance(change.value, list) else [change.value]
            kept = [] if change.op == "remove" else given
            return {**resource, "extension": [*_other_extensions(resource), *kept]}
    return applied(resource, change)


def _other_extensions(resource: Resource) -> list[Any]:
    extensions = resource.get("extension", [])
    return [one for one in extensions if not isinstance(one, dict) or one.get("url") != DMP_NOTIFICATION]


def _contacts(patient: Resource) -> Contacts:
    checked = validate(patient, "Patient")
    telecom = telecom_of(checked, "Patient")
    switched: dict[Preference, bool] = {}
    for index, extension in enumerate(checked.get("extension", [])):
        if extension["url"] == DMP_NOTIFICATION:
            preference, is_wanted = _preference(extension, f"Patient.extension[{index}]")
            switched[preference] = is_wanted
    return telecom, frozenset(preference for preference, is_wanted in switched.items() if not is_wanted)


def _preference(extension: Resource, place: str) -> tuple[Preference, bool]:
    """Kind and channel, and whether the person wants it so; the last word on one of them counts."""
    parts = {part["url"]: part.get(_PARTS.get(part["url"], "")) for part in extension.get("extension", [])}
    if parts.keys() != _PARTS.keys() or None in parts.values():
        raise Invalid("invalid-resource", place, "a preference has a type, a canal and an actif")
    if parts["type"] not in set(Kind) or parts["canal"] not in set(Channel):
        raise Invalid("unknown-code", place)
    if parts["type"] in ALWAYS and not parts["actif"]:
        raise Invalid("notification-mandatory", place)
    return (parts["type"], parts["canal"]), parts["actif"]
