"""The answer to an ITI-65 bundle: one entry for each of the request, in the same order."""

from typing import Any

from dmp.domain.deposit import Deposited, Receipt
from dmp.domain.document import DocumentEntry
from dmp.domain.document_list import ListEntry
from dmp.domain.submission import EntryKind, EntryRef, Submission
from dmp.fhir.bundle import ResponseEntry
from dmp.fhir.bundle import transaction_response as rendered


def transaction_response(submission: Submission, receipt: Receipt, base_url: str) -> dict[str, Any]:
    """Tell what became of each entry: `201` created, `200` patched or already there."""
    return rendered((_answer(submission, receipt, ref) for ref in submission.order), self_url=base_url)


def _answer(submission: Submission, receipt: Receipt, ref: EntryRef) -> ResponseEntry:
    match ref.kind:
        case EntryKind.DOCUMENT:
            return _made("DocumentReference", receipt.documents[ref.index])
        case EntryKind.CONTENT:
            return _made("Binary", receipt.documents[ref.index])
        case EntryKind.SUBMISSION_SET if receipt.submission_set:
            return _made("List", receipt.submission_set)
        case EntryKind.FOLDER if folder := receipt.folders[ref.index]:
            return _made("List", folder)
        case EntryKind.PATCH:
            return _patched(submission, receipt, ref.index)
        case EntryKind.PATIENT:
            return ResponseEntry(status="200 OK", location=f"Patient/{receipt.record}")
        case _:
            return ResponseEntry(status="200 OK")


def _made(kind: str, item: "Deposited[DocumentEntry] | Deposited[ListEntry]") -> ResponseEntry:
    entry = item.entry
    return ResponseEntry(
        status="201 Created" if item.created else "200 OK",
        location=f"{kind}/{entry.id}/_history/{entry.version}" if kind != "Binary" else f"Binary/{entry.id}",
        version=entry.version,
        updated=entry.updated,
    )


def _patched(submission: Submission, receipt: Receipt, index: int) -> ResponseEntry:
    entry = receipt.superseded.get(submission.patches[index].target)
    if entry is None:
        return ResponseEntry(status="200 OK")
    return ResponseEntry(
        status="200 OK",
        location=f"DocumentReference/{entry.id}/_history/{entry.version + 1}",
        version=entry.version + 1,
    )
