"""The check of a deployed account: what is as declared passes, and every weakening of it is found by name."""

import ast
import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from infra.admin.installation import Stack
from infra.local.process import LocalProcess
from infra.local.resources import REGION
from infra.smoke import __main__ as smoke
from infra.smoke import alarms, backups, buckets, permissions, storage, tried, watch
from infra.smoke.account import Account
from infra.smoke.result import Result, State
from tests.small_account import bucket_refuses, live, rings, role_may, small_account, tells
from tests.weakened_accounts import PLANTED, denial_that_exempts_one_more, key_for_a_foreign_account, key_policy

type Json = dict[str, Any]
type Group = Callable[[Account], Iterator[Result]]


@pytest.fixture
def account(tmp_path: Path) -> Iterator[Account]:
    with small_account(tmp_path) as account:
        yield account


def failures(account: Account, *groups: Group) -> set[str]:
    return {one.check for group in groups for one in group(account) if one.state is State.FAILED}


ALL: tuple[Group, ...] = (*smoke.GROUPS, tried.authorizer)


def test_what_is_as_declared_passes(account: Account) -> None:
    results = [one for group in ALL for one in group(account)]

    assert [one for one in results if one.state is not State.OK] == []
    assert len({one.check for one in results}) >= 20


@pytest.mark.parametrize(("plant", "check"), PLANTED, ids=[plant.__name__ for plant, _ in PLANTED])
def test_every_weakening_is_found(account: Account, plant: Callable[[Account], None], check: str | set[str]) -> None:
    plant(account)

    assert failures(account, *ALL) == ({check} if isinstance(check, str) else check)


TOLD_BY_OTHER_TESTS = {
    **dict.fromkeys(("bucket.tls", "bucket.key"), "test_a_bucket_that_takes_anything_is_found"),
    **dict.fromkeys(("signed.length", "signed.type", "signed.expired"), "test_addresses_that_take_anything_are_found"),
    **dict.fromkeys(
        ("api.metadata", "api.token", "api.challenge", "api.forgery"), "test_an_api_that_does_not_answer_is_found"
    ),
    "api.closed": "test_beside_a_name_of_its_own_the_api_answers_by_no_other",
}
NO_ANSWER = {"table", "queue", "log"}
"""Said where AWS does not answer."""
NAMED = re.compile(r"(key|role|table|stream|bucket|queue|secret|log|alarm|backup|vault|function|api|signed)\.[a-z]+")


def names() -> set[str]:
    """Every name of a check in the code: in two parts, or the first that is said of a result."""
    trees = [ast.parse(file.read_text(encoding="utf-8")) for file in Path(smoke.__file__).parent.glob("*.py")]
    nodes = [node for tree in trees for node in ast.walk(tree)]
    texts = [node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str)]
    calls = [node for node in nodes if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.args]
    said = [
        node.args[0] for node in calls if ast.unparse(node.func) in ("asked", "held", "judged", "weighed", "Result")
    ]
    first = {str(node.value) for node in said if isinstance(node, ast.Constant)}
    return first | {text for text in texts if NAMED.fullmatch(text)} - {"backup.selections"}


def test_no_check_is_without_a_weakening_that_it_finds() -> None:
    found = {check for _, checks in PLANTED for check in ([checks] if isinstance(checks, str) else checks)}

    assert names() - found == TOLD_BY_OTHER_TESTS.keys() | NO_ANSWER
    assert {test for test in TOLD_BY_OTHER_TESTS.values() if test not in globals()} == set()


def test_an_api_that_does_not_answer_is_found() -> None:
    found = {one.check for one in tried.api("http://127.0.0.1:9") if one.state is State.FAILED}

    assert found == {"api.metadata", "api.token", "api.challenge", "api.forgery"}


@pytest.mark.parametrize(
    "kind",
    [
        *(permissions.KEY, permissions.ROLE, storage.TABLE, buckets.BUCKET, storage.QUEUE, watch.LOG, alarms.ALARM),
        *(watch.SCHEDULE, backups.PLAN, backups.SELECTION, backups.VAULT),
    ],
)
def test_a_stack_that_has_nothing_of_a_kind_is_told(account: Account, kind: str) -> None:
    here = {logical for logical, (each, _) in account._resources.items() if each == kind}
    for logical in here:
        del account._resources[logical]

    told = {one.target for group in ALL for one in group(account) if one.state is State.FAILED}

    assert kind in told


def test_as_many_alarms_as_are_asked_for_are_told(account: Account) -> None:
    asked = []

    def told(own: Callable[..., Any], **request: Any) -> Any:
        asked.append(request)
        answer = own(**request)
        return answer | {"MetricAlarms": answer["MetricAlarms"][: request.get("MaxRecords", 50)]}

    tells(account, "cloudwatch", "describe_alarms", told)
    for number in range(150):
        rings(account, f"more-{number}")
        account._resources[f"More{number}"] = (alarms.ALARM, f"more-{number}")

    found = failures(account, alarms.alarms)

    assert found == set()
    assert [len(one["AlarmNames"]) for one in asked] == [100, 52]


def test_what_the_template_does_not_tell_is_unchecked_and_ends_nothing(account: Account) -> None:
    untold = {"Fn::If": ["Odd", "a", "b"]}
    account.template._content["Resources"]["WorkRole"]["Properties"]["AssumeRolePolicyDocument"] = untold

    told = {one.check: one.state for one in permissions.roles(account) if one.target == "WorkRole"}

    assert told == {"role.trust": State.UNCHECKED, "role.policy": State.OK}


def test_a_lock_in_days_is_one_in_years(account: Account) -> None:
    client, bucket = account.client("s3"), account.physical("DocumentsBucket")
    found = []
    for days in 3650, 3649:
        rule = {"DefaultRetention": {"Mode": "COMPLIANCE", "Days": days}}
        client.put_object_lock_configuration(
            Bucket=bucket, ObjectLockConfiguration={"ObjectLockEnabled": "Enabled", "Rule": rule}
        )
        found.append(failures(account, buckets.buckets))

    assert found == [set(), {"bucket.lock"}]


def test_what_is_refused_beside_the_template_is_no_failure(account: Account) -> None:
    denial = {"Sid": "Own", "Effect": "Deny", "Principal": "*", "Action": "*", "Resource": "*"}
    key_policy(account, {}, denial)
    bucket_refuses(account, {}, denial)
    role_may(account, {}, {"Effect": "Deny", "Action": "s3:*", "Resource": "*"})

    found = failures(account, *ALL)

    assert found == set()


def test_a_rule_that_is_off_is_no_rule(account: Account) -> None:
    live(account, days=30, more={"ID": "x", "Status": "Disabled", "Filter": {"Prefix": ""}, "Expiration": {"Days": 1}})

    found = failures(account, buckets.buckets)

    assert found == set()


def test_a_role_that_the_main_template_does_not_declare_is_said_to_be_unchecked(account: Account) -> None:
    account._resources["Within/DeliveryRole"] = (permissions.ROLE, account.physical("WorkRole"))

    told = [one for one in permissions.roles(account) if one.target == "Within/DeliveryRole"]

    assert [one.state for one in told] == [State.UNCHECKED]


def test_what_failed_is_told_by_name_and_without_values(account: Account) -> None:
    denial_that_exempts_one_more(account)
    key_for_a_foreign_account(account)

    [told] = [one.why for one in permissions.keys(account) if one.state is State.FAILED]

    assert "NobodyElseReads: another Condition ArnNotLike aws:principalarn" in told
    assert "more: More allows kms:decrypt" in told
    assert "role/other" not in told
    assert "210987654321" not in told


def test_what_the_caller_may_not_ask_is_not_called_a_failure(account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    from botocore.exceptions import ClientError

    client = account.client("kms")

    def denied(**_: object) -> None:
        raise ClientError({"Error": {"Code": "AccessDeniedException"}}, "DescribeKey")

    monkeypatch.setattr(client, "describe_key", denied)
    monkeypatch.setattr(account, "client", lambda _: client)

    [result] = list(permissions.keys(account))

    assert (result.state, "DescribeKey" in result.why) == (State.UNCHECKED, True)


@pytest.fixture
def unlocked(account: Account) -> Account:
    """The same with a bucket whose objects can be deleted, and that refuses nothing."""
    client, name = account.client("s3"), f"unlocked-{uuid4().hex}"
    client.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": REGION})
    client.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
    account._resources["DocumentsBucket"] = (buckets.BUCKET, name)
    return account


def test_a_bucket_that_takes_anything_is_found(unlocked: Account) -> None:
    found = {one.check for one in tried.bucket(unlocked) if one.state is State.FAILED}

    assert found >= {"bucket.tls", "bucket.key"}


def test_nothing_that_was_tried_is_left(unlocked: Account) -> None:
    list(tried.bucket(unlocked))

    assert (
        unlocked.client("s3").list_object_versions(Bucket=unlocked.physical("DocumentsBucket")).get("Versions", [])
        == []
    )


# --- the local stack


@pytest.fixture(scope="module")
def local() -> Iterator[LocalProcess]:
    with LocalProcess(seed="none", LOG_LEVEL="ERROR") as stack:
        yield stack


def test_addresses_that_take_anything_are_found(local: LocalProcess) -> None:
    here = Account(Stack("", None, local=local.url))

    found = {one.check for one in tried.bucket(here) if one.state is State.FAILED}

    # moto takes what the address was not made for; that it takes what it was made for came first
    assert found >= {"signed.length", "signed.type", "signed.expired"}


def test_addresses_prove_nothing_where_what_they_are_for_is_refused(unlocked: Account) -> None:
    told = tried.signed(
        unlocked.client("s3"),
        unlocked.physical("DocumentsBucket"),
        "arn:aws:kms:eu-west-3:1:key/x",
        "http://127.0.0.1:9",
    )

    assert {one.state for one in told} == {State.UNCHECKED}


def test_the_local_stack_fails_in_nothing_and_says_what_it_cannot_show(
    local: LocalProcess, capsys: pytest.CaptureFixture[str]
) -> None:
    code = smoke.main(["--local", local.url, "--output", "json"])

    results = json.loads(capsys.readouterr().out)
    assert [one for one in results if one["state"] == "failed"] == []
    assert code == 0
    ok = {one["check"] for one in results if one["state"] == "ok"}
    assert ok >= {
        "api.token",
        "api.metadata",
        "table.protection",
        "table.stream",
        "bucket.versions",
        "queue.encryption",
    }
    assert ok.isdisjoint(smoke.NOT_LOCAL)


@pytest.mark.parametrize(
    ("path", "outputs", "states"),
    [
        ("/fhir", {"DomainTarget": "d-1.execute-api.eu-west-3.amazonaws.com"}, [State.FAILED]),
        ("/local/closed", {"DomainTarget": "d-1.execute-api.eu-west-3.amazonaws.com"}, [State.OK]),
        ("/fhir", {"DomainTarget": "d-1.execute-api.eu-west-3.amazonaws.com", "Edge": "arn"}, []),
        ("/fhir", {}, []),
    ],
)
def test_beside_a_name_of_its_own_the_api_answers_by_no_other(
    local: LocalProcess, account: Account, path: str, outputs: dict[str, str], states: list[State]
) -> None:
    account.outputs = {"Base": f"{local.url}{path}"} | outputs

    results = list(tried.other_name(account))

    assert [one.state for one in results] == states


def test_a_stack_that_does_not_answer_ends_with_a_code_of_its_own(capsys: pytest.CaptureFixture[str]) -> None:
    assert smoke.main(["--local", "http://127.0.0.1:9"]) == 4
    assert "cannot be asked" in capsys.readouterr().err
