"""Lines of reimbursement, and what leads to them from their names, as items of the records table."""

import json
import zlib
from datetime import UTC, date, datetime

from dmp.adapters import keys
from dmp.adapters.keyring import Keyring
from dmp.adapters.record_items import Item, maybe_identifier, maybe_text
from dmp.domain.document import Depositor, Visibility
from dmp.domain.identifiers import Identifier
from dmp.domain.reimbursement import Known, Reimbursement


def write_line(line: Reimbursement) -> Item:
    """The item of a line; DynamoDB deletes it some time after its end (TTL)."""
    facts = {
        "care": line.care.isoformat(),
        "by": [maybe_text(line.depositor.person), maybe_text(line.depositor.structure)],
        "labels": sorted(line.visibility),
        "digest": line.digest,
        "names": list(map(str, line.names)),
        "resource": line.resource,
    }
    return _item(line, keys.reimbursement(line.local)) | {
        "kind": {"S": "reimbursement"},
        "v": {"N": str(line.version)},
        "body": {"B": zlib.compress(json.dumps(facts, ensure_ascii=False, separators=(",", ":")).encode())},
    }


def read_line(item: Item) -> Reimbursement:
    """A line from its item."""
    facts = json.loads(zlib.decompress(item["body"]["B"]))
    person, structure = facts["by"]
    return Reimbursement(
        record=keys.record_of(item["pk"]["S"]),
        local=item["local"]["S"],
        updated=datetime.fromisoformat(item["upd"]["S"]),
        care=date.fromisoformat(facts["care"]),
        expires=_expiry(item),
        depositor=Depositor(maybe_identifier(person), maybe_identifier(structure)),
        visibility=frozenset(map(Visibility, facts["labels"])),
        digest=facts["digest"],
        names=tuple(map(Identifier.parse, facts["names"])),
        resource=facts["resource"],
    )


def write_names(keyring: Keyring, line: Reimbursement) -> list[Item]:
    """The items that lead from the names of a line to it, and go with it."""
    told = {"kind": {"S": "reimbursement-name"}, "digest": {"S": line.digest}}
    return [_item(line, keys.reimbursement_name(keyring.identifier_digest(name))) | told for name in line.names]


def read_name(item: Item) -> Known:
    """What a name leads to."""
    return Known(item["local"]["S"], item["digest"]["S"], datetime.fromisoformat(item["upd"]["S"]))


def _item(line: Reimbursement, sk: str) -> Item:
    return keys.item_key(keys.partition(line.record), sk) | {
        "local": {"S": line.local},
        "upd": {"S": keys.instant(line.updated)},
        "expires": {"N": str(int(line.expires.timestamp()))},
    }


def _expiry(item: Item) -> datetime:
    return datetime.fromtimestamp(int(item["expires"]["N"]), UTC)
