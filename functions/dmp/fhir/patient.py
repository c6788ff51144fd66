"""The record as a FHIR Patient: its state for TD0.2, the identity for those who may read it (FR Core)."""

from typing import Any

from dmp.domain.identifiers import (
    INS_NIA,
    INS_NIR,
    INS_NIR_DEMO,
    INS_NIR_TEST,
    Identifier,
)
from dmp.domain.record import Closure, Identity, Record, RecordStatus
from dmp.fhir import systems as s
from dmp.fhir.times import instant_text

_INS_TYPES = {
    INS_NIR: "INS-NIR",
    INS_NIA: "INS-NIA",
    INS_NIR_TEST: "INS-NIR-TEST",
    INS_NIR_DEMO: "INS-NIR-DEMO",
}


def render_patient(
    record: Record,
    *,
    full: bool,
    authorisation: str | None = None,
    attending: bool | None = None,
    attached_to_space: bool = True,
    own: bool = False,
) -> dict[str, Any]:
    """The Patient; without `full`, the state of the record and the INS alone; with `own`, the preferences too.

    `authorisation` is `VALIDE`, `EXPIRE`, `NON_EXISTE` or `INTERDIT`; None where the caller needs none.
    """
    extensions = [*_state(record, attached_to_space), *_relation(authorisation, attending)]
    if full:
        extensions += _birth_place(record.identity)
    if own:
        extensions += _preferences(record)
    patient: dict[str, Any] = {
        "resourceType": "Patient",
        "id": record.id,
        "meta": {"versionId": str(record.patient_version), "lastUpdated": instant_text(record.updated)},
        "extension": extensions,
        "identifier": [_ins(record.identity.ins)],
        "active": record.status is RecordStatus.OPEN,
    }
    return patient | _traits(record.identity) if full else patient


def _state(record: Record, attached_to_space: bool) -> list[dict[str, Any]]:
    attached = {"url": s.DMP_MES_ATTACHED, "valueBoolean": attached_to_space}
    return [_closure(record.closure), attached] if record.closure else [attached]


def _closure(closure: Closure) -> dict[str, Any]:
    parts: list[dict[str, Any]] = [
        {"url": "dateFermeture", "valueDateTime": instant_text(closure.date)},
        {"url": "motifFermeture", "valueCode": closure.motive.value},
    ]
    if closure.reason:
        parts.append({"url": "raisonFermeture", "valueString": closure.reason})
    return {"url": s.DMP_CLOSURE, "extension": parts}


def _relation(authorisation: str | None, attending: bool | None) -> list[dict[str, Any]]:
    """What the caller is to this record."""
    extensions: list[dict[str, Any]] = []
    if attending is not None:
        extensions.append({"url": s.DMP_ATTENDING_PHYSICIAN, "valueBoolean": attending})
    if authorisation:
        extensions.append({"url": s.DMP_AUTHORISATION, "valueCode": authorisation})
    return extensions


def _preferences(record: Record) -> list[dict[str, Any]]:
    """What the person does not want to be told of, by which channel; everything else is wanted."""
    return [
        {
            "url": s.DMP_NOTIFICATION,
            "extension": [
                {"url": "type", "valueCode": kind},
                {"url": "canal", "valueCode": channel},
                {"url": "actif", "valueBoolean": False},
            ],
        }
        for kind, channel in sorted(record.unwanted)
    ]


def _ins(ins: Identifier) -> dict[str, Any]:
    kind = {"coding": [{"system": s.FR_IDENTIFIER_TYPE, "code": _INS_TYPES[ins.system]}]}
    use = "temp" if ins.system == INS_NIA else "official"
    return {"use": use, "type": kind, "system": ins.system, "value": ins.value}


def _traits(identity: Identity) -> dict[str, Any]:
    """Those that are known: beside an INS of TEST or DEMO some may be missing."""
    telecom = [{"system": point.system, "value": point.value} for point in identity.telecom]
    traits = {
        "name": _names(identity),
        "telecom": telecom,
        "gender": identity.gender,
        "birthDate": identity.birth_date,
    }
    return {name: value for name, value in traits.items() if value}


def _names(identity: Identity) -> list[dict[str, Any]]:
    given = list(identity.given_names)
    all_given = [{"url": s.FR_BIRTH_GIVEN_NAMES, "valueString": " ".join(given)}] if given else []
    official = {"extension": all_given, "use": "official", "family": identity.birth_name, "given": given}
    usual = {"use": "usual", "family": identity.usual_name, "given": given[:1]} if identity.usual_name else {}
    names = ({part: value for part, value in name.items() if value} for name in (official, usual))
    return [name for name in names if name.keys() & {"family", "given"}]


def _birth_place(identity: Identity) -> list[dict[str, Any]]:
    if not identity.birth_place:
        return []
    coding = {"system": s.COMMUNE, "code": identity.birth_place}
    address = {"extension": [{"url": s.FR_INSEE_CODE, "valueCoding": coding}]}
    return [{"url": s.BIRTH_PLACE, "valueAddress": address}]
