"""The answer to an ITI-65 bundle: one entry for each of the request, in its order (ProvideDocumentBundleResponse)."""

from collections.abc import Iterable
from typing import Any

from dmp.domain.code_lists import message
from dmp.domain.deposit import Deposited, Receipt
from dmp.domain.document import DocumentEntry, ReplacesTarget
from dmp.domain.document_list import ListEntry
from dmp.domain.submission import EntryKind, EntryRef, Remark, Submission
from dmp.fhir.bundle import ResponseEntry
from dmp.fhir.bundle import transaction_response as rendered
from dmp.fhir.outcome import issue, operation_outcome

type _Made = "Deposited[DocumentEntry] | Deposited[ListEntry]"

_INFORMATION = frozenset({"category-corrected"})
"""Remarks on what was put right; all others are on what could not be."""


def transaction_response(submission: Submission, receipt: Receipt, base_url: str) -> dict[str, Any]:
    """Tell what became of each entry: `201` created, `200` patched or already there; with what is to be remarked."""
    return rendered((_answer(submission, receipt, ref) for ref in submission.order), self_url=base_url)


def _answer(submission: Submission, receipt: Receipt, ref: EntryRef) -> ResponseEntry:
    match ref.kind:
        case EntryKind.DOCUMENT:
            return _made("DocumentReference", receipt.documents[ref.index], receipt.remarks[ref.index])
        case EntryKind.CONTENT:
            return _made("Binary", receipt.documents[ref.index])
        case EntryKind.SUBMISSION_SET if receipt.submission_set and submission.submission_set:
            return _made("List", receipt.submission_set, submission.submission_set.remarks)
        case EntryKind.FOLDER if folder := receipt.folders[ref.index]:
            return _made("List", folder, submission.folders[ref.index].remarks)
        case EntryKind.PATCH:
            return _patched(receipt, submission.patches[ref.index].target)
        case EntryKind.PATIENT:
            return ResponseEntry(status="200 OK", location=f"Patient/{receipt.record}")
        case _:
            return ResponseEntry(status="200 OK", location="List")


def _made(kind: str, item: _Made, remarks: Iterable[Remark] = ()) -> ResponseEntry:
    entry = item.entry
    return ResponseEntry(
        status="201 Created" if item.created else "200 OK",
        location=f"{kind}/{entry.id}/_history/{entry.version}" if kind != "Binary" else f"Binary/{entry.id}",
        version=entry.version,
        updated=entry.updated,
        outcome=_outcome(list(remarks)),
    )


def _outcome(remarks: list[Remark]) -> dict[str, Any] | None:
    """What the producer is told although the entry was taken in."""
    if not remarks:
        return None
    return operation_outcome(*map(_issue, remarks))


def _issue(remark: Remark) -> dict[str, Any]:
    severity = "information" if remark.code in _INFORMATION else "warning"
    kind = "informational" if remark.code in _INFORMATION else "business-rule"
    return issue(severity, kind, remark.code, message(remark.code), [remark.place])


def _patched(receipt: Receipt, target: ReplacesTarget) -> ResponseEntry:
    """The document that is superseded, in its version; one that the caller may see no longer as it was named."""
    entry = receipt.superseded.get(target)
    if entry is None:
        named = target.resource_id or f"?identifier={target.identifier}"
        return ResponseEntry(status="200 OK", location=f"DocumentReference/{named}".replace("/?", "?"))
    return ResponseEntry(
        status="200 OK",
        location=f"DocumentReference/{entry.id}/_history/{entry.version}",
        version=entry.version,
        updated=entry.updated,
    )
