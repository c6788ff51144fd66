"""CDA entries of results and measures as XML, for tests of what is read of them."""

from tests.cda_treatments import LOINC

RESULT, ISOLATE, SIGNS = "1.3.6.1.4.1.19376.1.3.1.6", "1.3.6.1.4.1.19376.1.3.1.5", "1.3.6.1.4.1.19376.1.5.3.1.4.13.1"
SIMPLE = "1.3.6.1.4.1.19376.1.5.3.1.4.13"
AT = '<effectiveTime value="20260302083000+0100"/>'


def pq(value: str, unit: str) -> str:
    """A physical quantity."""
    return f'<value xsi:type="PQ" value="{value}" unit="{unit}"/>'


def observed(code: str, *parts: str, template: str = RESULT, system: str = LOINC, mood: str = "EVN") -> str:
    """An observation of a code, whose parts follow it."""
    coded = f'<code code="{code}" codeSystem="{system}" displayName="Mesure {code}"/>'
    said = f'<templateId root="{template}"/>{coded}{"".join(parts)}'
    return f'<observation classCode="OBS" moodCode="{mood}">{said}</observation>'


def chapter(*statements: str) -> str:
    """The act of a report of biology around what it tells."""
    held = "".join(f'<entryRelationship typeCode="COMP">{one}</entryRelationship>' for one in statements)
    return f'<act classCode="ACT" moodCode="EVN"><code code="18719-5" codeSystem="{LOINC}"/>{held}</act>'


def organizer(*statements: str, template: str = "1.3.6.1.4.1.19376.1.3.1.4", head: str = "") -> str:
    """A battery, or whatever else holds statements together."""
    held = "".join(f"<component>{one}</component>" for one in statements)
    return f'<organizer classCode="BATTERY" moodCode="EVN"><templateId root="{template}"/>{head}{held}</organizer>'


def specimen(organism: str) -> str:
    """The organism that an isolate is of."""
    coded = f'<code code="112283007" codeSystem="2.16.840.1.113883.6.96" displayName="{organism}"/>'
    return f"<specimen><specimenRole><specimenPlayingEntity>{coded}</specimenPlayingEntity></specimenRole></specimen>"
