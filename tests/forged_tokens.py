"""Tokens that must be refused, each with its reason, and keys that must not count (RFC 8725, threat of forged JWTs)."""

import hashlib
import hmac
import json
from collections.abc import Callable
from typing import Any

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from dmp.domain.claims import IssuerKind
from dmp.domain.identifiers import INS_NIR, INS_NIR_TEST
from tests.token_factory import (
    SigningKey,
    TokenFactory,
    base64url,
    compact,
    ec_key,
    ins_with_key,
    professional_claims,
    rsa_key,
)

PSC, ESTABLISHMENT, PATIENT, INSURER = IssuerKind


def private_members() -> dict[str, object]:
    private = rsa_key("private").private
    assert isinstance(private, rsa.RSAPrivateKey)
    return {"d": base64url(private.private_numbers().d.to_bytes(256))}


UNUSABLE_KEYS: tuple[dict[str, object], ...] = (
    rsa_key("short", 1024).jwk(),
    rsa_key("encryption").jwk(use="enc"),
    rsa_key("wrapping").jwk(key_ops=["wrapKey"]),
    rsa_key("operations-as-text").jwk(key_ops="verify"),
    rsa_key("private").jwk(**private_members()),
    rsa_key("other-algorithm").jwk(alg="RS512"),
    ec_key("other-curve").jwk(crv="P-384"),
    ec_key("off-curve").jwk(x=base64url(b"\1" * 32)),
    ec_key("short-coordinate").jwk(x=base64url(b"\1" * 31)),
    rsa_key("twice").jwk(),
    rsa_key("twice").jwk(),
    {"kty": "oct", "kid": "secret", "k": base64url(b"secret")},
    {"kty": "RSA", "kid": "broken", "n": "=", "e": "AQAB"},
    {"kty": "RSA", "kid": "even", "n": base64url(b"\2" * 256), "e": "AQAB"},
    {"kty": ["RSA"], "kid": "odd"},
    {name: value for name, value in rsa_key("nameless").jwk().items() if name != "kid"},
)


type Forge = Callable[[TokenFactory], str]


def psc(**header: Any) -> Forge:
    """A token sound but for its header."""
    return lambda tokens: tokens.sign(PSC, tokens.claims(PSC, **professional_claims()), **header)


def says(**claims: object) -> Forge:
    """A token sound but for these claims; None leaves one out."""

    def forge(tokens: TokenFactory) -> str:
        said = tokens.claims(PSC, **professional_claims()) | claims
        return tokens.sign(PSC, {name: value for name, value in said.items() if value is not None})

    return forge


def later(**shifts: int) -> Forge:
    """A token sound but for these instants, told from now."""

    def forge(tokens: TokenFactory) -> str:
        now = int(tokens.clock())
        return says(**{name: now + shift for name, shift in shifts.items()})(tokens)

    return forge


def payload(rewrite: Callable[[str], str]) -> Forge:
    """A soundly signed token whose payload is not what a JSON library would write."""

    def forge(tokens: TokenFactory) -> str:
        key = tokens.key(PSC)
        written = rewrite(json.dumps(tokens.claims(PSC, **professional_claims())))
        header = {"alg": "RS256", "typ": "JWT", "kid": key.kid}
        return compact(header, written.encode("latin-1"), key.sign)

    return forge


def header_text(text: str) -> Forge:
    """A soundly signed token with that very header."""
    return lambda tokens: compact(text.encode(), tokens.claims(PSC, **professional_claims()), tokens.key(PSC).sign)


def edited(edit: Callable[[list[str]], str]) -> Forge:
    """A sound token of a physician whose three parts were edited afterwards."""
    return lambda tokens: edit(tokens.professional().split("."))


def es256(rewrite: Callable[[bytes], bytes]) -> Forge:
    """A token of an establishment whose signature is written otherwise."""

    def forge(tokens: TokenFactory) -> str:
        key = tokens.key(ESTABLISHMENT)
        header = {"alg": "ES256", "typ": "JWT", "kid": key.kid}
        claims = tokens.claims(ESTABLISHMENT, Identifiant_Structure="1750100125", Authentification_Mode="INDIRECTE")
        return compact(header, claims, lambda message: rewrite(key.sign(message)))

    return forge


def hmac_with_public_key(tokens: TokenFactory) -> str:
    key = tokens.key(PSC)
    pem = key.private.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    header = {"alg": "HS256", "typ": "JWT", "kid": key.kid}
    claims = tokens.claims(PSC, **professional_claims())
    return compact(header, claims, lambda message: hmac.digest(pem, message, hashlib.sha256))


def unsigned(algorithm: str) -> Forge:
    return lambda tokens: compact(
        {"alg": algorithm, "typ": "JWT", "kid": tokens.key(PSC).kid},
        tokens.claims(PSC, **professional_claims()),
        lambda _: b"",
    )


def signed_by(key: SigningKey, **header: Any) -> Forge:
    """A token sound but for the key that signed it."""
    return lambda tokens: tokens.sign(PSC, tokens.claims(PSC, **professional_claims()), key, **header)


def der(signature: bytes) -> bytes:
    return encode_dss_signature(int.from_bytes(signature[:32]), int.from_bytes(signature[32:]))


def with_next_last_character(parts: list[str]) -> str:
    """The signature's last character holds four bits that encode nothing: the decoded bytes stay the same."""
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    token = ".".join(parts)
    return token[:-1] + alphabet[alphabet.index(token[-1]) + 1]


ATTACKER = rsa_key("attacker")
ROLE = {"role": "CPAM_AGENT", "agent_id": "agent-751"}
PERSON = {"ins": f"{INS_NIR_TEST}|{ins_with_key('2850775056123')}"}

FORGED: dict[str, tuple[str, Forge]] = {
    # algorithms
    "alg none, unsigned": ("token-algorithm", unsigned("none")),
    "alg None, unsigned": ("token-algorithm", unsigned("None")),
    "alg nOnE, unsigned": ("token-algorithm", unsigned("nOnE")),
    "alg none, signed": ("token-algorithm", psc(alg="none")),
    "alg empty": ("token-algorithm", psc(alg="")),
    "alg null": ("token-algorithm", psc(alg=None)),
    "alg as a list": ("token-algorithm", psc(alg=["RS256"])),
    "alg missing": ("token-algorithm", header_text('{"typ":"JWT","kid":"pro-sante-connect-1"}')),
    "alg in lower case": ("token-algorithm", psc(alg="rs256")),
    "HS256 keyed with the public key": ("token-algorithm", hmac_with_public_key),
    "RS384": ("token-algorithm", psc(alg="RS384")),
    "PS256": ("token-algorithm", psc(alg="PS256")),
    "EdDSA": ("token-algorithm", psc(alg="EdDSA")),
    "ES256 said of an RSA key": ("token-algorithm", psc(alg="ES256")),
    "RS256 signature, unsigned": ("token-signature", unsigned("RS256")),
    # keys
    "kid unknown": ("token-key-unknown", psc(kid="pro-sante-connect-2")),
    "kid missing": ("token-key-unknown", header_text('{"alg":"RS256","typ":"JWT"}')),
    "kid a number": ("token-key-unknown", psc(kid=1)),
    "kid null": ("token-key-unknown", psc(kid=None)),
    "kid a path": ("token-key-unknown", psc(kid="../../../../dev/null")),
    "kid an address": ("token-key-unknown", psc(kid="https://attacker.example/key")),
    "kid SQL": ("token-key-unknown", psc(kid="x' UNION SELECT 'secret")),
    "kid with NUL": ("token-key-unknown", psc(kid="pro-sante-connect-1\0")),
    "kid lone surrogate": ("token-key-unknown", psc(kid="\ud800")),
    "key of another issuer": ("token-key-unknown", signed_by(rsa_key("patient-1"))),
    "key of another issuer under our kid": (
        "token-signature",
        signed_by(rsa_key("patient-1"), kid="pro-sante-connect-1"),
    ),
    "key of an attacker under our kid": ("token-signature", signed_by(ATTACKER, kid="pro-sante-connect-1")),
    "RSA key of 1024 bits": ("token-key-unknown", signed_by(rsa_key("short", 1024))),
    "key for encryption": ("token-key-unknown", signed_by(rsa_key("encryption"))),
    "key for wrapping": ("token-key-unknown", signed_by(rsa_key("wrapping"))),
    "key with operations as text": ("token-key-unknown", signed_by(rsa_key("operations-as-text"))),
    "key published whole": ("token-key-unknown", signed_by(rsa_key("private"))),
    "key of another algorithm": ("token-key-unknown", signed_by(rsa_key("other-algorithm"))),
    "key on another curve": ("token-key-unknown", signed_by(ec_key("other-curve"))),
    "key off its curve": ("token-key-unknown", signed_by(ec_key("off-curve"))),
    "key with a short coordinate": ("token-key-unknown", signed_by(ec_key("short-coordinate"))),
    "key whose id is given twice": ("token-key-unknown", signed_by(rsa_key("twice"))),
    "key without id": ("token-key-unknown", signed_by(rsa_key("nameless"))),
    "symmetric key": ("token-key-unknown", psc(kid="secret")),
    # header
    "embedded jwk": ("token-header", psc(jwk=ATTACKER.jwk())),
    "jku": ("token-header", psc(jku="https://attacker.example/jwks.json")),
    "x5u": ("token-header", psc(x5u="https://attacker.example/chain.pem")),
    "x5c": ("token-header", psc(x5c=["MIIB"])),
    "x5t": ("token-header", psc(x5t="abc")),
    "crit": ("token-header", psc(crit=["exp"])),
    "b64 false": ("token-header", psc(b64=False, crit=["b64"])),
    "zip": ("token-header", psc(zip="DEF")),
    "cty of a nested token": ("token-header", psc(cty="JWT")),
    "encrypted token": ("token-header", psc(enc="A128GCM")),
    "typ of a logout token": ("token-type", psc(typ="logout+jwt")),
    "typ of a DPoP proof": ("token-type", psc(typ="dpop+jwt")),
    "typ a number": ("token-type", psc(typ=1)),
    "typ null": ("token-type", psc(typ=None)),
    "ID token": ("token-type", says(typ="ID")),
    "refresh token": ("token-type", says(typ="Refresh")),
    "alg twice": ("token-malformed", header_text('{"alg":"none","alg":"RS256","kid":"pro-sante-connect-1"}')),
    "header a list": ("token-malformed", header_text('["RS256"]')),
    "header a text": ("token-malformed", header_text('"RS256"')),
    "header no JSON": ("token-malformed", header_text("RS256")),
    # issuers
    "iss unknown": ("token-issuer-unknown", says(iss="https://attacker.example")),
    "iss missing": ("token-issuer-unknown", says(iss=None)),
    "iss with a slash": ("token-issuer-unknown", says(iss="https://pro-sante-connect.example/")),
    "iss in capitals": ("token-issuer-unknown", says(iss="https://PRO-SANTE-CONNECT.example")),
    "iss a list": ("token-issuer-unknown", says(iss=["https://pro-sante-connect.example"])),
    "iss a number": ("token-issuer-unknown", says(iss=1)),
    "iss of another issuer": ("token-key-unknown", says(iss="https://patient.example", **PERSON)),
    # audience
    "aud missing": ("token-audience", says(aud=None)),
    "aud of another service": ("token-audience", says(aud="https://other.example")),
    "aud longer than ours": ("token-audience", says(aud="https://dmp.example/fhir/")),
    "aud a number": ("token-audience", says(aud=1)),
    "aud an object": ("token-audience", says(aud={"https://dmp.example/fhir": 1})),
    "aud an empty list": ("token-audience", says(aud=[])),
    "aud a list of others": ("token-audience", says(aud=["https://other.example", "account"])),
    "aud a list with a number": ("token-audience", says(aud=["https://dmp.example/fhir", 1])),
    "aud a list of lists": ("token-audience", says(aud=[["https://dmp.example/fhir"]])),
    "aud a long list": ("token-audience", says(aud=["https://dmp.example/fhir"] * 21)),
    # instants
    "expired": ("token-expired", later(exp=-61)),
    "expired at the epoch": ("token-expired", says(exp=0)),
    "exp missing": ("token-claims-invalid", says(exp=None)),
    "exp true": ("token-claims-invalid", says(exp=True)),
    "exp a fraction": ("token-claims-invalid", says(exp=4102444800.5)),
    "exp a float": ("token-claims-invalid", says(exp=4102444800.0)),
    "exp a text": ("token-claims-invalid", says(exp="4102444800")),
    "exp negative": ("token-claims-invalid", says(exp=-1)),
    "exp beyond the calendar": ("token-claims-invalid", says(exp=10**18)),
    "exp of 4000 digits": ("token-claims-invalid", says(exp=10**4000)),
    "exp of 5000 digits": ("token-malformed", payload(lambda text: text[:-1] + ',"x":' + "9" * 5000 + "}")),
    "exp an infinite float": (
        "token-claims-invalid",
        payload(lambda text: text.replace('"exp": ', '"exp": 1e999, "x": ')),
    ),
    "exp a list": ("token-claims-invalid", says(exp=[4102444800])),
    "exp null": ("token-claims-invalid", payload(lambda text: text.replace('"exp": ', '"exp": null, "x": '))),
    "exp NaN": ("token-malformed", payload(lambda text: text.replace('"exp": ', '"exp": NaN, "x": '))),
    "exp Infinity": ("token-malformed", payload(lambda text: text.replace('"exp": ', '"exp": Infinity, "x": '))),
    "iat missing": ("token-claims-invalid", says(iat=None)),
    "iat false": ("token-claims-invalid", says(iat=False)),
    "iat a text": ("token-claims-invalid", says(iat="now")),
    "iat in the future": ("token-not-yet-valid", later(iat=63)),
    "nbf in the future": ("token-not-yet-valid", later(nbf=63)),
    "nbf a text": ("token-claims-invalid", says(nbf="0")),
    "nbf null": ("token-claims-invalid", payload(lambda text: text.replace('"nbf": ', '"nbf": null, "x": '))),
    # form
    "no token": ("token-malformed", lambda _: "x"),
    "two parts": ("token-malformed", edited(lambda parts: ".".join(parts[:2]))),
    "four parts": ("token-malformed", edited(lambda parts: ".".join([*parts, parts[2]]))),
    "five parts": ("token-malformed", edited(lambda parts: ".".join([*parts, "", ""]))),
    "dots": ("token-malformed", lambda _: ".."),
    "padded": ("token-malformed", edited(lambda parts: ".".join(parts) + "==")),
    "bits that encode nothing": ("token-malformed", edited(with_next_last_character)),
    "base64 of another alphabet": (
        "token-malformed",
        edited(lambda parts: ".".join([*parts[:2], "+/" + parts[2][2:]])),
    ),
    "white space inside": ("token-malformed", edited(". ".join)),
    "line end inside": (
        "token-malformed",
        edited(lambda parts: ".".join([*parts[:2], parts[2][:9] + "\n" + parts[2][9:]])),
    ),
    "letters beyond ASCII": ("token-malformed", edited(lambda parts: ".".join([*parts[:2], "é" + parts[2][1:]]))),
    "two tokens in one header": (
        "token-malformed",
        edited(lambda parts: ".".join(parts) + ",Bearer " + ".".join(parts)),
    ),
    "over 8 KB": ("token-malformed", says(padding="x" * 6200)),
    "over 1 MB": ("token-malformed", says(padding="x" * 1_000_000)),
    "payload a list": ("token-malformed", payload(lambda text: f"[{text}]")),
    "payload empty": ("token-malformed", payload(lambda _: "")),
    "payload no JSON": ("token-malformed", payload(lambda text: text[:-1])),
    "payload with an end": ("token-malformed", payload(lambda text: text + "x")),
    "payload not in UTF-8": ("token-malformed", payload(lambda text: text.replace("Alix", "\xe9"))),
    "payload with a byte order mark": ("token-malformed", payload(lambda text: "\xef\xbb\xbf" + text)),
    "payload nested deeply": ("token-malformed", payload(lambda _: '{"a":' + "[" * 5000)),
    "iss twice": ("token-malformed", payload(lambda text: '{"iss":"https://patient.example",' + text[1:])),
    "claim of a claim twice": ("token-malformed", payload(lambda text: text[:-1] + ',"x":{"y":1,"y":2}}')),
    # signatures
    "signature cut": ("token-signature", edited(lambda parts: ".".join([*parts[:2], parts[2][:-2] or ""]))),
    "signature of other claims": (
        "token-signature",
        edited(lambda parts: ".".join([parts[0], base64url(b'{"iss":"https://pro-sante-connect.example"}'), parts[2]])),
    ),
    "signature under another header": (
        "token-signature",
        edited(lambda parts: ".".join([base64url(b'{"alg":"RS256","kid":"pro-sante-connect-1"}'), *parts[1:]])),
    ),
    "ES256 in DER": ("token-signature", es256(der)),
    "ES256 of zeros": ("token-signature", es256(lambda _: b"\0" * 64)),
    "ES256 turned round": ("token-signature", es256(lambda signature: signature[32:] + signature[:32])),
    "ES256 too long": ("token-signature", es256(lambda signature: signature + b"\0")),
    "ES256 too short": ("token-signature", es256(lambda signature: signature[:-1])),
    "RS256 said of a P-256 key": (
        "token-algorithm",
        lambda tokens: tokens.sign(ESTABLISHMENT, tokens.claims(ESTABLISHMENT), alg="RS256"),
    ),
    # claims of each kind of issuer
    "professional without profession": ("token-claims-invalid", says(SubjectRole=None)),
    "professional without RPPS": ("token-claims-invalid", says(SubjectNameID="10101234567")),
    "patient without INS": ("token-claims-invalid", lambda tokens: tokens.patient(ins="")),
    "patient with a wrong key": (
        "token-claims-invalid",
        lambda tokens: tokens.patient(ins=f"{INS_NIR}|285077505612300"),
    ),
    "patient who says a role": ("token-claims-invalid", lambda tokens: tokens.patient(ins="", **ROLE)),
    "insurer who says an INS": ("token-claims-invalid", lambda tokens: tokens.insurer(role="", **PERSON)),
    "establishment without mode": ("token-claims-invalid", lambda tokens: tokens.server(Authentification_Mode=None)),
    "card that says it is a server": (
        "token-claims-invalid",
        lambda tokens: tokens.sign(PSC, tokens.claims(PSC, Authentification_Mode="INDIRECTE", **ROLE)),
    ),
    "server with a foreign professional": ("structure-mismatch", lambda tokens: tokens.air("1690781810")),
}
