"""$generate-metadata as an endpoint (ITI-106). It reads documents, and is imported by the first of them."""

from typing import Any

from dmp.cda.admission import examined
from dmp.exchange import Answer, Request
from dmp.fhir.generated_metadata import generated
from dmp.fhir.parsing import checked, parse_object
from dmp.rest import deferred, require_body
from dmp.services.generations import GenerationsService


def metadata(request: Request, service: GenerationsService) -> Answer:
    """Parameters with the DocumentReference of the document; nothing is stored."""
    parameters = parse_object(require_body(request), "Parameters")
    read = deferred(lambda: generated(checked(parameters), examined))
    resource: dict[str, Any] = service.generate(request.call, read)
    named = {"name": "DocumentReference", "resource": resource}
    return Answer(resource={"resourceType": "Parameters", "parameter": [named]})
