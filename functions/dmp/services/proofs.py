"""The proof of a record's trace, for its person and the médecin traitant: it shows that nothing of it was changed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from dmp.domain.access import decide
from dmp.domain.access_request import AccessRequest
from dmp.domain.audit import AuditAction, AuditEntry, Interaction
from dmp.domain.consent import PatientRef
from dmp.domain.rights import Action
from dmp.domain.seal import NOTHING, Head, Link, Seal, digest_of, leaf_of, path_of
from dmp.services.call import Call
from dmp.services.gate import Attempt, Gate
from dmp.services.trace_view import TraceView

if TYPE_CHECKING:
    from collections.abc import Callable

    from dmp.adapters.chain_store import ChainStore
    from dmp.adapters.document_store import DocumentStore
    from dmp.adapters.record_store import RecordStore
    from dmp.adapters.seal_store import SealStore
    from dmp.domain.record import Record

MOST_TEXT = 2_500_000
"""Characters of entries that one answer has room for: the newest; the archive of a record has them all."""
_ALL_TEXT = 200_000_000
_SEALS_LOOKED_AT, _LINKS_LOOKED_AT = 3, 20


@dataclass(frozen=True, slots=True)
class _Sealed:
    """A head of a chain that a seal holds, with the way from its leaf to the root."""

    head: Head
    seal: Seal
    leaves: Sequence[Head]

    def told(self) -> dict[str, Any]:
        """As a proof has it."""
        place = self.leaves.index(self.head)
        path = path_of([leaf_of(one) for one in self.leaves], place)
        return {
            "text": self.seal.text,
            "signature": self.seal.signature,
            "number": self.head.number,
            "head": self.head.head,
            "place": place,
            "size": len(self.leaves),
            "path": [one.hex() for one in path],
        }


class ProofsService:
    """Proofs of one record each."""

    def __init__(
        self,
        gate: Gate,
        records: "RecordStore",
        documents: "DocumentStore",
        chains: "ChainStore",
        seals: "SealStore",
        *,
        name_of: "Callable[[str], str]",
        read: "Callable[[str], AuditEntry]",
    ) -> None:
        """`name_of` names a record in seals, `read` reads the stored text of an entry."""
        self._gate = gate
        self._records = records
        self._documents = documents
        self._chains = chains
        self._seals = seals
        self._name_of = name_of
        self._read = read

    def proof(self, call: Call, patient: PatientRef) -> dict[str, Any]:
        """The newest entries of a trace in the order of its chain, the seals over its heads, and the way to them.

        An entry that the caller may not see is there by its hash alone. Raises Refused, NotFound `no-record`.
        """
        record = self._records.existing(self._records.named(patient))
        attempt = Attempt(
            interaction=Interaction.PROOF,
            action=AuditAction.READ,
            resource_type="AuditEvent",
            what=(f"Patient/{record.id}",),
        )
        decision = self._gate.admit(call, _question(call, record), attempt)
        made = self._made(call, record, MOST_TEXT)
        self._gate.trace_access(call, record, attempt, decision)
        return made

    def archived(self, call: Call, record: "Record") -> dict[str, Any] | None:
        """The proof of all entries for the archive of a record; None for whoever may have none."""
        return self._made(call, record, _ALL_TEXT) if decide(_question(call, record)).permit else None

    def _made(self, call: Call, record: "Record", most: int) -> dict[str, Any]:
        """The proof with `most` characters of entries."""
        links = list(self._chains.links(record.id))
        stored, is_all = self._chains.newest_entries(record.id, most)
        shown = links if is_all else _told_whole(links, min(stored))
        visible = self._visible(call, record, stored)
        before = links[len(links) - len(shown) - 1] if len(shown) < len(links) else None
        known = {local for link in links for local in link.entries}
        return {
            "version": 1,
            "record": record.id,
            "name": self._name_of(record.id),
            "key": self._seals.public_key(),
            "start": {"number": before.number if before else 0, "head": before.head if before else NOTHING.hex()},
            "entries": [
                _told(local, stored.get(local), is_whole=local in visible) for link in shown for local in link.entries
            ],
            "seal": self._sealed(links),
            "whole": self._in_whole(record.id),
            "unchained": sorted(stored.keys() - known),
        }

    def _visible(self, call: Call, record: "Record", stored: Mapping[str, str]) -> set[str]:
        """The entries that the caller sees just as they are stored."""
        read = {local: entry for local, text in stored.items() if (entry := self._readable(text))}
        seen = TraceView(call, record, self._documents).of(read.values())
        return {entry.local for entry in seen if read.get(entry.local) == entry}

    def _readable(self, text: str) -> AuditEntry | None:
        """An entry, unless somebody has damaged it: then its hash alone is told, and does not fit."""
        try:
            return self._read(text)
        except (KeyError, TypeError, ValueError):
            return None

    def _sealed(self, links: Sequence[Link]) -> dict[str, Any] | None:
        """The newest head that a seal of a minute holds."""
        for link in links[: -_LINKS_LOOKED_AT - 1 : -1]:
            head = Head(self._name_of(link.record), link.number, link.head)
            for seal in self._chains.seals_from(link.at, _SEALS_LOOKED_AT):
                leaves = self._seals.leaves(seal.number)
                if head in leaves:
                    return _Sealed(head, seal, leaves).told()
        return None

    def _in_whole(self, record: str) -> dict[str, Any] | None:
        """The head that the last seal over all records holds, whatever the audit table says now."""
        name = self._name_of(record)
        if found := self._seals.whole(name):
            seal, leaves = found
            return next((_Sealed(head, seal, leaves).told() for head in leaves if head.name == name), None)
        return None


def _told_whole(links: list[Link], oldest: str) -> list[Link]:
    """The newest links, all whose entries are as new as the oldest that was read, whether they are there or not."""
    shown: list[Link] = []
    for link in reversed(links):
        if min(link.entries) < oldest:
            break
        shown.insert(0, link)
    return shown or links[-1:]


def _question(call: Call, record: "Record") -> AccessRequest:
    return AccessRequest(requester=call.requester, action=Action.PROVE_TRACE, record=record, now=call.now)


def _told(local: str, text: str | None, *, is_whole: bool) -> dict[str, str]:
    """An entry; of one that may not be seen nothing but a hash that nobody can guess, for its id is random."""
    if text is None:
        return {"id": local, "missing": "true"}
    return {"id": local, "entry": text} if is_whole else {"digest": digest_of(text).hex()}
