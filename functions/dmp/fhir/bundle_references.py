"""References between the entries of a Bundle, each written as the full URL that it leads to (FHIR R4 bundle.html)."""

import re
from collections.abc import Mapping
from typing import Any

_VERSION = re.compile(r"/_history/[A-Za-z0-9\-.]{1,64}\Z", re.ASCII)
_RELATIVE = re.compile(r"[A-Z][A-Za-z]+/[A-Za-z0-9\-.]{1,64}", re.ASCII)
_REST_URL = re.compile(r"(https?://.+/)[A-Z][A-Za-z]+/[A-Za-z0-9\-.]{1,64}", re.ASCII)
_LEADING = ("reference", "url")
"""Elements that may lead to another entry: of a Reference, and of an Attachment."""


class BundleReferences:
    """Finds the entry that a literal names, seen from another entry."""

    def __init__(self, full_urls: Mapping[str, str]) -> None:
        """`full_urls` has the full URL of each entry, by that URL and by the address that its request names."""
        self._full_urls = full_urls

    def resolved(self, resource: Mapping[str, Any], full_url: str) -> dict[str, Any]:
        """A resource with the full URL of the bundle's entry in place of what names it otherwise."""
        match = _REST_URL.fullmatch(full_url)
        return {key: self._value(key, value, match[1] if match else "") for key, value in resource.items()}

    def _value(self, key: str, value: Any, root: str) -> Any:
        if isinstance(value, Mapping):
            return {name: self._value(name, item, root) for name, item in value.items()}
        if isinstance(value, list):
            return [self._value("", item, root) for item in value]
        return self._target(value, root) if key in _LEADING and isinstance(value, str) else value

    def _target(self, literal: str, root: str) -> str:
        plain = _VERSION.sub("", literal)
        local = root + plain if root and _RELATIVE.fullmatch(plain) else plain
        return next((self._full_urls[one] for one in (literal, plain, local) if one in self._full_urls), literal)
