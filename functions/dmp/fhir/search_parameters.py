"""Search parameters of a request: what is declared is parsed, what is not is ignored or refused (FHIR R4 search)."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from dmp.domain.consent import PatientRef
from dmp.domain.errors import Malformed, NotAcceptable
from dmp.domain.identifiers import INS_SYSTEMS, Identifier, ins_key_is_valid
from dmp.fhir import search_values
from dmp.fhir.search import CURSOR, DEFAULT_COUNT, Search, Total, malformed_parameter
from dmp.fhir.search_values import DateValue, ReferenceValue, Token

MOST = 100
_FORMATS = frozenset({"json", "application/json", "application/fhir+json", "application/fhir json"})


class Kind(StrEnum):
    """How the values of a parameter are read."""

    TOKEN = "token"  # noqa: S105 - a type of search parameter
    REFERENCE = "reference"
    DATE = "date"
    STRING = "string"
    CHOICE = "choice"
    """One of a few words, `_sort` and `_include` for example."""
    PATIENT = "patient"
    PATIENT_IDENTIFIER = "patient-identifier"
    """`system|value` of an INS, which no link ever carries."""


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter that works: `targets` are the types a reference may name, `choices` the words of a choice.

    `linked_as` names the parameter that stands for the patient in links; where it is empty, none does.
    """

    name: str
    kind: Kind
    targets: tuple[str, ...] = ()
    choices: tuple[str, ...] = ()
    linked_as: str = "patient"


PATIENT = Parameter("patient", Kind.PATIENT)
PATIENT_IDENTIFIER = Parameter("patient.identifier", Kind.PATIENT_IDENTIFIER)


def parse_search(
    pairs: Iterable[tuple[str, str]],
    known: Sequence[Parameter],
    *,
    base_url: str,
    resource_type: str,
    strict: bool = False,
    most: int = MOST,
) -> Search:
    """Read the pairs of a query.

    Raises Malformed (`unknown-parameter` when strict, `unsupported-modifier`, `invalid-parameter`) and NotAcceptable.
    """
    parser = _Parser({parameter.name: parameter for parameter in known}, base_url, most, strict=strict)
    for name, value in pairs:
        parser.take(name, value)
    return parser.search(resource_type)


class _Parser:
    """Collects one request's parameters."""

    def __init__(self, known: Mapping[str, Parameter], base_url: str, most: int, *, strict: bool) -> None:
        self._known = known
        self._base_url = base_url
        self._most = most
        self._strict = strict
        self._count = min(DEFAULT_COUNT, most)
        self._total: Total | None = None
        self._cursor = ""
        self._patient: PatientRef | None = None
        self._linked_as = ""
        self._used: list[tuple[str, str]] = []
        self._values: dict[str, list[tuple[Any, ...]]] = {}
        self._common: dict[str, Callable[[str], None]] = {
            "_count": self._take_count,
            "_total": self._take_total,
            "_format": self._take_format,
            CURSOR: self._take_cursor,
        }

    def search(self, resource_type: str) -> Search:
        return Search(
            base_url=self._base_url,
            resource_type=resource_type,
            patient=self._patient,
            count=self._count,
            total=self._total,
            cursor=self._cursor,
            used=tuple(self._used),
            values={name: tuple(groups) for name, groups in self._values.items()},
            patient_linked_as=self._linked_as or "patient",
        )

    def take(self, name: str, value: str) -> None:
        """Read one pair; an empty value counts as none."""
        plain, modified, _ = name.partition(":")
        parameter, common = self._known.get(plain), self._common.get(plain)
        if parameter is None and common is None:
            if self._strict:
                raise Malformed("unknown-parameter", detail=f"known are {', '.join([*self._known, *self._common])}")
            return
        if modified:
            raise malformed_parameter("unsupported-modifier", plain, "no modifier is supported")
        if not value.strip():
            return
        if common:
            common(value)
        elif parameter:
            self._take_known(parameter, value)

    def _take_known(self, parameter: Parameter, value: str) -> None:
        if parameter.kind in (Kind.PATIENT, Kind.PATIENT_IDENTIFIER):
            self._take_patient(parameter, value)
            return
        read = _READERS[parameter.kind]
        parts = search_values.alternatives(value)
        values = [read(text, parameter, self._base_url) for text in parts]
        if not values or None in values or any(map(_names_a_person, parts)):
            raise malformed_parameter("invalid-parameter", parameter.name, f"not a valid {parameter.kind}")
        self._values.setdefault(parameter.name, []).append(tuple(values))
        self._used.append((parameter.name, value))

    def _take_patient(self, parameter: Parameter, value: str) -> None:
        read = _record if parameter.kind is Kind.PATIENT else _ins
        patient = read(value, self._base_url)
        if patient is None:
            form = "Patient/[id]" if parameter.kind is Kind.PATIENT else "system|value"
            raise malformed_parameter("invalid-parameter", parameter.name, f"one patient is named as {form}")
        if self._patient not in (None, patient):
            raise malformed_parameter("wrong-patient", parameter.name, "one patient, named once")
        self._patient, self._linked_as = patient, parameter.linked_as

    def _take_count(self, value: str) -> None:
        if not (value.isascii() and value.isdigit() and int(value[:9]) >= 1):
            raise malformed_parameter(
                "invalid-parameter", "_count", "a whole number from 1 on; more than the most counts as it"
            )
        self._count = min(int(value[:9]), self._most)
        self._used.append(("_count", str(self._count)))

    def _take_total(self, value: str) -> None:
        if value not in set(Total):
            raise malformed_parameter("invalid-parameter", "_total", f"one of {', '.join(Total)}")
        self._total = Total(value)
        self._used.append(("_total", value))

    def _take_format(self, value: str) -> None:
        if value.partition(";")[0].strip().lower() not in _FORMATS:
            raise NotAcceptable("not-acceptable", "http._format")

    def _take_cursor(self, value: str) -> None:
        self._cursor = value


def _record(value: str, base_url: str) -> PatientRef | None:
    reference = search_values.parse_reference(value, base_url, ("Patient",))
    kind, _, record = reference.text.partition("/") if reference else ("", "", "")
    return PatientRef(record=record) if kind == "Patient" and "/" not in record else None


def _ins(value: str, _base_url: str) -> PatientRef | None:
    token = search_values.parse_token(value)
    if token is None or not token.system or not token.code or len(search_values.alternatives(value)) > 1:
        return None
    return PatientRef(ins=Identifier(token.system, token.code))


def _names_a_person(text: str) -> bool:
    """Whether a value is an INS: only `patient.identifier` takes one, so that none ever stands in a link."""
    token = search_values.parse_token(text)
    return token is not None and (token.system in INS_SYSTEMS or ins_key_is_valid(token.code))


def _token(text: str, _parameter: Parameter, _base_url: str) -> Token | None:
    return search_values.parse_token(text)


def _reference(text: str, parameter: Parameter, base_url: str) -> ReferenceValue | None:
    return search_values.parse_reference(text, base_url, parameter.targets)


def _date(text: str, _parameter: Parameter, _base_url: str) -> DateValue | None:
    return search_values.parse_date_value(text)


def _text(text: str, _parameter: Parameter, _base_url: str) -> str | None:
    return search_values.unescape(text)


def _choice(text: str, parameter: Parameter, _base_url: str) -> str | None:
    return text if text in parameter.choices else None


_READERS: dict[Kind, Callable[[str, Parameter, str], object | None]] = {
    Kind.TOKEN: _token,
    Kind.REFERENCE: _reference,
    Kind.DATE: _date,
    Kind.STRING: _text,
    Kind.CHOICE: _choice,
}
