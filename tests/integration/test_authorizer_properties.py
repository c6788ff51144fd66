"""Whatever text arrives as a token, the authorizer answers, and lets in nobody whom no issuer vouches for."""

from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from dmp.domain.claims import IssuerKind
from tests.deployed_authorizer import Stack, deployed
from tests.forged_tokens import ATTACKER, PERSON
from tests.token_factory import base64url, compact, professional_claims

PSC, PATIENT = IssuerKind.PRO_SANTE_CONNECT, IssuerKind.PATIENT
NAMES = ["iss", "aud", "exp", "iat", "nbf", "typ", "ins"]


@pytest.fixture(scope="module")
def stack() -> Iterator[Stack]:
    with deployed() as stack:
        yield stack


PROPERTY = settings(deadline=None, max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
TEXT = st.text(max_size=80)
COMPACT = st.lists(st.binary(max_size=60).map(base64url), min_size=1, max_size=5).map(".".join)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda children: st.lists(children, max_size=3) | st.dictionaries(st.text(max_size=8), children, max_size=3),
    max_leaves=6,
)


@PROPERTY
@given(token=TEXT | COMPACT | st.binary(max_size=200).map(lambda data: data.decode("latin-1")))
def test_random_text_never_authenticates_and_never_fails(stack: Stack, token: str) -> None:
    assert stack.refusal(token) in {"token-missing", "token-malformed", "token-algorithm"}


@PROPERTY
@given(data=st.data(), kind=st.sampled_from(["professional", "patient", "server", "insurer"]))
def test_a_token_changed_anywhere_never_authenticates_and_never_fails(
    stack: Stack, data: st.DataObject, kind: str
) -> None:
    token = getattr(stack.tokens, kind)()
    position = data.draw(st.integers(0, len(token) - 1))
    length = data.draw(st.integers(0, 3))
    inserted = data.draw(st.text(max_size=3) | st.text("ABCabc019-_.", max_size=3))
    changed = token[:position] + inserted + token[position + length :]
    assume(changed.strip() != token)

    assert stack.refusal(changed) != "authorizer-failed"


HEADERS = st.fixed_dictionaries(
    {"alg": st.sampled_from(["RS256", "ES256", "none", "HS256"]) | JSON, "kid": st.just("pro-sante-connect-1") | JSON},
    optional={"typ": st.just("JWT") | JSON, "jwk": st.just(ATTACKER.jwk()), "crit": JSON, "jku": TEXT},
)


@PROPERTY
@given(header=HEADERS)
def test_whatever_the_header_only_the_issuers_own_key_counts(stack: Stack, header: dict[str, object]) -> None:
    token = compact(header, stack.tokens.claims(PSC, **professional_claims()), ATTACKER.sign)

    assert stack.refusal(token) in {
        "token-malformed",
        "token-algorithm",
        "token-header",
        "token-type",
        "token-key-unknown",
        "token-signature",
    }


@PROPERTY
@given(changes=st.dictionaries(st.sampled_from(NAMES), JSON, min_size=1))
def test_whatever_an_issuer_signs_the_answer_is_a_requester_or_a_reason(
    stack: Stack, changes: dict[str, object]
) -> None:
    claims = stack.tokens.claims(PATIENT, **PERSON) | changes

    context = stack.context(stack.tokens.sign(PATIENT, claims))

    assert ("requester" in context) != ("refusal" in context)
    assert context.get("refusal") != "authorizer-failed"
