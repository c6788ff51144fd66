"""What makes a change of the trace show: a chain of hashes a record, and signed trees over the heads of all chains.

The tree is that of RFC 6962: leaves and nodes are hashed apart, and a path shows that a leaf is under a root.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

NOTHING = bytes(32)
"""The head of a chain that has no entry yet."""
SHARD_CHARS = 3
"""Hexadecimal digits of a record's name that say in which shard it is: 4,096 of them."""
LARGEST_LINK = 100
"""Entries that one link holds at most."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """Some entries of a record's trace, in the order in which they were chained; `head` is the hash behind them.

    `number` counts all the entries up to the last of these.
    """

    record: str
    number: int
    entries: tuple[str, ...]
    head: str
    at: datetime


@dataclass(frozen=True, slots=True, order=True)
class Head:
    """The head of one chain at one moment: `name` is a keyed hash of the record, `head` a hash in hexadecimal."""

    name: str
    number: int
    head: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Seal:
    """A signed root over the heads that changed until `until`; `text` is what was signed, `signature` in base64."""

    number: int
    until: datetime
    text: str
    signature: str


def digest_of(entry: str) -> bytes:
    """The hash of an entry as it is stored."""
    return hashlib.sha256(entry.encode()).digest()


def chained(head: bytes, digests: Sequence[bytes]) -> bytes:
    """The head behind these entries."""
    for digest in digests:
        head = hashlib.sha256(head + digest).digest()
    return head


def leaf_of(head: Head) -> bytes:
    """The leaf of a head."""
    return hashlib.sha256(b"\x00" + f"{head.name}:{head.number}:{head.head}".encode()).digest()


def root_of(leaves: Sequence[bytes]) -> bytes:
    """The root over at least one leaf."""
    if len(leaves) == 1:
        return leaves[0]
    split = _split(len(leaves))
    return _node(root_of(leaves[:split]), root_of(leaves[split:]))


def path_of(leaves: Sequence[bytes], place: int) -> list[bytes]:
    """What, hashed together with the leaf of a place, gives the root: the nearest first."""
    if len(leaves) == 1:
        return []
    split = _split(len(leaves))
    if place < split:
        return [*path_of(leaves[:split], place), root_of(leaves[split:])]
    return [*path_of(leaves[split:], place - split), root_of(leaves[:split])]


def seal_text(number: int, previous: str, until: str, size: int, root: bytes) -> str:
    """What is signed: its number, the hash of the seal before, and the root over `size` heads."""
    content = {"number": number, "previous": previous, "root": root.hex(), "size": size, "until": until}
    return json.dumps(content, sort_keys=True, separators=(",", ":"))


def seal_hash(text: str) -> str:
    """By which the next seal names this one."""
    return hashlib.sha256(text.encode()).hexdigest()


def _split(size: int) -> int:
    """The largest power of two below a size."""
    return 1 << (size - 1).bit_length() - 1


def _node(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\x01" + left + right).digest()
