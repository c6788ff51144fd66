"""$emergency-access as endpoints: by the id of the record, or by INS where only that is known (R.1111-48).

It reads bodies, and is imported by the first of them.
"""

from dmp.domain.consent import Consent, PatientRef
from dmp.exchange import Answer, Request
from dmp.fhir.consent import render_consent
from dmp.fhir.emergency_reading import read_declaration, read_person
from dmp.record_answers import parameters
from dmp.rest import deferred, saved
from dmp.services.emergencies import EmergenciesService


def declared(request: Request, service: EmergenciesService, record: str) -> Answer:
    """POST Patient/[id]/$emergency-access: 201 with the Consent that opens the record until its end."""
    read = deferred(lambda: read_declaration(parameters(request)))
    return _created(request, service.declare(request.call, PatientRef(record=record), read))


def declared_by_ins(request: Request, service: EmergenciesService) -> Answer:
    """POST Patient/$emergency-access, with the INS as `identifier`."""
    given = parameters(request)
    read = deferred(lambda: read_declaration(given))
    return _created(request, service.declare(request.call, read_person(given), read))


def _created(request: Request, consent: Consent) -> Answer:
    return saved(request, render_consent(consent), consent.version, consent.updated, created=True)
