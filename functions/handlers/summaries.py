"""What a record holds, in one answer or page by page: $summary, $everything, the attestation of its opening (TD1.1)."""

from collections.abc import Mapping
from typing import Any

from dmp.adapters.profile_store import ProfileStore
from dmp.adapters.summary_store import SummaryStore
from dmp.api import Api, Route
from dmp.composition import foundation
from dmp.domain.errors import NotAllowed
from dmp.exchange import Answer, Request
from dmp.record_answers import record_id
from dmp.services.attestations import AttestationsService
from dmp.services.summaries import SummariesService

_BASE = foundation()
_ATTESTATIONS = AttestationsService(_BASE.gate, _BASE.records)
_SUMMARIES = SummariesService(_BASE.gate, ProfileStore(_BASE.records_table), SummaryStore(_BASE.records_table))


def summary(request: Request) -> Answer:
    """GET Patient/[id]/$summary: the International Patient Summary."""
    from dmp.summary_answers import summarised

    told = _SUMMARIES.summary(request.call, record_id(request))
    return summarised(request, told, _BASE.entropy())


def everything(request: Request) -> Answer:
    """GET Patient/[id]/$everything: all that the caller may see, page by page."""
    from dmp import everything_answers
    from dmp.everything_composition import everything as service

    return everything_answers.everything(request, service(_BASE), _BASE.cursors)


def attestation(request: Request) -> Answer:
    """GET Patient/[id]/$attestation: the page that the opener prints for the patient."""
    from dmp.attestation import attestation_page

    record = _ATTESTATIONS.attestation(request.call, record_id(request))
    return Answer(content=attestation_page(record).encode(), media_type="text/html; charset=utf-8")


def not_here(_request: Request) -> Answer:
    """What the API never routes to this function."""
    raise NotAllowed("method-not-allowed")


ROUTES = (
    Route("GET", "Patient/{id}/$summary", summary),
    Route("GET", "Patient/{id}/$everything", everything),
    Route("GET", "Patient/{id}/$attestation", attestation, any_answer=True),
)
_POSTED = ("close", "reopen", "erase", "emergency-access", "explain", "export")
"""Operations that another function answers, and by POST alone: a GET of them comes here."""
_ELSEWHERE = tuple(Route("POST", f"Patient/{{id}}/${name}", not_here) for name in _POSTED)
_API = Api((*ROUTES, *_ELSEWHERE), clock=_BASE.clock, base_url=_BASE.settings.base_url, look_ups=_BASE.look_ups)


def handler(event: Mapping[str, Any], _context: object) -> dict[str, Any]:
    """Answer one request."""
    return _API.handle(event)
