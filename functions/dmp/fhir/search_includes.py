"""What comes with the results of a search: `_include` of resources of the same record (FHIR R4 search)."""

from collections.abc import Mapping
from typing import Any

from dmp.domain.search_terms import Naming, nothing_named
from dmp.fhir.search import Search
from dmp.fhir.search_elements import at

type Path = tuple[str, ...]


def including(search: Search, paths: Mapping[str, Path]) -> Naming:
    """Finds the ids of what the included references name; `paths` leads from the words to the references."""
    wanted = {paths[group[0]] for group in search.texts("_include") if group[0] in paths}
    if not wanted:
        return nothing_named

    def named(resource: Mapping[str, Any]) -> frozenset[str]:
        literals = (at(resource, *path, "reference") for path in wanted)
        return frozenset(_id(text, search.base_url) for found in literals for text in found)

    return named


def with_patient(search: Search) -> bool:
    """Whether the Patient is to come too."""
    words = {group[0].split(":")[1] for group in search.texts("_include")}
    return not words.isdisjoint({"patient", "subject"})


def _id(reference: str, base_url: str) -> str:
    """The id in a reference to a document; other references have none."""
    kind, _, identity = reference.removeprefix(f"{base_url}/").partition("/")
    return identity.partition("/")[0] if kind == "DocumentReference" else ""
