"""What leads from an identifier to resources of a record, as items: one resource, or all the versions of a set."""

from dmp.adapters import keys
from dmp.adapters.keyring import Keyring
from dmp.adapters.record_items import Item
from dmp.domain.edition_set import EditionSet
from dmp.domain.identifiers import Identifier

_HINT = "identifier"


def write_further(record: str, local: str, digest: str) -> Item:
    """The item by which a further identifier of a resource leads to it."""
    key = keys.item_key(keys.partition(record), keys.other_identifier(digest, local))
    return key | {"kind": {"S": _HINT}, "local": {"S": local}, "gi_ident": {"S": digest}}


def is_further(item: Item) -> bool:
    """Whether it is such an item: a hint, which does no harm where the resource is not there."""
    return bool(item.get("kind") == {"S": _HINT})


def edition_key(keyring: Keyring, record: str, of_set: Identifier, keeper: Identifier) -> Item:
    """Where it lies: among what leads from the identifier of the set to resources."""
    sk = keys.other_identifier(keyring.identifier_digest(of_set), keyring.identifier_digest(keeper))
    return keys.item_key(keys.partition(record), sk)


def write_editions(keyring: Keyring, editions: EditionSet) -> Item:
    """The item of a set: by it no two versions come past each other, and its identifier leads to all of them."""
    return edition_key(keyring, editions.record, editions.set, editions.keeper) | {
        "kind": {"S": "editions"},
        "v": {"N": str(editions.revision)},
        "local": {"S": " ".join(local for local, _ in editions.versions)},
        "numbers": {"S": " ".join(str(number) for _, number in editions.versions)},
        "gi_ident": {"S": keyring.identifier_digest(editions.set)},
    }


def read_editions(item: Item | None, nothing: EditionSet) -> EditionSet:
    """A set from its item; `nothing` where there is none."""
    if item is None:
        return nothing
    return EditionSet(
        record=nothing.record,
        set=nothing.set,
        keeper=nothing.keeper,
        versions=tuple(zip(locals_of(item), map(int, item["numbers"]["S"].split()), strict=True)),
        revision=int(item["v"]["N"]),
    )


def locals_of(item: Item) -> list[str]:
    """Local ids of the resources that an identifier leads to."""
    return str(item["local"]["S"]).split()
