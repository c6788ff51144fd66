"""The proof of a record's trace, for whoever may read it: all that shows that nothing of it was changed."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from dmp.domain.access_request import AccessRequest
from dmp.domain.audit import AuditAction, AuditEntry, Interaction
from dmp.domain.consent import PatientRef
from dmp.domain.rights import Action
from dmp.domain.seal import Head, Link, Seal, digest_of, leaf_of, path_of
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

MOST_TEXT = 3_000_000
"""Characters of entries that one proof tells whole, the newest; of all others it has the hash."""
_SEALS_LOOKED_AT, _LINKS_LOOKED_AT = 3, 20


@dataclass(frozen=True, slots=True)
class _Sealed:
    """The newest head of a chain that a seal holds, with the way from its leaf to the root."""

    head: Head
    seal: Seal
    place: int
    size: int
    path: list[bytes]


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
        """The entries of a trace in the order of its chain, the seal over its head, and the way to it.

        An entry that the caller may not see, and an old one of a long trace, is there by its hash. Raises Refused,
        NotFound `no-record`.
        """
        record = self._records.existing(self._records.named(patient))
        attempt = Attempt(
            interaction=Interaction.PROOF,
            action=AuditAction.READ,
            resource_type="AuditEvent",
            what=(f"Patient/{record.id}",),
        )
        question = AccessRequest(requester=call.requester, action=Action.READ_TRACE, record=record, now=call.now)
        decision = self._gate.admit(call, question, attempt)
        made = self.of(call, record)
        self._gate.trace_access(call, record, attempt, decision)
        return made

    def of(self, call: Call, record: "Record") -> dict[str, Any]:
        """The proof of a trace for somebody who was admitted to it."""
        links = list(self._chains.links(record.id))
        stored = dict(self._chains.all_entries(record.id))
        visible = self._visible(call, record, stored)
        order = [local for link in links for local in link.entries]
        told = [_told(local, stored.get(local), is_whole=local in visible) for local in order]
        found = self._sealed(links)
        return {
            "version": 1,
            "record": record.id,
            "name": self._name_of(record.id),
            "key": self._seals.public_key(),
            "entries": told,
            "seal": _seal(found) if found else None,
            "unchained": sorted(stored.keys() - set(order)),
        }

    def _visible(self, call: Call, record: "Record", stored: Mapping[str, str]) -> set[str]:
        """The newest entries that the caller sees just as they are stored, as many as have room."""
        room, found = MOST_TEXT, set()
        read = {local: entry for local, text in stored.items() if (entry := self._readable(text))}
        seen = {entry.local: entry for entry in TraceView(call, record, self._documents).of(read.values())}
        for local in sorted(read, reverse=True):
            room -= len(stored[local])
            if room > 0 and seen.get(local) == read[local]:
                found.add(local)
        return found

    def _readable(self, text: str) -> AuditEntry | None:
        """An entry, unless somebody has damaged it: then its hash alone is told, and does not fit."""
        try:
            return self._read(text)
        except (KeyError, TypeError, ValueError):
            return None

    def _sealed(self, links: list[Link]) -> _Sealed | None:
        for link in links[: -_LINKS_LOOKED_AT - 1 : -1]:
            head = Head(self._name_of(link.record), link.number, link.head)
            for seal in self._chains.seals_from(link.at, _SEALS_LOOKED_AT):
                leaves = self._seals.leaves(seal.number)
                if head in leaves:
                    place = leaves.index(head)
                    path = path_of([leaf_of(one) for one in leaves], place)
                    return _Sealed(head, seal, place, len(leaves), path)
        return None


def _told(local: str, text: str | None, *, is_whole: bool) -> dict[str, str]:
    if text is None:
        return {"id": local, "missing": "true"}
    return {"id": local, "entry": text} if is_whole else {"id": local, "digest": digest_of(text).hex()}


def _seal(found: _Sealed) -> dict[str, Any]:
    return {
        "text": found.seal.text,
        "signature": found.seal.signature,
        "number": found.head.number,
        "head": found.head.head,
        "place": found.place,
        "size": found.size,
        "path": [one.hex() for one in found.path],
    }
