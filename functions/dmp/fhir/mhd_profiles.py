"""What each level of MHD 4.2.4 and PDSm 3.1.1 asks of a bundle, a document, a SubmissionSet and a Folder: data."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from dmp.domain.errors import Invalid
from dmp.fhir import systems as s


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """A published profile: `required` elements occur, `forbidden` ones do not, `single` ones at most once.

    `contained` references lead to contained resources; `typed` says that unique ids carry MHD's type.
    """

    url: str
    required: tuple[str, ...] = ()
    forbidden: tuple[str, ...] = ()
    single: tuple[str, ...] = ()
    contained: tuple[str, ...] = ()
    extensions: tuple[tuple[str, str, int, int | None], ...] = ()
    """(url, value element, least, most)."""
    typed: bool = True
    statuses: tuple[str, ...] = ()
    mode: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Level:
    """The profiles that a bundle's profile names for its entries."""

    document: Profile
    submission_set: Profile
    folder: Profile


_ATTACHMENT = "content.attachment"
_DOCUMENT_BASE: dict[str, Any] = {
    "forbidden": ("docStatus",),
    "single": ("category", "content"),
    "extensions": ((s.MHD_HOME_COMMUNITY, "valueOid", 0, 1), (s.PDSM_IS_ARCHIVED, "valueBoolean", 0, 1)),
}
_MINIMAL = ("masterIdentifier", f"{_ATTACHMENT}.contentType", f"{_ATTACHMENT}.url")
_COMPREHENSIVE = (
    *_MINIMAL,
    *("type", "category", "subject", "securityLabel", f"{_ATTACHMENT}.language", f"{_ATTACHMENT}.creation"),
    *("content.format", "context.facilityType", "context.practiceSetting", "context.sourcePatientInfo"),
)
_PDSM = (
    *_COMPREHENSIVE,
    *("contained", "date", "author", f"{_ATTACHMENT}.size", f"{_ATTACHMENT}.hash", f"{_ATTACHMENT}.title"),
    "context.period.start",
)
_BY_REFERENCE = (*_DOCUMENT_BASE["forbidden"], f"{_ATTACHMENT}.data")
_LIST_FORBIDDEN = ("encounter", "orderedBy", "emptyReason", "entry.flag", "entry.deleted", "entry.date")
_SOURCE_ID = (s.MHD_SOURCE_ID, "valueIdentifier", 1, 1)
_HOME = (s.MHD_HOME_COMMUNITY, "valueOid", 0, 1)
_RECIPIENTS = (s.MHD_INTENDED_RECIPIENT, "valueReference", 0, None)
_FRENCH_RECIPIENTS = (s.PDSM_INTENDED_RECIPIENT, "valueReference", 0, None)
_ARCHIVED = (s.PDSM_IS_ARCHIVED, "valueBoolean", 0, 1)


def _designation(least: int, most: int | None) -> tuple[str, str, int, int | None]:
    return (s.MHD_DESIGNATION_TYPE, "valueCodeableConcept", least, most)


def _document(url: str, required: tuple[str, ...], **more: Any) -> Profile:
    return Profile(url=url, required=required, **{**_DOCUMENT_BASE, "forbidden": _BY_REFERENCE, **more})


def _submission(url: str, designations: int, **more: Any) -> Profile:
    extensions = (_SOURCE_ID, _designation(designations, 1), _HOME, _RECIPIENTS, _FRENCH_RECIPIENTS, _ARCHIVED)
    fixed: dict[str, Any] = {"forbidden": _LIST_FORBIDDEN, "single": ("note",), "extensions": extensions}
    return Profile(url=url, statuses=("current",), mode="working", **{"required": ("date",), **fixed, **more})


def _folder(url: str, designations: tuple[int, int | None], **more: Any) -> Profile:
    fixed: dict[str, Any] = {"forbidden": (*_LIST_FORBIDDEN, "source"), "single": ("note",)}
    return Profile(url=url, mode="working", **fixed, extensions=(_designation(*designations), _HOME), **more)


MINIMAL_DOCUMENT = _document(s.MHD_DOCUMENT_MINIMAL, _MINIMAL, statuses=("current", "superseded"))
UNCONTAINED_DOCUMENT = _document(s.MHD_DOCUMENT_UNCONTAINED, _COMPREHENSIVE, statuses=("current", "superseded"))
COMPREHENSIVE_DOCUMENT = _document(
    s.MHD_DOCUMENT_COMPREHENSIVE,
    _COMPREHENSIVE,
    statuses=("current", "superseded"),
    contained=("author", "authenticator", "context.sourcePatientInfo"),
)
PDSM_DOCUMENT = _document(s.PDSM_DOCUMENT, _PDSM, typed=False, statuses=("current", "superseded"))
PDSM_DOCUMENT_COMPLETE = _document(
    s.PDSM_DOCUMENT, (*_PDSM, "custodian"), typed=False, statuses=("current", "superseded")
)
MHD_SIMPLIFIED = Profile(
    url=s.MHD_SIMPLIFIED_PUBLISH,
    required=("subject", f"{_ATTACHMENT}.contentType"),
    **{**_DOCUMENT_BASE, "forbidden": ("docStatus", f"{_ATTACHMENT}.url")},
    typed=False,
    statuses=("current",),
)
PDSM_SIMPLIFIED = Profile(
    url=s.PDSM_SIMPLIFIED_PUBLISH,
    required=("subject", "date", "author", f"{_ATTACHMENT}.contentType", f"{_ATTACHMENT}.title"),
    forbidden=("docStatus", f"{_ATTACHMENT}.url"),
    single=("category", "content", "context.event"),
    typed=False,
    statuses=("current",),
)
MINIMAL_SUBMISSION = _submission(s.MHD_SUBMISSION_MINIMAL, 0)
UNCONTAINED_SUBMISSION = _submission(s.MHD_SUBMISSION_UNCONTAINED, 1, required=("date", "subject"))
COMPREHENSIVE_SUBMISSION = _submission(
    s.MHD_SUBMISSION_COMPREHENSIVE, 1, required=("date", "subject"), contained=("source",)
)
PDSM_SUBMISSION = _submission(s.PDSM_SUBMISSION, 1, required=("date", "subject", "contained", "source"), typed=False)
MINIMAL_FOLDER = _folder(s.MHD_FOLDER_MINIMAL, (0, None))
COMPREHENSIVE_FOLDER = _folder(s.MHD_FOLDER_COMPREHENSIVE, (1, None), required=("title", "subject"))
PDSM_FOLDER = _folder(s.PDSM_FOLDER, (1, 1), required=("title", "subject", "date", "entry"), typed=False)

LEVELS = {
    s.MHD_PROVIDE_MINIMAL: Level(document=MINIMAL_DOCUMENT, submission_set=MINIMAL_SUBMISSION, folder=MINIMAL_FOLDER),
    s.MHD_PROVIDE_UNCONTAINED: Level(
        document=UNCONTAINED_DOCUMENT, submission_set=UNCONTAINED_SUBMISSION, folder=MINIMAL_FOLDER
    ),
    s.MHD_PROVIDE_COMPREHENSIVE: Level(
        document=COMPREHENSIVE_DOCUMENT, submission_set=COMPREHENSIVE_SUBMISSION, folder=MINIMAL_FOLDER
    ),
    s.PDSM_PROVIDE: Level(document=PDSM_DOCUMENT, submission_set=PDSM_SUBMISSION, folder=PDSM_FOLDER),
}
"""By the bundle's profile, the level that is checked."""

PUBLISHED = {
    profile.url: profile
    for profile in (
        *(MINIMAL_DOCUMENT, UNCONTAINED_DOCUMENT, COMPREHENSIVE_DOCUMENT, PDSM_DOCUMENT_COMPLETE),
        *(MINIMAL_SUBMISSION, UNCONTAINED_SUBMISSION, COMPREHENSIVE_SUBMISSION, PDSM_SUBMISSION),
        *(MINIMAL_FOLDER, COMPREHENSIVE_FOLDER, PDSM_FOLDER),
    )
}
"""The profiles that a stored resource may claim."""


def check(resource: Mapping[str, Any], profile: Profile, place: str) -> None:
    """Refuse a resource that breaks a profile: Invalid `invalid-resource`, naming the first place."""
    for path, rule in _faults(resource, profile):
        raise Invalid("invalid-resource", f"{place}.{path}", f"{rule} by {profile.url.rpartition('/')[2]}")


def conforms(resource: Mapping[str, Any], url: str) -> bool:
    """Whether a resource keeps the profile of this URL, as far as it is known here."""
    profile = PUBLISHED.get(url.partition("|")[0])
    return profile is not None and next(_faults(resource, profile), None) is None


def elements(resource: Any, path: str) -> list[Any]:
    """What stands at a path of element names, every repetition of it."""
    found = [resource]
    for name in path.split("."):
        found = [item[name] for item in found if isinstance(item, Mapping) and name in item]
        found = [one for item in found for one in (item if isinstance(item, list) else [item])]
    return found


def _faults(resource: Mapping[str, Any], profile: Profile) -> Iterator[tuple[str, str]]:
    yield from ((path, "required") for path in profile.required if not elements(resource, path))
    yield from ((path, "forbidden") for path in profile.forbidden if elements(resource, path))
    yield from ((path, "allowed once") for path in profile.single if len(elements(resource, path)) > 1)
    if profile.statuses and resource.get("status") not in profile.statuses:
        yield "status", "a status not allowed"
    if profile.mode and resource.get("mode") != profile.mode:
        yield "mode", f"{profile.mode} is required"
    for path in profile.contained:
        if any(not _is_contained(item) for item in elements(resource, path)):
            yield path, "required to be contained"
    yield from _cardinalities(resource, profile.extensions)
    yield from ((f"source.{path}", rule) for path, rule in _author_faults(resource))
    yield from _identifier_faults(resource, profile)


def _is_contained(reference: Mapping[str, Any]) -> bool:
    """A source that is an organisation has no reference: its extension has."""
    by_extension = [one for one in elements(reference, "extension") if one.get("url") == s.MHD_AUTHOR_ORG]
    return str(reference.get("reference", "")).startswith("#") or ("reference" not in reference and bool(by_extension))


def _author_faults(resource: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for source in elements(resource, "source"):
        yield from _cardinalities(source, ((s.MHD_AUTHOR_ORG, "valueReference", 0, 1),))


def _cardinalities(
    resource: Mapping[str, Any], extensions: tuple[tuple[str, str, int, int | None], ...]
) -> Iterator[tuple[str, str]]:
    for url, value, least, most in extensions:
        found = [item for item in elements(resource, "extension") if item.get("url") == url]
        name = f"extension('{url}')"
        if len(found) < least:
            yield name, "required"
        if most is not None and len(found) > most:
            yield name, "allowed once"
        if any(value not in item for item in found):
            yield f"{name}.{value}", "required"


def _identifier_faults(resource: Mapping[str, Any], profile: Profile) -> Iterator[tuple[str, str]]:
    master = resource.get("masterIdentifier")
    if master is not None:
        yield from ((f"masterIdentifier.{part}", "required") for part in ("system", "value") if part not in master)
        if profile.typed and not _is_of_type(master, "uniqueId"):
            yield "masterIdentifier.type", "the type uniqueId is required"
    for kind, prefix in (("uniqueId", _unique_prefix(resource)), ("entryUUID", "urn:uuid:")):
        found = [item for item in elements(resource, "identifier") if _is_of_type(item, kind)]
        if len(found) > 1:
            yield "identifier", f"one {kind} is allowed"
        if any(not _is_uri(item, prefix) for item in found):
            yield "identifier", f"a {kind} in the form of a URI is required"


def _unique_prefix(resource: Mapping[str, Any]) -> str:
    codes = {coding.get("code") for coding in elements(resource, "code.coding")}
    return "urn:oid:" if "submissionset" in codes else ""


def _is_uri(identifier: Mapping[str, Any], prefix: str) -> bool:
    if not prefix:
        return "system" in identifier and "value" in identifier
    return identifier.get("system") == s.URI and str(identifier.get("value", "")).startswith(prefix)


def _is_of_type(identifier: Mapping[str, Any], kind: str) -> bool:
    codings = elements(identifier, "type.coding")
    return any(coding.get("system") == s.MHD_IDENTIFIER_TYPE and coding.get("code") == kind for coding in codings)
