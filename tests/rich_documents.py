"""Documents that say all that searches ask: each in the place that the profile gives it."""

from typing import Any

from dmp.domain.identifiers import PS_IDNAT, STRUCT_IDNAT
from tests import bodies

type Json = dict[str, Any]

NOS = "https://mos.esante.gouv.fr/NOS"
R02 = f"{NOS}/TRE_R02-SecteurActivite/FHIR/TRE-R02-SecteurActivite"
A01 = f"{NOS}/TRE_A01-CadreExercice/FHIR/TRE-A01-CadreExercice"
FORMAT = "http://ihe.net/fhir/ihe.formatcode.fhir/CodeSystem/formatcode"
ARCHIVED = "https://interop.esante.gouv.fr/ig/fhir/pdsm/StructureDefinition/pdsm-ext-is-archived"
COMMUNITY = "https://profiles.ihe.net/ITI/MHD/StructureDefinition/ihe-HomeCommunityId"
UNIQUE = {"system": "urn:ietf:rfc:3986", "value": "urn:oid:2.999.5"}
ORDER = {"system": "https://hospital.example/orders", "value": "ORDER-1"}


def concept(system: str, code: str) -> Json:
    return {"coding": [{"system": system, "code": code}]}


def letter() -> Json:
    """By a physician of a hospital, about a stay of four days."""
    people = [
        {
            "resourceType": "Practitioner",
            "id": "p",
            "identifier": [{"system": PS_IDNAT, "value": "810101234567"}],
            "name": [{"family": "Lefèvre-Dœuff", "given": ["Élodie", "Anne"], "prefix": ["Dr"]}],
        },
        {
            "resourceType": "Organization",
            "id": "o",
            "identifier": [{"system": STRUCT_IDNAT, "value": "1750100125"}],
            "name": "Hôpital de la Côte",
        },
        {
            "resourceType": "PractitionerRole",
            "id": "a",
            "practitioner": {"reference": "#p"},
            "organization": {"reference": "#o"},
        },
    ]
    return {
        "contained": people,
        "masterIdentifier": UNIQUE,
        "author": [{"reference": "#a"}],
        "authenticator": {"reference": "#a"},
        "custodian": {"identifier": {"system": STRUCT_IDNAT, "value": "1750100125"}},
        "description": "Séjour en cardiologie",
        "extension": [
            {"url": ARCHIVED, "valueBoolean": True},
            {"url": COMMUNITY, "valueOid": "urn:oid:1.2.250.1.999"},
        ],
        "format": {"system": FORMAT, "code": "urn:ihe:iti:xds-sd:pdf:2008"},
        "attachment": {"creation": "2026-03-01T09:30:00+01:00", "language": "fr-FR"},
        "date": "2026-03-05T12:00:00+01:00",
        "context": {
            "period": {"start": "2026-03-01", "end": "2026-03-04"},
            "facilityType": concept(R02, "SA01"),
            "practiceSetting": concept(A01, "ETABLISSEMENT"),
            "event": [concept("urn:oid:1.2.250.1.213.2.5", "DZQM006"), concept("http://example.org/events", "STAY")],
            "related": [{"identifier": ORDER}],
        },
    }


def report(letter: str) -> Json:
    """By another one, about a moment of a single day; appends the letter."""
    person = {
        "resourceType": "Practitioner",
        "id": "a",
        "identifier": [{"system": "https://rpps.esante.gouv.fr", "value": "10107654321"}],
        "name": [{"family": "MARTIN", "given": ["Paul"]}],
    }
    return {
        "contained": [person],
        "author": [{"reference": "#a", "display": "Cabinet du Port"}],
        "type_code": "11502-2",
        "date": "2026-03-06T12:00:00+01:00",
        "attachment": {"creation": "2026-03-06", "language": "en"},
        "relatesTo": [{"code": "appends", "target": {"reference": f"DocumentReference/{letter}"}}],
        "context": {
            "period": {"start": "2026-03-06T08:00:00+01:00", "end": "2026-03-06T08:30:00+01:00"},
            "facilityType": concept(R02, "SA07"),
            "practiceSetting": concept("urn:oid:1.2.250.1.213.1.1.4.9", "AMBULATOIRE"),
            "related": [{"reference": f"DocumentReference/{letter}"}],
        },
    }


def note() -> Json:
    """By somebody who is named alone; its time of service lasts; a transformation of the letter, by its unique id."""
    return {
        "contained": None,
        "author": [{"identifier": {"system": PS_IDNAT, "value": "810103333333"}, "display": "Jo PETIT"}],
        "type_code": bodies.CONSULTATION,
        "date": "2026-03-07T12:00:00+01:00",
        "attachment": {"creation": "2026-03", "language": None},
        "context": {"period": {"start": "2026-03-07"}},
        "relatesTo": [{"code": "transforms", "target": {"identifier": UNIQUE}}],
    }
