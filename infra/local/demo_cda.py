"""CDA R2 documents of the demonstration: header, sections and entries as the CI-SIS asks for them."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime
from html import escape
from string import Template

_LOINC = 'codeSystem="2.16.840.1.113883.6.1" codeSystemName="LOINC"'
_ICD10 = 'codeSystem="2.16.840.1.113883.6.3" codeSystemName="CIM-10"'
_ATC = 'codeSystem="2.16.840.1.113883.6.73" codeSystemName="ATC"'


@dataclass(frozen=True, slots=True)
class DemoPatient:
    """The person a document is about: `ins_system` is an OID or a `urn:oid:`, `gender` is F or M."""

    ins: str
    ins_system: str
    birth_name: str
    given: str
    birth_date: date
    gender: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoAuthor:
    """Who writes: PS_IdNat and Struct_IdNat, specialty (TRE_A02), facility (TRE_R02) and practice setting (TRE_A01)."""

    identifier: str
    family: str
    given: str
    specialty: str
    specialty_label: str
    structure: str
    structure_name: str
    facility: str
    facility_label: str
    practice: str
    practice_label: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Heading:
    """What the header says besides patient and author; `code` and `event` come with their code system as XML."""

    unique_id: str
    at: datetime
    templates: tuple[str, ...]
    code: str
    title: str
    event: str
    start: datetime
    end: datetime | None = None
    version: int = 1
    replaces: str | None = None


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a section: its label and its text for a reader, and the same as an entry."""

    label: str
    text: str
    entry: str = ""


@dataclass(frozen=True, slots=True)
class Section:
    """A section of a level 3 body, by its LOINC code."""

    code: str
    title: str
    lines: tuple[Line, ...]


def loinc(code: str, label: str) -> str:
    """The attributes of a LOINC code."""
    return f'code="{code}" displayName="{escape(label)}" {_LOINC}'


def observation(code: str, label: str, value: str, unit: str, at: datetime) -> Line:
    """A measure or a laboratory result (LOINC, UCUM)."""
    entry = (
        '<observation classCode="OBS" moodCode="EVN">'
        f"<code {loinc(code, label)}/>"
        f'<statusCode code="completed"/><effectiveTime value="{timestamp(at)}"/>'
        f'<value xsi:type="PQ" value="{value}" unit="{escape(unit)}"/></observation>'
    )
    return Line(label, f"{value} {unit}", entry)


def problem(code: str, label: str, since: str) -> Line:
    """A disease (CIM-10) and the year or day since when."""
    entry = (
        '<observation classCode="OBS" moodCode="EVN">'
        f"<code {loinc('75326-9', 'Problème')}/>"
        f'<statusCode code="completed"/><effectiveTime><low value="{since}"/></effectiveTime>'
        f'<value xsi:type="CD" code="{code}" displayName="{escape(label)}" {_ICD10}/></observation>'
    )
    return Line(label, f"depuis {since}", entry)


def medication(code: str, label: str, dosage: str) -> Line:
    """A treatment (ATC) and how it is taken."""
    entry = (
        '<substanceAdministration classCode="SBADM" moodCode="EVN">'
        f'<text>{escape(dosage)}</text><statusCode code="completed"/>'
        '<consumable><manufacturedProduct classCode="MANU"><manufacturedMaterial>'
        f'<code code="{code}" displayName="{escape(label)}" {_ATC}/><name>{escape(label)}</name>'
        "</manufacturedMaterial></manufacturedProduct></consumable></substanceAdministration>"
    )
    return Line(label, dosage, entry)


def timestamp(at: datetime) -> str:
    """A time stamp of HL7 V3."""
    return at.strftime("%Y%m%d%H%M%S%z")


def structured(patient: DemoPatient, author: DemoAuthor, heading: Heading, sections: Sequence[Section]) -> bytes:
    """A document of level 3."""
    body = "".join(f"<component>{_section(section)}</component>" for section in sections)
    return _document(patient, author, heading, f"<structuredBody>{body}</structuredBody>")


def unstructured(patient: DemoPatient, author: DemoAuthor, heading: Heading, media_type: str, base64: str) -> bytes:
    """A document of level 1: a header around a file."""
    text = f'<text mediaType="{media_type}" representation="B64">{base64}</text>'
    return _document(patient, author, heading, f"<nonXMLBody>{text}</nonXMLBody>")


def _section(section: Section) -> str:
    rows = "".join(f"<tr><td>{escape(line.label)}</td><td>{escape(line.text)}</td></tr>" for line in section.lines)
    entries = "".join(f"<entry>{line.entry}</entry>" for line in section.lines if line.entry)
    return (
        f"<section><code {loinc(section.code, section.title)}/><title>{escape(section.title)}</title>"
        f"<text><table><tbody>{rows}</tbody></table></text>{entries}</section>"
    )


def _document(patient: DemoPatient, author: DemoAuthor, heading: Heading, body: str) -> bytes:
    texts = {name: escape(text) for name, text in asdict(author).items()}
    texts |= {f"patient_{name}": escape(str(text)) for name, text in asdict(patient).items()}
    texts |= {
        "unique_id": heading.unique_id,
        "set_id": heading.unique_id.rpartition(".")[0],
        "version": str(heading.version),
        "templates": "".join(f'<templateId root="{template}"/>' for template in heading.templates),
        "code": heading.code,
        "event": heading.event,
        "title": escape(heading.title),
        "at": timestamp(heading.at),
        "low": timestamp(heading.start),
        "high": f'<high value="{timestamp(heading.end)}"/>' if heading.end else "",
        "related": _RELATED.substitute(root=heading.replaces) if heading.replaces else "",
        "ins_root": patient.ins_system.removeprefix("urn:oid:"),
        "birth": f"{patient.birth_date:%Y%m%d}",
        "body": body,
    }
    return _DOCUMENT.substitute(texts).encode()


_RELATED = Template(
    '<relatedDocument typeCode="RPLC"><parentDocument><id root="$root"/></parentDocument></relatedDocument>'
)

_DOCUMENT = Template("""<?xml version="1.0" encoding="UTF-8"?>
<ClinicalDocument xmlns="urn:hl7-org:v3" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">
  <realmCode code="FR"/>
  <typeId root="2.16.840.1.113883.1.3" extension="POCD_HD000040"/>
  <templateId root="2.16.840.1.113883.2.8.2.1"/><templateId root="1.2.250.1.213.1.1.1.1"/>$templates
  <id root="$unique_id"/>
  <code $code/>
  <title>$title</title>
  <effectiveTime value="$at"/>
  <confidentialityCode code="N" displayName="Normal" codeSystem="2.16.840.1.113883.5.25"/>
  <languageCode code="fr-FR"/>
  <setId root="$set_id"/>
  <versionNumber value="$version"/>
  <recordTarget><patientRole>
    <id root="$ins_root" extension="$patient_ins"/>
    <addr nullFlavor="UNK"/><telecom nullFlavor="UNK"/>
    <patient>
      <name>
        <family qualifier="BR">$patient_birth_name</family>
        <given>$patient_given</given><given qualifier="BR">$patient_given</given>
      </name>
      <administrativeGenderCode code="$patient_gender" codeSystem="2.16.840.1.113883.5.1"/>
      <birthTime value="$birth"/>
    </patient>
  </patientRole></recordTarget>
  <author>
    <time value="$at"/>
    <assignedAuthor>
      <id root="1.2.250.1.71.4.2.1" extension="$identifier"/>
      <code code="$specialty" displayName="$specialty_label" codeSystem="1.2.250.1.213.1.1.4.5"/>
      <assignedPerson><name><family>$family</family><given>$given</given></name></assignedPerson>
      <representedOrganization>
        <id root="1.2.250.1.71.4.2.2" extension="$structure"/><name>$structure_name</name>
      </representedOrganization>
    </assignedAuthor>
  </author>
  <custodian><assignedCustodian><representedCustodianOrganization>
    <id root="1.2.250.1.71.4.2.2" extension="$structure"/><name>$structure_name</name>
  </representedCustodianOrganization></assignedCustodian></custodian>
  <legalAuthenticator>
    <time value="$at"/><signatureCode code="S"/>
    <assignedEntity>
      <id root="1.2.250.1.71.4.2.1" extension="$identifier"/>
      <assignedPerson><name><family>$family</family><given>$given</given></name></assignedPerson>
    </assignedEntity>
  </legalAuthenticator>
  <documentationOf><serviceEvent>
    <code $event/>
    <effectiveTime><low value="$low"/>$high</effectiveTime>
    <performer typeCode="PRF"><assignedEntity>
      <id root="1.2.250.1.71.4.2.1" extension="$identifier"/>
      <representedOrganization>
        <id root="1.2.250.1.71.4.2.2" extension="$structure"/><name>$structure_name</name>
        <standardIndustryClassCode code="$practice" displayName="$practice_label" codeSystem="1.2.250.1.213.1.1.4.9"/>
      </representedOrganization>
    </assignedEntity></performer>
  </serviceEvent></documentationOf>
  $related
  <componentOf><encompassingEncounter>
    <effectiveTime><low value="$low"/>$high</effectiveTime>
    <location><healthCareFacility>
      <id root="1.2.250.1.71.4.2.2" extension="$structure"/>
      <code code="$facility" displayName="$facility_label" codeSystem="1.2.250.1.71.4.2.4"/>
    </healthCareFacility></location>
  </encompassingEncounter></componentOf>
  <component>$body</component>
</ClinicalDocument>
""")
