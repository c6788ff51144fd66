"""Exports as they are answered: where to ask how far one is, how far it is, and the archive (FHIR Bulk Data, statuses).

The archive itself is what a person wants; software that asks for JSON by name gets the manifest of Bulk Data.
"""

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Literal

from dmp.accepted import Accepted
from dmp.content_answers import LARGEST_ANSWER
from dmp.domain.document import StoredContent
from dmp.domain.errors import NotAcceptable
from dmp.domain.export import ZIP, Export
from dmp.exchange import FHIR_JSON, Answer, Request
from dmp.fhir.times import instant_text
from dmp.rest import version_headers
from dmp.revalidation import is_known

if TYPE_CHECKING:
    from dmp.services.exports import ExportRequestsService, ExportsService

_JSON = "application/json"
_PAUSE_SECONDS = "5"
_NAME = "dossier-medical-partage.zip"


def asked(request: Request, service: "ExportRequestsService", record: str) -> Answer:
    """202 with the address of what is under way."""
    export = service.ask(request.call, record, request.base_url)
    return Answer(status=202, headers={"Content-Location": f"{request.base_url}/exports/{export.id}"})


def status(request: Request, service: "ExportsService", record: str, local: str) -> Answer:
    """202 as long as it is built; then the archive, above 4 MiB the way to it, or the manifest."""
    wants_manifest = _wants_manifest(Accepted(request.headers.get("accept", "")))
    export, content = service.fetch(request.call, record, local)
    if content is None:
        return Answer(status=202, headers={"X-Progress": export.state.value, "Retry-After": _PAUSE_SECONDS})
    if wants_manifest:
        return Answer(content=_manifest(request, export), media_type=_JSON, headers=_expiry(export))
    headers = _headers(export, content)
    if is_known(request, headers):
        return Answer(status=304, headers=headers)
    if content.size > LARGEST_ANSWER:
        method: Literal["GET", "HEAD"] = "HEAD" if request.method == "HEAD" else "GET"
        address = service.address_of(content, method=method, disposition=headers["Content-Disposition"])
        return Answer(status=302, headers={**headers, "Location": address})
    return Answer(content=service.bytes_of(content), media_type=ZIP, headers=headers)


def _wants_manifest(accepted: Accepted) -> bool:
    """Whether JSON is asked for by name, and not less than the archive; NotAcceptable where neither is wanted."""
    archive = accepted.preference(ZIP)
    named = [accepted.preference(name) for name in (_JSON, FHIR_JSON) if name in accepted.named]
    manifest = max(filter(None, named), default=None)
    if manifest is None and archive is None:
        raise NotAcceptable("not-acceptable")
    return manifest is not None and (archive is None or manifest >= archive)


def _manifest(request: Request, export: Export) -> bytes:
    """What the archive holds; every type is in the one file."""
    address = f"{request.base_url}/exports/{export.id}"
    output = [{"type": name, "url": address, "count": count} for name, count in export.counts.items()]
    manifest = {
        "transactionTime": instant_text(export.taken or export.asked),
        "request": f"{request.base_url}/Patient/{export.record}/$export",
        "requiresAccessToken": True,
        "output": output,
        "error": [],
    }
    return json.dumps(manifest, ensure_ascii=False, separators=(",", ":")).encode()


def _headers(export: Export, content: StoredContent) -> dict[str, str]:
    modified = version_headers(1, export.taken or export.asked)["Last-Modified"]
    return {
        **_expiry(export),
        "ETag": f'"{content.sha256[:32]}"',
        "Last-Modified": modified,
        "Content-Disposition": f'attachment; filename="{_NAME}"',
        "Content-Security-Policy": "default-src 'none'; sandbox",
        "Vary": "Accept",
    }


def _expiry(export: Export) -> Mapping[str, str]:
    return {"Expires": version_headers(1, export.expires)["Last-Modified"]} if export.expires else {}
