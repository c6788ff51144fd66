"""The trace of a record: AuditEvent search and read; nothing else is possible with it (R.1111-43, IHE BALP)."""

from collections.abc import Mapping
from typing import Any

from dmp.adapters.audit_store import AuditStore, Position
from dmp.adapters.document_store import DocumentStore
from dmp.api import Api, Route
from dmp.composition import foundation
from dmp.exchange import FORM, Answer, Request
from dmp.fhir import bundle
from dmp.fhir.audit_event import event_id, render_audit_event
from dmp.fhir.audit_search import AUDIT_PARAMETERS, is_wanted, narrows
from dmp.fhir.search import Search, Total
from dmp.fhir.search_parameters import parse_search
from dmp.rest import address, one
from dmp.services.audit_trail import AuditTrailService, TraceQuery

_BASE = foundation()
_TRAIL = AuditTrailService(
    _BASE.gate,
    _BASE.records,
    DocumentStore(_BASE.records_table, _BASE.keyring),
    AuditStore(_BASE.audit_table),
    Position,
)


def find(request: Request) -> Answer:
    """GET AuditEvent, or POST AuditEvent/_search."""
    search = parse_search(
        request.parameters,
        AUDIT_PARAMETERS,
        base_url=request.base_url,
        resource_type="AuditEvent",
        strict=request.prefers("handling=strict"),
    )
    caller = request.call.requester.identifier
    after = _BASE.cursors.open(search.cursor, search.cursor_context(caller)) if search.cursor else ""
    page = _TRAIL.search(request.call, _query(search, after))
    cursor = _BASE.cursors.seal(page.next, search.cursor_context(caller, page.record)) if page.next else None
    entries = [
        (
            f"{request.base_url}/AuditEvent/{event_id(entry)}",
            render_audit_event(entry, request.base_url),
            bundle.MATCH,
        )
        for entry in page.entries
    ]
    return Answer(
        resource=bundle.searchset(
            entries,
            total=page.total,
            self_url=search.self_url(page.record),
            next_url=search.next_url(cursor, page.record) if cursor else None,
        )
    )


def _query(search: Search, after: str) -> TraceQuery:
    start, end = search.window("date")
    return TraceQuery(
        patient=search.require_patient(),
        start=start,
        end=end,
        wanted=lambda entry: is_wanted(search, entry),
        narrows=narrows(search),
        count=search.count,
        after=after,
        accurate_total=search.total is Total.ACCURATE,
        described=search.described,
    )


def read(request: Request) -> Answer:
    """GET AuditEvent/[id]."""
    entry = _TRAIL.read(request.call, *address(request))
    return one(render_audit_event(entry, request.base_url), 1, entry.at)


def proof(request: Request) -> Answer:
    """GET AuditEvent/$proof?patient=…: what shows that nothing of a trace was changed."""
    from dmp.proof_answers import proved

    return proved(request, _BASE)


ROUTES = (
    Route("GET", "AuditEvent/$proof", proof, any_answer=True),
    Route("GET", "AuditEvent", find),
    Route("POST", "AuditEvent/_search", find, media=frozenset({FORM})),
    Route("GET", "AuditEvent/{id}", read),
)
_API = Api(ROUTES, clock=_BASE.clock, base_url=_BASE.settings.base_url, look_ups=_BASE.look_ups)


def handler(event: Mapping[str, Any], _context: object) -> dict[str, Any]:
    """Answer one request."""
    return _API.handle(event)
