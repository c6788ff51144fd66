"""Reads of the history of reimbursements, each with the heads that a decision needs."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from dmp.adapters import keys, record_items, reimbursement_items
from dmp.adapters.keyring import Keyring
from dmp.adapters.record_items import Item
from dmp.adapters.table import Range, Table
from dmp.domain.identifiers import Identifier
from dmp.domain.record import Record
from dmp.domain.reimbursement import Known, Reimbursement
from dmp.domain.search_terms import Order, Stretch

_LAST = "\uffff"
_NEWEST_FIRST = Stretch(Order.NEWEST)


@dataclass(frozen=True, slots=True)
class Standing:
    """What a record holds beside what is about to be fed: its head, and the lines that have these names already."""

    record: Record | None
    held: Mapping[Identifier, Known]


class ReimbursementStore:
    """Lines of reimbursement."""

    def __init__(self, table: Table, keyring: Keyring) -> None:
        self._table = table
        self._keyring = keyring

    def with_line(self, record: str, local: str) -> tuple[Record | None, Reimbursement | None]:
        """A record and one line of it: one read."""
        sk = keys.reimbursement(local)
        found = self._table.batch_get(keys.partition(record), [keys.HEAD, sk])
        line = reimbursement_items.read_line(found[sk]) if sk in found else None
        return _head(found.get(keys.HEAD)), line

    def page(self, record: str, limit: int, stretch: Stretch) -> tuple[list[Reimbursement], str | None]:
        """Lines in the order of their days of care, by local id: one query of at most 1 MB.

        The second value is behind which local id to go on; what is over and not yet deleted is among them.
        """
        low, high = keys.reimbursement(stretch.begin), keys.reimbursement(stretch.end or _LAST)
        items, more = self._table.query(
            keys.partition(record), Range(low, high), limit=limit + 1, forward=not stretch.order.descends
        )
        found = [reimbursement_items.read_line(item) for item in items]
        following = more["sk"]["S"].removeprefix(keys.REIMBURSEMENTS) if more else None
        return [line for line in found if line.local not in (stretch.after, stretch.end)], following

    def lines(self, record: str, limit: int, before: str = "") -> tuple[list[Reimbursement], str | None]:
        """Lines, the newest care first, behind the local id `before`; as `page`."""
        return self.page(record, limit, _NEWEST_FIRST.behind(before))

    def records_of(self, people: Iterable[Identifier]) -> dict[Identifier, str]:
        """The records that INS lead to, those that there are: one read for a hundred."""
        wanted = {one: keys.ins(self._keyring.ins_digest(one)) for one in people}
        found = {item["pk"]["S"]: str(item["record"]["S"]) for item in self._table.get_all(list(wanted.values()))}
        return {one: found[key["pk"]["S"]] for one, key in wanted.items() if key["pk"]["S"] in found}

    def standings(self, wanted: Mapping[str, Iterable[Identifier]]) -> dict[str, Standing]:
        """What records hold of these names: one read for a hundred heads and names."""
        names = {(record, name): self._key(record, name) for record, asked in wanted.items() for name in asked}
        heads = [_key_of(record, keys.HEAD) for record in wanted]
        items = {(i["pk"]["S"], i["sk"]["S"]): i for i in self._table.get_all([*heads, *names.values()])}
        found = {one: items.get((key["pk"]["S"], key["sk"]["S"])) for one, key in names.items()}
        return {
            record: Standing(
                _head(items.get((keys.partition(record), keys.HEAD))),
                {name: reimbursement_items.read_name(item) for name in asked if (item := found[record, name])},
            )
            for record, asked in wanted.items()
        }

    def _key(self, record: str, name: Identifier) -> Item:
        return _key_of(record, keys.reimbursement_name(self._keyring.identifier_digest(name)))


def _key_of(record: str, sk: str) -> Item:
    return keys.item_key(keys.partition(record), sk)


def _head(item: Item | None) -> Record | None:
    return record_items.read_record(item) if item else None
