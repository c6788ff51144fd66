"""What the scopes of an app's token mean: read, carried, and covering what a route asks (SMART App Launch)."""

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dmp.domain import requester_context
from dmp.domain.claims import IssuerKind, requester_from
from dmp.domain.errors import NotAuthenticated
from dmp.domain.requester import RequesterKind
from dmp.domain.smart_scopes import TYPES, granted, needed, permits, with_route
from dmp.fhir.capability_resources import RESOURCE_TYPES
from tests.requester_factories import INS, STRUCTURE, requester_patient
from tests.token_factory import professional_claims

PATIENT, PROFESSIONAL = RequesterKind.PATIENT, RequesterKind.PROFESSIONAL
PERSON: dict[str, object] = {"ins": INS}
LETTERS = "cruds"


OF_IDENTITY = ["", "openid", "openid scope_all", "openid profile email", "launcher userinfo"]
OF_SMART = [
    *("launch", "launch/patient", "fhirUser", "offline_access"),
    *("patient/Nothing.rs", "user/Patient.sr", "system/x", "patient/"),
]


@pytest.mark.parametrize("kind", [kind for kind in RequesterKind if kind is not PATIENT])
@pytest.mark.parametrize("words", OF_IDENTITY)
def test_scopes_of_identity_alone_make_no_app_but_of_a_persons_token(words: str, kind: RequesterKind) -> None:
    assert granted(words.split(), kind) is None
    assert granted(words.split(), PATIENT) == ()


@pytest.mark.parametrize("kind", list(RequesterKind))
@pytest.mark.parametrize("word", OF_SMART)
def test_a_word_of_smart_makes_an_app_which_may_do_nothing_by_it_alone(word: str, kind: RequesterKind) -> None:
    assert granted(["openid", word], kind) == ()


@pytest.mark.parametrize("claim", ["scope", "scp"])
@pytest.mark.parametrize("value", [*OF_IDENTITY, [], ["openid"], None, "  "])
def test_a_persons_token_with_any_scopes_is_an_apps_and_one_without_is_their_own(claim: str, value: object) -> None:
    own = requester_from(IssuerKind.PATIENT, PERSON, test_identities=True)
    app = requester_from(IssuerKind.PATIENT, {**PERSON, claim: value, "azp": "carnet"}, test_identities=True)

    assert own.scopes is None
    assert (app.scopes, app.software) == ((), "carnet")


@pytest.mark.parametrize("value", [*OF_IDENTITY, None, []])
def test_a_professionals_token_with_scopes_of_identity_is_as_one_without(value: object) -> None:
    claims = professional_claims()

    told = requester_from(IssuerKind.PRO_SANTE_CONNECT, {**claims, "scope": value}, test_identities=True)

    assert told == requester_from(IssuerKind.PRO_SANTE_CONNECT, claims, test_identities=True)


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["patient/DocumentReference.rs"], ("patient/DocumentReference.rs",)),
        (["patient/*.read"], ("patient/*.rs",)),
        (["patient/Observation.write"], ("patient/Observation.cud",)),
        (["user/*.*"], ("user/*.cruds",)),
        (["user/*.cruds"], ("user/*.cruds",)),
        (["patient/List.r", "patient/List.s", "patient/List.r"], ("patient/List.rs",)),
        (["patient/List.r", "user/List.s"], ("patient/List.r", "user/List.s")),
        (["patient/Observation.rs?category=laboratory"], ()),
        (["patient/Observation.", "patient/.rs", "patient/Observation.sr", "patient/Observation.rss"], ()),
        (["Patient/Observation.rs", "patient/observation.rs"], ()),
        (["patient/Practitioner.rs"], ()),
        (["system/Observation.rs"], ()),
    ],
)
def test_what_is_understood_is_granted_once_and_nothing_else(words: list[str], expected: tuple[str, ...]) -> None:
    assert granted(["launch", *words], PATIENT) == expected


CLAIMS: dict[str, tuple[IssuerKind, dict[str, object]]] = {
    "patient": (IssuerKind.PATIENT, PERSON),
    "user": (IssuerKind.PRO_SANTE_CONNECT, professional_claims()),
    "system": (
        IssuerKind.ESTABLISHMENT,
        {"Identifiant_Structure": STRUCTURE, "Authentification_Mode": "INDIRECTE"},
    ),
    "the feed": (IssuerKind.INSURER, {"role": "CNAM_FEED"}),
}


@pytest.mark.parametrize(
    ("who", "contexts"),
    [("patient", {"patient", "user"}), ("user", {"user"}), ("system", {"system"}), ("the feed", {"system"})],
)
def test_every_kind_of_token_may_be_an_apps_with_the_scopes_of_its_kind(who: str, contexts: set[str]) -> None:
    kind, claims = CLAIMS[who]
    scope = "openid patient/List.rs user/List.rs system/List.rs"

    by_scope = requester_from(kind, {**claims, "scope": scope}, test_identities=True)
    by_scp = requester_from(kind, {**claims, "scp": scope.split()}, test_identities=True)

    assert by_scope.scopes == by_scp.scopes == tuple(f"{context}/List.rs" for context in sorted(contexts))


def test_the_trace_knows_an_app_by_the_name_its_issuer_gave_it() -> None:
    claims = {**PERSON, "scope": "patient/*.rs", "client_id": "carnet-de-vaccins"}

    assert requester_from(IssuerKind.PATIENT, claims, test_identities=True).software == "carnet-de-vaccins"


@pytest.mark.parametrize("value", [1, True, {"a": "b"}, ["patient/*.rs", 1]])
def test_scopes_that_are_no_words_refuse_the_token(value: object) -> None:
    with pytest.raises(NotAuthenticated, match="token-claims-invalid"):
        requester_from(IssuerKind.PATIENT, {**PERSON, "scope": value}, test_identities=True)


def test_the_scopes_of_a_token_reach_the_handlers_and_take_little_room() -> None:
    every = [f"{one}/{name}.{LETTERS}" for one in ("patient", "user") for name in ("*", *TYPES)]
    requester = requester_patient(scopes=granted(every * 50, PATIENT))

    context = requester_context.context_of(requester)

    assert requester_context.requester_of(context) == requester
    assert len(context["requester"]) < 2_000
    for scopes in ((), None):
        assert requester_context.requester_of(
            requester_context.context_of(requester_patient(scopes=scopes))
        ).scopes == (scopes)


SCOPED = st.tuples(
    st.sampled_from(["patient", "user", "system"]),
    st.sampled_from(["*", *sorted(TYPES)]),
    st.sets(st.sampled_from(LETTERS), min_size=1).map(lambda held: "".join(c for c in LETTERS if c in held)),
)


@given(scopes=st.lists(SCOPED, min_size=1, max_size=6), own=st.booleans())
def test_an_app_does_what_a_scope_of_its_user_names_and_nothing_more(
    scopes: list[tuple[str, str, str]], own: bool
) -> None:
    held = granted([f"{context}/{name}.{letters}" for context, name, letters in scopes], PATIENT) or ()

    for resource_type, letter in product(sorted(TYPES), LETTERS):
        counting = [s for s in scopes if s[0] == "user" or (s[0] == "patient" and own)]
        by_name = any(name == resource_type and letter in letters for _, name, letters in counting)
        by_all = any(name == "*" and letter in letters for _, name, letters in counting)
        by_document = resource_type == "Binary" and any(
            name == "DocumentReference" and letter in letters for _, name, letters in counting
        )
        is_guarded = resource_type in {"Consent", "Patient", "Subscription"} and letter in "cud"
        expected = by_name or by_document or (by_all and not is_guarded)
        assert permits(held, f"{resource_type}.{letter}", own_record=own) == expected


@pytest.mark.parametrize(
    ("method", "pattern", "expected"),
    [
        ("GET", "List", "List.s"),
        ("POST", "List/_search", "List.s"),
        ("GET", "List/{id}", "List.r"),
        ("GET", "List/{id}/_history", "List.r"),
        ("GET", "List/{id}/_history/{version}", "List.r"),
        ("POST", "Consent", "Consent.c"),
        ("PUT", "Consent/{id}", "Consent.u"),
        ("PATCH", "DocumentReference", "DocumentReference.u"),
        ("DELETE", "DocumentReference/{id}", "DocumentReference.d"),
        ("POST", "", "DocumentReference.c"),
        ("GET", "Patient/{id}/$summary", "Patient.r"),
        ("GET", "Patient/{id}/$everything", "Patient.r"),
        ("POST", "DocumentReference/$generate-metadata", "DocumentReference.c"),
        *((("POST", f"Patient/{{id}}/${name}", "")) for name in ("close", "reopen", "erase", "export", "explain")),
        *((("POST", f"Patient/${name}", "")) for name in ("open", "oppose", "lift-opposition", "emergency-access")),
        ("GET", "exports/{id}", ""),
    ],
)
def test_every_route_asks_for_a_type_and_a_letter_or_is_never_an_apps(method: str, pattern: str, expected: str) -> None:
    assert needed(PROFESSIONAL, method, pattern) == expected


def test_a_bundle_of_the_insurers_feed_is_of_reimbursements() -> None:
    assert needed(RequesterKind.CNAM_FEED, "POST", "") == "ExplanationOfBenefit.c"


@pytest.mark.parametrize(
    ("scope", "refusal"), [("user/DocumentReference.c", "out-of-scope"), ("user/DocumentReference.cs", "")]
)
def test_a_conditional_creation_shows_what_is_there_and_needs_the_search(scope: str, refusal: str) -> None:
    requester = requester_patient(scopes=(scope,))

    asked = with_route(requester, "POST", "DocumentReference", {"if-none-exist": "identifier=a|b"})

    assert asked.refusal == refusal


def test_whoever_is_no_app_asks_as_before() -> None:
    requester = requester_patient()

    assert with_route(requester, "POST", "Patient/{id}/$close", {}) is requester


def test_a_scope_names_every_type_that_is_served_and_no_other() -> None:
    assert {one.type for one in RESOURCE_TYPES} == TYPES
