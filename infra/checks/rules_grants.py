"""Who may do what is dangerous: every action that a role or a person holds is ordinary, or granted word for word."""

from collections.abc import Iterator
from typing import Any

from infra.checks import stores
from infra.checks.comparison import alike, text
from infra.checks.deployments import Deployment, Stack
from infra.checks.expected import LAMBDA, TRUST, ref
from infra.checks.grants import GRANTS, HOLDERS, IN_PLAIN, ORDINARY, READERS_OF_THE_TRACE, THROUGH, Grant
from infra.checks.policies import Kind, Statement, listed, names_in, statements

TRACE = "AuditTable"
READING = {"dynamodb:BatchGetItem", "dynamodb:GetItem", "dynamodb:Query"}
STORES = "AWS::DynamoDB::Table", "AWS::S3::Bucket", "AWS::SQS::Queue"
SCHEDULER = "scheduler.amazonaws.com"
DOMAIN = {"Fn::Select": [1, {"Fn::Split": ["@", ref("MailSender")]}]}


def _allowed(deployment: Deployment) -> Iterator[Statement]:
    return (each for each in statements(deployment) if each.kind is Kind.ROLE and each.allows)


def dangerous_actions_are_granted_one_by_one(deployment: Deployment) -> Iterator[str]:
    """What reads, changes or deletes more than an entry, or administers, is held by whom grants.py says, as it says."""
    orders = set(_orders(deployment))
    for statement in _allowed(deployment):
        for action in set(statement.actions) - ORDINARY - IN_PLAIN:
            grant = GRANTS.get((statement.holder.id, action))
            ordered = {(statement.holder.id, action, text(each)) for each in statement.resources} <= orders
            if grant is None and not ordered:
                yield f"{statement}: {action} is neither ORDINARY nor in GRANTS for it (infra/checks/grants.py)"
            if grant and (wrong := _beyond(grant, statement)):
                yield f"{statement}: {action} {wrong}, which GRANTS (infra/checks/grants.py) does not say"


def _beyond(grant: Grant, statement: Statement) -> str:
    """How a statement goes further than its grant."""
    stack = statement.holder.stack
    most = {text(stack.given({"Fn::Sub": [each, {"Domain": DOMAIN}]})) for each in grant.resources}
    further = {text(each) for each in statement.resources} - most
    if further:
        return f"on {sorted(further)}"
    return "" if alike(statement.conditions, stack.given(grant.condition)) else f"if {dict(statement.conditions)}"


def _orders(deployment: Deployment) -> Iterator[tuple[str, str, str]]:
    """What the role of each schedule does: invoke its own function."""
    for schedule in deployment.resources("AWS::Scheduler::Schedule"):
        target = schedule.properties["Target"]
        for role in names_in(target["RoleArn"]):
            yield role, "lambda:InvokeFunction", text(target["Arn"])


def keys_are_used_through_services(deployment: Deployment) -> Iterator[str]:
    """Nobody decrypts or encrypts by hand: keys serve through DynamoDB, S3, Lambda and the store of secrets alone."""
    services = {f"{name}.${{AWS::Region}}.amazonaws.com" for name in THROUGH}
    for statement in _allowed(deployment):
        used = IN_PLAIN & set(statement.actions)
        named = {text(each) for each in listed(statement.conditions.get("StringEquals", {}).get("kms:ViaService", []))}
        # a key of the operator's, for what S3 encrypts elsewhere
        of_replica = used == {"kms:GenerateDataKey"} and statement.holder.id == "ReplicationRole"
        if used and not of_replica and not (named and named <= services):
            yield f"{statement}: {sorted(used)} otherwise than through {sorted(THROUGH)}"


def the_trace_is_read_by_few(deployment: Deployment) -> Iterator[str]:
    """Who accessed what is read by the functions that show, chain, seal and check it."""
    for statement in _allowed(deployment):
        read = READING & set(statement.actions)
        if read and statement.is_about(TRACE) and statement.holder.id not in READERS_OF_THE_TRACE:
            yield f"{statement}: {sorted(read)} on {TRACE}, and is not in READERS_OF_THE_TRACE"


def stores_are_held_by_few(deployment: Deployment) -> Iterator[str]:
    """Tables, buckets and queues are read, and added to or changed, by the functions that are for it alone."""
    kept = {each.id for each in deployment.main.resources(*STORES)}
    holders: dict[str, set[str]] = {}
    for role in deployment.resources("AWS::IAM::Role"):
        for policy in {role.id} | names_in(role.properties.get("ManagedPolicyArns", [])):
            holders.setdefault(policy, set()).add(role.id.removesuffix("Role"))
    for statement in _allowed(deployment):
        held = holders.get(statement.holder.id, {statement.holder.id})
        for store in names_in(statement.resources) & kept:
            for others, actions in _beside(statement, held, store):
                yield f"{statement}: {others} {actions} on {store}, which infra/checks/stores.py does not say"


def _beside(statement: Statement, held: set[str], store: str) -> Iterator[tuple[list[str], list[str]]]:
    """Who else reads a store by a statement, or writes to it, and by which actions."""
    for all_such, known in ((stores.READING, stores.READERS), (stores.WRITING, stores.WRITERS)):
        actions = sorted(all_such & set(statement.actions))
        others = sorted(held - set(known.get(store, "").split()))
        if actions and others and (store not in stores.ANYBODYS_TO_FILL or actions != ["sqs:SendMessage"]):
            yield others, actions


def policies_are_held_by_roles(deployment: Deployment) -> Iterator[str]:
    """A policy is given to no user or group by the template, and one that deletes copies to one role."""
    for policy in deployment.resources("AWS::IAM::ManagedPolicy"):
        if given := {"Users", "Groups", "Roles"} & set(policy.properties):
            yield f"{policy}: given to {sorted(given)}"
    for role in deployment.resources("AWS::IAM::Role"):
        for held in names_in(role.properties.get("ManagedPolicyArns", [])) & set(HOLDERS):
            if role.id not in HOLDERS[held]:
                yield f"{role}: holds {held}"


def roles_trust_one_service(deployment: Deployment) -> Iterator[str]:
    """A role is assumed by the service that it is for, on the condition that says for whom, and by nobody else."""
    scheduled = {role for role, _, _ in _orders(deployment)}
    for statement in statements(deployment):
        if statement.kind is Kind.TRUST:
            by_name: tuple[set[str], Any] = ({SCHEDULER} if statement.holder.id in scheduled else {LAMBDA}, {})
            services, condition = TRUST.get(statement.holder.id, by_name)
            yield from _trusts(statement, services, statement.holder.stack, condition)


def _trusts(statement: Statement, services: set[str], stack: Stack, condition: Any) -> Iterator[str]:
    strangers = [name for kind, name in statement.principals if kind != "Service" or name not in services]
    if strangers or statement.actions != ["sts:AssumeRole"] or not statement.allows:
        yield f"{statement}: trusts {strangers or statement.actions}"
    if not alike(statement.conditions, stack.given(condition)):
        yield f"{statement}: trusts if {dict(statement.conditions)}, expected is {condition}"


RULES = (
    dangerous_actions_are_granted_one_by_one,
    keys_are_used_through_services,
    the_trace_is_read_by_few,
    stores_are_held_by_few,
    policies_are_held_by_roles,
    roles_trust_one_service,
)
