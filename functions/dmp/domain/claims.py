"""Claims of a verified token → the Requester they stand for, by the kind of issuer (Pro Santé Connect, VIHF 3.0)."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

from dmp.domain import smart_scopes, stated_purpose
from dmp.domain.claim_values import Claims, optional, refuse, required, text, texts
from dmp.domain.identifiers import (
    PS_IDNAT,
    Identifier,
    ins_is_accepted,
    professional,
    structure,
)
from dmp.domain.requester import Requester, RequesterKind

INSURER_AGENT = "https://interop.esante.gouv.fr/ig/fhir/dmp/NamingSystem/dmp-insurer-agent"
"""System of the insurer's own agent ids, which have no national one."""

_PROFESSION_SYSTEMS = frozenset({"1.2.250.1.213.1.1.5.5", "1.2.250.1.71.1.2.7"})
_RPPS = re.compile(r"8\d{11}", re.ASCII)
_STRUCT_IDNAT = re.compile(r"1[0-9AB]{9}|2\d{9}|3\d{14}|4\d{13}", re.ASCII)
_STRUCTURE_OF_CARD = re.compile(r"[0-9A-Z]{2,20}", re.ASCII)
_CODE = re.compile(r"[0-9A-Z_]{1,20}", re.ASCII)
_LOCAL_ID = re.compile(r"[^|]{1,100}")
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_GENDER = re.compile(r"male|female|other|unknown")
_EMPLOYER_PREFIX = {"1": "3", "2": "4", "3": "5"}


class IssuerKind(StrEnum):
    """Who vouches for a caller; the role follows from this, never from a claim of another kind of issuer."""

    PRO_SANTE_CONNECT = "pro-sante-connect"
    ESTABLISHMENT = "establishment"
    PATIENT = "patient"
    INSURER = "insurer"


@dataclass(frozen=True, slots=True, kw_only=True)
class TrustedIssuer:
    """An issuer whose tokens are accepted, and the keys they must be signed with."""

    kind: IssuerKind
    issuer: str
    audience: str
    jwks_uri: str


def requester_from(kind: IssuerKind, claims: Claims, *, test_identities: bool) -> Requester:
    """Read the claims that this kind of issuer vouches for; no other claim is looked at.

    A caller who is known and may do nothing carries a `refusal`: `structure-mismatch` for a server that presents a
    professional of another structure, `purpose-outside-care`. `test_identities` tells whether INS of the TEST and DEMO
    systems are accepted. Raises NotAuthenticated `token-claims-invalid`.
    """
    requester = _requester(kind, claims, test_identities=test_identities)
    return smart_scopes.with_claims(stated_purpose.with_claims(requester, claims), claims)


def _requester(kind: IssuerKind, claims: Claims, *, test_identities: bool) -> Requester:
    match kind:
        case IssuerKind.PRO_SANTE_CONNECT:
            return _professional(claims)
        case IssuerKind.ESTABLISHMENT:
            return _of_establishment(claims)
        case IssuerKind.PATIENT:
            return _patient(claims, test_identities=test_identities)
        case IssuerKind.INSURER:
            return _of_insurer(claims)


def _professional(claims: Claims) -> Requester:
    profession = _profession(claims)
    employer = optional(claims, "SubjectOrganizationID", _STRUCTURE_OF_CARD)
    given_name, family_name = text(claims, "given_name"), text(claims, "family_name")
    return Requester(
        kind=RequesterKind.PROFESSIONAL,
        identifier=professional(required(claims, "SubjectNameID", _RPPS)),
        name=f"{given_name} {family_name}".strip(),
        structure=structure(employer) if employer else None,
        structure_name=text(claims, "SubjectOrganization"),
        profession=profession,
        specialties=_specialties(claims, profession),
        regulates_emergency_calls=_regulates_emergency_calls(claims),
        family_name=family_name,
        given_name=given_name,
        software=_software(claims),
    )


def _of_establishment(claims: Claims) -> Requester:
    establishment = structure(required(claims, "Identifiant_Structure", _STRUCT_IDNAT))
    match claims.get("Authentification_Mode"):
        case "DIRECTE":
            return _employee(claims, establishment)
        case "INDIRECTE":
            return _server(claims, establishment)
        case "INDIRECTE_RENFORCEE":
            return _presented_professional(claims, establishment)
        case _:
            return refuse("Authentification_Mode")


def _employee(claims: Claims, establishment: Identifier) -> Requester:
    employee = required(claims, "subject_id", _LOCAL_ID)
    return Requester(
        kind=RequesterKind.EMPLOYEE,
        identifier=_employee_number(establishment, employee),
        name=employee,
        structure=establishment,
        structure_name=text(claims, "SubjectOrganization"),
        software=_software(claims),
    )


def _employee_number(establishment: Identifier, employee: str) -> Identifier:
    """PS_IdNat of an employee: the structure's number under its own prefix, then the id within the structure."""
    kind, number = establishment.value[0], establishment.value[1:]
    prefix = f"{_EMPLOYER_PREFIX.get(kind, kind)}{number}/"
    return Identifier(PS_IDNAT, employee if employee.startswith(prefix) else prefix + employee)


def _server(claims: Claims, establishment: Identifier) -> Requester:
    name = text(claims, "SubjectOrganization")
    return Requester(
        kind=RequesterKind.STRUCTURE,
        identifier=establishment,
        name=name,
        structure=establishment,
        structure_name=name,
        software=_software(claims),
    )


def _presented_professional(claims: Claims, establishment: Identifier) -> Requester:
    """Server certificate and Pro Santé Connect together: the professional, if of that very structure."""
    requester = _professional(claims)
    if requester.structure is None:
        refuse("SubjectOrganizationID")
    if requester.structure != establishment:
        return replace(requester, refusal="structure-mismatch")
    return requester


def _patient(claims: Claims, *, test_identities: bool) -> Requester:
    given_name, family_name = text(claims, "given_name"), text(claims, "family_name")
    return Requester(
        kind=RequesterKind.PATIENT,
        identifier=_ins(claims, test_identities=test_identities),
        name=f"{given_name} {family_name}".strip(),
        family_name=family_name,
        given_name=given_name,
        birth_date=optional(claims, "birthdate", _DATE),
        gender=optional(claims, "gender", _GENDER),
        email=text(claims, "email"),
    )


def _ins(claims: Claims, *, test_identities: bool) -> Identifier:
    """The INS of the token; its key is checked on the real systems, its form on all."""
    ins = Identifier.parse(text(claims, "ins"))
    if not ins_is_accepted(ins, test_identities=test_identities):
        refuse("ins")
    return ins


def _of_insurer(claims: Claims) -> Requester:
    match claims.get("role"):
        case "CPAM_AGENT":
            kind, agent = RequesterKind.CPAM_AGENT, required(claims, "agent_id", _LOCAL_ID)
        case "CNAM_FEED":
            kind, agent = RequesterKind.CNAM_FEED, optional(claims, "agent_id", _LOCAL_ID) or "CNAM_FEED"
        case _:
            refuse("role")
    return Requester(kind=kind, identifier=Identifier(INSURER_AGENT, agent), name=agent)


def _profession(claims: Claims) -> str:
    """The one profession of the session, in front of the `^`; entries of other code systems are no profession."""
    roles = [role.partition("^") for role in texts("SubjectRole", claims.get("SubjectRole"))]
    professions = {code for code, _, system in roles if system in _PROFESSION_SYSTEMS}
    if len(professions) != 1 or not _CODE.fullmatch(profession := professions.pop()):
        refuse("SubjectRole")
    return profession


def _specialties(claims: Claims, profession: str) -> tuple[str, ...]:
    """The savoir-faire of the exercices of that profession, sorted."""
    reference = claims.get("SubjectRefPro") or {}
    exercices = reference.get("exercices") or [] if isinstance(reference, Mapping) else None
    if not isinstance(exercices, list) or not all(isinstance(exercice, Mapping) for exercice in exercices):
        refuse("SubjectRefPro")
    codes = [
        exercice.get("codeSavoirFaire")
        for exercice in exercices
        if (exercice.get("codeProfession") or profession) == profession
    ]
    specialties = set(texts("SubjectRefPro", [code for code in codes if code]))
    if not all(_CODE.fullmatch(code) for code in specialties):
        refuse("SubjectRefPro")
    return tuple(sorted(specialties))


def _regulates_emergency_calls(claims: Claims) -> bool:
    match claims.get("Acces_Regulation_Medicale"):
        case "VRAI":
            return True
        case "FAUX" | "" | None:
            return False
        case _:
            return refuse("Acces_Regulation_Medicale")


def _software(claims: Claims) -> str:
    return f"{text(claims, 'LPS_Nom')} {text(claims, 'LPS_Version')}".strip()
