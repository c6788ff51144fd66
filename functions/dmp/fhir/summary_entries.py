"""The entries of a document Bundle: every resource once, every reference leading to one of them (FHIR R4 documents)."""

import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any
from uuid import UUID

type Json = dict[str, Any]

_ROOM = 4_500_000
"""Bytes of what is held only while there is room, in the escaped form in which Lambda hands an answer on (6 MB)."""
_RELATIVE = re.compile(r"[A-Z][A-Za-z]+/[A-Za-z0-9.-]{1,64}(?:/_history/[A-Za-z0-9.-]{1,64})?")


class BundleEntries:
    """Collects resources; those without an id are this document's own, and get an address from its identity."""

    def __init__(self, base_url: str, identity: UUID) -> None:
        self._base_url = base_url
        self._identity = identity
        self._resources: dict[str, Mapping[str, Any]] = {}
        self._room = _ROOM

    def add(self, resource: Mapping[str, Any]) -> Json:
        """Hold a resource, once; the reference that leads to it."""
        url = self._url(resource)
        self._resources.setdefault(url, resource if "id" in resource else _with_id(resource, url))
        return {"reference": url}

    def add_within(self, resources: Iterable[Mapping[str, Any]]) -> list[Json]:
        """Hold those for which there is room, lest all of a summary be lost to a few; the references of these."""
        held = []
        for resource in resources:
            size = _size(resource)
            if size <= self._room:
                self._room -= size
                held.append(self.add(resource))
        return held

    def address(self, kind: str, identity: str) -> str:
        """The absolute URL of a resource of this server."""
        return f"{self._base_url}/{kind}/{identity}"

    def named(self) -> frozenset[str]:
        """Every URL that a reference of what is held may mean."""
        found = (one for resource in self._resources.values() for one in _references(resource))
        return frozenset(url for reference in found for url in self._candidates(reference))

    def rendered(self) -> list[Json]:
        """The entries, in the order in which they came; what leads out of the document is told in words."""
        return [{"fullUrl": url, "resource": self._closed(one)} for url, one in self._resources.items()]

    def _url(self, resource: Mapping[str, Any]) -> str:
        if "id" in resource:
            return self.address(resource["resourceType"], resource["id"])
        name = self._identity.bytes + str(len(self._resources)).encode()
        return f"urn:uuid:{UUID(bytes=hashlib.sha256(name).digest()[:16], version=5)}"

    def _closed(self, node: Any) -> Any:
        match node:
            case {"reference": str() as reference}:
                return self._resolved(node, reference)
            case dict():
                return {name: self._closed(value) for name, value in node.items()}
            case list():
                return [self._closed(value) for value in node]
            case _:
                return node

    def _resolved(self, node: Json, reference: str) -> Json:
        """A reference to a resource of the document, or within its own; else words in its place."""
        rest = {name: self._closed(value) for name, value in node.items() if name != "reference"}
        if reference.startswith("#"):
            return {"reference": reference, **rest}
        for url in self._candidates(reference):
            if url in self._resources:
                return {"reference": url, **rest}
        return rest if rest.keys() & {"identifier", "display"} else {"display": reference, **rest}

    def _candidates(self, reference: str) -> Iterator[str]:
        url = f"{self._base_url}/{reference}" if _RELATIVE.fullmatch(reference) else reference
        yield url
        yield url.partition("/_history/")[0]


def _references(node: Any) -> Iterator[str]:
    match node:
        case dict():
            if isinstance(node.get("reference"), str):
                yield node["reference"]
            yield from (one for value in node.values() for one in _references(value))
        case list():
            yield from (one for value in node for one in _references(value))


def _size(resource: Mapping[str, Any]) -> int:
    return len(json.dumps(json.dumps(resource, ensure_ascii=False), ensure_ascii=False).encode())


def _with_id(resource: Mapping[str, Any], url: str) -> Json:
    kind = {"resourceType": resource["resourceType"], "id": url.removeprefix("urn:uuid:")}
    return {**kind, **{name: value for name, value in resource.items() if name not in kind}}
