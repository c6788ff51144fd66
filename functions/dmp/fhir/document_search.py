"""ITI-67: the parameters of a search for documents, and the query that they ask (MHD 4.2.4, PDSm, TD3.1)."""

from collections.abc import Iterator

from dmp.domain.document import Coding, DocumentStatus
from dmp.domain.document_query import DocumentQuery, Span, Spans
from dmp.domain.errors import Malformed
from dmp.domain.identifiers import Identifier
from dmp.fhir.search import Search, Total
from dmp.fhir.search_parameters import PATIENT, PATIENT_IDENTIFIER, Kind, Parameter
from dmp.fhir.search_values import DateValue, Prefix

DOCUMENT_PARAMETERS = (
    PATIENT,
    PATIENT_IDENTIFIER,
    Parameter("status", Kind.TOKEN),
    Parameter("type", Kind.TOKEN),
    Parameter("category", Kind.TOKEN),
    Parameter("identifier", Kind.TOKEN),
    Parameter("date", Kind.DATE),
    Parameter("_lastUpdated", Kind.DATE),
)
_STATUS_SYSTEM = "http://hl7.org/fhir/document-reference-status"
_FINDABLE = (DocumentStatus.CURRENT, DocumentStatus.SUPERSEDED)


def document_query(search: Search, after: str) -> DocumentQuery:
    """What is asked, behind the document `after`; Malformed where patient or status is missing."""
    patient = search.require_patient()
    search.require("status")
    return DocumentQuery(
        patient=patient,
        statuses=tuple(s for s in _FINDABLE if search.tokens_match("status", [("", s), (_STATUS_SYSTEM, s)])),
        types=_codings(search, "type"),
        classes=_codings(search, "category"),
        identifiers=tuple(Identifier(one.system, one.code) for one in _codings(search, "identifier")),
        date=_spans(search, "date"),
        updated=_spans(search, "_lastUpdated"),
        count=search.count,
        after=after,
        accurate_total=search.total is Total.ACCURATE,
    )


def _codings(search: Search, name: str) -> tuple[Coding, ...]:
    groups = search.tokens(name)
    if len(groups) > 1:
        raise Malformed("unsupported-repetition", f"http.{name}", "give alternatives with commas")
    return tuple(Coding(token.system or "", token.code) for group in groups for token in group)


def _spans(search: Search, name: str) -> Spans:
    return tuple(tuple(span for value in group for span in _held(value)) for group in search.dates(name))


def _held(value: DateValue) -> Iterator[Span]:
    """The moments that a date with its prefix stands for; all but a span of time are two."""
    if value.prefix is Prefix.NOT_EQUAL:
        yield Span(None, value.start)
        yield Span(value.end, None)
    else:
        yield Span(*value.window)
