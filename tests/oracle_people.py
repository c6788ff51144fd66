"""The oracle's callers, documents and openings as the production knows them."""

from datetime import UTC, datetime

from dmp.domain.document import Awaited, Coding, Depositor, DocumentEntry, DocumentStatus, StoredContent, Visibility
from dmp.domain.identifiers import INS_NIR_TEST, Identifier, professional, structure
from dmp.domain.record import Identity, Opening, OpeningMethod
from dmp.domain.related_person import PersonRequest
from dmp.domain.requester import Requester, RequesterKind
from dmp.domain.smart_scopes import granted, with_route
from tests.oracle_case import PATIENT, Case, Document, Kind, Who

_EPOCH = datetime(2026, 1, 1, tzinfo=UTC)
_KINDS = {
    Kind.PROFESSIONAL: RequesterKind.PROFESSIONAL,
    Kind.EMPLOYEE: RequesterKind.EMPLOYEE,
    Kind.STRUCTURE: RequesterKind.STRUCTURE,
    Kind.CITIZEN: RequesterKind.PATIENT,
    Kind.CPAM_AGENT: RequesterKind.CPAM_AGENT,
    Kind.CNAM_FEED: RequesterKind.CNAM_FEED,
}
_ROUTES = {
    "c": ("POST", ""), "r": ("GET", "/{id}"), "u": ("PUT", "/{id}"), "d": ("DELETE", "/{id}"), "s": ("GET", ""),
}  # fmt: skip
_NUMBERS = {PATIENT: "279035121518989", "G1": "185032A00402129", "G2": "292072B03301725"}


def ins(person: str) -> Identifier:
    """The INS of a citizen of the oracle."""
    return Identifier(INS_NIR_TEST, _NUMBERS[person])


def caller(who: Who) -> Requester:
    """The caller as the authorizer tells of it."""
    return Requester(
        kind=_KINDS[who.kind],
        identifier=_identifier(who),
        structure=structure(who.structure) if who.structure else None,
        profession=who.profession,
        specialties=("SM25",) if who.occupational else ("SM26",),
        regulates_emergency_calls=who.regulates,
        refusal=who.refusal,
        scopes=None if who.scopes is None else granted(_scopes(who), _KINDS[who.kind]),
    )


def _scopes(who: Who) -> list[str]:
    """What makes a token an app's: of a person's any scope, of others a word of SMART."""
    first = "openid" if who.kind is Kind.CITIZEN else "offline_access"
    return [first, *(f"{context}/{named}.{letters}" for context, named, letters in who.scopes or ())]


def asking(case: Case) -> Requester:
    """The caller of a case as every route hands it on: an app as asking what the route is for."""
    resource_type, letter = case.asks
    method, below = _ROUTES[letter]
    return with_route(caller(case.who), method, resource_type + below, {})


def _identifier(who: Who) -> Identifier:
    match who.kind:
        case Kind.CITIZEN:
            return ins(who.person or PATIENT)
        case Kind.STRUCTURE:
            return structure(who.structure or "")
        case Kind.EMPLOYEE:
            return professional(f"3{who.structure}/{who.person}")
        case _:
            return professional(who.person or who.kind.value)


def named(name: str | None) -> Identifier | None:
    """Whom a name of the oracle stands for in a Consent, a document or a message."""
    if name is None:
        return None
    if name.startswith("S"):
        return structure(name)
    return ins(name) if name in _NUMBERS else professional(name)


def document_entry(document: Document, local: str = "1" * 26) -> DocumentEntry:
    """A document of the oracle as the record keeps it."""
    return DocumentEntry(
        record="0" * 26,
        local=local,
        version=1,
        updated=_EPOCH,
        status=DocumentStatus.CURRENT,
        type=Coding("http://loinc.org", document.type) if document.type else None,
        visibility=frozenset(map(Visibility, document.labels)),
        depositor=_depositor(document),
        authors=frozenset(a for a in map(named, document.authors) if a),
        content=StoredContent(key="k", content_type="text/plain", size=1, sha1="", sha256=""),
        master_identifier=None,
        awaits=frozenset({Awaited(document.awaited)} if document.awaited in set(Awaited) else ()),
        upload_error="hash-mismatch" if document.awaited == "failed" else "",
        body="{}",
    )


def _depositor(document: Document) -> Depositor:
    who = Who(kind=document.depositor_kind, person=document.depositor, structure=document.depositor_structure)
    return Depositor.of(caller(who))


def guardian(name: str | None) -> PersonRequest | None:
    """Who says to represent the minor."""
    if name is None:
        return None
    return PersonRequest(patient=None, identifier=ins(name), relationships=("GUARD",), resource={})


def opening(represented_by: str | None) -> Opening:
    """What asks to open the patient's record, a minor's where somebody represents it."""
    identity = Identity(
        ins=ins(PATIENT),
        birth_name="X",
        given_names=("Y",),
        usual_name="",
        birth_date="2020-01-01" if represented_by else "1980-01-01",
        gender="female",
        birth_place="75056",
    )
    return Opening(
        identity=identity,
        method=OpeningMethod.WRITTEN,
        date=_EPOCH,
        attestation="recueilli ce jour",
        guardian=guardian(represented_by),
    )
