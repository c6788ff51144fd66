"""$explain as an endpoint; it reads a body, and is imported by the first of them."""

from dmp.exchange import Answer, Request
from dmp.fhir.explanation import render_explanation
from dmp.fhir.explanation_reading import read_question
from dmp.record_answers import parameters
from dmp.rest import deferred
from dmp.services.explanations import ExplanationsService


def explained(request: Request, service: ExplanationsService, record: str) -> Answer:
    """POST Patient/[id]/$explain: Parameters with who may see what, and why."""
    question = deferred(lambda: read_question(parameters(request), request.base_url))
    return Answer(resource=render_explanation(service.explain(request.call, record, question)))
