"""Keys and roles as they are: rotation, state and policies of keys; what roles may do, against the template."""

import json
from collections.abc import Iterator
from functools import partial
from typing import Any
from urllib.parse import unquote

from infra.smoke.account import Account
from infra.smoke.policies import has_statements
from infra.smoke.result import Judgement, Result, State, asked, held, judged, of_kind, unchecked
from infra.smoke.statements import as_declared, listed

KEY, ROLE, POLICY = "AWS::KMS::Key", "AWS::IAM::Role", "AWS::IAM::ManagedPolicy"

type Json = dict[str, Any]


def keys(account: Account) -> Iterator[Result]:
    """Each key is enabled, rotated where it can be, and has the statements of the template."""
    yield from of_kind("keys", account.of(KEY), KEY)
    client = account.client("kms")
    for logical, declared in account.declared(KEY).items():
        key = account.physical(logical)
        told = asked("key.state", logical, client.describe_key, KeyId=key, pick="KeyMetadata")
        if isinstance(told, Result):
            yield told
            continue
        yield held("key.state", logical, told["KeyState"] == "Enabled", told["KeyState"])
        yield held(
            "key.use", logical, told["KeyUsage"] == declared.get("KeyUsage", "ENCRYPT_DECRYPT"), told["KeyUsage"]
        )
        if declared.get("EnableKeyRotation"):
            yield judged("key.rotation", logical, _rotation, client.get_key_rotation_status, KeyId=key)
        judge = partial(_policy, account, declared["KeyPolicy"])
        yield judged("key.policy", logical, judge, client.get_key_policy, KeyId=key, PolicyName="default")


def _rotation(told: Json) -> Judgement:
    return told["KeyRotationEnabled"], "not rotated"


def _policy(account: Account, wanted: Json, told: Json) -> Judgement:
    return has_statements(account, wanted, told["Policy"])


def roles(account: Account) -> Iterator[Result]:
    """Each role may do what the template says, and nothing else, and be taken by whom it says."""
    yield from of_kind("roles", account.of(ROLE), ROLE)
    declared, client = account.declared(ROLE), account.client("iam")
    for logical, role in account.of(ROLE).items():
        if logical not in declared:
            yield unchecked("role", logical, "the main template does not declare it: made by SAM, or in a stack within")
            continue
        trust = partial(_trust, account, declared[logical]["AssumeRolePolicyDocument"])
        yield judged("role.trust", logical, trust, client.get_role, RoleName=role)
        policy = partial(_role_policy, account, declared[logical])
        yield judged("role.policy", logical, policy, _found, client=client, role=role)


def policies(account: Account) -> Iterator[Result]:
    """Each policy that can be attached to somebody else is as the template says."""
    for logical, declared in account.declared(POLICY).items():
        judge = partial(_own_policy, account, declared["PolicyDocument"])
        arn = account.physical(logical)
        yield judged("policy", logical, judge, _version, client=account.client("iam"), arn=arn)


def _trust(account: Account, wanted: Json, told: Json) -> Judgement:
    return _own_policy(account, wanted, _statements(told["Role"]["AssumeRolePolicyDocument"]))


def _own_policy(account: Account, wanted: Json, told: list[Json]) -> Judgement:
    return as_declared(told, listed(account.resolved(wanted)))


def _role_policy(account: Account, role: Json, told: list[Json]) -> Judgement:
    return as_declared(told, _declared_statements(account, role))


def _found(client: Any, role: str) -> list[Json]:
    """Every statement that a role has, of its own or by a policy that it shares."""
    statements = list[Json]()
    for page in client.get_paginator("list_role_policies").paginate(RoleName=role):
        for name in page["PolicyNames"]:
            statements += _statements(client.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"])
    for page in client.get_paginator("list_attached_role_policies").paginate(RoleName=role):
        for one in page["AttachedPolicies"]:
            statements += _version(client, one["PolicyArn"])
    return statements


def _version(client: Any, arn: str) -> list[Json]:
    version = client.get_policy(PolicyArn=arn)["Policy"]["DefaultVersionId"]
    return _statements(client.get_policy_version(PolicyArn=arn, VersionId=version)["PolicyVersion"]["Document"])


def _statements(document: Any) -> list[Json]:
    return listed(json.loads(unquote(document)) if isinstance(document, str) else document)


def _declared_statements(account: Account, role: Json) -> list[Json]:
    resolved = account.resolved({name: role[name] for name in ("Policies", "ManagedPolicyArns") if name in role})
    shared = {account.physical(name): each["PolicyDocument"] for name, each in account.declared(POLICY).items()}
    documents = [policy["PolicyDocument"] for policy in resolved.get("Policies", ())]
    documents += [account.resolved(shared[arn]) for arn in resolved.get("ManagedPolicyArns", ()) if arn in shared]
    return [each for document in documents for each in listed(document)]


def functions(account: Account) -> Iterator[Result]:
    """Every function has its own role and log group, and variables under a key of ours."""
    client = account.client("lambda")
    here, ours = account.of("AWS::Lambda::Function"), set(account.of(KEY).values())
    if account.is_local:
        yield unchecked("functions", "Lambda", "the local stack runs them without Lambda")
        return
    for name in account.template.functions:
        if name not in here:
            yield Result("function", name, State.FAILED, "the stack has none")
            continue
        told = asked("function", name, client.get_function_configuration, FunctionName=here[name])
        if isinstance(told, Result):
            yield told
            continue
        role, log = account.physical(f"{name}Role"), account.physical(f"{name}Logs")
        yield held("function.role", name, str(told["Role"]).endswith(f"/{role}"), told["Role"])
        yield held("function.log", name, told.get("LoggingConfig", {}).get("LogGroup") == log, "another log group")
        key = str(told.get("KMSKeyArn", "")).rpartition("/")[2]
        yield held("function.variables", name, key in ours, "its variables are under no key of ours")
