"""Search parameters of a request: what is declared is parsed, what is not is ignored or refused (FHIR R4 search)."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from dmp.domain.consent import PatientRef
from dmp.domain.errors import Malformed, NotAcceptable
from dmp.fhir import search_readers, search_values
from dmp.fhir.search import CURSOR, DEFAULT_COUNT, Search, Total, malformed_parameter
from dmp.fhir.search_values import TextValue

MOST = 100
MOST_BYTES = 16_384
"""Bytes of all parameters of a request: what cannot be kept in the trace is not searched for."""
MOST_BYTES_OF_ONE = 4_096
MOST_ALTERNATIVES = 50
"""Values of all parameters of a request: each may cost a read, before anything is decided."""
_FORMATS = frozenset({"json", "application/json", "application/fhir+json", "application/fhir json"})


class Kind(StrEnum):
    """How the values of a parameter are read."""

    TOKEN = "token"  # nosec B105 # noqa: S105 - a type of search parameter
    REFERENCE = "reference"
    DATE = "date"
    STRING = "string"
    URI = "uri"
    WORDS = "word"
    """Words to be found in what a document says: all of one of the values."""
    CHOICE = "choice"
    """One of a few words, `_sort` and `_include` for example; another word is as a parameter that is not known."""
    PATIENT = "patient"
    PATIENT_IDENTIFIER = "patient-identifier"
    """`system|value` of an INS, which no link ever carries."""


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter that works: `targets` are the types a reference may name, `choices` the words of a choice.

    `linked_as` names the parameter that stands for the patient in links; where it is empty, none does. `aliases` are
    other ways to write it, with a modifier or a type: `author:identifier` is `author.identifier`.
    """

    name: str
    kind: Kind
    targets: tuple[str, ...] = ()
    choices: tuple[str, ...] = ()
    linked_as: str = "patient"
    aliases: tuple[str, ...] = ()


PATIENT = Parameter("patient", Kind.PATIENT)
PATIENT_IDENTIFIER = Parameter("patient.identifier", Kind.PATIENT_IDENTIFIER)
PATIENT_NAMES = (
    Parameter("patient", Kind.PATIENT, aliases=("patient:Patient",)),
    Parameter("patient.identifier", Kind.PATIENT_IDENTIFIER, aliases=("patient:identifier",)),
    Parameter("subject", Kind.PATIENT, aliases=("subject:Patient",)),
    Parameter("subject.identifier", Kind.PATIENT_IDENTIFIER, aliases=("subject:identifier",)),
)
"""Every way to name the patient of documents and lists."""


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

    Raises NotAcceptable and Malformed: `unknown-parameter` when strict, `unsupported-modifier`, `invalid-parameter`,
    this one beyond 16 KiB in all, 4 KiB in a value, or 50 values too.
    """
    parser = _Parser(known, base_url, most, strict=strict)
    for name, value in pairs:
        parser.take(name, value)
    return parser.search(resource_type)


class _Parser:
    """Collects one request's parameters."""

    def __init__(self, known: Sequence[Parameter], base_url: str, most: int, *, strict: bool) -> None:
        self._known = {name: parameter for parameter in known for name in (parameter.name, *parameter.aliases)}
        self._names = [parameter.name for parameter in known]
        self._base_url = base_url
        self._most = most
        self._strict = strict
        self._bytes = 0
        self._alternatives = 0
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
        self._bytes += _size(name) + _size(value)
        if self._bytes > MOST_BYTES:
            raise Malformed("invalid-parameter", detail=f"at most {MOST_BYTES} bytes of parameters")
        plain, modifier = self._parted(name)
        parameter, common = self._known.get(plain), self._common.get(plain)
        if parameter is None and common is None:
            self._leave_out()
            return
        if plain != name and not (parameter and modifier in _MODIFIERS.get(parameter.kind, ())):
            raise malformed_parameter("unsupported-modifier", plain, "texts have `exact` and `contains`")
        if not value.strip():
            return
        if _size(value) > MOST_BYTES_OF_ONE:
            raise malformed_parameter("invalid-parameter", plain, f"at most {MOST_BYTES_OF_ONE} bytes")
        if common:
            common(value)
        elif parameter:
            self._take_known(parameter, value, modifier)

    def _parted(self, name: str) -> tuple[str, str]:
        """The parameter and its modifier: a colon may belong to the name of a known one."""
        head, _, modifier = name.rpartition(":")
        if name in self._known or not head:
            return name, ""
        return (head, modifier) if head in self._known else (name.partition(":")[0], modifier)

    def _leave_out(self) -> None:
        """What is not known is ignored, unless the client is strict."""
        if self._strict:
            raise Malformed("unknown-parameter", detail=f"known are {', '.join([*self._names, *self._common])}")

    def _take_known(self, parameter: Parameter, value: str, modifier: str) -> None:
        match parameter.kind:
            case Kind.PATIENT | Kind.PATIENT_IDENTIFIER:
                self._take_patient(parameter, value)
            case Kind.CHOICE:
                self._take_choice(parameter, value)
            case _:
                self._take_values(parameter, value, modifier)

    def _take_values(self, parameter: Parameter, value: str, modifier: str) -> None:
        by_identifier = self._known.get(f"{parameter.name}.identifier")
        if parameter.kind is Kind.REFERENCE and "|" in value and by_identifier:
            parameter = by_identifier
        read = _READERS[parameter.kind]
        parts = search_values.alternatives(value)
        self._alternatives += len(parts)
        if self._alternatives > MOST_ALTERNATIVES:
            raise malformed_parameter(
                "invalid-parameter", parameter.name, f"at most {MOST_ALTERNATIVES} values in one search"
            )
        values = [read(text, parameter.targets, self._base_url) for text in parts]
        if not values or None in values or any(map(search_readers.names_a_person, parts)):
            raise malformed_parameter("invalid-parameter", parameter.name, f"not a valid {parameter.kind}")
        if modifier:
            values = [replace(one, modifier=modifier) for one in values if isinstance(one, TextValue)]
        self._keep(parameter.name, tuple(values), f"{parameter.name}:{modifier}" if modifier else "", value)

    def _take_choice(self, parameter: Parameter, value: str) -> None:
        """The first of the words that is one; where the client is strict, there are no others."""
        known = [word for word in search_values.alternatives(value) if word in parameter.choices]
        if not known or (self._strict and value != known[0]):
            self._leave_out()
            return
        self._keep(parameter.name, (known[0],), "", known[0])

    def _keep(self, name: str, values: tuple[Any, ...], written: str, value: str) -> None:
        self._values.setdefault(name, []).append(values)
        self._used.append((written or name, value))

    def _take_patient(self, parameter: Parameter, value: str) -> None:
        read = search_readers.record if parameter.kind is Kind.PATIENT else search_readers.ins
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


def _size(text: str) -> int:
    return len(text.encode(errors="replace"))


_READERS: dict[Kind, Callable[[str, tuple[str, ...], str], object | None]] = {
    Kind.TOKEN: search_readers.token,
    Kind.REFERENCE: search_readers.reference,
    Kind.DATE: search_readers.date,
    Kind.STRING: search_readers.text,
    Kind.URI: search_readers.uri,
    Kind.WORDS: search_readers.words,
}
_MODIFIERS = {Kind.STRING: (search_values.EXACT, search_values.CONTAINS)}
