"""An open record to try things on, its patient beside it, and what the tables hold of it."""

from dataclasses import dataclass
from typing import Any

from moto.dynamodb.models import dynamodb_backends

from dmp.adapters import aws
from dmp.domain.requester import Requester
from tests import bodies
from tests.api_client import ApiClient, Caller, Response
from tests.requester_factories import requester_patient

type Json = dict[str, Any]
REVOKE = [{"op": "replace", "path": "/status", "value": "inactive"}]


@dataclass(frozen=True, slots=True)
class OpenRecord:
    """One record; without `as_`, its patient asks."""

    api: ApiClient
    ins: str
    id: str
    patient: Requester

    def consent(self, body: Json, as_: Caller = None, **options: Any) -> Response:
        """Ask for a Consent."""
        return self.api.post("/fhir/Consent", body, as_=as_ or self.patient, **options)

    def authorise(self, actor: str = "810101234567", as_: Caller = None, **provision: Any) -> Response:
        """Authorise a professional, which succeeds."""
        response = self.consent(bodies.authorisation(self.id, actor, **provision), as_)
        assert response.status == 201, response.body
        return response

    def revoke(self, consent: str, as_: Caller = None, **options: Any) -> Response:
        """Revoke a Consent."""
        return self.api.patch(f"/fhir/Consent/{consent}", REVOKE, as_=as_ or self.patient, **options)

    def consents(self, query: str = "", as_: Caller = None) -> Response:
        """Search the Consents."""
        return self.api.get(f"/fhir/Consent?patient={self.id}{query}", as_=as_ or self.patient)

    def get_consent(self, consent: str, as_: Caller = None) -> Json:
        """Read a Consent, which succeeds."""
        response = self.api.get(f"/fhir/Consent/{consent}", as_=as_ or self.patient)
        assert response.status == 200, response.body
        return response.json

    def status_of(self, consent: str) -> str:
        """The status of a Consent."""
        return str(self.get_consent(consent)["status"])

    def documents(self, as_: Caller) -> Response:
        """Search the documents."""
        return self.api.get(f"/fhir/DocumentReference?patient={self.id}&status=current", as_=as_)

    def may_read(self, as_: Caller) -> bool:
        """Whether a search of the documents is permitted."""
        return self.documents(as_).status == 200

    def close(self, as_: Caller = None) -> Response:
        """Close the record, which succeeds."""
        body = bodies.parameters(motive={"valueCode": "patient-demande"}, reason={"valueString": "Ne souhaite plus"})
        response = self.api.post(f"/fhir/Patient/{self.id}/$close", body, as_=as_ or self.patient)
        assert response.status == 200, response.body
        return response

    def trace(self) -> list[Json]:
        """What the patient finds in the trace, newest first."""
        response = self.api.get(f"/fhir/AuditEvent?patient={self.id}&_count=100", as_=self.patient)
        assert response.status == 200, response.body
        return response.resources


def open_record(api: ApiClient, **patient: Any) -> OpenRecord:
    """Open a record as its patient does; `patient` are elements of the Patient."""
    ins = bodies.new_ins()
    requester = requester_patient(bodies.qualified(ins))
    resource = {"resource": bodies.patient(ins, **patient)}
    response = api.post("/fhir/Patient/$open", bodies.opening(ins, patient=resource), as_=requester)
    assert response.status == 201, response.body
    return OpenRecord(api, ins, response.id, requester)


def items_of(environment: dict[str, str], record: str, prefix: str = "") -> list[Json]:
    """The items of a record as they lie in the table, in the order of their keys."""
    pages = (
        aws.client("dynamodb")
        .get_paginator("query")
        .paginate(
            TableName=environment["RECORDS_TABLE"],
            KeyConditionExpression="pk = :pk AND begins_with(sk, :sk)" if prefix else "pk = :pk",
            ExpressionAttributeValues={":pk": {"S": f"R#{record}"}} | ({":sk": {"S": prefix}} if prefix else {}),
            ConsistentRead=True,
        )
    )
    return [item for page in pages for item in page["Items"]]


def everything_stored(environment: dict[str, str]) -> dict[tuple[str, str], str]:
    """The whole records table, counters of quotas aside, to be compared with itself.

    It is read where moto keeps it, for scans take seconds.
    """
    stored: Any = dynamodb_backends["123456789012"]["eu-west-3"].tables[environment["RECORDS_TABLE"]]
    return {
        (partition.value, sort.value): repr({name: value.value for name, value in item.attrs.items()})
        for partition, items in stored.items.items()
        if not partition.value.startswith("Q#")
        for sort, item in items.items()
    }


def kind_of(consent: Json) -> str:
    """The kind of a Consent."""
    return str(consent["category"][1]["coding"][0]["code"])


def extension(resource: Json, name: str) -> Json:
    """The DMP's extension of that name."""
    url = f"https://interop.esante.gouv.fr/ig/fhir/dmp/StructureDefinition/{name}"
    return next((e for e in resource.get("extension", []) if e["url"] == url), {})
