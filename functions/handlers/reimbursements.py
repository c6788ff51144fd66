"""The history of reimbursements: fed by the insurer, read by those who may (R.1111-42)."""

from collections.abc import Mapping
from typing import Any

from dmp.adapters.reimbursement_store import ReimbursementStore
from dmp.api import Api, Route
from dmp.composition import foundation
from dmp.domain.reimbursement import RESOURCE_TYPE, Reimbursement, Window
from dmp.exchange import FORM, Answer, Request
from dmp.fhir.explanation_of_benefit import REIMBURSEMENT_PARAMETERS, reimbursement_query, render_reimbursement
from dmp.rest import address, one, searchset, version_of
from dmp.search_answers import Pages
from dmp.services.reimbursements import ReimbursementsService

_BASE = foundation()
_SERVICE = ReimbursementsService(
    _BASE.gate,
    _BASE.records,
    ReimbursementStore(_BASE.records_table, _BASE.keyring),
    Window(_BASE.settings.reimbursement_months),
    render_reimbursement,
)
_PAGES = Pages(RESOURCE_TYPE, REIMBURSEMENT_PARAMETERS, _BASE.cursors, _BASE.records.named)


def create(request: Request) -> Answer:
    """POST ExplanationOfBenefit: one line, by the insurer."""
    from dmp.reimbursement_answers import created
    from dmp.reimbursement_composition import batch

    return created(request, batch(_BASE))


def find(request: Request) -> Answer:
    """GET ExplanationOfBenefit, or POST ExplanationOfBenefit/_search: the newest care first."""
    search, after = _PAGES.asked(request)
    page = _SERVICE.search(request.call, reimbursement_query(search, after), search.described)
    context = search.cursor_context(request.call.requester.identifier, page.record)
    cursor = _BASE.cursors.seal(page.next, context) if page.next else None
    return searchset(search, page.resources, record=page.record, total=page.total, cursor=cursor)


def read(request: Request) -> Answer:
    """GET ExplanationOfBenefit/[id]."""
    return _one(_SERVICE.read(request.call, *address(request)))


def version(request: Request) -> Answer:
    """GET ExplanationOfBenefit/[id]/_history/[version]: a line has one."""
    return _one(_SERVICE.read(request.call, *address(request), version_of(request)))


def _one(line: Reimbursement) -> Answer:
    return one(render_reimbursement(line), line.version, line.updated)


ROUTES = (
    Route("GET", RESOURCE_TYPE, find),
    Route("POST", f"{RESOURCE_TYPE}/_search", find, media=frozenset({FORM})),
    Route("POST", RESOURCE_TYPE, create),
    Route("GET", f"{RESOURCE_TYPE}/{{id}}", read),
    Route("GET", f"{RESOURCE_TYPE}/{{id}}/_history/{{version}}", version),
)
_API = Api(ROUTES, clock=_BASE.clock, base_url=_BASE.settings.base_url, look_ups=_BASE.look_ups)


def handler(event: Mapping[str, Any], _context: object) -> dict[str, Any]:
    """Answer one request."""
    return _API.handle(event)
