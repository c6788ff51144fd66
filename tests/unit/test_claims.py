"""What the claims of each kind of issuer make of the caller, and which of them refuse the token."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dmp.domain.claims import INSURER_AGENT, IssuerKind, requester_from
from dmp.domain.errors import DmpError, NotAuthenticated, Refused
from dmp.domain.identifiers import INS_NIA, INS_NIR, INS_NIR_DEMO, INS_NIR_TEST, Identifier, professional, structure
from dmp.domain.requester import Requester, RequesterKind
from dmp.domain.requester_context import context_of, context_of_refusal, from_json, requester_of, to_json
from tests.requester_factories import (
    requester_cnam_feed,
    requester_cpam_agent,
    requester_employee,
    requester_patient,
    requester_professional,
    requester_server,
)
from tests.token_factory import PROFESSION_SYSTEM, ins_with_key, professional_claims

PSC, ESTABLISHMENT, PATIENT, INSURER = IssuerKind
DIRECT = {"Identifiant_Structure": "1750100125", "Authentification_Mode": "DIRECTE", "subject_id": "secretaire-7"}
SERVER = {"Identifiant_Structure": "1750100125", "Authentification_Mode": "INDIRECTE"}
REINFORCED = {
    **professional_claims(),
    "Identifiant_Structure": "1750100125",
    "Authentification_Mode": "INDIRECTE_RENFORCEE",
}
VALUE = ins_with_key("2850775056123")
PERSON = {"ins": f"{INS_NIR_TEST}|{VALUE}", "given_name": "Camille", "family_name": "DUVAL"}
AGENT = {"role": "CPAM_AGENT", "agent_id": "agent-751"}
ROLES = {
    PSC: {RequesterKind.PROFESSIONAL},
    ESTABLISHMENT: {RequesterKind.EMPLOYEE, RequesterKind.STRUCTURE, RequesterKind.PROFESSIONAL},
    PATIENT: {RequesterKind.PATIENT},
    INSURER: {RequesterKind.CPAM_AGENT, RequesterKind.CNAM_FEED},
}


def read(kind: IssuerKind, claims: dict[str, Any], *, test_identities: bool = True) -> Requester:
    return requester_from(kind, claims, test_identities=test_identities)


def outcome_of(kind: IssuerKind, claims: dict[str, Any]) -> Requester | str:
    try:
        return read(kind, claims)
    except DmpError as refusal:
        return refusal.code


def test_a_health_professional_card_stands_for_the_person_the_structure_and_the_specialty() -> None:
    claims = professional_claims(specialties=("SM26", "SM25"), Acces_Regulation_Medicale="VRAI")

    requester = read(PSC, claims)

    assert requester == requester_professional(specialties=("SM25", "SM26"), regulates_emergency_calls=True)


def test_specialties_of_another_profession_of_the_same_person_do_not_count() -> None:
    exercices = [
        {"codeProfession": "10", "codeSavoirFaire": "SM26"},
        {"codeProfession": "60", "codeSavoirFaire": "SI01"},
        {"codeSavoirFaire": "SM04"},
        {"codeProfession": "10", "codeSavoirFaire": None},
        {"codeProfession": "10"},
    ]

    requester = read(PSC, professional_claims(SubjectRefPro={"exercices": exercices}))

    assert requester.specialties == ("SM04", "SM26")


def test_roles_in_other_code_systems_are_no_profession() -> None:
    roles = ["SM26^1.2.250.1.71.4.2.5", f"60^{PROFESSION_SYSTEM}", "60^1.2.250.1.71.1.2.7"]

    requester = read(PSC, professional_claims(SubjectRole=roles))

    assert requester.profession == "60"


def test_a_professional_without_a_structure_acts_for_none() -> None:
    requester = read(PSC, professional_claims(structure=None))

    assert requester.structure is None
    assert requester.actors == {professional("810101234567")}


def test_an_employee_card_stands_for_the_employee_within_the_structure() -> None:
    requester = read(ESTABLISHMENT, DIRECT)

    assert requester == requester_employee()
    assert requester.identifier.value == "3750100125/secretaire-7"


@pytest.mark.parametrize(
    ("structure_id", "expected"),
    [
        ("1750100125", "3750100125/7"),
        ("2775670417", "4775670417/7"),
        ("377567041700123", "577567041700123/7"),
        ("41010123456701", "41010123456701/7"),
    ],
)
def test_employees_of_two_structures_never_share_a_number(structure_id: str, expected: str) -> None:
    requester = read(ESTABLISHMENT, {**DIRECT, "Identifiant_Structure": structure_id, "subject_id": "7"})

    assert requester.identifier.value == expected


def test_an_employee_number_already_whole_is_kept() -> None:
    requester = read(ESTABLISHMENT, {**DIRECT, "subject_id": "3750100125/secretaire-7"})

    assert requester.identifier.value == "3750100125/secretaire-7"


def test_a_server_certificate_alone_stands_for_its_structure_whatever_person_it_names() -> None:
    claims = {**professional_claims(), **SERVER, "LPS_Nom": "Hopital", "LPS_Version": "1.2", "SubjectOrganization": ""}

    requester = read(ESTABLISHMENT, claims)

    assert requester == requester_server()


def test_a_server_with_pro_sante_connect_stands_for_the_professional() -> None:
    requester = read(ESTABLISHMENT, {**REINFORCED, "LPS_Nom": "Hopital", "LPS_Version": "1.2"})

    assert requester == requester_professional(software="Hopital 1.2")


def test_a_server_cannot_present_a_professional_of_another_structure() -> None:
    claims = {**REINFORCED, "SubjectOrganizationID": "1690781810"}

    assert read(ESTABLISHMENT, claims).refusal == "structure-mismatch"


def test_a_person_stands_for_the_own_ins() -> None:
    claims = {**PERSON, "birthdate": "1985-07-14", "gender": "female", "email": "camille.duval@example.org"}

    requester = read(PATIENT, claims)

    assert requester == requester_patient()
    assert requester.ins == Identifier(INS_NIR_TEST, VALUE)


@pytest.mark.parametrize("system", [INS_NIR, INS_NIA])
def test_the_key_of_a_real_ins_is_checked(system: str) -> None:
    wrong = VALUE[:13] + f"{(int(VALUE[13:]) + 1) % 100:02d}"

    assert read(PATIENT, {**PERSON, "ins": f"{system}|{VALUE}"}).identifier.value == VALUE
    with pytest.raises(NotAuthenticated):
        read(PATIENT, {**PERSON, "ins": f"{system}|{wrong}"})


@pytest.mark.parametrize("system", [INS_NIR_TEST, INS_NIR_DEMO])
def test_a_test_ins_may_have_a_wrong_key_and_is_refused_in_production(system: str) -> None:
    claims = {**PERSON, "ins": f"{system}|123456789012345"}

    assert read(PATIENT, claims).identifier.value == "123456789012345"
    with pytest.raises(NotAuthenticated):
        read(PATIENT, claims, test_identities=False)


def test_a_corsican_ins_is_accepted() -> None:
    value = ins_with_key("292072B033017")

    assert read(PATIENT, {**PERSON, "ins": f"{INS_NIR}|{value}"}).identifier.value == value


def test_the_insurer_sends_agents_and_its_feed() -> None:
    assert read(INSURER, AGENT) == requester_cpam_agent()
    assert read(INSURER, {"role": "CNAM_FEED"}) == requester_cnam_feed()
    assert read(INSURER, {"role": "CNAM_FEED", "agent_id": "feed-2"}).identifier == Identifier(INSURER_AGENT, "feed-2")


def test_a_claim_of_another_kind_of_issuer_gives_no_role() -> None:
    everything = {**REINFORCED, **AGENT, **PERSON, "Authentification_Mode": "INDIRECTE"}

    kinds = {kind: read(kind, everything).kind for kind in IssuerKind}

    assert kinds == {
        PSC: RequesterKind.PROFESSIONAL,
        ESTABLISHMENT: RequesterKind.STRUCTURE,
        PATIENT: RequesterKind.PATIENT,
        INSURER: RequesterKind.CPAM_AGENT,
    }


def test_names_are_read_as_one_line() -> None:
    requester = read(PATIENT, {**PERSON, "given_name": " Anne\u00a0Marie\n", "family_name": None})

    assert requester.name == "Anne Marie"


MISSING: list[tuple[IssuerKind, dict[str, Any], str]] = [
    (PSC, professional_claims(), "SubjectNameID"),
    (PSC, professional_claims(), "SubjectRole"),
    (ESTABLISHMENT, DIRECT, "Identifiant_Structure"),
    (ESTABLISHMENT, DIRECT, "Authentification_Mode"),
    (ESTABLISHMENT, DIRECT, "subject_id"),
    (ESTABLISHMENT, SERVER, "Identifiant_Structure"),
    (ESTABLISHMENT, REINFORCED, "Identifiant_Structure"),
    (ESTABLISHMENT, REINFORCED, "SubjectNameID"),
    (ESTABLISHMENT, REINFORCED, "SubjectRole"),
    (ESTABLISHMENT, REINFORCED, "SubjectOrganizationID"),
    (PATIENT, PERSON, "ins"),
    (INSURER, AGENT, "role"),
    (INSURER, AGENT, "agent_id"),
]


@pytest.mark.parametrize(("kind", "claims", "name"), MISSING)
def test_a_token_without_a_needed_claim_is_refused(kind: IssuerKind, claims: dict[str, Any], name: str) -> None:
    remaining = {key: value for key, value in claims.items() if key != name}

    with pytest.raises(NotAuthenticated) as refusal:
        read(kind, remaining)

    assert refusal.value.code == "token-claims-invalid"
    assert refusal.value.detail == f"The claim {name} is missing or wrong."


WRONG: list[tuple[IssuerKind, dict[str, Any], str, Any]] = [
    (PSC, professional_claims(), "SubjectNameID", "10101234567"),
    (PSC, professional_claims(), "SubjectNameID", "0751234567"),
    (PSC, professional_claims(), "SubjectNameID", "8101012345678"),
    (PSC, professional_claims(), "SubjectNameID", "8\uff110101234567"),
    (PSC, professional_claims(), "SubjectNameID", 810101234567),
    (PSC, professional_claims(), "SubjectRole", "10^1.2.250.1.213.1.1.5.5"),
    (PSC, professional_claims(), "SubjectRole", []),
    (PSC, professional_claims(), "SubjectRole", ["10"]),
    (PSC, professional_claims(), "SubjectRole", [10]),
    (PSC, professional_claims(), "SubjectRole", [f"^{PROFESSION_SYSTEM}"]),
    (PSC, professional_claims(), "SubjectRole", [f"10|21^{PROFESSION_SYSTEM}"]),
    (PSC, professional_claims(), "SubjectRole", [f"10^{PROFESSION_SYSTEM}", f"60^{PROFESSION_SYSTEM}"]),
    (PSC, professional_claims(), "SubjectRole", [f"10^{PROFESSION_SYSTEM}"] * 51),
    (PSC, professional_claims(), "SubjectOrganizationID", "1750100125|x"),
    (PSC, professional_claims(), "SubjectOrganizationID", ["1750100125"]),
    (PSC, professional_claims(), "SubjectOrganization", {"name": "Cabinet"}),
    (PSC, professional_claims(), "SubjectOrganization", "x" * 201),
    (PSC, professional_claims(), "Acces_Regulation_Medicale", True),
    (PSC, professional_claims(), "Acces_Regulation_Medicale", "vrai"),
    (PSC, professional_claims(), "SubjectRefPro", "SM26"),
    (PSC, professional_claims(), "SubjectRefPro", {"exercices": {"codeSavoirFaire": "SM26"}}),
    (PSC, professional_claims(), "SubjectRefPro", {"exercices": ["SM26"]}),
    (PSC, professional_claims(), "SubjectRefPro", {"exercices": [{"codeSavoirFaire": 26}]}),
    (PSC, professional_claims(), "SubjectRefPro", {"exercices": [{"codeSavoirFaire": "SM 26"}]}),
    (PSC, professional_claims(), "SubjectRefPro", {"exercices": [{"codeSavoirFaire": "SM26"}] * 51}),
    (PSC, professional_claims(), "given_name", ["Alix"]),
    (PSC, professional_claims(), "family_name", "MARTIN\x00"),
    (PSC, professional_claims(), "family_name", "MARTIN\u202e"),
    (PSC, professional_claims(), "family_name", "MARTIN\ud800"),
    (ESTABLISHMENT, DIRECT, "Identifiant_Structure", "750100125"),
    (ESTABLISHMENT, DIRECT, "Identifiant_Structure", "R81311"),
    (ESTABLISHMENT, DIRECT, "Authentification_Mode", "directe"),
    (ESTABLISHMENT, DIRECT, "Authentification_Mode", ["DIRECTE"]),
    (ESTABLISHMENT, DIRECT, "subject_id", "a|b"),
    (ESTABLISHMENT, DIRECT, "subject_id", " "),
    (ESTABLISHMENT, DIRECT, "LPS_Nom", 12),
    (PATIENT, PERSON, "ins", VALUE),
    (PATIENT, PERSON, "ins", f"1.2.250.1.213.1.4.8|{VALUE}"),
    (PATIENT, PERSON, "ins", f"urn:oid:1.2.250.1.213.1.4.2|{VALUE}"),
    (PATIENT, PERSON, "ins", f"{INS_NIR_TEST}|{VALUE[:13]}"),
    (PATIENT, PERSON, "ins", f"{INS_NIR_TEST}|"),
    (PATIENT, PERSON, "ins", f"{INS_NIR_TEST}|28507750561239x"),
    (PATIENT, PERSON, "ins", [f"{INS_NIR_TEST}|{VALUE}"]),
    (PATIENT, PERSON, "birthdate", "14/07/1985"),
    (PATIENT, PERSON, "gender", "F"),
    (PATIENT, PERSON, "email", {"value": "x@example.org"}),
    (INSURER, AGENT, "role", "cpam_agent"),
    (INSURER, AGENT, "role", ["CPAM_AGENT"]),
    (INSURER, AGENT, "agent_id", 751),
]


@pytest.mark.parametrize(("kind", "claims", "name", "value"), WRONG)
def test_a_token_with_a_wrong_claim_is_refused(
    kind: IssuerKind, claims: dict[str, Any], name: str, value: object
) -> None:
    with pytest.raises(NotAuthenticated) as refusal:
        read(kind, {**claims, name: value})

    assert refusal.value.code == "token-claims-invalid"
    assert refusal.value.detail == f"The claim {name} is missing or wrong."


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda children: st.lists(children, max_size=3) | st.dictionaries(st.text(max_size=8), children, max_size=3),
    max_leaves=6,
)
SOUND: dict[str, Any] = {**REINFORCED, **DIRECT, **PERSON, **AGENT}


@settings(deadline=None)
@given(kind=st.sampled_from(IssuerKind), changes=st.dictionaries(st.sampled_from(sorted(SOUND)), JSON, max_size=4))
def test_whatever_the_claims_the_role_is_one_the_issuer_may_give(kind: IssuerKind, changes: dict[str, Any]) -> None:
    outcome = outcome_of(kind, {**SOUND, **changes})

    if isinstance(outcome, Requester):
        assert outcome.kind in ROLES[kind]
        assert from_json(to_json(outcome)) == outcome
    else:
        assert outcome == "token-claims-invalid"


TEXT = st.text(max_size=30)
IDENTIFIERS = st.builds(
    Identifier, st.sampled_from([INS_NIR, "urn:x"]), st.text(min_size=1).map(lambda t: t.replace("|", ""))
)
REQUESTERS = st.builds(
    Requester,
    kind=st.sampled_from(RequesterKind),
    identifier=IDENTIFIERS,
    name=TEXT,
    structure=st.none() | IDENTIFIERS,
    profession=TEXT,
    specialties=st.lists(TEXT, max_size=3).map(tuple),
    regulates_emergency_calls=st.booleans(),
    email=TEXT,
)


@given(REQUESTERS)
def test_a_requester_survives_the_way_through_the_gateway(requester: Requester) -> None:
    context = context_of(requester)

    assert requester_of(context) == requester
    assert all(isinstance(value, str) for value in context.values())


def test_a_refusal_survives_the_way_through_the_gateway() -> None:
    context = context_of_refusal(Refused("structure-mismatch", detail="Two structures."))

    with pytest.raises(Refused) as refusal:
        requester_of(context)

    assert (refusal.value.code, refusal.value.detail) == ("structure-mismatch", "Two structures.")


@pytest.mark.parametrize(
    ("context", "code"),
    [
        (None, "token-missing"),
        ({}, "token-missing"),
        ({"other": "x"}, "token-missing"),
        ({"refusal": "token-expired"}, "token-expired"),
        (
            {"refusal": "token-expired", "outcome": "permitted", "requester": to_json(requester_patient())},
            "token-expired",
        ),
        ({"requester": "{"}, "requester-unreadable"),
        ({"requester": "[]"}, "requester-unreadable"),
        ({"requester": "{}"}, "requester-unreadable"),
        ({"requester": '{"kind": "root", "identifier": "a|b"}'}, "requester-unreadable"),
        ({"requester": '{"kind": "patient", "identifier": 1}'}, "requester-unreadable"),
        ({"requester": '{"kind": "patient", "identifier": "a|b", "admin": true}'}, "requester-unreadable"),
    ],
)
def test_a_context_without_a_sound_requester_authenticates_nobody(context: dict[str, object] | None, code: str) -> None:
    with pytest.raises(NotAuthenticated) as refusal:
        requester_of(context)

    assert refusal.value.code == code


def test_a_structure_is_kept_on_the_way_through_the_gateway() -> None:
    requester = requester_of(context_of(requester_server()))

    assert requester.structure == structure("1750100125")


@pytest.mark.parametrize(
    "claims",
    [
        {"purpose_of_use": "HPAYMT"},
        {"purpose_of_use": [{"system": "http://terminology.hl7.org/CodeSystem/v3-ActReason", "code": "EMPLOYMENT"}]},
        {"extensions": {"ihe_iua": {"purpose_of_use": [{"code": "HMARKT"}]}}},
        {"urn:oasis:names:tc:xspa:1.0:subject:purposeofuse": "assurance^1.2.250.1.213.1.1.4.248"},
        {"purposeOfUse": ["TREAT", "HRESCH"]},
        {"purpose": 7},
    ],
)
def test_a_purpose_outside_care_lets_nobody_in(claims: dict[str, Any]) -> None:
    assert read(PSC, {**professional_claims(), **claims}).refusal == "purpose-outside-care"


@pytest.mark.parametrize("purpose", ["TREAT", "normal^1.2.250.1.213.1.1.4.336", ["BTG", "ETREAT"], "", None])
def test_a_purpose_of_care_changes_nothing(purpose: object) -> None:
    assert read(PSC, {**professional_claims(), "purpose_of_use": purpose}) == read(PSC, professional_claims())


def test_a_card_may_state_a_connexion_secrete() -> None:
    code = "urn:oasis:names:tc:xspa:1.0:resource:patient:hl7:confidentiality-code"

    assert read(PSC, {**professional_claims(), code: "INVISIBLE_REPRESENTANTS_LEGAUX^1.2.250.1.213.1.1.4.13"}).is_secret
    assert not read(PSC, professional_claims()).is_secret
    assert not read(PATIENT, {**PERSON, code: "INVISIBLE_REPRESENTANTS_LEGAUX"}).is_secret
