"""Verifies the proof of a record's trace, off line: `python verify_trace.py proof.json [key.pem]`.

Stands alone: the standard library and `cryptography` (pip). With a key file, the proof must be signed by that very key.
"""

import base64
import hashlib
import json
import sys
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

DIGITS, HOUR = "0123456789abcdefghjkmnpqrstvwxyz", 3_600_000


def moment(local: str) -> int:
    """The millisecond that an id begins with."""
    return sum(DIGITS.index(digit) * 32**place for place, digit in enumerate(reversed(local[:10])))


def sha(*parts: bytes) -> bytes:
    """SHA-256 over some bytes."""
    return hashlib.sha256(b"".join(parts)).digest()


def heads(proof: dict[str, Any], problems: list[str]) -> dict[int, str]:
    """The head of the chain by the number of entries before it."""
    head, number = bytes.fromhex(proof["start"]["head"]), proof["start"]["number"]
    found = {number: head.hex()}
    for entry in proof["entries"]:
        digest = bytes.fromhex(entry.get("digest", ""))
        if "entry" in entry:
            digest = sha(entry["entry"].encode())
            told = json.loads(entry["entry"])
            if (told["id"], told["p"]) != (entry["id"], proof["record"]):
                problems.append(f"the entry {entry['id']} is that of another id or record")
        if len(digest) != 32:
            problems.append(f"the entry {entry.get('id')} is missing")
        head, number = sha(head, digest), number + 1
        found[number] = head.hex()
    return found


def root(leaf: bytes, place: int, size: int, path: list[bytes]) -> bytes | None:
    """The root that a path leads to from the leaf of a place in a tree of a size (RFC 6962); None for no path."""
    if size == 1:
        return leaf if place == 0 and not path else None
    split = 1 << (size - 1).bit_length() - 1
    if not path or not 0 <= place < size:
        return None
    is_left = place < split
    below = root(leaf, place if is_left else place - split, split if is_left else size - split, path[:-1])
    pair = (below, path[-1]) if is_left else (path[-1], below)
    return sha(b"\x01", *pair) if below else None


def seal_problems(name: str, seal: dict[str, Any], key: bytes, found: dict[int, str]) -> list[str]:
    """What is wrong with a seal, or with the chain whose head it holds."""
    problems, number, text = [], seal["number"], json.loads(seal["text"])
    if number not in found and number >= min(found):
        problems.append(f"{number} entries are sealed, {max(found)} are there")
    elif found.get(number, seal["head"]) != seal["head"]:
        problems.append("the chain does not lead to the sealed head: an entry was changed, moved, added or taken out")
    leaf = sha(b"\x00", f"{name}:{number}:{seal['head']}".encode())
    reached = root(leaf, seal["place"], seal["size"], [bytes.fromhex(one) for one in seal["path"]])
    if reached is None or reached.hex() != text["root"] or text["size"] != seal["size"]:
        problems.append("the head is not under the root of the seal")
    public: Any = serialization.load_der_public_key(key)
    try:
        public.verify(base64.b64decode(seal["signature"]), seal["text"].encode(), ec.ECDSA(hashes.SHA256()))
    except InvalidSignature:
        problems.append("the seal is not signed by the key")
    return problems


def verify(proof: dict[str, Any], key: bytes | None = None) -> list[str]:
    """The problems of a proof; none where every sealed entry is what it was when it was sealed."""
    problems: list[str] = []
    own, found = base64.b64decode(proof["key"]), heads(proof, problems)
    seals = [one for one in (proof["seal"], proof["whole"]) if one]
    problems += [problem for seal in seals for problem in seal_problems(proof["name"], seal, own, found)]
    problems += [] if proof["seal"] else ["nothing is sealed yet: ask again in a minute"]
    problems += ["the proof has another key"] if key not in (None, own) else []
    newest = max((moment(entry["id"]) for entry in proof["entries"] if "id" in entry), default=0)
    late = [one for one in proof["unchained"] if newest - moment(one) > HOUR]
    return problems + [f"the entry {one} is in no chain, although much later ones are" for one in late]


if __name__ == "__main__":
    content = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8")) if sys.argv[1:] else sys.exit(__doc__)
    pem = Path(sys.argv[2]).read_bytes() if len(sys.argv) > 2 else None
    form = serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    faults = verify(content, serialization.load_pem_public_key(pem).public_bytes(*form) if pem else None)
    sys.stdout.write("\n".join(faults or [f"{len(content['entries'])} entries: nothing was changed"]) + "\n")
    sys.exit(bool(faults))
