"""People who act for the patient of a record, by a delegation that the patient made."""

from dmp.domain.requester import Requester
from tests import bodies
from tests.fed_record import FedRecord
from tests.requester_factories import requester_patient

GUARDIAN, NEIGHBOUR = "GUARD", "NBOR"
"""A legal representative, and somebody who cares."""


def delegated(record: FedRecord, relationship: str) -> Requester:
    """Somebody who acts for the patient from now on."""
    ins = bodies.new_ins()
    role = {"system": "http://terminology.hl7.org/CodeSystem/v3-RoleCode", "code": relationship}
    person = bodies.guardian(ins, patient={"reference": f"Patient/{record.id}"}, relationship=[{"coding": [role]}])
    made = record.api.post("/fhir/RelatedPerson", person, as_=record.patient)
    assert made.status == 201, made.body
    consent = bodies.consent(record.id, "delegation", "permit", None, "")
    consent["provision"]["actor"] = [{"reference": {"reference": f"RelatedPerson/{made.id}"}}]
    answer = record.api.post("/fhir/Consent", consent, as_=record.patient)
    assert answer.status == 201, answer.body
    return requester_patient(bodies.qualified(ins), name="Claude DUVAL")
