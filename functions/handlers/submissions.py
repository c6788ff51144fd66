"""Feeding a record: ITI-65 and ITI-105 (TD2.1, TD2.2)."""

from collections.abc import Mapping
from typing import Any

from dmp import document_answers
from dmp.adapters.aws import client, signer
from dmp.adapters.document_store import DocumentStore
from dmp.adapters.object_store import ObjectStore
from dmp.adapters.presigner import Presigner
from dmp.api import Api, Route
from dmp.cda.admission import examined
from dmp.composition import foundation
from dmp.domain.announcement import Announcement
from dmp.exchange import Answer, Request, parse_query
from dmp.fhir.document_reference import Intake
from dmp.fhir.parsing import MOST_ELEMENTS, check_size, checked, is_batch, parse_object
from dmp.fhir.publication import read_simplified_publish
from dmp.fhir.references import named_patient
from dmp.fhir.security_labels import relabelled
from dmp.fhir.submission import read_submission
from dmp.reader_composition import cda_readers
from dmp.rest import criterion, deferred, identifier_condition, require_body
from dmp.services.deposit_entries import NewEntries
from dmp.services.deposits import DepositsService
from dmp.settings import objects_endpoint
from dmp.submission_answer import transaction_response

_BASE = foundation()
_STORE = DocumentStore(_BASE.records_table, _BASE.keyring)
_OBJECTS = ObjectStore(lambda: client("s3"), _BASE.settings.documents_bucket, _BASE.settings.data_key)
_ANNOUNCEMENT = Announcement(_BASE.settings.announcement_notice_days, _BASE.settings.announcement_release_months)
_ENTRIES = NewEntries(
    _BASE.entropy, relabelled, _ANNOUNCEMENT, cda_readers(), is_scanned=_BASE.settings.scans_for_malware
)
_PRESIGNER = Presigner(signer, _BASE.settings.documents_bucket, _BASE.settings.data_key, objects_endpoint())
_DEPOSITS = DepositsService(_BASE.gate, _BASE.records, _STORE, _OBJECTS, _BASE.ledger, _ENTRIES, notices=_BASE.notices)


def provide_bundle(request: Request) -> Answer:
    """POST [base]: a transaction Bundle (ITI-65), or the insurer's batch of reimbursements."""
    bundle = parse_object(require_body(request), "Bundle", max_nodes=MOST_ELEMENTS)
    if is_batch(bundle):
        return _batch(request, bundle)
    check_size(bundle)
    submission = read_submission(checked(bundle), _intake(request))
    receipt = _DEPOSITS.submit(request.call, submission)
    return Answer(resource=transaction_response(submission, receipt, request.base_url))


def _batch(request: Request, bundle: Mapping[str, Any]) -> Answer:
    from dmp.reimbursement_answers import batch_fed
    from dmp.reimbursement_composition import batch

    return batch_fed(request, bundle, batch(_BASE))


def publish(request: Request) -> Answer:
    """ITI-105: POST DocumentReference, with its bytes inline or announcing an upload."""
    resource = parse_object(require_body(request), "DocumentReference")
    text = criterion(request)
    condition = identifier_condition(parse_query(text)) if text else None
    read = deferred(lambda: read_simplified_publish(checked(resource), _intake(request)))
    patient = named_patient(resource, request.base_url, "subject") or read().subject
    deposited = _DEPOSITS.publish(request.call, patient, read, condition)
    return document_answers.written(request, deposited.entry, created=deposited.created, presign=_PRESIGNER.upload)


def _intake(request: Request) -> Intake:
    requester = request.call.requester
    return Intake(
        now=request.call.now,
        base_url=request.base_url,
        # a connexion secrète leaves nothing in a document that names who deposited it
        structure=None if requester.is_secret else requester.structure,
        structure_name=requester.structure_name,
        read_header=examined,
    )


ROUTES = (
    Route("POST", "", provide_bundle),
    Route("POST", "DocumentReference", publish),
)
_API = Api(ROUTES, clock=_BASE.clock, base_url=_BASE.settings.base_url, look_ups=_BASE.look_ups)


def handler(event: Mapping[str, Any], _context: object) -> dict[str, Any]:
    """Answer one request."""
    return _API.handle(event)
