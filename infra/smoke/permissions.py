"""Keys and roles as they are: rotation, state and policies of keys; what roles may do, against the template."""

import json
from collections.abc import Iterator
from functools import partial
from typing import Any
from urllib.parse import unquote

from infra.smoke.account import Account, possible
from infra.smoke.policies import has_statements
from infra.smoke.result import Judgement, Result, State, asked, held, judged, of_kind, unchecked

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
        judge = partial(_policy, declared["KeyPolicy"])
        yield judged("key.policy", logical, judge, client.get_key_policy, KeyId=key, PolicyName="default")


def _rotation(told: Json) -> Judgement:
    return told["KeyRotationEnabled"], "not rotated"


def _policy(wanted: Json, told: Json) -> Judgement:
    return has_statements(told["Policy"], wanted)


def roles(account: Account) -> Iterator[Result]:
    """No role of a function may do anything but what the template says."""
    yield from of_kind("roles", account.of(ROLE), ROLE)
    shared = dict(account.template.resources(POLICY))
    for logical, declared in account.declared(ROLE).items():
        wanted = {action for each in _declared_statements(declared, shared) for action in _actions(each)}
        found = asked("role.actions", logical, _found, account=account, role=account.physical(logical))
        if isinstance(found, Result):
            yield found
            continue
        more = sorted({action for each in found for action in _actions(each)} - wanted)
        yield held("role.actions", logical, not more, f"may {', '.join(more)} too")
        everything = [each for each in found if each["Effect"] == "Allow" and each.get("Resource") == "*"]
        asked_for = [each for each in _declared_statements(declared, shared) if each.get("Resource") == "*"]
        yield held("role.resources", logical, len(everything) <= len(asked_for), "may so to everything")


def _found(account: Account, role: str) -> list[Json]:
    """Every statement that a role has, of its own or by a policy that it shares."""
    client, statements = account.client("iam"), list[Json]()
    for name in client.list_role_policies(RoleName=role)["PolicyNames"]:
        statements += _statements(client.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"])
    for one in client.list_attached_role_policies(RoleName=role)["AttachedPolicies"]:
        version = client.get_policy(PolicyArn=one["PolicyArn"])["Policy"]["DefaultVersionId"]
        document = client.get_policy_version(PolicyArn=one["PolicyArn"], VersionId=version)["PolicyVersion"]["Document"]
        statements += _statements(document)
    return statements


def _statements(document: Any) -> list[Json]:
    content = json.loads(unquote(document)) if isinstance(document, str) else document
    statements = content["Statement"]
    return list(statements) if isinstance(statements, list) else [statements]


def _declared_statements(role: Json, shared: dict[str, Json]) -> list[Json]:
    documents = [policy["PolicyDocument"] for policy in role.get("Policies", ()) if "PolicyDocument" in policy]
    documents += [
        shared[name]["PolicyDocument"] for name in _named(role.get("ManagedPolicyArns", [])) if name in shared
    ]
    return [each for document in documents for each in possible(document)]


def _named(expression: Any) -> Iterator[str]:
    """Every resource that an expression names, on either side of its conditions."""
    match expression:
        case {"Ref": str(name)}:
            yield name
        case dict():
            yield from (name for each in expression.values() for name in _named(each))
        case list():
            yield from (name for each in expression for name in _named(each))


def _actions(statement: Json) -> set[str]:
    if statement["Effect"] != "Allow":
        return set()
    actions = statement["Action"]
    return set(actions) if isinstance(actions, list) else {actions}


def functions(account: Account) -> Iterator[Result]:
    """Every function has its own role and log group, and variables under a key of ours."""
    client = account.client("lambda")
    here = account.of("AWS::Lambda::Function")
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
        yield held("function.variables", name, told.get("KMSKeyArn"), "its variables are under Lambda's own key")
