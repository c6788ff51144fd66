"""The operator's program: what each command does, how it ends, and that none does anything before it is traced."""

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import boto3
import pytest
from time_machine import TimeMachineFixture

from infra.admin.__main__ import main
from infra.admin.installation import NotNow
from tests.aws_calls import Killed, refused
from tests.closed_record import close
from tests.damaged_records import lose_words
from tests.fed_record import FedRecord, open_record, partition
from tests.inspected_record import drop, records_of
from tests.operator_tools import Operator

type Json = dict[str, Any]

# --- fsck


def test_a_sound_record_ends_well_and_is_traced_before_and_after(operator: Operator, record: FedRecord) -> None:
    before = len(operator.acts())

    outcome = operator.run("fsck", "--record", record.id)

    assert (outcome.code, outcome.json["well"], outcome.json["problems"]) == (0, True, 0)
    assert operator.acts()[before:] == [
        ("fsck", record.id, "begun", ""), ("fsck", record.id, "done", "records 1, problems 0"),
    ]  # fmt: skip


def test_a_fault_is_told_with_what_to_do(operator: Operator, record: FedRecord) -> None:
    lose_words(record)

    outcome = operator.run("fsck", "--record", record.id)

    assert outcome.code == 1
    assert {one["fault"] for one in outcome.json["problem list"]} == {"not-indexed"}
    assert any("rebuild" in note for note in outcome.json["notes"])


@pytest.mark.parametrize("parallel", ["1", "3"])
def test_all_records_objects_and_seals_are_looked_at(operator: Operator, record: FedRecord, parallel: str) -> None:
    for _ in range(3):
        open_record(record.api, record.stores)

    outcome = operator.run("fsck", "--parallel", parallel)

    assert outcome.json["records"] == len(records_of(record.stores))
    assert outcome.json["seals"] == len(partition(record.stores["AUDIT_TABLE"], "SEALS"))
    assert outcome.json["versions"] >= 3


def test_an_inspection_that_was_killed_is_taken_up_where_it_was(
    operator: Operator, record: FedRecord, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("dmp.adapters.inspection_store._ITEMS_A_PAGE", 5)
    file = tmp_path / "inspection.json"
    for _ in range(3):
        open_record(record.api, record.stores)
    undisturbed = operator.run("fsck").json
    invoke = operator.installation.invoke

    def until_a_record_was_seen(function: str, event: Json) -> Json:
        if file.exists() and json.loads(file.read_text(encoding="utf-8"))["figures"]["records"]:
            raise Killed
        return invoke(function, event)

    with monkeypatch.context() as patched:
        patched.setattr(operator.installation, "invoke", until_a_record_was_seen)
        with pytest.raises(Killed):
            operator.run("fsck", "--resume", str(file))
    kept = json.loads(file.read_text(encoding="utf-8"))

    outcome = operator.run("fsck", "--resume", str(file))

    assert 0 < kept["figures"]["records"] < undisturbed["records"]
    figures = ("records", "documents", "items", "versions", "seals")
    assert {name: outcome.json[name] for name in figures} == {name: undisturbed[name] for name in figures}
    assert not file.exists()


def test_a_sound_record_is_told_so_in_a_sentence_without_figures_of_what_was_not_looked_at(
    operator: Operator, record: FedRecord
) -> None:
    told = operator.run("fsck", "--record", record.id).json

    assert told["notes"] == ["all that was looked at is as it must be"]
    assert told.keys().isdisjoint({"versions", "seals", "orphans"})


@pytest.mark.parametrize("content", ["", "[]", "no JSON", "{}", '{"options": {}, "cursors": 1}'])
def test_a_file_of_something_else_is_wrong_usage(operator: Operator, tmp_path: Path, content: str) -> None:
    file = tmp_path / "inspection.json"
    file.write_text(content, encoding="utf-8")

    outcome = operator.run("fsck", "--resume", str(file))

    assert (outcome.code, "no file of an inspection" in outcome.err) == (2, True)
    assert file.read_text(encoding="utf-8") == content


def test_an_inspection_of_another_installation_is_not_taken_up(
    operator: Operator, record: FedRecord, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    file = str(tmp_path / "inspection.json")
    monkeypatch.setattr("infra.admin.inspection._PAUSE_SECONDS", 0)
    with refused("ListObjectVersions"):
        operator.run("fsck", "--resume", file)
    monkeypatch.setattr(operator.installation, "identity", "another")

    outcome = operator.run("fsck", "--resume", file)

    assert (outcome.code, "other things" in outcome.err) == (2, True)


def test_one_record_and_a_sweep_make_no_sense_together(operator: Operator) -> None:
    assert operator.run("fsck", "--record", "0" * 26, "--sweep").code == 2


def test_an_inspection_is_not_taken_up_under_other_options(operator: Operator, tmp_path: Path) -> None:
    file = tmp_path / "inspection.json"
    file.write_text(json.dumps({"options": {"bytes": True}}), encoding="utf-8")

    assert operator.run("fsck", "--resume", str(file)).code == 2


def test_a_page_that_cannot_be_had_is_asked_for_again(
    operator: Operator, record: FedRecord, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("infra.admin.inspection._PAUSE_SECONDS", 0)

    with refused("Scan", "ThrottlingException", 400):
        outcome = operator.run("fsck")

    assert (outcome.code, operator.acts()[-1][2]) == (4, "failed")


def test_a_sweep_is_told(operator: Operator, record: FedRecord, clock: TimeMachineFixture) -> None:
    key = f"documents/{record.id}/{'0' * 26}"
    boto3.client("s3").put_object(Bucket=record.stores["DOCUMENTS_BUCKET"], Key=key, Body=b"x")
    clock.shift(timedelta(hours=26))

    outcome = operator.run("fsck", "--sweep")

    assert outcome.json["swept"] == outcome.json["orphans"] >= 1
    assert key not in record.objects()


# --- orders about one record


def test_an_index_is_rebuilt_until_nothing_is_left(operator: Operator, record: FedRecord) -> None:
    lose_words(record)

    outcome = operator.run("rebuild", record.id)

    assert (outcome.code, outcome.json["read"]) == (0, 3)
    assert operator.run("fsck", "--record", record.id).json["problems"] == 0


def test_a_rebuilding_that_runs_out_of_time_goes_on(
    operator: Operator, record: FedRecord, monkeypatch: pytest.MonkeyPatch
) -> None:
    runs = [{"read": 2, "failed": 0, "done": False, "after": "a"}, {"read": 1, "failed": 0, "done": True, "after": "b"}]
    asked: list[Json] = []
    invoke = operator.installation.invoke

    def some_runs(function: str, event: Json) -> Json:
        if function != "IndexRebuild":
            return invoke(function, event)
        asked.append(event)
        return {"record": record.id, **runs[len(asked) - 1]}

    monkeypatch.setattr(operator.installation, "invoke", some_runs)

    assert operator.run("rebuild", record.id).json["read"] == 3
    assert asked == [{"record": record.id}, {"record": record.id, "after": "a"}]


def test_a_record_is_suspended_and_resumed_and_both_traces_tell_it(operator: Operator, record: FedRecord) -> None:
    suspended = operator.run("suspend", record.id, "--reason", "Connexions anormales")
    resumed = operator.run("resume", record.id, "--reason", "Vérifié")

    assert [suspended.json["status"], resumed.json["status"]] == ["suspended", "open"]
    assert [e["actor"].rpartition("|")[2] for e in record.trace() if e["act"] in ("suspend", "resume")] == [
        "ana",
        "ana",
    ]
    assert [act[:3] for act in operator.acts()[-4:]] == [
        ("suspend", record.id, "begun"), ("suspend", record.id, "done"),
        ("resume", record.id, "begun"), ("resume", record.id, "done"),
    ]  # fmt: skip


def test_what_stands_against_an_order_is_told_and_traced(operator: Operator, record: FedRecord) -> None:
    close(record)

    outcome = operator.run("suspend", record.id, "--reason", "Fraude")

    assert (outcome.code, "record-closed" in outcome.err) == (3, True)
    assert operator.acts()[-1] == ("suspend", record.id, "failed", "record-closed")


def test_a_chain_is_completed(operator: Operator, record: FedRecord) -> None:
    table = record.stores["AUDIT_TABLE"]
    for link in partition(table, f"K#{record.id}"):
        drop(table, link)

    outcome = operator.run("complete-chain", record.id)

    assert (outcome.code, outcome.json["completed"]) == (0, len(record.trace()))


@pytest.mark.parametrize(
    "arguments",
    [
        ("complete-chain",),
        ("fsck", "--record"),
        ("rebuild",),
        ("suspend", "--reason", "y"),
        ("resume", "--reason", "y"),
    ],
)
def test_what_is_no_id_is_refused_and_stands_in_no_trace(operator: Operator, arguments: tuple[str, ...]) -> None:
    before = operator.acts()

    outcome = operator.run(*arguments, "279106912345678 MARTIN")

    assert (outcome.code, "no-record" in outcome.err) == (3, True)
    assert operator.acts() == before


def test_the_chain_of_a_record_that_is_not_there_cannot_be_completed(operator: Operator) -> None:
    outcome = operator.run("complete-chain", "0" * 26)

    assert (outcome.code, "no-record" in outcome.err) == (3, True)


def test_the_chain_of_the_operators_is_completed_too(operator: Operator) -> None:
    assert operator.run("complete-chain", "operators").json["completed"] >= 1


# --- the trace of the operators


def test_what_operators_did_is_shown_newest_first(operator: Operator, record: FedRecord) -> None:
    operator.run("fsck", "--record", record.id)

    acts = operator.run("log", "--limit", "3").json["acts"]

    assert [(one["operator"], one["command"], one["stage"]) for one in acts] == [
        ("ana", "log", "begun"), ("ana", "fsck", "done"), ("ana", "fsck", "begun"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    "arguments",
    [
        *(("fsck",), ("rebuild", "0" * 26), ("suspend", "0" * 26, "--reason", "y"), ("complete-chain", "0" * 26)),
        *(("log",), ("capacity",)),
    ],
)
def test_without_a_trace_nothing_is_done(
    operator: Operator, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...]
) -> None:
    asked: list[str] = []

    def no_trace(function: str, event: Json) -> Json:
        asked.append(event.get("stage", function))
        raise NotNow("service-unavailable")

    monkeypatch.setattr(operator.installation, "invoke", no_trace)

    assert operator.run(*arguments).code == 4
    assert asked == ["begun"]


def test_an_act_that_dies_is_traced_as_failed(operator: Operator, monkeypatch: pytest.MonkeyPatch) -> None:
    invoke = operator.installation.invoke

    def dies(function: str, event: Json) -> Json:
        if function == "IndexRebuild":
            raise KeyboardInterrupt
        return invoke(function, event)

    monkeypatch.setattr(operator.installation, "invoke", dies)

    outcome = operator.run("rebuild", "0" * 26)

    assert (outcome.code, "interrupted" in outcome.err) == (130, True)
    assert operator.acts()[-1] == ("rebuild", "0" * 26, "failed", "KeyboardInterrupt")


# --- capacity


def test_capacity_tells_tables_queues_and_overdue_work(operator: Operator, record: FedRecord) -> None:
    told = operator.run("capacity").json

    assert [one["table"] for one in told["tables"]] == ["RecordsTable", "AuditTable"]
    assert {one["queue"] for one in told["queues"]} >= {"LostExports", "LostRuns", "ExtractionQueue"}
    assert told["overdue consents"] >= 0


def test_what_was_set_aside_is_no_good_state(operator: Operator, record: FedRecord) -> None:
    url = operator.installation.resource("LostHooks")
    sent = boto3.client("sqs").send_message(QueueUrl=url, MessageBody="{}")
    assert sent

    outcome = operator.run("capacity")

    boto3.client("sqs").purge_queue(QueueUrl=url)
    assert (outcome.code, any("replay" in note for note in outcome.json["notes"])) == (1, True)


def test_a_scan_counts_what_records_hold(operator: Operator, record: FedRecord) -> None:
    open_record(record.api, record.stores)

    told = operator.run("capacity", "--scan").json

    assert told["records"] == len(records_of(record.stores))
    assert told["documents"] >= 4
    assert told["stored_bytes"] > 0
    assert told["entries"] == 0
    assert {"versions", "seals"}.isdisjoint(told)
    assert {"tables", "queues", "overdue consents"} <= told.keys()


# --- how it is used


@pytest.mark.parametrize(
    "arguments",
    [
        *((), ("fsck",), ("--stack", "a", "--local", "http://b", "fsck"), ("--stack", "a", "suspend", "x")),
        *(
            ("--stack", "a", "replay", "everything"),
            ("--stack", "a", "fsck", "--parallel", "0"),
            ("--stack", "a", "keys"),
        ),
    ],
)
def test_what_makes_no_sense_is_wrong_usage(arguments: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        main(arguments)

    assert end.value.code == 2
    assert "usage" in capsys.readouterr().err


def test_help_names_every_command_and_the_exit_codes(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        main(["--help"])

    told = capsys.readouterr().out
    assert end.value.code == 0
    for command in ("fsck", "replay", "rebuild", "suspend", "resume", "complete-chain", "keys", "capacity", "log"):
        assert f"\n    {command} " in told
    assert "exit codes" in told


def test_what_holds_for_all_commands_may_stand_behind_them(
    operator: Operator, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["log", "--local", "http://127.0.0.1:1", "--output", "json"], operator.installation) == 0
    assert main(["--local", "http://127.0.0.1:1", "--output", "json", "log"], operator.installation) == 0

    assert capsys.readouterr().out.count('"acts"') == 2


def test_a_local_stack_that_does_not_answer_is_asked_after(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--local", "http://127.0.0.1:9", "log"]) == 4
    assert "make run" in capsys.readouterr().err


def test_tables_are_for_people(operator: Operator, record: FedRecord, capsys: pytest.CaptureFixture[str]) -> None:
    main(["--local", "http://127.0.0.1:1", "log", "--limit", "1"], operator.installation)

    out = capsys.readouterr().out
    assert "acts:" in out
    assert "operator" in out


def test_a_record_opened_meanwhile_harms_no_inspection(operator: Operator, record: FedRecord) -> None:
    opened = open_record(record.api, record.stores)

    assert operator.run("fsck", "--record", opened.id).json["problems"] == 0
