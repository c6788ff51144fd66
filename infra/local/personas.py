"""The people of the demonstration, all invented, and the claims their tokens carry (IHE IUA, Pro Santé Connect)."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from dmp.domain.identifiers import INS_NIR_TEST
from infra.local.demo_documents import GENERAL_PRACTITIONER, HOSPITAL_PHYSICIAN, DemoAuthor, DemoPatient

_PROFESSIONS = "1.2.250.1.213.1.1.5.5"
_PHYSICIAN, _PHARMACIST, _NURSE = "10", "21", "60"

PATIENT = DemoPatient(
    ins="284067505608841",
    ins_system=INS_NIR_TEST,
    birth_name="ROUSSEL",
    given="Camille",
    birth_date=date(1984, 6, 12),
    gender="F",
)


@dataclass(frozen=True, slots=True)
class Persona:
    """Somebody who calls the API, through the issuer that vouches for such people."""

    id: str
    description: str
    issuer: str
    claims: Mapping[str, Any] = field(default_factory=dict)


def _professional(author: DemoAuthor, profession: str, specialties: tuple[str, ...], **claims: str) -> dict[str, Any]:
    return {
        "SubjectNameID": author.identifier,
        "SubjectRole": [f"{profession}^{_PROFESSIONS}"],
        "SubjectOrganizationID": author.structure,
        "SubjectOrganization": author.structure_name,
        "Secteur_Activite": f"{author.facility}^1.2.250.1.71.4.2.4",
        "Acces_Regulation_Medicale": "FAUX",
        "SubjectRefPro": {
            "exercices": [{"codeProfession": profession, "codeSavoirFaire": code} for code in specialties or ("",)]
        },
        "given_name": author.given,
        "family_name": author.family,
        **claims,
    }


def _somebody(
    identifier: str, family: str, given: str, structure: str, structure_name: str, facility: str
) -> DemoAuthor:
    return DemoAuthor(
        identifier=identifier,
        family=family,
        given=given,
        specialty="",
        specialty_label="",
        structure=structure,
        structure_name=structure_name,
        facility=facility,
        facility_label="",
        practice="",
        practice_label="",
    )


_SPECIALIST = _somebody("810000000047", "BRUNET", "Salomé", "1990000043", "Cabinet de cardiologie du Lac", "SA07")
_NURSE_OF_TOWN = _somebody("810000000054", "PERRIN", "Noah", "1990000050", "Cabinet infirmier des Halles", "SA07")
_PHARMACIST_OF_TOWN = _somebody("810000000062", "CARON", "Élise", "1990000068", "Pharmacie de la Fontaine", "SA33")
_REGULATOR = _somebody("810000000070", "VIDAL", "Marius", "1990000019", "Centre hospitalier de Valmont", "SA01")

PERSONAS = (
    Persona(
        "patient",
        "Camille ROUSSEL, whose record it is",
        "patient",
        {
            "ins": f"{PATIENT.ins_system}|{PATIENT.ins}",
            "given_name": PATIENT.given,
            "family_name": PATIENT.birth_name,
            "birthdate": PATIENT.birth_date.isoformat(),
            "gender": "female",
            "email": "camille.roussel@example.org",
        },
    ),
    Persona(
        "attending-physician",
        "Louis GARNIER, general practitioner, her médecin traitant",
        "pro-sante-connect",
        _professional(GENERAL_PRACTITIONER, _PHYSICIAN, ("SM26",)),
    ),
    Persona(
        "hospital-physician",
        "Agathe MOREL, who writes the letters of the hospital",
        "pro-sante-connect",
        _professional(HOSPITAL_PHYSICIAN, _PHYSICIAN, ("SM27",)),
    ),
    Persona(
        "specialist",
        "Salomé BRUNET, cardiologist",
        "pro-sante-connect",
        _professional(_SPECIALIST, _PHYSICIAN, ("SM04",)),
    ),
    Persona("nurse", "Noah PERRIN, nurse", "pro-sante-connect", _professional(_NURSE_OF_TOWN, _NURSE, ())),
    Persona(
        "pharmacist",
        "Élise CARON, pharmacist",
        "pro-sante-connect",
        _professional(_PHARMACIST_OF_TOWN, _PHARMACIST, ()),
    ),
    Persona(
        "secretary",
        "A secretary of the practice, with a CPE card",
        "establishment",
        {
            "Identifiant_Structure": GENERAL_PRACTITIONER.structure,
            "SubjectOrganization": GENERAL_PRACTITIONER.structure_name,
            "Authentification_Mode": "DIRECTE",
            "subject_id": "secretariat-1",
            "LPS_Nom": "Cabinet Facile",
            "LPS_Version": "4.2",
        },
    ),
    Persona(
        "hospital-server",
        "The software of the hospital, with a server certificate (CSA)",
        "establishment",
        {
            "Identifiant_Structure": HOSPITAL_PHYSICIAN.structure,
            "SubjectOrganization": HOSPITAL_PHYSICIAN.structure_name,
            "Authentification_Mode": "INDIRECTE",
            "LPS_Nom": "Dossier Hospitalier",
            "LPS_Version": "12.1",
        },
    ),
    Persona(
        "samu-physician",
        "Marius VIDAL, physician of the SAMU, centre 15",
        "pro-sante-connect",
        _professional(_REGULATOR, _PHYSICIAN, ("SM44",), Acces_Regulation_Medicale="VRAI"),
    ),
    Persona(
        "cpam-agent", "An agent at the desk of the CPAM", "insurer", {"role": "CPAM_AGENT", "agent_id": "cpam-991-07"}
    ),
    Persona(
        "cnam-feed", "The reimbursement feed of the CNAM", "insurer", {"role": "CNAM_FEED", "agent_id": "cnam-feed"}
    ),
)
