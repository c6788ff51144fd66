"""Consents are read strictly by kind, and rendered after IHE PCF."""

import base64
from datetime import UTC, datetime
from typing import Any

import pytest

from dmp.domain.consent import WISHES, Consent, ConsentKind, ConsentStatus, Directive, Grantor
from dmp.domain.consent_request import ConsentRequest
from dmp.domain.errors import DmpError, Invalid, Malformed, NotAllowed, TooLarge
from dmp.domain.identifiers import INS_SYSTEMS, Identifier
from dmp.domain.related_person import PersonRequest
from dmp.fhir import systems as s
from dmp.fhir.consent import render_consent
from dmp.fhir.consent_patch import ConsentPatch, read_consent_patch
from dmp.fhir.consent_reading import read_consent
from dmp.fhir.parsing import parse_resource
from dmp.fhir.related_person import render_person
from dmp.fhir.related_person_reading import LARGEST, read_person
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
        (
            "delegation",
            {"actor": [{"reference": {"reference": "#aidant"}}]},
            "Consent.provision.actor[0].reference.reference",
        ),
        ("delegation", {"actor": [{"reference": {"reference": "Patient/a"}}]}, "Consent.provision.actor[0].reference"),
        ("authorisation", {"purpose": BTG}, "Consent.provision.purpose"),
        ("masked-in-emergency", {"actor": None, "purpose": [{"code": "ETREAT"}]}, "Consent.provision.purpose"),
        ("default-visibility", {}, "Consent.provision.actor"),
        ("authorisation", {"securityLabel": [{"code": "R"}]}, "Consent.provision.securityLabel"),
        ("authorisation", {"provision": [{"type": "deny"}]}, "Consent.provision.provision"),
        ("opening", {}, "Consent.category"),
        ("emergency", {"purpose": BTG}, "Consent.category"),
        ("friendship", {}, "Consent.category"),
    ],
)
def test_another_shape_is_refused_with_its_place(kind: str, provision: make.Json, place: str) -> None:
    assert refused(kind, provision=provision).expression == place


@pytest.mark.parametrize("code", ["INSURANCE", "HPAYMT", "EMPLOYMENT", "HRESCH"])
def test_a_purpose_outside_of_care_is_left_to_the_decision(code: str) -> None:
    assert read(provision={"purpose": [{"system": s.ACT_REASON, "code": code}]}).purposes == (code,)


def delegation(person: make.Json | None = None, reference: str = "#aidant") -> make.Json:
    contained = person or {**make.guardian(), "id": "aidant", "patient": {"reference": f"Patient/{make.RECORD}"}}
    provision = {"actor": [{"reference": {"reference": reference}}]}
    return make.consent("delegation", contained=[contained], provision=provision)


def test_a_delegate_may_come_with_the_consent() -> None:
    request = read_consent(delegation(), make.NOW)

    person = request.delegate
    assert isinstance(person, PersonRequest)
    assert person.patient is not None
    assert person.patient.record == make.RECORD
    assert person.identifier == Identifier(make.INS_SYSTEM, "185032A00402129")
    assert person.relationships == ("FTH",)
    assert not person.resource.keys() & {"id", "meta", "patient"}


@pytest.mark.parametrize("resource_type", ["Patient", "Practitioner"])
def test_a_contained_delegate_is_a_related_person(resource_type: str) -> None:
    with pytest.raises(Invalid) as error:
        read_consent(delegation({"resourceType": resource_type, "id": "aidant"}), make.NOW)

    assert error.value.code == "unknown-reference"


def related_person(**changes: Any) -> make.Json:
    return make.merged({**make.guardian(), "patient": {"reference": f"Patient/{make.RECORD}"}}, changes)


def test_a_person_reads_back_as_it_was_rendered() -> None:
    sent = related_person(
        id="mine", meta={"versionId": "7"}, gender="male", active=True, telecom=[{"system": "phone", "value": "0612"}]
    )

    request = read_person(sent)
    rendered = render_person(request.made(make.RECORD, "p", make.NOW))

    assert_valid_r4(rendered)
    assert (rendered["id"], rendered["meta"]["versionId"]) == (f"{make.RECORD}.p", "1")
    assert {k: v for k, v in rendered.items() if k not in ("id", "meta")} == {
        k: v for k, v in sent.items() if k not in ("id", "meta")
    }
    assert read_person(rendered) == request


def test_a_contained_patient_goes_with_the_reference_to_it() -> None:
    patient = {"reference": "#patient"}

    request = read_person(related_person(contained=[make.contained_patient()], patient=patient))

    assert request.patient is not None
    assert request.patient.ins == Identifier(make.INS_SYSTEM, make.INS)
    assert "contained" not in request.resource


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"patient": None}, Invalid),
        ({"patient": {"display": "Patient"}}, Invalid),
        ({"identifier": [{"system": make.INS_SYSTEM, "value": v} for v in ("1", "2")]}, Invalid),
        ({"name": [{"text": "x" * LARGEST}]}, TooLarge),
        ({"mood": "sunny"}, Invalid),
    ],
)
def test_a_person_is_read_strictly(changes: make.Json, error: type[DmpError]) -> None:
    with pytest.raises(error):
        read_person(related_person(**changes))


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
    assert read(performer=[performer]) == read()


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


def of_kind(kind: str, **changes: Any) -> Consent:
    """A Consent of any kind, as the services make it."""
    purposes: tuple[str, ...] = ("BTG",) if kind in ("opposition", "masked-in-emergency", "emergency") else ()
    is_denied = kind in ("block", "opposition")
    actor: Identifier | None = Identifier(make.PS, make.RPPS)
    if kind == "delegation":
        actor, changes = Identifier(make.INS_SYSTEM, make.INS), {"delegate": "p", **changes}
    elif kind in ("opposition", "masked-in-emergency", "default-visibility", "opening", *WISHES):
        actor = None
    granted_by = Grantor.PROFESSIONAL if kind == "emergency" else Grantor.PATIENT
    directive = Directive(
        consent="c",
        kind=ConsentKind(kind),
        permit=not is_denied,
        actor=actor,
        start=make.NOW,
        end=datetime(2027, 6, 14, 22, 0, tzinfo=UTC),
        granted_by=granted_by,
        purposes=purposes,
    )
    return consent(directive=directive, **changes)


@pytest.mark.parametrize("kind", ConsentKind)
def test_every_kind_is_rendered_in_the_shape_of_its_profile(kind: ConsentKind) -> None:
    rendered = render_consent(of_kind(kind))

    assert_valid_r4(rendered)
    purposes = {p["code"] for p in rendered["provision"].get("purpose", [])}
    basic = [s.PCF_CONSENT_BASIC] if purposes.isdisjoint({"BTG", "ETREAT"}) else [s.PCF_CONSENT_INTERMEDIATE]
    assert rendered["meta"].get("profile", []) == ([] if kind in WISHES else basic)
    assert rendered["scope"]["coding"][0]["code"] == ("adr" if kind in WISHES else "patient-privacy")
    assert rendered["policy"][0]["uri"]
    assert all(system not in str(rendered) for system in INS_SYSTEMS)


@pytest.mark.parametrize("kind", [kind for kind in ConsentKind if kind is not ConsentKind.OPENING])
def test_a_consent_of_any_kind_can_be_sent_back_as_it_was_rendered(kind: ConsentKind) -> None:
    held = of_kind(kind)

    request = read_consent(render_consent(held), make.NOW, is_new=False)

    assert not request.alters(held)
    assert (request.start, request.end) == (held.directive.start, held.directive.end)


@pytest.mark.parametrize(
    ("kind", "provision"),
    [
        ("opposition", {"purpose": [{"system": s.ACT_REASON, "code": "ETREAT"}]}),
        ("delegation", {"actor": [{"reference": {"reference": "RelatedPerson/other"}}]}),
        ("default-visibility", {"type": "deny"}),
        ("emergency", {"actor": [{"reference": {"identifier": {"system": make.PS, "value": "899"}}}]}),
    ],
)
def test_what_a_consent_says_cannot_be_sent_back_otherwise(kind: str, provision: make.Json) -> None:
    rendered = render_consent(of_kind(kind))
    rendered["provision"] |= provision

    assert read_consent(rendered, make.NOW, is_new=False).alters(of_kind(kind))


def test_an_emergency_tells_who_declared_it_and_why() -> None:
    rendered = render_consent(of_kind("emergency", attestation="Patient inconscient", actor_display="Dr Durand"))

    [performer], source = rendered["performer"], rendered["sourceAttachment"]
    assert (performer["identifier"]["value"], performer["display"]) == (make.RPPS, "Dr Durand")
    assert base64.b64decode(source["data"]).decode() == "Patient inconscient"
    assert source["title"] == "Déclaration d'accès en urgence"
    assert [p["code"] for p in rendered["provision"]["purpose"]] == ["BTG"]
    assert rendered["provision"]["actor"][0]["reference"]["identifier"]["value"] == make.RPPS


def test_a_delegation_names_the_related_person_and_no_ins() -> None:
    [actor] = render_consent(of_kind("delegation", actor_display="Camille"))["provision"]["actor"]

    assert actor["reference"] == {
        "reference": f"RelatedPerson/{make.RECORD}.p",
        "type": "RelatedPerson",
        "display": "Camille",
    }


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

    for broken in (*make.spoilt(whole, junk), *make.spoilt(delegation(), junk)):
        try:
            read_consent(parse_resource(make.as_bytes(broken), "Consent"), make.NOW)
        except DmpError:
            continue


@pytest.mark.parametrize("junk", [7, True, "x", ["x"], [{"a": "b"}], {"reference": "x"}], ids=repr)
def test_junk_at_any_place_of_a_person_is_refused_or_harmless(junk: Any) -> None:
    for broken in make.spoilt(related_person(), junk):
        try:
            assert_valid_r4(render_person(read_person(broken).made(make.RECORD, "p", make.NOW)))
        except DmpError:
            continue
