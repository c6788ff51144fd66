"""CDA entries of treatments, prescriptions and dispensations as XML, for tests of what is read of them."""

from tests.cda_factories import NAMESPACE, cda

TREATMENT, PRESCRIPTION = "1.3.6.1.4.1.19376.1.5.3.1.4.7", "1.3.6.1.4.1.19376.1.9.1.3.2"
DISPENSATION = "1.3.6.1.4.1.19376.1.9.1.3.4"
LOINC, CIS, ATC = "2.16.840.1.113883.6.1", "1.2.250.1.213.2.3.1", "2.16.840.1.113883.6.73"
WRITTEN = "20260310101500+0100"
PHARMACY = 'xmlns:pharm="urn:ihe:pharm:medication"'
XSI = 'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'


def document(*sections: str, written: str = WRITTEN) -> bytes:
    """A document of level 3 with sections, written on the 10th of March 2026."""
    body = f"<component><structuredBody>{''.join(sections)}</structuredBody></component>"
    return cda(f'<effectiveTime value="{written}"/>{body}')


def section(code: str, *entries: str, narrative: str = "", title: str = "Traitements") -> str:
    """A section of that code with entries."""
    head = f'<code code="{code}" codeSystem="{LOINC}" displayName="{title}"/><title>{title}</title>'
    held = "".join(f"<entry {NAMESPACE} {XSI} {PHARMACY}>{entry}</entry>" for entry in entries)
    return f"<component><section>{head}<text>{narrative}</text>{held}</section></component>"


def product(code: str = "60000001", name: str = "EXEMPLE 5 mg, comprimé", within: str = "", beside: str = "") -> str:
    """A product with a CIS code, and what stands in that code and beside it."""
    coded = f'<code code="{code}" codeSystem="{CIS}" displayName="{name}">{within}</code>'
    return f"<manufacturedProduct><manufacturedMaterial>{coded}{beside}</manufacturedMaterial></manufacturedProduct>"


def treatment(*parts: str, of: str | None = None, template: str = TREATMENT, mood: str = "EVN", more: str = "") -> str:
    """A treatment with a product, whose parts follow its model."""
    consumed = f"<consumable>{product() if of is None else of}</consumable>"
    said = f'<templateId root="{template}"/>{"".join(parts)}{consumed}'
    return f'<substanceAdministration classCode="SBADM" moodCode="{mood}" {more}>{said}</substanceAdministration>'


def interval(low: str = "", high: str = "") -> str:
    """The time of a treatment; what is left out is unknown."""
    ends = ((name, f'value="{at}"' if at else 'nullFlavor="UNK"') for name, at in (("low", low), ("high", high)))
    return f'<effectiveTime xsi:type="IVL_TS">{"".join(f"<{name} {at}/>" for name, at in ends)}</effectiveTime>'


def rhythm(value: str, unit: str) -> str:
    """Every so often."""
    return f'<effectiveTime xsi:type="PIVL_TS" operator="A"><period value="{value}" unit="{unit}"/></effectiveTime>'


def linked(statement: str, type_code: str = "COMP") -> str:
    """A statement within another."""
    return f'<entryRelationship typeCode="{type_code}">{statement}</entryRelationship>'


def stop(at: str, reason: str = "Saignement") -> str:
    """That a treatment was stopped, and why."""
    said = f'<code code="MED-052"/><effectiveTime value="{at}"/><value xsi:type="ST">{reason}</value>'
    return linked(f'<observation classCode="OBS" moodCode="EVN">{said}</observation>')


def dispensation(*parts: str, of: str | None = None, mood: str = "EVN") -> str:
    """A product handed over by a pharmacy."""
    handed = f"<product>{product() if of is None else of}</product>"
    said = f'<templateId root="{DISPENSATION}"/>{"".join(parts)}{handed}'
    return f'<supply classCode="SPLY" moodCode="{mood}">{said}</supply>'
