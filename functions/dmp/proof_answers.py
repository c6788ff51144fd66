"""The proof of a trace as it is answered: JSON of our own, which a small program verifies off line (R.1111-43)."""

import json

from dmp.adapters.audit_items import read_text
from dmp.adapters.aws import client
from dmp.adapters.chain_store import ChainStore
from dmp.adapters.document_store import DocumentStore
from dmp.adapters.seal_store import SealStore
from dmp.composition import Foundation
from dmp.exchange import Answer, Request
from dmp.fhir.search_parameters import PATIENT, PATIENT_IDENTIFIER, parse_search
from dmp.services.proofs import ProofsService
from dmp.settings import seals


def proved(request: Request, base: Foundation) -> Answer:
    """200 with the proof of the trace of the patient whom the request names."""
    search = parse_search(
        request.parameters,
        (PATIENT, PATIENT_IDENTIFIER),
        base_url=request.base_url,
        resource_type="AuditEvent",
        strict=request.prefers("handling=strict"),
    )
    made = proofs(base).proof(request.call, search.require_patient())
    content = json.dumps(made, ensure_ascii=False, separators=(",", ":")).encode()
    return Answer(content=content, media_type="application/json")


def proofs(base: Foundation) -> ProofsService:
    """The proofs of one function."""
    return ProofsService(
        base.gate,
        base.records,
        DocumentStore(base.records_table, base.keyring),
        ChainStore(base.audit_table, lambda: client("dynamodb"), base.settings.audit_table),
        SealStore(lambda: client("s3"), lambda: client("kms"), *seals()),
        name_of=base.keyring.sealed_record,
        read=read_text,
    )
