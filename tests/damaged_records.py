"""Damages to a record for the operator's inspection, and the faults by which it is to name each."""

import json
from collections.abc import Callable
from typing import Any

from dmp.adapters import aws
from tests.fed_record import SPECIALIST, FedRecord, open_record, partition
from tests.inspected_record import Json, drop, ins_item, items, put


def current_object(record: FedRecord) -> str:
    """The key of what came inline and is current."""
    current = [one for one in items(record, "D#") if one["st"]["S"] == "current"]
    contents = [json.loads(one["facts"]["S"])["content"] for one in current]
    return next(str(key) for key, kind, *_ in contents if key.startswith("documents/") and kind == "application/pdf")


def lose_object(record: FedRecord) -> None:
    key = current_object(record)
    aws.client("s3").delete_object(Bucket=record.stores["DOCUMENTS_BUCKET"], Key=key)


def replace_object(record: FedRecord, **how: Any) -> None:
    key = current_object(record)
    size = record.objects()[key]
    encrypted = {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": record.stores["DATA_KEY"]}
    aws.client("s3").put_object(
        Bucket=record.stores["DOCUMENTS_BUCKET"], Key=key,
        **{"Body": b"x" * size, "ContentType": "application/pdf", "ChecksumAlgorithm": "SHA256"} | encrypted | how,
    )  # fmt: skip


def decrypt_object(record: FedRecord) -> None:
    replace_object(record, ServerSideEncryption="AES256", SSEKMSKeyId="")


def unpin_upload(record: FedRecord) -> None:
    for item in items(record, "D#"):
        facts = json.loads(item["facts"]["S"])
        if facts.get("uploaded") and len(facts["content"]) == 6:
            facts["content"].pop()
            put(record.stores["RECORDS_TABLE"], item | {"facts": {"S": json.dumps(facts)}})


def forget_entry(record: FedRecord) -> None:
    """As if the change had never been traced: its entry is neither there nor chained."""
    table = record.stores["AUDIT_TABLE"]
    entry = next(one for one in partition(table, f"R#{record.id}") if '"act":"patch"' in one["entry"]["S"])
    drop(table, entry)
    for link in partition(table, f"K#{record.id}"):
        drop(table, link)


def trace_twice(record: FedRecord) -> None:
    table = record.stores["AUDIT_TABLE"]
    entry = next(one for one in partition(table, f"R#{record.id}") if '"act":"patch"' in one["entry"]["S"])
    content = json.loads(entry["entry"]["S"])
    content["id"] = entry["sk"]["S"][:-4] + "0000"
    text = json.dumps(content, ensure_ascii=False, separators=(",", ":"), sort_keys=True)
    put(table, entry | {"sk": {"S": content["id"]}, "entry": {"S": text}})


def lose_document(record: FedRecord) -> None:
    for prefix in ("D#", "T#", "U#"):
        drop(record.stores["RECORDS_TABLE"], items(record, prefix)[0])


def lose_former_version(record: FedRecord) -> None:
    drop(record.stores["RECORDS_TABLE"], items(record, "V#DocumentReference")[0])


def lose_claim(record: FedRecord) -> None:
    drop(record.stores["RECORDS_TABLE"], items(record, "U#")[0])


def lose_words(record: FedRecord) -> None:
    for item in items(record, "T#"):
        drop(record.stores["RECORDS_TABLE"], item)


def lose_consent(record: FedRecord) -> None:
    [authorisation] = [one for one in items(record, "C#") if SPECIALIST.identifier.value in one["body"]["S"]]
    drop(record.stores["RECORDS_TABLE"], authorisation)


def lose_head(record: FedRecord) -> None:
    drop(record.stores["RECORDS_TABLE"], items(record, "D~")[0])


def damage_item(record: FedRecord) -> None:
    put(record.stores["RECORDS_TABLE"], items(record, "C#")[0] | {"body": {"S": "{}"}})


def damage_entry(record: FedRecord) -> None:
    table = record.stores["AUDIT_TABLE"]
    entry = next(one for one in partition(table, f"R#{record.id}") if '"act":"open"' in one["entry"]["S"])
    put(table, entry | {"entry": {"S": entry["entry"]["S"].replace('"act":"open"', '"act":"opened"')}})


def change_entry(record: FedRecord) -> None:
    table = record.stores["AUDIT_TABLE"]
    entry = next(one for one in partition(table, f"R#{record.id}") if '"act":"ITI-67"' in one["entry"]["S"])
    put(table, entry | {"entry": {"S": entry["entry"]["S"].replace('"name":"', '"name":"X')}})


def lose_entry(record: FedRecord) -> None:
    table = record.stores["AUDIT_TABLE"]
    drop(table, next(one for one in partition(table, f"R#{record.id}") if '"act":"ITI-67"' in one["entry"]["S"]))


def unchain(record: FedRecord) -> None:
    for link in partition(record.stores["AUDIT_TABLE"], f"K#{record.id}"):
        drop(record.stores["AUDIT_TABLE"], link)


def rewrite_after_the_whole_seal(record: FedRecord) -> None:
    record.api.run("AuditSealer", {"whole": True})
    unchain(record)
    change_entry(record)
    record.api.run("AuditSealer", {"record": record.id})


def lose_extraction(record: FedRecord) -> None:
    [item] = items(record, "EX#")
    drop(record.stores["RECORDS_TABLE"], item)


def lose_ins(record: FedRecord) -> None:
    drop(record.stores["RECORDS_TABLE"], ins_item(record))


def lead_ins_elsewhere(record: FedRecord) -> None:
    """As where somebody opened a second record for the same INS."""
    item = ins_item(record)
    drop(record.stores["RECORDS_TABLE"], item)
    open_record(record.api, record.stores, record.ins)


def lose_identifier(record: FedRecord) -> None:
    drop(record.stores["RECORDS_TABLE"], items(record, "I#")[0])


def lose_name_of_reimbursement(record: FedRecord) -> None:
    drop(record.stores["RECORDS_TABLE"], items(record, "BI#")[0])


def lose_message_that_was_read(record: FedRecord) -> None:
    message = items(record, "M#")[0]
    found = record.api.get(f"/fhir/Communication/{record.id}.{message['local']['S']}", as_=record.patient)
    assert found.status == 200, found.body
    drop(record.stores["RECORDS_TABLE"], message)


def change_head(record: FedRecord, change: Callable[[Json], None], **attributes: Json) -> None:
    [head] = items(record, "D~")
    content = json.loads(head["body"]["S"])
    change(content)
    put(record.stores["RECORDS_TABLE"], head | {"body": {"S": json.dumps(content)}} | attributes)


def authorise_another(record: FedRecord) -> None:
    def change(content: Json) -> None:
        row = next(one for one in content["directives"] if one[1] == "authorisation")
        row[3] = row[3].replace(SPECIALIST.identifier.value, "10109999999")

    change_head(record, change)


def lengthen_authorisation(record: FedRecord) -> None:
    def change(content: Json) -> None:
        row = next(one for one in content["directives"] if one[1] == "authorisation")
        row[5] = row[5].replace("202", "203", 1)

    change_head(record, change)


def close_untold(record: FedRecord) -> None:
    change_head(record, lambda _: None, st={"S": "closed"})


def forget_what_is_due(record: FedRecord) -> None:
    consent = next(one for one in items(record, "C#") if "gx_at" in one)
    put(record.stores["RECORDS_TABLE"], {name: consent[name] for name in consent if not name.startswith("gx_")})


def archive_in_the_index(record: FedRecord) -> None:
    document = items(record, "D#")[0]
    put(record.stores["RECORDS_TABLE"], document | {"ls_type": {"S": "other"}})


def leave_words_of_nothing(record: FedRecord) -> None:
    words = items(record, "T#")[0]
    local = "1t3z09gfg0y1ses5fd8f6tmwwv"
    put(record.stores["RECORDS_TABLE"], words | {"sk": {"S": f"T#{local}"}, "local": {"S": local}})


def garble_words(record: FedRecord) -> None:
    put(record.stores["RECORDS_TABLE"], items(record, "T#")[0] | {"words": {"B": b"xx"}})


PLANTED: list[tuple[Callable[[FedRecord], None], set[str]]] = [
    (lose_extraction, {"not-extracted"}),
    (lose_ins, {"not-led-to"}),
    (lead_ins_elsewhere, {"not-led-to"}),
    (lose_identifier, {"not-led-to"}),
    (lose_name_of_reimbursement, {"not-led-to"}),
    (lose_message_that_was_read, {"change-lost"}),
    (authorise_another, {"directive-differs"}),
    (lengthen_authorisation, {"directive-differs"}),
    (close_untold, {"head-differs"}),
    (forget_what_is_due, {"index-differs"}),
    (archive_in_the_index, {"index-differs"}),
    (leave_words_of_nothing, {"leads-nowhere"}),
    (garble_words, {"unreadable"}),
    (lose_object, {"object-missing"}),
    (replace_object, {"object-differs"}),
    (decrypt_object, {"object-not-encrypted"}),
    (unpin_upload, {"object-not-pinned"}),
    (forget_entry, {"not-chained"}),
    (trace_twice, {"traced-twice", "not-chained"}),
    (lose_document, {"change-lost"}),
    (lose_former_version, {"former-version-lost"}),
    (lose_claim, {"not-claimed"}),
    (lose_words, {"not-indexed"}),
    (lose_consent, {"directive-differs", "change-lost"}),
    (lose_head, {"head-missing"}),
    (damage_item, {"unreadable"}),
    (damage_entry, {"entry-damaged", "chain-broken"}),
    (change_entry, {"chain-broken"}),
    (lose_entry, {"entry-gone"}),
    (unchain, {"not-chained"}),
    (rewrite_after_the_whole_seal, {"seal-differs"}),
]
