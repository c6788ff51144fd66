"""Communication: what people are told of their records, in the portal and in professionals' software (R.1111-48)."""

from collections.abc import Mapping
from typing import Any

from dmp.adapters.document_store import DocumentStore
from dmp.adapters.message_store import MessageStore
from dmp.api import Api, Route
from dmp.composition import foundation
from dmp.domain.consent import PatientRef
from dmp.domain.errors import NotFound
from dmp.domain.notification import Message
from dmp.domain.requester import RequesterKind
from dmp.exchange import FORM, PATCH_TYPES, Answer, Request
from dmp.fhir.communication import render_communication
from dmp.fhir.communication_search import COMMUNICATION_PARAMETERS, ME, is_wanted, recipient_of
from dmp.fhir.search import Search, Total
from dmp.fhir.search_parameters import parse_search
from dmp.rest import address, deferred, expected_version, one, require_body, saved, searchset
from dmp.services.communications import CommunicationsService, MessageQuery
from dmp.services.inbox import MOST_A_PAGE, InboxService

_BASE = foundation()
_MESSAGES = MessageStore(_BASE.records_table, _BASE.keyring)
_DOCUMENTS = DocumentStore(_BASE.records_table, _BASE.keyring)
_COMMUNICATIONS = CommunicationsService(_BASE.gate, _BASE.records, _MESSAGES, _DOCUMENTS, _BASE.ledger)
_INBOX = InboxService(_BASE.gate, _MESSAGES, _DOCUMENTS)


def find(request: Request) -> Answer:
    """GET Communication?recipient=Patient/[id] or recipient=me, or POST Communication/_search."""
    search = parse_search(
        request.parameters,
        COMMUNICATION_PARAMETERS,
        base_url=request.base_url,
        resource_type="Communication",
        strict=request.prefers("handling=strict"),
    )
    recipient, requester = recipient_of(search), request.call.requester
    if recipient.record != ME:
        return _find_of(request, search, recipient)
    if requester.kind is not RequesterKind.PATIENT:
        return _find_mine(request, search)
    try:
        return _find_of(request, search, PatientRef(ins=requester.ins))
    except NotFound:
        return searchset(search, [], total=0)  # whoever has no record has no messages


def _find_of(request: Request, search: Search, patient: PatientRef) -> Answer:
    page = _COMMUNICATIONS.search(
        request.call,
        MessageQuery(
            patient=patient,
            wanted=lambda message: is_wanted(search, message),
            described=search.described,
            count=search.count,
            after=_after(request, search),
            accurate_total=search.total is Total.ACCURATE,
        ),
    )
    cursor = _cursor(request, search, page.next, page.record)
    rendered = map(render_communication, page.messages)
    return searchset(search, rendered, record=page.record, total=page.total, cursor=cursor)


def _find_mine(request: Request, search: Search) -> Answer:
    messages, onward = _INBOX.page(
        request.call,
        lambda message: is_wanted(search, message),
        after=_after(request, search),
        count=min(search.count, MOST_A_PAGE),
        query=search.described(ME),
    )
    total = len(messages) if not onward and not search.cursor else None
    cursor = _cursor(request, search, onward, ME)
    return searchset(search, map(render_communication, messages), record=ME, total=total, cursor=cursor)


def _after(request: Request, search: Search) -> str:
    """Where the page begins that a cursor leads to."""
    if not search.cursor:
        return ""
    return _BASE.cursors.open(search.cursor, search.cursor_context(request.call.requester.identifier))


def _cursor(request: Request, search: Search, onward: str | None, record: str) -> str | None:
    if onward is None:
        return None
    return _BASE.cursors.seal(onward, search.cursor_context(request.call.requester.identifier, record))


def read(request: Request) -> Answer:
    """GET Communication/[id]."""
    message = _COMMUNICATIONS.read(request.call, *address(request))
    return one(render_communication(message), message.version, message.updated or message.sent)


def patch(request: Request) -> Answer:
    """PATCH Communication/[id]: read, or unread again."""
    from dmp.fhir.communication_patch import read_communication_patch

    media_type = request.headers.get("content-type", "")
    status = deferred(lambda: read_communication_patch(require_body(request), media_type))
    message = _COMMUNICATIONS.mark(request.call, *address(request), status, expected_version(request))
    return _saved(request, message)


def _saved(request: Request, message: Message) -> Answer:
    rendered = render_communication(message)
    return saved(request, rendered, message.version, message.updated or message.sent, created=False)


ROUTES = (
    Route("GET", "Communication", find),
    Route("POST", "Communication/_search", find, media=frozenset({FORM})),
    Route("GET", "Communication/{id}", read),
    Route("PATCH", "Communication/{id}", patch, media=PATCH_TYPES),
)
_API = Api(ROUTES, clock=_BASE.clock, base_url=_BASE.settings.base_url)


def handler(event: Mapping[str, Any], _context: object) -> dict[str, Any]:
    """Answer one request."""
    return _API.handle(event)
