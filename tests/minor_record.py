"""The record of a minor, opened by the mother, who represents until the majority."""

from collections.abc import Mapping
from dataclasses import dataclass

from dmp.domain.requester import Requester
from tests import bodies
from tests.api_client import ApiClient
from tests.fed_record import FedRecord
from tests.requester_factories import requester_patient

BIRTH = "2011-06-01"


@dataclass(frozen=True)
class MinorRecord(FedRecord):
    """The record of somebody of fourteen."""

    guardian: Requester


def open_minor_record(api: ApiClient, stores: Mapping[str, str], mothers: str = "") -> MinorRecord:
    """A record that nothing was fed into; `mothers` is the INS of who opens it."""
    ins, mothers = bodies.new_ins(), mothers or bodies.new_ins()
    guardian = requester_patient(bodies.qualified(mothers), name="Claude DUVAL")
    body = bodies.opening(
        ins,
        patient={"resource": bodies.patient(ins, birthDate=BIRTH)},
        guardian={"resource": bodies.guardian(mothers)},
    )
    answer = api.post("/fhir/Patient/$open", body, as_=guardian)
    assert answer.status == 201, answer.body
    return MinorRecord(api, answer.id, ins, requester_patient(bodies.qualified(ins)), stores, guardian)
