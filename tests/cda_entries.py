"""Sections and entries of CDA R2 documents as the CI-SIS models them, for tests of what is extracted of them."""

from html import escape

from tests.cda_factories import section

CIM10, SNOMED, ATC = "2.16.840.1.113883.6.3", "2.16.840.1.113883.6.96", "2.16.840.1.113883.6.73"
CCAM, ROLE, CIS = "1.2.250.1.215.300.1", "2.16.840.1.113883.5.111", "1.2.250.1.213.2.3.1"
LOINC, IPS_ABSENT, EDQM = "2.16.840.1.113883.6.1", "2.16.840.1.113883.5.1150.1", "0.4.0.127.0.16.1.1.2.1"
_XSI = 'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'
_FR = "1.2.250.1.213.1.1.3."


def part(code: str, title: str, text: str, *entries: str) -> str:
    """A section; `text` is the inside of its narrative."""
    head = f'<code code="{code}" codeSystem="{LOINC}" displayName="{title}"/><title>{title}</title>'
    return section(f"{head}<text>{text}</text>{''.join(f'<entry>{one}</entry>' for one in entries)}")


def concept(
    element: str, code: str = "", system: str = CIM10, display: str = "", inner: str = "", attributes: str = ""
) -> str:
    """An element of a coded type; without a code it is of nullFlavor UNK."""
    told = {"code": code, "codeSystem": system, "displayName": display} if code else {"nullFlavor": "UNK"}
    written = " ".join(f'{name}="{escape(value)}"' for name, value in told.items() if value)
    return f"<{element} {attributes} {written}>{inner}</{element}>"


def value(code: str = "", system: str = CIM10, display: str = "", inner: str = "") -> str:
    """The value of an observation, of type CD."""
    return concept("value", code, system, display, inner, f'{_XSI} xsi:type="CD"')


def typed(type_: str, **attributes: str) -> str:
    """The value of an observation, of another type."""
    return f'<value {_XSI} xsi:type="{type_}" {" ".join(f"{a}={chr(34)}{v}{chr(34)}" for a, v in attributes.items())}/>'


def words(reference: str) -> str:
    """An original text that refers to a passage."""
    return f'<originalText><reference value="{reference}"/></originalText>'


def interval(low: str = "", high: str = "") -> str:
    """The time of a statement."""
    parts = (f'<{name} value="{at}"/>' for name, at in (("low", low), ("high", high)) if at)
    return f"<effectiveTime>{''.join(parts)}</effectiveTime>"


def act(element: str, template: str, inner: str, attributes: str = "") -> str:
    """A clinical statement of a model of the CI-SIS, by the last arc of its template id; none where that is empty."""
    named = f'<templateId root="{_FR}{template}"/>' if template else ""
    mood = "" if "moodCode" in attributes else 'moodCode="EVN"'
    return f"<{element} {mood} {attributes}>{named}{inner}</{element}>"


def inside(inner: str, type_code: str = "SUBJ") -> str:
    """A statement within another."""
    return f'<entryRelationship typeCode="{type_code}">{inner}</entryRelationship>'


def comment(reference: str) -> str:
    """A comment on a statement."""
    text = f'<text><reference value="{reference}"/></text>'
    return inside(act("act", "32", concept("code", "48767-8", LOINC) + text))


def finding(code: str, answer: str, type_code: str = "REFR") -> str:
    """An observation within a statement, such as its state or its severity."""
    return inside(act("observation", "", concept("code", code, LOINC) + answer), type_code)


def state(code: str) -> str:
    """The clinical state of a problem or an allergy (HL7)."""
    return finding("33999-4", value(code, "2.16.840.1.113883.4.642.1.1074"))


def concern(template: str, status: str, *observations: str) -> str:
    """A concern (39: problems, 40: allergies) around what it holds."""
    held = "".join(map(inside, observations))
    return act("act", template, f'<code nullFlavor="NA"/><statusCode code="{status}"/>{held}')


def problem(answer: str, time: str = "", inner: str = "", attributes: str = "") -> str:
    """A problem by its value."""
    return act("observation", "37", concept("code", "55607006", SNOMED) + time + answer + inner, attributes)


def allergy(agent: str, type_: str = "416098002", time: str = "", inner: str = "", attributes: str = "") -> str:
    """An allergy; `agent` is the inside of the playing entity, or empty for none; `inner` follows."""
    entity = f"<participantRole><playingEntity>{agent}</playingEntity></participantRole>"
    taken = f'<participant typeCode="CSM">{entity}</participant>' if agent else ""
    return act("observation", "41", concept("code", type_, SNOMED) + time + taken + inner, attributes)


def vaccination(material: str, time: str = "", inner: str = "", attributes: str = "", kind: str = "IMMUNIZ") -> str:
    """A vaccination; `material` is the inside of what was injected."""
    code = concept("code", kind, "2.16.840.1.113883.5.4", {"BOOSTER": "Rappel"}.get(kind, ""))
    product = f"<manufacturedProduct><manufacturedMaterial>{material}</manufacturedMaterial></manufacturedProduct>"
    body = f'{code}<statusCode code="completed"/>{time}<consumable>{product}</consumable>{inner}'
    return act("substanceAdministration", "45", body, attributes)


def procedure(code: str, time: str = "", inner: str = "", status: str = "completed", attributes: str = "") -> str:
    """A procedure by its code."""
    return act("procedure", "62", f'{code}<statusCode code="{status}"/>{time}{inner}', attributes)


def relative(role: str, gender: str, *observations: str) -> str:
    """What a relative had."""
    person = f'<subject><administrativeGenderCode code="{gender}"/></subject>'
    subject = f"<subject><relatedSubject>{role}{person}</relatedSubject></subject>"
    held = "".join(f"<component>{one}</component>" for one in observations)
    return act("organizer", "59", f"{subject}{held}")


def illness(answer: str, attributes: str = "") -> str:
    """An illness of a relative."""
    return act("observation", "51", concept("code", "55607006", SNOMED) + answer, attributes)


def habit(code: str, answer: str, time: str = "") -> str:
    """A habit with its value."""
    return act("observation", "52", concept("code", code, LOINC, "Consommation tabagique") + time + answer)
