"""Consents are read strictly by kind, and rendered after IHE PCF."""

from datetime import UTC, datetime
from typing import Any

import pytest

from dmp.domain.consent import Consent, ConsentKind, ConsentRequest, ConsentStatus, Directive, Grantor
from dmp.domain.errors import DmpError, Invalid, Malformed, NotAllowed
from dmp.domain.identifiers import Identifier
from dmp.fhir import systems as s
from dmp.fhir.consent import render_consent
from dmp.fhir.consent_patch import ConsentPatch, read_consent_patch
from dmp.fhir.consent_reading import read_consent
from dmp.fhir.parsing import parse_resource
from tests import fhir_factories as make
from tests.fhir_validity import assert_valid_r4

JSON_PATCH, FHIR_JSON = "application/json-patch+json", "application/fhir+json"
STRUCTURE = {"reference": {"identifier": {"system": make.STRUCTURE, "value": "1750100125"}}}
BTG = [{"system": s.ACT_REASON, "code": "BTG"}]


def read(kind: str = "authorisation", **changes: Any) -> ConsentRequest:
    return read_consent(make.consent(kind, **changes), make.NOW)


def refused(kind: str = "authorisation", **changes: Any) -> Invalid:
    with pytest.raises(Invalid) as error:
        read(kind, **changes)
    return error.value


def test_an_authorisation_is_read() -> None:
    request = read()

    assert request.kind is ConsentKind.AUTHORISATION
    assert request.permit
    assert request.patient.record == make.RECORD
    assert request.actor == Identifier(make.PS, make.RPPS)
    assert request.actor_display == "Dr Durand"
    assert request.start == make.NOW
    assert not request.performer_is_patient


def test_a_date_alone_means_the_end_of_that_day_in_paris() -> None:
    assert read().end == datetime(2027, 6, 14, 22, 0, tzinfo=UTC)


def test_an_instant_means_that_instant() -> None:
    request = read(provision={"period": {"end": "2027-06-14T10:00:00+02:00"}})

    assert (request.start, request.end) == (None, datetime(2027, 6, 14, 8, 0, tzinfo=UTC))


@pytest.mark.parametrize(
    "period",
    [
        {"start": "2027-01-01", "end": "2026-12-01"},
        {"start": "2026-07-01T10:00:00Z", "end": "2026-07-01T10:00:00Z"},
        {"end": "2026-06-14"},
        {"start": "2025-01-01", "end": "2026-01-01"},
    ],
)
def test_a_period_that_ends_before_it_starts_is_refused(period: make.Json) -> None:
    error = refused(provision={"period": period})

    assert error.code == "period-invalid"
    assert str(error.expression).startswith("Consent.provision.period")


@pytest.mark.parametrize(
    ("kind", "provision"),
    [
        ("block", {"type": "deny"}),
        ("attending-physician", {}),
        ("opposition", {"type": "deny", "actor": None, "purpose": BTG}),
        ("masked-in-emergency", {"actor": None, "purpose": BTG}),
        ("masked-in-emergency", {"type": "deny", "actor": None, "purpose": BTG}),
        ("delegation", {"actor": [{"reference": {"reference": "RelatedPerson/a.b"}}]}),
        ("default-visibility", {"type": "deny", "actor": None}),
        ("authorisation", {"actor": [STRUCTURE]}),
        ("authorisation", {"actor": [{"reference": {"identifier": {"system": s.RPPS, "value": "01234567897"}}}]}),
    ],
)
def test_every_kind_has_its_shape(kind: str, provision: make.Json) -> None:
    assert read(kind, provision=provision).kind == kind


@pytest.mark.parametrize(
    ("kind", "provision", "place"),
    [
        ("authorisation", {"type": "deny"}, "Consent.provision.type"),
        ("block", {"type": "permit"}, "Consent.provision.type"),
        ("authorisation", {"actor": None}, "Consent.provision.actor"),
        ("authorisation", {"actor": [STRUCTURE, STRUCTURE]}, "Consent.provision.actor"),
        (
            "authorisation",
            {"actor": [{"reference": {"display": "x"}}]},
            "Consent.provision.actor[0].reference.identifier",
        ),
        ("attending-physician", {"actor": [STRUCTURE]}, "Consent.provision.actor[0].reference.identifier"),
        ("opposition", {"type": "deny", "actor": None}, "Consent.provision.purpose"),
        ("opposition", {"type": "deny", "purpose": BTG}, "Consent.provision.actor"),
        ("delegation", {}, "Consent.provision.actor[0].reference"),
        ("authorisation", {"purpose": BTG}, "Consent.provision.purpose"),
        ("authorisation", {"securityLabel": [{"code": "R"}]}, "Consent.provision.securityLabel"),
        ("authorisation", {"provision": [{"type": "deny"}]}, "Consent.provision.provision"),
        ("opening", {}, "Consent.category"),
        ("emergency", {"purpose": BTG}, "Consent.category"),
        ("friendship", {}, "Consent.category"),
    ],
)
def test_another_shape_is_refused_with_its_place(kind: str, provision: make.Json, place: str) -> None:
    assert refused(kind, provision=provision).expression == place


@pytest.mark.parametrize(
    ("changes", "place"),
    [
        ({"scope": make.concept(s.CONSENT_SCOPE, "research")}, "Consent.scope"),
        ({"scope": None}, "Consent.scope"),
        ({"category": [make.concept(s.LOINC, s.CONSENT_DOCUMENT)]}, "Consent.category"),
        ({"patient": None}, "Consent.patient"),
        ({"patient": {"display": "x"}}, "Consent.patient"),
        ({"status": "inactive"}, "Consent.status"),
        ({"verification": [{"verified": True}]}, "Consent.verification"),
    ],
)
def test_what_a_client_must_send_is_required(changes: make.Json, place: str) -> None:
    assert refused(**changes).expression == place


def test_a_role_may_be_left_out_but_not_be_another() -> None:
    actor = {"role": make.concept(s.PARTICIPATION_TYPE, "AUT"), **STRUCTURE}

    assert refused(provision={"actor": [actor]}).expression == "Consent.provision.actor[0].role"


@pytest.mark.parametrize("performer", [{"reference": f"Patient/{make.RECORD}"}, make.patient_reference()])
def test_a_professional_attests_by_naming_the_patient_as_performer(performer: make.Json) -> None:
    assert read(performer=[performer]).performer_is_patient


def test_another_patient_as_performer_is_refused() -> None:
    assert refused(performer=[{"reference": "Patient/other"}]).code == "wrong-patient"


def consent(**changes: Any) -> Consent:
    directive = Directive(
        consent="c",
        kind=ConsentKind.AUTHORISATION,
        permit=True,
        actor=Identifier(make.PS, make.RPPS),
        start=make.NOW,
        end=datetime(2027, 6, 14, 22, 0, tzinfo=UTC),
        granted_by=Grantor.PATIENT,
    )
    complete: dict[str, Any] = {
        "record": make.RECORD,
        "local": "c",
        "version": 3,
        "updated": make.NOW,
        "status": ConsentStatus.ACTIVE,
        "directive": directive,
        "date_time": make.NOW,
    }
    return Consent(**(complete | changes))


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"actor_display": "Dr Durand", "attested_by": Identifier(make.PS, make.RPPS), "attested_by_name": "Dr Durand"},
        {"organization": Identifier(make.STRUCTURE, "1750100125"), "method": "verbal", "attestation": "Recueilli"},
        {"status": ConsentStatus.INACTIVE, "policy_uri": "https://example.org/policy"},
    ],
)
def test_a_consent_is_rendered_as_pcf_wants_it(changes: make.Json) -> None:
    rendered = render_consent(consent(**changes))

    assert_valid_r4(rendered)
    assert rendered["meta"]["profile"] == [s.PCF_CONSENT_BASIC]
    required = {"scope", "category", "patient", "dateTime", "performer", "organization", "sourceAttachment", "policy"}
    assert required <= rendered.keys()
    assert "verification" not in rendered
    (actor,) = rendered["provision"]["actor"]
    assert actor["role"]["coding"][0]["code"] == "IRCP"


def test_a_rendered_consent_reads_back_as_it_was() -> None:
    request = read_consent(render_consent(consent(actor_display="Dr Durand")), make.NOW)

    directive = consent().directive
    assert (request.kind, request.actor, request.start, request.end) == (
        directive.kind,
        directive.actor,
        directive.start,
        directive.end,
    )
    assert request.performer_is_patient


@pytest.mark.parametrize(
    ("operations", "patch"),
    [
        ([("replace", "/status", "inactive")], ConsentPatch(status=ConsentStatus.INACTIVE)),
        (
            [("replace", "/provision/period/end", "2027-01-31")],
            ConsentPatch(period_end=datetime(2027, 1, 31, 23, 0, tzinfo=UTC)),
        ),
        (
            [("add", "/provision/period", {"start": "2027-01-01T00:00:00Z", "end": "2027-02-01T00:00:00Z"})],
            ConsentPatch(period_start=datetime(2027, 1, 1, tzinfo=UTC), period_end=datetime(2027, 2, 1, tzinfo=UTC)),
        ),
    ],
)
def test_status_and_period_can_be_patched(operations: list[tuple[str, str, Any]], patch: ConsentPatch) -> None:
    body = make.as_bytes([{"op": op, "path": path, "value": value} for op, path, value in operations])

    assert read_consent_patch(body, JSON_PATCH) == patch


def test_a_fhirpath_patch_revokes_too() -> None:
    parts = [
        {"name": "type", "valueCode": "replace"},
        {"name": "path", "valueString": "Consent.status"},
        {"name": "value", "valueCode": "inactive"},
    ]
    body = make.as_bytes({"resourceType": "Parameters", "parameter": [{"name": "operation", "part": parts}]})

    assert read_consent_patch(body, FHIR_JSON) == ConsentPatch(status=ConsentStatus.INACTIVE)


@pytest.mark.parametrize(
    ("operation", "error"),
    [
        ({"op": "replace", "path": "/provision/type", "value": "deny"}, NotAllowed),
        ({"op": "replace", "path": "/patient", "value": {"reference": "Patient/x"}}, NotAllowed),
        ({"op": "remove", "path": "/provision/period/end"}, NotAllowed),
        ({"op": "replace", "path": "/status", "value": "rejected"}, Invalid),
        ({"op": "replace", "path": "/status", "value": {"a": "b"}}, Invalid),
        ({"op": "replace", "path": "/provision/period/end", "value": "soon"}, Invalid),
        ({"op": "replace", "path": "/provision/period/end", "value": 2027}, Invalid),
        ({"op": "replace", "path": "/provision/period", "value": "2027"}, Invalid),
        ({"op": "replace", "path": "/provision/period", "value": {"middle": "2027"}}, Invalid),
        ({"op": "replace", "path": "/status"}, Malformed),
    ],
)
def test_other_patches_of_a_consent_are_refused(operation: make.Json, error: type[DmpError]) -> None:
    with pytest.raises(error):
        read_consent_patch(make.as_bytes([operation]), JSON_PATCH)


@pytest.mark.parametrize("junk", [7, True, "x", ["x"], [{"a": "b"}], {"code": 5}, {"reference": "x"}], ids=repr)
def test_junk_at_any_place_of_a_consent_is_refused_or_harmless(junk: Any) -> None:
    whole = make.consent(performer=[{"reference": f"Patient/{make.RECORD}"}], policy=[{"uri": "http://x"}])

    for broken in make.spoilt(whole, junk):
        try:
            read_consent(parse_resource(make.as_bytes(broken), "Consent"), make.NOW)
        except DmpError:
            continue
