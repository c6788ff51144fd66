"""The bytes of documents: ITI-68 (TD3.2)."""

from collections.abc import Mapping
from typing import Any

from dmp import document_answers
from dmp.adapters.aws import client
from dmp.adapters.document_store import DocumentStore
from dmp.adapters.object_store import ObjectStore
from dmp.api import Api, Route
from dmp.composition import foundation
from dmp.exchange import Answer, Request
from dmp.rest import address
from dmp.services.contents import ContentsService

_BASE = foundation()
_STORE = DocumentStore(_BASE.records_table, _BASE.keyring)
_OBJECTS = ObjectStore(lambda: client("s3"), _BASE.settings.documents_bucket, _BASE.settings.data_key)
_CONTENTS = ContentsService(_BASE.gate, _STORE, _OBJECTS)


def retrieve(request: Request) -> Answer:
    """ITI-68: the bytes as deposited, or a Binary where `Accept` asks for FHIR."""
    return document_answers.content(request, *_CONTENTS.retrieve(request.call, *address(request)))


ROUTES = (Route("GET", "Binary/{id}", retrieve, any_answer=True),)
_API = Api(ROUTES, clock=_BASE.clock, base_url=_BASE.settings.base_url, look_ups=_BASE.look_ups)


def handler(event: Mapping[str, Any], _context: object) -> dict[str, Any]:
    """Answer one request."""
    return _API.handle(event)
