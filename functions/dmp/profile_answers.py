"""Entries of the structured profile as they are answered: one, found ones, and the versions of one (FHIR R4)."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from dmp import history_answers
from dmp.domain.clinical_profile import ProfileEntry, ProfileKind
from dmp.exchange import Answer, Request
from dmp.fhir import bundle
from dmp.fhir.profile_rendering import render_candidate, render_entry
from dmp.fhir.profile_search import PROFILE_PARAMETERS, asks_of_meta, is_found, order_of, says
from dmp.fhir.search import Search, Total
from dmp.fhir.search_parameters import parse_search
from dmp.rest import one
from dmp.services.profile_search import ProfileQuery
from dmp.services.profile_sight import Offered

if TYPE_CHECKING:
    from dmp.services.profile_search import Item


def rendered(item: "Item") -> dict[str, Any]:
    """The resource of an entry, or of a candidate."""
    if isinstance(item, Offered):
        return render_candidate(item.document.record, item.local, item.candidate, item.document)
    return render_entry(item)


def single(item: "Item") -> Answer:
    """200 with an entry, or with a candidate in the version of its document."""
    version = item.document if isinstance(item, Offered) else item
    return one(rendered(item), version.version, version.updated)


def parsed(request: Request, kind: ProfileKind, pairs: Sequence[tuple[str, str]], *, strict: bool) -> Search:
    """A search for entries of a kind."""
    return parse_search(pairs, PROFILE_PARAMETERS[kind], base_url=request.base_url, resource_type=kind, strict=strict)


def query_of(search: Search, kind: ProfileKind, after: str) -> ProfileQuery:
    """What is asked, behind the place `after`; Malformed where no patient is named."""
    return ProfileQuery(
        kind=kind,
        patient=search.require_patient(),
        says=says(search, kind),
        wanted=wanted(search),
        described=search.described,
        count=search.count,
        after=after,
        accurate_total=search.total is Total.ACCURATE,
        order=_order(search, kind),
        is_descending=search.chosen("_sort").startswith("-"),
    )


def _order(search: Search, kind: ProfileKind) -> "Callable[[Item], str] | None":
    order = order_of(search, kind)
    return (lambda item: order(rendered(item))) if order else None


def wanted(search: Search) -> "Callable[[Item], bool]":
    """Whether an item is one that a search asks for, beside what it says."""
    if not asks_of_meta(search):
        return lambda _: True
    asked = is_found(search)
    return lambda item: asked(rendered(item))


def history(
    request: Request, kind: ProfileKind, versions: Sequence[ProfileEntry], cursors: history_answers.Cursors
) -> Answer:
    """The versions of an entry, newest first."""
    return history_answers.history(request, [_version(request, kind, entry) for entry in versions], cursors)


def candidate_history(request: Request, found: Offered, cursors: history_answers.Cursors) -> Answer:
    """The one version of a candidate: that of its document."""
    resource, document = rendered(found), found.document
    told = bundle.HistoryEntry(
        full_url=f"{request.base_url}/{resource['resourceType']}/{resource['id']}",
        method="POST",
        url=resource["resourceType"],
        status="201",
        version=document.version,
        updated=document.updated,
        resource=resource,
    )
    return history_answers.history(request, [told], cursors)


def _version(request: Request, kind: ProfileKind, entry: ProfileEntry) -> bundle.HistoryEntry:
    instance = f"{kind}/{entry.id}"
    made = ("POST", kind.value, "201") if entry.version == 1 else ("PUT", instance, "200")
    method, url, status = ("DELETE", instance, "204") if entry.is_deleted else made
    return bundle.HistoryEntry(
        full_url=f"{request.base_url}/{instance}",
        method=method,
        url=url,
        status=status,
        version=entry.version,
        updated=entry.updated,
        resource=None if entry.is_deleted else render_entry(entry),
    )
