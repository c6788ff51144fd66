"""How the values of a search parameter of each kind are read: None for what is none (FHIR R4 search)."""

from dmp.domain.consent import PatientRef
from dmp.domain.identifiers import INS_SYSTEMS, Identifier, ins_key_is_valid
from dmp.domain.words import words_in
from dmp.fhir import search_values
from dmp.fhir.search_values import DateValue, ReferenceValue, TextValue, Token

type Types = tuple[str, ...]


def record(value: str, base_url: str) -> PatientRef | None:
    """The record of a reference to a Patient of ours."""
    reference = search_values.parse_reference(value, base_url, ("Patient",))
    kind, _, identity = reference.text.partition("/") if reference else ("", "", "")
    return PatientRef(record=identity) if kind == "Patient" and "/" not in identity else None


def ins(value: str, _base_url: str) -> PatientRef | None:
    """The person of `system|value`."""
    token = search_values.parse_token(value)
    if token is None or not token.system or not token.code or len(search_values.alternatives(value)) > 1:
        return None
    return PatientRef(ins=Identifier(token.system, token.code))


def names_a_person(text: str) -> bool:
    """Whether a value is an INS: only `patient.identifier` takes one, so that none ever stands in a link."""
    token = search_values.parse_token(text)
    return token is not None and (token.system in INS_SYSTEMS or ins_key_is_valid(token.code))


def token(text: str, _targets: Types, _base_url: str) -> Token | None:
    """A token."""
    return search_values.parse_token(text)


def reference(text: str, targets: Types, base_url: str) -> ReferenceValue | None:
    """A reference to one of the types, or to any where there are none."""
    return search_values.parse_reference(text, base_url, targets)


def date(text: str, _targets: Types, _base_url: str) -> DateValue | None:
    """A date with its prefix."""
    return search_values.parse_date_value(text)


def text(text: str, _targets: Types, _base_url: str) -> TextValue | None:
    """A text in which there is something to find."""
    value = TextValue(search_values.unescape(text))
    return value if search_values.folded(value.text) else None


def words(text: str, _targets: Types, _base_url: str) -> tuple[str, ...] | None:
    """The words of a text, as those of documents are kept."""
    return tuple(dict.fromkeys(words_in(search_values.unescape(text)))) or None


def uri(text: str, _targets: Types, _base_url: str) -> str | None:
    """A URI, as it is."""
    return search_values.unescape(text)
