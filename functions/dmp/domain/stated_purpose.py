"""What a caller states of an access: its purpose, and whether it is a connexion secrète (VIHF 3.0, EX_0.1-1100)."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace

from dmp.domain.purpose import CARE, INSURER, within
from dmp.domain.requester import Requester, RequesterKind

_PURPOSE_CLAIMS = (
    "purpose_of_use",
    "purposeOfUse",
    "purpose",
    "urn:oasis:names:tc:xspa:1.0:subject:purposeofuse",
)
_SECRET_CLAIMS = (
    "connexion_secrete",
    "confidentiality_code",
    "urn:oasis:names:tc:xspa:1.0:resource:patient:hl7:confidentiality-code",
)
_SECRET = frozenset({"INVISIBLE_REPRESENTANTS_LEGAUX", "INVISIBLE_REP_LEGAUX", "VRAI", "true"})
_INSURERS = frozenset({RequesterKind.CPAM_AGENT, RequesterKind.CNAM_FEED})
_CARERS = frozenset({RequesterKind.PROFESSIONAL, RequesterKind.EMPLOYEE, RequesterKind.STRUCTURE})
"""Whose access may be a connexion secrète: no parent hides anything from the other."""
_SEPARATORS = re.compile(r"[\s,]+")


def with_claims(requester: Requester, claims: Mapping[str, object]) -> Requester:
    """The caller with what the token states of the access, in VIHF's words or in IUA's."""
    extensions = claims.get("extensions")
    iua = extensions.get("ihe_iua") if isinstance(extensions, Mapping) else None
    stated = [claims.get(name) for name in _PURPOSE_CLAIMS]
    stated.append(iua.get("purpose_of_use") if isinstance(iua, Mapping) else None)
    secret = [code for name in _SECRET_CLAIMS for code in _codes(claims.get(name))]
    return _stating(requester, [code for value in stated for code in _codes(value)], secret)


def with_headers(requester: Requester, headers: Mapping[str, str]) -> Requester:
    """The caller with what the request states of the access."""
    purposes = list(_codes(headers.get("x-purpose-of-use")))
    return _stating(requester, purposes, list(_codes(headers.get("x-confidentiality-code"))))


def _stating(requester: Requester, purposes: list[str], confidentiality: list[str]) -> Requester:
    permitted = INSURER if requester.kind in _INSURERS else CARE
    if not requester.refusal and not within(purposes, permitted):
        requester = replace(requester, refusal="purpose-outside-care")
    is_secret = requester.kind in _CARERS and not _SECRET.isdisjoint(confidentiality)
    return replace(requester, is_secret=True) if is_secret else requester


def _codes(value: object) -> Iterator[str]:
    """The codes of a claim: a text of one or several, each perhaps with `^system` behind, an object, a list of these.

    What is none of these counts as a code that nobody knows.
    """
    match value:
        case None | "" | False:
            return
        case str():
            yield from (code.partition("^")[0] for code in _SEPARATORS.split(value.strip()) if code)
        case True:
            yield "true"
        case list():
            for item in value:
                yield from _codes(item)
        case {"code": code}:
            yield from _codes(code)
        case _:
            yield "?"
