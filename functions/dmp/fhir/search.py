"""A search as it was understood: typed values, what they match, and the links that repeat it without any INS."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any
from urllib.parse import quote, urlencode

from dmp.domain.consent import PatientRef
from dmp.domain.errors import Malformed
from dmp.domain.identifiers import Identifier
from dmp.fhir import search_values
from dmp.fhir.search_values import DateValue, ReferenceValue, TextValue, Token

CURSOR = "_cursor"
DEFAULT_COUNT = 20


class Total(StrEnum):
    """What the client asks of `Bundle.total`."""

    NONE = "none"
    ESTIMATE = "estimate"
    ACCURATE = "accurate"


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """A search as it was understood: repeats of a parameter are ANDed, the values of one are ORed."""

    base_url: str
    resource_type: str
    patient: PatientRef | None = None
    count: int = DEFAULT_COUNT
    total: Total | None = None
    cursor: str = ""
    used: tuple[tuple[str, str], ...] = ()
    values: Mapping[str, tuple[tuple[Any, ...], ...]] = field(default_factory=dict)
    patient_linked_as: str = "patient"

    def tokens(self, name: str) -> tuple[tuple[Token, ...], ...]:
        """The tokens of a parameter."""
        return self.values.get(name, ())

    def references(self, name: str) -> tuple[tuple[ReferenceValue, ...], ...]:
        """The references of a parameter."""
        return self.values.get(name, ())

    def dates(self, name: str) -> tuple[tuple[DateValue, ...], ...]:
        """The dates of a parameter."""
        return self.values.get(name, ())

    def texts(self, name: str) -> tuple[tuple[str, ...], ...]:
        """The values of a URI or choice parameter."""
        return self.values.get(name, ())

    def chosen(self, name: str) -> str:
        """The first word of a choice; empty where there is none."""
        return next((group[0] for group in self.texts(name)), "")

    def words(self, name: str) -> tuple[tuple[tuple[str, ...], ...], ...]:
        """The words of each value of a parameter."""
        return self.values.get(name, ())

    def texts_match(self, name: str, texts: Iterable[str]) -> bool:
        """Whether these texts satisfy a string parameter."""
        known = list(texts)
        groups: tuple[tuple[TextValue, ...], ...] = self.values.get(name, ())
        return all(any(value.matches(one) for value in values for one in known) for values in groups)

    def window(self, name: str) -> tuple[datetime | None, datetime | None]:
        """Between which instants (the second excluded) a moment lies that satisfies all dates of a parameter."""
        return search_values.common_window(self.dates(name))

    def within(self, name: str, moment: datetime) -> bool:
        """Whether a moment satisfies all dates of a parameter."""
        return all(any(value.matches_instant(moment) for value in values) for values in self.dates(name))

    def tokens_match(self, name: str, codings: Iterable[tuple[str, str]]) -> bool:
        """Whether these (system, code) pairs satisfy a parameter; an empty system stands for none."""
        pairs = list(codings)
        return all(any(t.matches(*pair) for t in tokens for pair in pairs) for tokens in self.tokens(name))

    def references_match(self, name: str, references: Iterable[str]) -> bool:
        """Whether these relative references satisfy a parameter."""
        known = list(references)
        return all(any(v.matches(one) for v in values for one in known) for values in self.references(name))

    def require_patient(self) -> PatientRef:
        """The patient; Malformed `missing-parameter` where the request names none."""
        if self.patient is None:
            raise malformed_parameter("missing-parameter", "patient", "patient or patient.identifier is mandatory")
        return self.patient

    def require(self, name: str) -> None:
        """Malformed `missing-parameter` unless the request has this parameter."""
        if name not in self.values:
            raise malformed_parameter("missing-parameter", name, f"{name} is mandatory")

    def described(self, record: str = "") -> str:
        """The query as the trace keeps it and cursors are tied to: ordered, and without any INS."""
        return _encoded(sorted(self._pairs(record)))

    def cursor_context(self, caller: Identifier, record: str = "") -> str:
        """What a cursor is tied to: caller, type, record and query; `record` where the patient was named by an INS."""
        known = self.patient.record if self.patient else None
        return f"{caller}&{self.resource_type}?{self.described(record or known or '')}"

    def self_url(self, record: str = "") -> str:
        """The address of this page, of the parameters really used; `record` stands for the patient."""
        pairs = self._pairs(record)
        return self._url([*pairs, (CURSOR, self.cursor)] if self.cursor else pairs)

    def next_url(self, cursor: str, record: str = "") -> str:
        """The address of the page that follows."""
        return self._url([*self._pairs(record), (CURSOR, cursor)])

    def _pairs(self, record: str) -> list[tuple[str, str]]:
        patient = [(self.patient_linked_as, record)] if record and self.patient_linked_as and self.patient else []
        return [*patient, *self.used]

    def _url(self, pairs: Sequence[tuple[str, str]]) -> str:
        query = _encoded(pairs)
        return f"{self.base_url}/{self.resource_type}" + (f"?{query}" if query else "")


def _encoded(pairs: Iterable[tuple[str, str]]) -> str:
    return urlencode(list(pairs), quote_via=quote, safe=":,/$")


def malformed_parameter(code: str, name: str, detail: str) -> Malformed:
    """A parameter that cannot be read; `detail` repeats nothing of what came."""
    return Malformed(code, f"http.{name}", detail)
