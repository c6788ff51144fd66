"""Documents of the demonstration and of the tests, as the field sends them; people, places and values are invented."""

from base64 import b64encode
from collections.abc import Sequence
from datetime import datetime, timedelta

from infra.local.demo_cda import (
    DemoAuthor,
    DemoPatient,
    Heading,
    Line,
    Section,
    loinc,
    medication,
    observation,
    problem,
    structured,
    unstructured,
)
from infra.local.demo_files import pdf, rtf

__all__ = [
    "BIOLOGIST",
    "GENERAL_PRACTITIONER",
    "HOSPITAL_PHYSICIAN",
    "DemoAuthor",
    "DemoPatient",
    "biology_report",
    "consultation_pdf",
    "consultation_rtf",
    "consultation_text",
    "discharge_letter",
    "medical_synthesis",
    "wrapped_consultation",
]

_XDS_SD = "1.3.6.1.4.1.19376.1.2.20"
_DISCHARGE_LETTER = "1.2.250.1.213.1.1.1.29"
_SYNTHESIS = "1.2.250.1.213.1.1.1.13"
_BIOLOGY = ("1.3.6.1.4.1.19376.1.3.3", "1.2.250.1.213.1.1.1.55")
_CONSULTATION = loinc("11488-4", "CR ou fiche de consultation ou de visite")
_SYNTH = 'code="SYNTH" displayName="Synthèse" codeSystem="1.2.250.1.213.1.1.4.12"'
_IN_HOSPITAL = 'code="IMP" displayName="Hospitalisation" codeSystem="2.16.840.1.113883.5.4"'
_AMBULATORY = 'code="AMB" displayName="Ambulatoire" codeSystem="2.16.840.1.113883.5.4"'

HOSPITAL_PHYSICIAN = DemoAuthor(
    identifier="810000000017",
    family="MOREL",
    given="Agathe",
    specialty="G15_10/SM27",
    specialty_label="Médecin - Médecine interne (SM)",
    structure="1990000019",
    structure_name="Centre hospitalier de Valmont",
    facility="SA01",
    facility_label="Etablissement Public de santé",
    practice="ETABLISSEMENT",
    practice_label="Etablissement de santé",
)
GENERAL_PRACTITIONER = DemoAuthor(
    identifier="810000000025",
    family="GARNIER",
    given="Louis",
    specialty="G15_10/SM26",
    specialty_label="Médecin - Qualifié en Médecine Générale (SM)",
    structure="1990000027",
    structure_name="Cabinet du docteur Garnier",
    facility="SA07",
    facility_label="Cabinet individuel",
    practice="AMBULATOIRE",
    practice_label="Ambulatoire",
)
BIOLOGIST = DemoAuthor(
    identifier="810000000033",
    family="LEROUX",
    given="Inès",
    specialty="G15_10/SM03",
    specialty_label="Médecin - Biologie médicale (SM)",
    structure="1990000035",
    structure_name="Laboratoire des Tilleuls",
    facility="SA25",
    facility_label="Laboratoire de biologie médicale",
    practice="AMBULATOIRE",
    practice_label="Ambulatoire",
)


def discharge_letter(
    patient: DemoPatient,
    unique_id: str,
    at: datetime,
    author: DemoAuthor = HOSPITAL_PHYSICIAN,
    *,
    version: int = 1,
    replaces: str | None = None,
) -> bytes:
    """A discharge letter (11490-0), CDA level 3; a `version` may replace the document of an earlier unique id."""
    heading = Heading(
        unique_id=unique_id,
        at=at,
        templates=(_DISCHARGE_LETTER,),
        code=loinc("11490-0", "Lettre de liaison à la sortie d'un établissement de soins"),
        title="Lettre de liaison à la sortie du service de médecine interne",
        event=_IN_HOSPITAL,
        start=at - timedelta(days=4),
        end=at,
        version=version,
        replaces=replaces,
    )
    return structured(patient, author, heading, _hospital_stay(at))


def _hospital_stay(at: datetime) -> Sequence[Section]:
    return (
        Section("42349-1", "Motif d'hospitalisation", (Line("Motif", "Fièvre et toux productive depuis trois jours"),)),
        Section("11535-2", "Diagnostics de sortie", (problem("J18.1", "Pneumopathie lobaire", f"{at:%Y%m}"),)),
        Section("8648-8", "Évolution", (Line("Séjour", "Apyrexie au troisième jour sous antibiotique"),)),
        Section("30954-2", "Résultats", (observation("1988-5", "Protéine C réactive", "18", "mg/L", at),)),
        Section(
            "10183-2",
            "Traitements à la sortie",
            (
                medication("J01CA04", "Amoxicilline 1 g", "1 g trois fois par jour, encore trois jours"),
                medication("C09AA05", "Ramipril 5 mg", "5 mg le matin, poursuivi"),
            ),
        ),
        Section("18776-5", "Suites", (Line("Rendez-vous", "Médecin traitant dans dix jours, radiographie à un mois"),)),
    )


def medical_synthesis(
    patient: DemoPatient, unique_id: str, at: datetime, author: DemoAuthor = GENERAL_PRACTITIONER
) -> bytes:
    """A synthesis by the médecin traitant (SYNTH, volet de synthèse médicale), CDA level 3."""
    heading = Heading(
        unique_id=unique_id,
        at=at,
        templates=(_SYNTHESIS,),
        code=_SYNTH,
        title="Synthèse médicale",
        event=loinc("34117-2", "Historique et clinique"),
        start=at,
    )
    allergy = problem("Z88.2", "Allergie aux sulfamides", "1998")
    problems = (problem("I10", "Hypertension artérielle", "2016"), problem("E11.9", "Diabète de type 2", "2019"))
    treatments = (
        medication("C09AA05", "Ramipril 5 mg", "5 mg le matin"),
        medication("A10BA02", "Metformine 1000 mg", "1 g matin et soir"),
    )
    sections = (
        Section("11450-4", "Problèmes actifs", problems),
        Section("11348-0", "Antécédents", (problem("K35.8", "Appendicectomie", "1992"),)),
        Section("48765-2", "Allergies et intolérances", (allergy,)),
        Section("10160-0", "Traitements", treatments),
        Section("8716-3", "Signes vitaux", (observation("29463-7", "Poids", "71", "kg", at),)),
    )
    return structured(patient, author, heading, sections)


def biology_report(patient: DemoPatient, unique_id: str, at: datetime, author: DemoAuthor = BIOLOGIST) -> bytes:
    """A laboratory report (11502-2), CDA level 3."""
    heading = Heading(
        unique_id=unique_id,
        at=at,
        templates=_BIOLOGY,
        code=loinc("11502-2", "CR d'examens biologiques"),
        title="Compte rendu d'examens biologiques",
        event=loinc("18719-5", "Biochimie"),
        start=at - timedelta(hours=6),
        end=at,
    )
    chemistry = (
        observation("4548-4", "Hémoglobine A1c", "6.8", "%", at),
        observation("14682-9", "Créatinine", "78", "umol/L", at),
        observation("2823-3", "Potassium", "4.2", "mmol/L", at),
    )
    haematology = (
        observation("718-7", "Hémoglobine", "13.4", "g/dL", at),
        observation("777-3", "Plaquettes", "245", "10*9/L", at),
    )
    sections = (Section("18719-5", "Biochimie", chemistry), Section("18723-7", "Hématologie", haematology))
    return structured(patient, author, heading, sections)


def wrapped_consultation(
    patient: DemoPatient, unique_id: str, at: datetime, author: DemoAuthor = GENERAL_PRACTITIONER
) -> bytes:
    """A consultation report (11488-4) as a PDF within a CDA of level 1."""
    heading = Heading(
        unique_id=unique_id,
        at=at,
        templates=(_XDS_SD,),
        code=_CONSULTATION,
        title="Compte rendu de consultation",
        event=_AMBULATORY,
        start=at,
    )
    embedded = b64encode(consultation_pdf(patient, at, author)).decode()
    return unstructured(patient, author, heading, "application/pdf", embedded)


def consultation_pdf(patient: DemoPatient, at: datetime, author: DemoAuthor = GENERAL_PRACTITIONER) -> bytes:
    """A consultation report as a PDF."""
    return pdf(_consultation(patient, at, author))


def consultation_rtf(patient: DemoPatient, at: datetime, author: DemoAuthor = GENERAL_PRACTITIONER) -> bytes:
    """A consultation report as RTF."""
    return rtf(_consultation(patient, at, author))


def consultation_text(patient: DemoPatient, at: datetime, author: DemoAuthor = GENERAL_PRACTITIONER) -> bytes:
    """A consultation report as plain text in UTF-8."""
    return "\n".join([*_consultation(patient, at, author), ""]).encode()


def _consultation(patient: DemoPatient, at: datetime, author: DemoAuthor) -> Sequence[str]:
    return (
        author.structure_name,
        f"Dr {author.given} {author.family} - {author.specialty_label}",
        "",
        f"Compte rendu de consultation du {at:%d/%m/%Y}",
        f"Patient : {patient.birth_name} {patient.given} ({patient.gender}), né(e) le {patient.birth_date:%d/%m/%Y}",
        "",
        "Motif : suivi d'une hypertension artérielle.",
        "Examen : tension 13/8, pouls 68, auscultation sans particularité.",
        "Conclusion : traitement inchangé, contrôle biologique dans six mois.",
    )
