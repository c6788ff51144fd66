"""The bytes of documents: ITI-68 (TD3.2)."""

from collections.abc import Mapping
from typing import Any

from dmp import content_answers
from dmp.adapters.aws import client, signer
from dmp.adapters.document_store import DocumentStore
from dmp.adapters.object_store import ObjectStore
from dmp.adapters.presigner import Presigner
from dmp.api import Api, Route
from dmp.composition import foundation
from dmp.exchange import Answer, Request
from dmp.rest import address
from dmp.services.contents import ContentsService
from dmp.settings import objects_endpoint

_BASE = foundation()
_STORE = DocumentStore(_BASE.records_table, _BASE.keyring)
_OBJECTS = ObjectStore(lambda: client("s3"), _BASE.settings.documents_bucket, _BASE.settings.data_key)
_PRESIGNER = Presigner(signer, _BASE.settings.documents_bucket, _BASE.settings.data_key, objects_endpoint())
_CONTENTS = ContentsService(_BASE.gate, _STORE, _OBJECTS, _PRESIGNER)


def retrieve(request: Request) -> Answer:
    """ITI-68: GET Binary/[id], in the form that `Accept` asks for."""
    entry = _CONTENTS.retrieve(request.call, *address(request))
    return content_answers.content(request, entry, _CONTENTS)


ROUTES = (Route("GET", "Binary/{id}", retrieve, any_answer=True),)
_API = Api(ROUTES, clock=_BASE.clock, base_url=_BASE.settings.base_url, look_ups=_BASE.look_ups)


def handler(event: Mapping[str, Any], _context: object) -> dict[str, Any]:
    """Answer one request."""
    return _API.handle(event)
