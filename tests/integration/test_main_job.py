"""The main job, from opening to the trace, through the gateway with real tokens."""

from tests import bodies
from tests.api_client import ApiClient
from tests.token_factory import TokenFactory

JSON_PATCH_REVOKE = [{"op": "replace", "path": "/status", "value": "inactive"}]


def test_a_record_is_opened_fed_read_by_those_authorised_and_the_patient_sees_who_did_what(
    api: ApiClient, tokens: TokenFactory
) -> None:
    ins = bodies.new_ins()
    patient, hospital = tokens.patient(ins=bodies.qualified(ins)), tokens.server(structure="1750100125")
    specialist = tokens.professional(rpps="10101234567", structure="1690000005")
    stranger = tokens.professional(rpps="10107654321", structure="1310000003")

    opened = api.post("/fhir/Patient/$open", bodies.opening(ins), as_=patient)
    assert opened.status == 201, opened.body
    record = opened.id
    fed = api.post("/fhir", bodies.submission(record), as_=hospital)
    assert fed.status == 200, fed.body
    authorised = api.post("/fhir/Consent", bodies.authorisation(record, "810101234567"), as_=patient)
    assert authorised.status == 201, authorised.body
    url = f"/fhir/DocumentReference?patient={record}&status=current"
    found = api.get(url, as_=specialist)
    assert found.status == 200, found.body
    (document,) = found.resources
    content = api.get(document["content"][0]["attachment"]["url"], as_=specialist)
    refused = api.get(url, as_=stranger)
    revoked = api.patch(f"/fhir/Consent/{authorised.id}", JSON_PATCH_REVOKE, as_=patient)
    assert revoked.status == 200, revoked.body
    after = api.get(url, as_=specialist)
    trace = api.get(f"/fhir/AuditEvent?patient={record}&_count=50", as_=patient)

    assert content.body == bodies.PDF
    assert (refused.status, refused.code) == (403, "not-authorised")
    assert (after.status, after.code) == (403, "not-authorised")
    assert trace.status == 200, trace.body
    assert {"0", "8"} == {event["outcome"] for event in trace.resources}
