"""Lines of reimbursement taken in, one or a batch, and what is answered to whoever feeds them."""

from collections.abc import Mapping
from typing import Any

from dmp.api import refusal
from dmp.domain.errors import DmpError
from dmp.domain.reimbursement import RESOURCE_TYPE
from dmp.exchange import Answer, Request, parse_query
from dmp.fhir import batch, bundle
from dmp.fhir.explanation_of_benefit import render_reimbursement
from dmp.fhir.explanation_of_benefit_reading import line_said
from dmp.fhir.parsing import parse_object
from dmp.rest import criterion, identifier_condition, require_body, saved
from dmp.services.reimbursement_batch import ReimbursementBatch
from dmp.services.reimbursement_feed import Fed

_PHRASES = {
    400: "Bad Request",
    403: "Forbidden",
    404: "Not Found",
    405: "Method Not Allowed",
    409: "Conflict",
    413: "Content Too Large",
    422: "Unprocessable Content",
    503: "Service Unavailable",
}


def created(request: Request, service: ReimbursementBatch) -> Answer:
    """201 with a new line, 200 with the one that is there."""
    text = criterion(request)
    condition = identifier_condition(parse_query(text)) if text else None
    resource = parse_object(require_body(request), RESOURCE_TYPE)
    line, is_new = service.create(request.call, line_said(resource, request.base_url, condition))
    return saved(request, render_reimbursement(line), line.version, line.updated, created=is_new)


def batch_fed(request: Request, sent: Mapping[str, Any], service: ReimbursementBatch) -> Answer:
    """200 with what became of each entry, in their order."""
    entries = batch.entries_of(sent)
    said = {n: batch.entry_said(entry, f"Bundle.entry[{n}]", request.base_url) for n, entry in enumerate(entries)}
    outcomes = service.feed(request.call, said)
    answered = (_entry(outcomes[place]) for place in said)
    return Answer(resource=bundle.batch_response(answered, self_url=request.base_url))


def _entry(outcome: Fed | DmpError) -> bundle.ResponseEntry:
    if isinstance(outcome, DmpError):
        answer = refusal(outcome)
        status = f"{answer.status} {_PHRASES.get(answer.status, '')}".strip()
        return bundle.ResponseEntry(status=status, outcome=answer.resource)
    return bundle.ResponseEntry(
        status="201 Created" if outcome.line else "200 OK",
        location=f"{RESOURCE_TYPE}/{outcome.id}/_history/1",
        version=1,
        updated=outcome.known.updated,
    )
