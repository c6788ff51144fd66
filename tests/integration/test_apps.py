"""Third-party apps: what a token with SMART scopes reads and writes for its user, and how apps find their way."""

import base64
import importlib
import json
import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from time_machine import TimeMachineFixture

from dmp.domain.identifiers import INS_NIR_TEST
from dmp.domain.requester import Requester, RequesterKind
from dmp.domain.smart_scopes import granted
from infra.local import demo_documents
from tests import bodies
from tests.api_client import ApiClient, Response
from tests.fhir_validity import assert_valid_r4
from tests.integration.test_official_documents import patient
from tests.integration.test_submissions import superseding as patch_superseding
from tests.open_record import OpenRecord, open_record
from tests.requester_factories import requester_patient, requester_professional, requester_server
from tests.token_factory import TokenFactory

type Json = dict[str, Any]

HEALER = requester_professional()
CHALLENGE = 'Bearer realm="dmp", error="insufficient_scope"'


@pytest.fixture
def record(api: ApiClient, clock: TimeMachineFixture) -> OpenRecord:
    """A record of which an authorised professional has fed a document."""
    opened = open_record(api)
    opened.authorise()
    return opened


@pytest.fixture
def document(record: OpenRecord) -> str:
    return made(record.api.post("/fhir/DocumentReference", bodies.document(record.id), as_=HEALER)).id


def made(response: Response) -> Response:
    assert response.status == 201, response.body
    return response


def app_of(user: Requester, *scopes: str) -> Requester:
    """An app, as the authorizer knows it by a token with these scopes."""
    return replace(user, scopes=granted(["launch/patient", *scopes], user.kind))


def refused(*answers: Response) -> bool:
    return {(r.status, r.code, r.headers.get("www-authenticate")) for r in answers} == {
        (403, "out-of-scope", CHALLENGE)
    }


def test_a_token_with_scopes_reads_what_they_name_and_nothing_else(
    record: OpenRecord, document: str, tokens: TokenFactory
) -> None:
    ins = bodies.qualified(record.ins)
    app = tokens.patient(ins=ins, scope="openid launch/patient patient/DocumentReference.rs", client_id="carnet")
    get: Callable[[str], Response] = lambda url: record.api.get(f"/fhir/{url}", as_=app)  # noqa: E731

    read = [
        get(f"DocumentReference/{document}"),
        get(f"DocumentReference?patient={record.id}&status=current"),
        get(f"DocumentReference/{document}/_history"),
        get(f"Binary/{document}"),
    ]

    assert [r.status for r in read] == [200] * 4
    assert refused(
        get(f"Patient/{record.id}"),
        get(f"Patient?identifier={ins}"),
        get(f"Consent?patient={record.id}"),
        get(f"AuditEvent?patient={record.id}"),
        get(f"RelatedPerson?patient={record.id}"),
        get(f"CareTeam?patient={record.id}"),
        record.api.delete(f"/fhir/DocumentReference/{document}", as_=app),
        record.api.patch(f"/fhir/DocumentReference/{document}", bodies.MASK, as_=app),
        record.api.post("/fhir/DocumentReference", bodies.document(record.id), as_=app),
        record.api.post("/fhir", bodies.submission(record.id), as_=app),
    )


def test_an_app_whose_scopes_name_nothing_here_may_do_nothing(record: OpenRecord, tokens: TokenFactory) -> None:
    ins = bodies.qualified(record.ins)
    of_identity = ("", "openid", "openid profile email", "offline_access")
    for scope in ("openid fhirUser", "launch", "patient/*.xyz", "patient/Observation.rs?category=laboratory"):
        assert refused(record.api.get(f"/fhir/Patient/{record.id}", as_=tokens.patient(ins=ins, scope=scope)))
    for scope in of_identity:
        for app in (tokens.patient(ins=ins, scope=scope), tokens.patient(ins=ins, scp=scope.split())):
            assert refused(
                record.api.get(f"/fhir/Patient/{record.id}", as_=app),
                record.api.get(f"/fhir/Consent?patient={record.id}", as_=app),
                record.consent(bodies.block(record.id), as_=app),
            )


def test_the_token_of_a_persons_own_application_has_no_scopes(record: OpenRecord, tokens: TokenFactory) -> None:
    own = tokens.patient(ins=bodies.qualified(record.ins), client_id="mon-espace-sante")

    assert record.api.get(f"/fhir/Patient/{record.id}", as_=own).status == 200


def test_a_token_of_pro_sante_connect_is_no_apps(record: OpenRecord, document: str, tokens: TokenFactory) -> None:
    token = tokens.professional(scope="openid scope_all")

    assert record.api.get(f"/fhir/DocumentReference/{document}", as_=token).status == 200


def test_an_app_may_no_more_than_its_user(record: OpenRecord, document: str) -> None:
    everything = ("patient/*.cruds", "user/*.cruds", "system/*.cruds")
    foreign = app_of(requester_patient(bodies.qualified(bodies.new_ins())), *everything)
    others = app_of(requester_professional("10109999999", "1310000004"), *everything)
    server = app_of(requester_server("1310000005"), *everything)

    answers = {
        who.kind.value: record.api.get(f"/fhir/DocumentReference/{document}", as_=who)
        for who in (foreign, others, server)
    }

    assert {who: (r.status, r.code) for who, r in answers.items()} == {
        "patient": (404, "no-record"),
        "professional": (403, "not-authorised"),
        "structure": (403, "not-habilitated"),
    }


def test_scopes_of_another_kind_of_user_count_for_nothing(record: OpenRecord, document: str) -> None:
    apps = [
        app_of(record.patient, "system/*.rs"),
        app_of(HEALER, "patient/*.rs", "system/*.rs"),
        app_of(requester_server(), "patient/*.rs", "user/*.rs"),
    ]

    assert refused(*(record.api.get(f"/fhir/DocumentReference/{document}", as_=app) for app in apps))


def test_a_scope_for_the_patient_ends_at_the_own_record(api: ApiClient, clock: TimeMachineFixture) -> None:
    ins, parents = bodies.new_ins(), bodies.new_ins()
    parent = requester_patient(bodies.qualified(parents))
    opening = bodies.opening(
        ins,
        patient={"resource": bodies.patient(ins, birthDate="2016-06-01")},
        guardian={"resource": bodies.guardian(parents)},
    )
    child = made(api.post("/fhir/Patient/$open", opening, as_=parent)).id

    def status(*scopes: str) -> int:
        return api.get(f"/fhir/DocumentReference?patient={child}&status=current", as_=app_of(parent, *scopes)).status

    assert status("user/DocumentReference.rs") == 200
    assert status("patient/DocumentReference.rs", "user/Patient.rs") == 403


def test_writing_takes_a_scope_that_writes(record: OpenRecord) -> None:
    writer = app_of(HEALER, "user/DocumentReference.c")
    whole = app_of(HEALER, "user/*.cruds")
    conditional = {"If-None-Exist": "identifier=urn:ietf:rfc:3986|urn:oid:2.25.1"}

    assert record.api.post("/fhir", bodies.submission(record.id), as_=writer).status == 200
    assert record.api.post("/fhir/DocumentReference", bodies.document(record.id), as_=writer).status == 201
    assert refused(
        record.api.post("/fhir/DocumentReference", bodies.document(record.id), as_=writer, headers=conditional)
    )
    assert record.api.post("/fhir/DocumentReference", bodies.document(record.id), as_=whole).status == 201


def test_what_a_deposit_replaces_takes_a_scope_that_updates(record: OpenRecord, document: str) -> None:
    creating, updating = (app_of(HEALER, f"user/DocumentReference.{letters}") for letters in ("c", "cu"))

    def replacing(former: str) -> Json:
        relation = {"code": "replaces", "target": {"reference": f"DocumentReference/{former}"}}
        return bodies.document(record.id, relatesTo=[relation])

    def superseding(former: str) -> Json:
        bundle = bodies.submission(record.id, bodies.PDF + former.encode())
        return {**bundle, "entry": [*bundle["entry"], patch_superseding(former)]}

    unknown = f"{record.id}.{'0' * 26}"
    refusals = [
        *(record.api.post("/fhir/DocumentReference", replacing(one), as_=creating) for one in (document, unknown)),
        *(record.api.post("/fhir", superseding(one), as_=creating) for one in (document, unknown)),
    ]

    assert refused(*refusals)
    assert record.api.get(f"/fhir/DocumentReference/{document}", as_=HEALER).json["status"] == "current"
    following = made(record.api.post("/fhir/DocumentReference", replacing(document), as_=updating)).id
    assert record.api.post("/fhir", superseding(following), as_=updating).status == 200
    assert record.api.get(f"/fhir/DocumentReference/{following}", as_=HEALER).json["status"] == "superseded"


def test_what_a_cda_says_that_it_replaces_takes_that_scope_too_whether_or_not_it_is_there(record: OpenRecord) -> None:
    creating, at = app_of(HEALER, "user/DocumentReference.c"), datetime(2026, 3, 2, 11, tzinfo=UTC)

    def deposited(unique_id: str, former: str = "") -> Response:
        content = demo_documents.discharge_letter(patient(record.ins), unique_id, at, replaces=former)
        described: dict[str, Any] = {"type": None, "masterIdentifier": None, "date": None, "author": None}
        body = bodies.document(record.id, content, content_type="application/xml", **described)
        return record.api.post("/fhir/DocumentReference", body, as_=creating)

    made(deposited("2.25.91.1"))

    answers = [deposited("2.25.92.1", former) for former in ("2.25.91.1", "2.25.91.7")]

    assert refused(*answers)


def test_who_decides_is_written_by_name_alone_and_the_record_by_no_app(record: OpenRecord) -> None:
    whole = app_of(record.patient, "patient/*.cruds")
    named = app_of(record.patient, "patient/Consent.cruds")
    contact = [{"op": "add", "path": "/telecom", "value": [{"system": "phone", "value": "0612345678"}]}]
    oppose = bodies.parameters(identifier={"valueIdentifier": {"system": INS_NIR_TEST, "value": record.ins}})
    motive = bodies.parameters(motive={"valueCode": "patient-demande"}, reason={"valueString": "Non"})

    assert refused(
        record.consent(bodies.block(record.id), as_=whole),
        record.api.patch(f"/fhir/Patient/{record.id}", contact, as_=whole),
        *(
            record.api.post(f"/fhir/Patient/{record.id}/${operation}", motive, as_=whole)
            for operation in ("close", "reopen", "erase", "explain", "emergency-access")
        ),
        record.api.post("/fhir/Patient/$open", bodies.opening(bodies.new_ins()), as_=whole),
        record.api.post("/fhir/Patient/$oppose", oppose, as_=whole),
    )
    assert record.consent(bodies.block(record.id), as_=named).status == 201


def test_what_comes_with_a_search_is_of_the_types_in_scope(record: OpenRecord, document: str) -> None:
    made_list = record.api.post("/fhir", bodies.submission(record.id), as_=HEALER)
    assert made_list.status == 200
    documents = f"/fhir/DocumentReference?patient={record.id}&status=current&_include=DocumentReference:patient"
    lists = f"/fhir/List?patient={record.id}&status=current&_include=List:item"

    def types(url: str, *scopes: str) -> set[str]:
        answer = record.api.get(url, as_=app_of(record.patient, *scopes))
        assert answer.status == 200, answer.body
        return {entry["resource"]["resourceType"] for entry in answer.json["entry"]}

    assert types(documents, "patient/DocumentReference.rs", "patient/Patient.r") == {"DocumentReference", "Patient"}
    assert types(documents, "patient/DocumentReference.rs") == {"DocumentReference"}
    assert types(lists, "patient/List.rs", "patient/DocumentReference.r") == {"List", "DocumentReference"}
    assert types(lists, "patient/List.rs") == {"List"}


def test_a_subscription_of_an_app_needs_the_documents_in_scope(record: OpenRecord) -> None:
    body = {
        "resourceType": "Subscription",
        "status": "requested",
        "reason": "Nouveaux documents",
        "criteria": f"DocumentReference?patient={record.id}",
        "channel": {"type": "rest-hook", "endpoint": "https://hooks.example/dmp"},
    }

    def subscribed(*scopes: str) -> Response:
        return record.api.post("/fhir/Subscription", body, as_=app_of(HEALER, *scopes))

    assert refused(subscribed("user/Subscription.c"), subscribed("user/*.cruds"))
    assert subscribed("user/Subscription.c", "user/DocumentReference.r").status == 201


def test_an_unknown_address_is_unknown_to_apps_too(record: OpenRecord) -> None:
    app = app_of(record.patient, "patient/Patient.r")

    unknown = record.api.get("/fhir/Unknown", as_=app)
    forbidden = record.api.delete(f"/fhir/Patient/{record.id}", as_=app)

    assert [(r.status, r.code) for r in (unknown, forbidden)] == [(404, "unknown-route"), (405, "method-not-allowed")]


def test_the_trace_tells_of_the_app_and_of_what_it_was_refused(
    record: OpenRecord, tokens: TokenFactory, clock: TimeMachineFixture
) -> None:
    app = tokens.patient(ins=bodies.qualified(record.ins), scope="patient/List.rs", client_id="carnet-de-sante")
    clock.shift(60)

    record.api.get(f"/fhir/Patient/{record.id}", as_=app)

    event = record.trace()[0]
    assert event["outcome"] == "8"
    assert "carnet-de-sante" in json.dumps(event)
    assert "l'application n'a pas reçu ce droit" in event["outcomeDesc"]


# --- how apps find their way


def configured(monkeypatch: pytest.MonkeyPatch, **variables: str) -> Callable[[str], Json]:
    """The Capability function with these variables, until the test is over."""
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delitem(sys.modules, "handlers.capability", raising=False)
    module = importlib.import_module("handlers.capability")
    monkeypatch.delitem(sys.modules, "handlers.capability")

    def get(path: str) -> Json:
        context = {"http": {"method": "GET"}, "requestId": "r", "domainName": "dmp.example"}
        answer: Json = module.handler({"rawPath": f"/fhir/{path}", "headers": {}, "requestContext": context}, None)
        return answer

    return get


@pytest.fixture
def discovery(stack: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Json]:
    assert stack
    return configured(
        monkeypatch,
        AUTHORIZATION_ENDPOINT="https://id.example/authorize",
        TOKEN_ENDPOINT="https://id.example/token",
    )


def content_of(answer: Json) -> Json:
    body = answer["body"]
    parsed: Json = json.loads(base64.b64decode(body) if answer["isBase64Encoded"] else body)
    return parsed


def test_apps_learn_where_tokens_are_given_and_what_scopes_mean_here(
    discovery: Callable[[str], Json], tokens: TokenFactory
) -> None:
    answer = discovery(".well-known/smart-configuration")
    told = content_of(answer)

    assert (answer["statusCode"], answer["headers"]["Content-Type"]) == (200, "application/json")
    trusted = next(one for one in json.loads(tokens.issuers()) if one["kind"] == "patient")
    assert (told["issuer"], told["jwks_uri"]) == (trusted["issuer"], trusted["jwks_uri"])
    assert told["authorization_endpoint"] == "https://id.example/authorize"
    assert told["token_endpoint"] == "https://id.example/token"
    assert told["code_challenge_methods_supported"] == ["S256"]
    assert told["response_types_supported"] == ["code"]
    assert "authorization_code" in told["grant_types_supported"]
    assert {"permission-v1", "permission-v2", "permission-patient", "permission-user"} <= set(told["capabilities"])
    assert {"patient/DocumentReference.crus", "user/Binary.r", "patient/*.rs"} & set(told["scopes_supported"])


def test_every_scope_that_is_stated_grants_what_it_says(discovery: Callable[[str], Json]) -> None:
    kinds = {
        "patient": RequesterKind.PATIENT,
        "user": RequesterKind.PROFESSIONAL,
        "system": RequesterKind.STRUCTURE,
    }

    stated = content_of(discovery(".well-known/smart-configuration"))["scopes_supported"]

    resources = [one for one in stated if one.partition("/")[0] in kinds]
    assert len(resources) > 30
    assert [granted([one], kinds[one.partition("/")[0]]) for one in resources] == [(one,) for one in resources]


def test_the_capability_statement_names_the_same_addresses(discovery: Callable[[str], Json]) -> None:
    statement = content_of(discovery("metadata"))

    assert_valid_r4(statement)
    security = statement["rest"][0]["security"]
    [uris] = security["extension"]
    assert uris["url"] == "http://fhir-registry.smarthealthit.org/StructureDefinition/oauth-uris"
    assert {one["url"]: one["valueUri"] for one in uris["extension"]} == {
        "authorize": "https://id.example/authorize",
        "token": "https://id.example/token",
    }
    codes = [coding["code"] for service in security["service"] for coding in service["coding"]]
    assert codes == ["OAuth", "SMART-on-FHIR"]


def test_nothing_is_promised_where_no_address_is_configured(
    stack: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert stack
    get = configured(monkeypatch, AUTHORIZATION_ENDPOINT="https://id.example/authorize", TOKEN_ENDPOINT="")

    assert get(".well-known/smart-configuration")["statusCode"] == 404
    assert "extension" not in content_of(get("metadata"))["rest"][0]["security"]


def test_no_other_discovery_document_is_there(discovery: Callable[[str], Json]) -> None:
    assert discovery(".well-known/openid-configuration")["statusCode"] == 404
