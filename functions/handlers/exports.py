"""The archive of a record, for whoever asked for it: how far it is, the archive itself, giving it up (L.1111-15)."""

from collections.abc import Mapping
from typing import Any

from dmp import export_answers
from dmp.adapters.aws import client, signer
from dmp.adapters.document_store import DocumentStore
from dmp.adapters.export_store import ExportStore
from dmp.adapters.object_store import ObjectStore
from dmp.adapters.presigner import Presigner
from dmp.adapters.profile_store import ProfileStore
from dmp.api import Api, Route
from dmp.composition import foundation
from dmp.exchange import Answer, Request
from dmp.rest import address
from dmp.services.exports import ExportsService
from dmp.settings import objects_endpoint

_BASE = foundation()
_EXPORTS = ExportsService(
    _BASE.gate,
    ExportStore(_BASE.records_table, _BASE.keyring),
    DocumentStore(_BASE.records_table, _BASE.keyring),
    _BASE.ledger,
    ObjectStore(lambda: client("s3"), _BASE.settings.documents_bucket, _BASE.settings.data_key),
    Presigner(signer, _BASE.settings.documents_bucket, _BASE.settings.data_key, objects_endpoint()),
    profile=ProfileStore(_BASE.records_table),
)


def status(request: Request) -> Answer:
    """GET exports/[id]: 202 while it is built, then the archive."""
    return export_answers.status(request, _EXPORTS, *address(request))


def remove(request: Request) -> Answer:
    """DELETE exports/[id]."""
    _EXPORTS.remove(request.call, *address(request))
    return Answer(status=204)


ROUTES = (
    Route("GET", "exports/{id}", status, any_answer=True),
    Route("DELETE", "exports/{id}", remove, any_answer=True),
)
_API = Api(ROUTES, clock=_BASE.clock, base_url=_BASE.settings.base_url, look_ups=_BASE.look_ups)


def handler(event: Mapping[str, Any], _context: object) -> dict[str, Any]:
    """Answer one request."""
    return _API.handle(event)
