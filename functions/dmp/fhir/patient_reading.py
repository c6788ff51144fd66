"""Opening, closing and reopening a record, opposing its opening: from Parameters to the domain (TD1.1, 1.4, 1.5)."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from dmp.domain.errors import Invalid
from dmp.domain.identifiers import INS_REAL_SYSTEMS, INS_SYSTEMS, Identifier, ins_tells_of_birth
from dmp.domain.opposition import Child, Opposition
from dmp.domain.record import (
    LONGEST_CONTACT,
    MOST_CONTACTS,
    Closure,
    ClosureMotive,
    Identity,
    Opening,
    OpeningMethod,
    Telecom,
)
from dmp.domain.related_person import GUARDIAN, PersonRequest
from dmp.fhir.operation import OperationInput, place_of
from dmp.fhir.references import ins_of
from dmp.fhir.related_person_reading import person_of
from dmp.fhir.systems import BIRTH_PLACE, FR_BIRTH_GIVEN_NAMES, FR_INSEE_CODE
from dmp.fhir.times import parse_date
from dmp.fhir.validation import validate

type Resource = Mapping[str, Any]

_INSEE_CODE = re.compile(r"(\d{2}|2[AB])\d{3}", re.ASCII)
_FULL_DATE = len("2026-01-31")
_MOST_GIVEN_NAMES, _LONGEST_NAME = 20, 200
_LONGEST_REASON = 1000
"""Characters; it stays in the head of a closed record."""
_CONSENT_MISSING = "consent-required"


def read_opening(parameters: Resource, now: datetime) -> Opening:
    """Read the Parameters of `$open`.

    Raises Invalid: `ins-invalid` for a missing or wrong trait, `consent-required` without method or date.
    """
    given = OperationInput(parameters)
    patient = given.resource("patient")
    if patient is None:
        raise Invalid("missing-parameter", place_of("patient"), "a required parameter is missing")
    guardian = given.resource("guardian")
    return Opening(
        identity=read_identity(patient, f"{place_of('patient')}.resource", now),
        method=given.code("method", OpeningMethod, missing=_CONSENT_MISSING),
        date=given.past_moment("date", now, missing=_CONSENT_MISSING),
        attestation=given.text("attestation"),
        guardian=read_guardian(guardian, f"{place_of('guardian')}.resource") if guardian else None,
    )


def read_closure(parameters: Resource, now: datetime) -> Closure:
    """Read the Parameters of `$close`."""
    given = OperationInput(parameters)
    return Closure(date=now, motive=given.code("motive", ClosureMotive), reason=given.text("reason", _LONGEST_REASON))


def read_reopening(parameters: Resource, now: datetime) -> tuple[OpeningMethod, datetime]:
    """Read the Parameters of `$reopen`: how and when the consent was collected."""
    given = OperationInput(parameters)
    method = given.code("method", OpeningMethod, missing=_CONSENT_MISSING)
    return method, given.past_moment("date", now, missing=_CONSENT_MISSING)


def read_opposition(parameters: Resource, now: datetime) -> Opposition:
    """Read the Parameters of `$oppose` and `$lift-opposition`.

    Raises Invalid: `missing-parameter` without an INS, `ins-invalid` for a minor without a date of birth.
    """
    given = OperationInput(parameters)
    ins = given.identifier("identifier")
    if ins is None:
        raise Invalid("missing-parameter", place_of("identifier"), "a required parameter is missing")
    if ins.system not in INS_SYSTEMS:
        raise Invalid("ins-required", place_of("identifier"), "a person is identified by an INS")
    guardian, patient = given.resource("guardian"), given.resource("patient")
    return Opposition(
        ins=ins,
        attestation=given.text("attestation"),
        guardian=read_guardian(guardian, f"{place_of('guardian')}.resource") if guardian else None,
        child=_child(patient, f"{place_of('patient')}.resource", now) if patient else None,
    )


def _child(patient: Resource, place: str, now: datetime) -> Child:
    checked = _of_type(patient, "Patient", place)
    ins = _ins(checked, place)
    return Child(ins=ins, birth_date=_birth_date(checked, ins, place, now))


def read_identity(patient: Resource, place: str, now: datetime) -> Identity:
    """Read the INS and its five traits from a Patient; the key of the INS is not looked at here.

    Raises Invalid `ins-invalid` for a trait that is missing or wrong; beside an INS of TEST or DEMO it stays empty.
    """
    checked = _of_type(patient, "Patient", place)
    official, ins = name_of(checked, "official"), _ins(checked, place)
    strict = ins.system in INS_REAL_SYSTEMS
    family = f"{place}.name.where(use='official').family"
    return Identity(
        ins=ins,
        birth_name=_name(_trait(lambda: _required(official.get("family"), family), "", strict=strict), place),
        given_names=_given_names(_trait(lambda: given_names_of(official, place), (), strict=strict), place),
        usual_name=_name(name_of(checked, "usual").get("family", ""), place),
        birth_date=_trait(lambda: _birth_date(checked, ins, place, now), "", strict=strict),
        gender=_trait(lambda: _required(checked.get("gender"), f"{place}.gender"), "", strict=strict),
        birth_place=_trait(lambda: birth_place_of(checked, place), "", strict=strict),
        telecom=telecom_of(checked, place),
    )


def _trait[T](read: Callable[[], T], absent: T, *, strict: bool) -> T:
    try:
        return read()
    except Invalid:
        if strict:
            raise
        return absent


def _name(name: str, place: str) -> str:
    if len(name) > _LONGEST_NAME:
        raise Invalid("invalid-resource", f"{place}.name", f"a name has {_LONGEST_NAME} characters at most")
    return name


def _given_names(names: tuple[str, ...], place: str) -> tuple[str, ...]:
    if len(names) > _MOST_GIVEN_NAMES:
        raise Invalid("invalid-resource", f"{place}.name", f"a person has {_MOST_GIVEN_NAMES} given names at most")
    return tuple(_name(name, place) for name in names)


def read_guardian(related_person: Resource, place: str) -> PersonRequest:
    """Read the RelatedPerson who represents a minor; whose it is need not be said, the Patient being new.

    One who tells no relationship is what the parameter says: a guardian. Raises Invalid, TooLarge.
    """
    unnamed = {"display": "Patient"}
    checked = _of_type({"patient": unnamed, **related_person}, "RelatedPerson", place)
    guardian = person_of(checked, None, place)
    return guardian if guardian.relationships else replace(guardian, relationships=(GUARDIAN,))


def _of_type(resource: Resource, resource_type: str, place: str) -> dict[str, Any]:
    if resource.get("resourceType") != resource_type:
        raise Invalid("invalid-parameter", f"{place}.resourceType", f"the parameter holds a {resource_type}")
    return validate(resource, resource_type, place)


def _ins(patient: Resource, place: str) -> Identifier:
    found = set(ins_of(patient))
    if not found:
        raise Invalid("ins-required", f"{place}.identifier", "a Patient is identified by an INS")
    if len(found) > 1:
        raise Invalid("ins-invalid", f"{place}.identifier", "two different INS")
    return found.pop()


def name_of(patient: Resource, use: str) -> Resource:
    """The name of this use, or nothing."""
    names: Sequence[Resource] = patient.get("name", [])
    return next((name for name in names if name.get("use") == use), {})


def given_names_of(name: Resource, place: str) -> tuple[str, ...]:
    """All given names of birth: from FR Core's extension where it is there, else those of the name; Invalid if none."""
    listed = [item.get("valueString", "") for item in name.get("extension", []) if item["url"] == FR_BIRTH_GIVEN_NAMES]
    given = listed[0].split() if listed else [part.strip() for part in name.get("given", [])]
    if not any(given):
        raise Invalid("ins-invalid", f"{place}.name.where(use='official').given", "a trait is missing")
    return tuple(given)


def _birth_date(patient: Resource, ins: Identifier, place: str, now: datetime) -> str:
    text = _required(patient.get("birthDate"), f"{place}.birthDate")
    days = parse_date(text)
    if len(text) != _FULL_DATE or days is None or days[0] > now.date():
        raise Invalid("ins-invalid", f"{place}.birthDate", "a past day is required")
    if not ins_tells_of_birth(ins, text):
        raise Invalid("ins-invalid", f"{place}.birthDate", "the INS tells of another year")
    return text


def birth_place_of(patient: Resource, place: str) -> str:
    """The INSEE code of the birth place; Invalid where it is missing or none."""
    path = f"{place}.extension('{BIRTH_PLACE}')"
    for extension in patient.get("extension", []):
        if extension["url"] == BIRTH_PLACE:
            inner = extension.get("valueAddress", {}).get("extension", [])
            codes = [item.get("valueCoding", {}).get("code", "") for item in inner if item["url"] == FR_INSEE_CODE]
            if codes and _INSEE_CODE.fullmatch(codes[0]):
                return str(codes[0])
    raise Invalid("ins-invalid", path, "the INSEE code of the birth place is missing")


def telecom_of(patient: Resource, place: str) -> tuple[Telecom, ...]:
    """The contacts that have a system and a value, 20 of 254 characters at most.

    Raises Invalid: `too-many` above, `invalid-parameter` for what is no mail address.
    """
    listed = [point for point in patient.get("telecom", []) if "system" in point and "value" in point]
    telecom = tuple(Telecom(point["system"], point["value"]) for point in listed)
    if len(telecom) > MOST_CONTACTS or any(len(one.value) > LONGEST_CONTACT for one in telecom):
        raise Invalid("too-many", f"{place}.telecom", "more contacts, or longer ones, than a record keeps")
    if not all(one.is_kept() for one in telecom):
        raise Invalid("invalid-parameter", f"{place}.telecom", "no mail address")
    return telecom


def _required(value: Any, place: str) -> str:
    if not isinstance(value, str) or not value.strip():
        raise Invalid("ins-invalid", place, "a trait is missing")
    return value.strip()
