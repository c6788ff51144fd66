"""Fetches the key sets of issuers over HTTP: nothing large, no redirect, no proxy, certificates verified."""

import ssl
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from urllib.parse import SplitResult, urlsplit

_TIMEOUT_SECONDS = 2.0
_DOCUMENT_LIMIT = 65_536


class NoDocumentError(Exception):
    """The server does not answer, or not with a document that may be read."""


class KeyServers:
    """The servers of all issuers, under one TLS context: making it costs more than the rest of a cold start's fetch."""

    def __init__(self) -> None:
        self._context: ssl.SSLContext | None = None

    def get(self, uri: str) -> bytes:
        """The document at that address; NoDocumentError for whatever is no answer 200 of at most 64 KB."""
        parts = urlsplit(uri)
        try:
            connection = self._connection(parts)
            try:
                connection.request("GET", f"{parts.path or '/'}?{parts.query}".rstrip("?"))
                response = connection.getresponse()
                document = response.read(_DOCUMENT_LIMIT + 1)
            finally:
                connection.close()
        except (OSError, HTTPException) as failure:
            raise NoDocumentError from failure
        if response.status != HTTPStatus.OK or len(document) > _DOCUMENT_LIMIT:
            raise NoDocumentError
        return document

    def _connection(self, parts: SplitResult) -> HTTPConnection:
        host = parts.hostname or ""
        if parts.scheme != "https":
            return HTTPConnection(host, parts.port, timeout=_TIMEOUT_SECONDS)
        self._context = self._context or ssl.create_default_context()
        return HTTPSConnection(host, parts.port, timeout=_TIMEOUT_SECONDS, context=self._context)
