"""A SubmissionSet or a Folder: FHIR List of documents of one record (ITI-65, ITI-66)."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from dmp.domain.document import Depositor
from dmp.domain.identifiers import Identifier, resource_id


class ListKind(StrEnum):
    """The two Lists of MHD (MHDlistTypes)."""

    SUBMISSION_SET = "submissionset"
    FOLDER = "folder"


@dataclass(frozen=True, slots=True, kw_only=True)
class ListEntry:
    """One list in one version; `documents` are local ids, `body` its FHIR resource without id, meta and entry.

    `lists` are the local ids of the Lists that it holds, `brought` those of the Folders that came with it.
    """

    record: str
    local: str
    version: int
    updated: datetime
    kind: ListKind
    status: str
    depositor: Depositor
    identifiers: tuple[Identifier, ...]
    documents: tuple[str, ...]
    lists: tuple[str, ...] = ()
    brought: tuple[str, ...] = ()
    body: str = field(repr=False)

    @property
    def id(self) -> str:
        """The FHIR id."""
        return resource_id(self.record, self.local)
