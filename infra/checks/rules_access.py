"""What no role, trust or resource policy may say: the promises about who may do what, that no scanner knows."""

import re
from collections.abc import Iterator
from fnmatch import fnmatch

from infra.checks.deployments import Deployment
from infra.checks.policies import Kind, Statement, listed, names_in, statements

CHANGES = {
    "dynamodb:UpdateItem",
    "dynamodb:DeleteItem",
    "dynamodb:BatchWriteItem",
    "dynamodb:PartiQLInsert",
    "dynamodb:PartiQLUpdate",
    "dynamodb:PartiQLDelete",
}
TRACE = "AuditTable"
SEALS = "SealsBucket"
SEAL_KEY = "SealKey"
CHECKER = "OperationsRole"
OF_PEOPLE = {
    "OperatorPolicy": set(),
    "ReplayPolicy": set(),
    "IssuerKeysPolicy": {"lambda:UpdateFunctionConfiguration", "lambda:UpdateAlias", "kms:CreateGrant"},
}
"""Policies that people hold rather than functions, and what each may change."""
TELLERS = {"cloudwatch.amazonaws.com", "events.amazonaws.com"}
ON_THE_TRACE = {
    "dynamodb:DescribeContinuousBackups", "dynamodb:DescribeStream", "dynamodb:DescribeTable",
    "dynamodb:GetItem", "dynamodb:GetRecords", "dynamodb:GetShardIterator", "dynamodb:ListStreams",
    "dynamodb:ListTagsOfResource", "dynamodb:PutItem", "dynamodb:Query", "dynamodb:StartAwsBackupJob",
}  # fmt: skip
# they know no resource, or look at one by its condition
WITHOUT_RESOURCE = {
    "cloudwatch:GetMetricData", "cloudwatch:PutMetricData", "ec2:AssignPrivateIpAddresses",
    "ec2:CreateNetworkInterface", "ec2:DeleteNetworkInterface", "ec2:DescribeNetworkInterfaces",
    "ec2:DescribeSubnets", "ec2:UnassignPrivateIpAddresses", "events:ListRules", "xray:GetSamplingRules",
    "xray:GetSamplingTargets", "xray:PutTelemetryRecords", "xray:PutTraceSegments",
}  # fmt: skip
# what changes the account rather than what is in it
ADMINISTRATION = re.compile(
    r"^(iam|sts|organizations|account|cloudtrail|config|cloudformation:(?!Describe|List)|secretsmanager:(Put|Update|Delete))"
    r"|:(Put|Delete|Update|Create|Set|Add|Remove)(Bucket|Key|Grant|Table|Function|Permission|Alias|LogGroup|Retention|Resource|Queue)"
    r"(?!Notification)"
    r"|^s3:Put(?!Inventory)\w+Configuration|^dynamodb:(Enable|Disable|Import|Restore|Export|Create|DeleteBackup|Update(?!Item))"
    r"|^backup:(Delete|Disassociate|Put|Start|Update)"
    r"|:(ScheduleKeyDeletion|DisableKey|CreateGrant|BypassGovernanceRetention|PutObject(Retention|LegalHold|Acl))$"
)
OF_AWS_BACKUP = "service-role/AWSBackupServiceRolePolicyFor"
CALLER = {"aws:SourceAccount", "aws:SourceArn", "kms:EncryptionContext:aws:logs:arn"}
SAYS_WHO = {"ArnEquals", "ArnLike", "StringEquals"}


def _allowed_to_roles(deployment: Deployment) -> Iterator[Statement]:
    return (each for each in statements(deployment) if each.kind is Kind.ROLE and each.allows)


def permissions_name_action_and_resource(deployment: Deployment) -> Iterator[str]:
    """No role has an action or a resource with a wildcard in place of its name."""
    for statement in _allowed_to_roles(deployment):
        if "NotAction" in statement.written or "NotResource" in statement.written:
            yield f"{statement}: says what it does not allow"
        if wild := [action for action in statement.actions if "*" in action]:
            yield f"{statement}: {wild}"
        if "*" in statement.resources and not WITHOUT_RESOURCE.issuperset(statement.actions):
            yield f"{statement}: any resource"


def roles_hold_no_policy_of_others(deployment: Deployment) -> Iterator[str]:
    """No role holds a policy of people or that this template does not write, but AWS Backup's in its own role."""
    for role in deployment.resources("AWS::IAM::Role"):
        for policy in role.properties.get("ManagedPolicyArns", ()):
            if not isinstance(policy, dict) or policy.get("Ref", "") in {"", *OF_PEOPLE}:
                of_backup = OF_AWS_BACKUP in str(policy) and "backup.amazonaws.com" in str(role.properties)
                if not of_backup:
                    yield f"{role}: {policy}"


def nobody_scans(deployment: Deployment) -> Iterator[str]:
    """No role reads a whole table, but that of the operator's checks, and that the records alone."""
    for statement in _allowed_to_roles(deployment):
        own = {"dynamodb:Scan"} if statement.holder.id == CHECKER and not statement.is_about(TRACE) else set()
        for action in set(statement.actions) - own:
            if re.search(r"dynamodb:(Scan|PartiQLSelect|Export|\*)", action):
                yield f"{statement}: {action}"


def nobody_administers(deployment: Deployment) -> Iterator[str]:
    """No role changes roles, keys, tables, buckets, functions, secrets or locks; people refuse issuers' keys."""
    for statement in _allowed_to_roles(deployment):
        changes = [action for action in statement.actions if ADMINISTRATION.search(action)]
        if not OF_PEOPLE.get(statement.holder.id, set()).issuperset(changes):
            yield f"{statement}: {changes}"


def nobody_changes_the_trace(deployment: Deployment) -> Iterator[str]:
    """The audit table takes entries and gives them back: its policy denies all else, and so does who writes to it."""
    writers, deniers = set(), set()
    for statement in statements(deployment):
        if statement.kind is not Kind.ROLE or not statement.is_about(TRACE):
            continue
        if not statement.allows:
            deniers |= {str(statement.holder)} if set(statement.actions) >= CHANGES - _PARTIQL else set()
            continue
        writers |= {str(statement.holder)} if "dynamodb:PutItem" in statement.actions else set()
        for action in sorted(set(statement.actions) - ON_THE_TRACE):
            yield f"{statement}: {action} on {TRACE}"
    if not writers:
        yield f"{TRACE}: nobody writes to it"
    for writer in sorted(writers - deniers):
        yield f"{writer}: writes to {TRACE} without a denial of changes"
    denied = [
        set(each.actions)
        for each in statements(deployment)
        if each.holder.id == TRACE and not each.allows and each.principals == [("*", "*")] and not each.conditions
    ]
    if not any(actions >= CHANGES for actions in denied):
        yield f"{TRACE}: its own policy does not deny every change to everybody"


_PARTIQL = {action for action in CHANGES if "PartiQL" in action}


def nobody_deletes_seals(deployment: Deployment) -> Iterator[str]:
    """No role deletes in the bucket of seals, and one alone signs."""
    signers = set()
    for statement in _allowed_to_roles(deployment):
        if statement.is_about(SEALS) and [action for action in statement.actions if "Delete" in action]:
            yield f"{statement}: deletes in {SEALS}"
        if "kms:Sign" in statement.actions:
            signers.add(str(statement.holder))
            if not all(names_in(each) == {SEAL_KEY} for each in statement.resources):
                yield f"{statement}: signs with another key than {SEAL_KEY}"
    if len(signers) != 1:
        yield f"{SEAL_KEY}: signed with by {sorted(signers) or 'nobody'}"


def resources_let_no_stranger_in(deployment: Deployment) -> Iterator[str]:
    """A policy of a resource permits services on behalf of this account, that of a key the account, nobody else."""
    for statement in statements(deployment):
        if statement.kind is not Kind.RESOURCE or not statement.allows:
            continue
        for kind, name in statement.principals:
            if kind == "Service":
                if not _is_bound_to_a_caller(statement) and not _only_tells(name, statement):
                    yield f"{statement}: {name} on behalf of anybody"
            elif kind != "AWS" or not _is_own_account(name) or not statement.is_of("AWS::KMS::Key"):
                yield f"{statement}: permits {name}"
        if not statement.is_of("AWS::KMS::Key") and [each for each in statement.actions if each.endswith("*")]:
            yield f"{statement}: {statement.actions}"


def _is_bound_to_a_caller(statement: Statement) -> bool:
    """Whether a condition says that a service calls on behalf of this account, or of a resource of its own."""
    resources = {each.id for each in statement.holder.stack.resources()}
    named = [
        listed(value)
        for operator, compared in statement.conditions.items()
        for key, value in compared.items()
        if operator in SAYS_WHO and key in CALLER
    ]
    return any(all(names_in(each) & {*resources, "AWS::AccountId"} for each in values) for values in named)


def _only_tells(service: object, statement: Statement) -> bool:
    """Whether a service that does not say on whose behalf may use a key for what it tells a topic, or tell one."""
    with_a_key = service in TELLERS and set(statement.actions) <= {"kms:Decrypt", "kms:GenerateDataKey*"}
    # EventBridge fulfils no condition there
    a_topic = service == "events.amazonaws.com" and statement.is_of("AWS::SNS::TopicPolicy")
    return with_a_key or (a_topic and statement.actions == ["sns:Publish"])


def _is_own_account(name: object) -> bool:
    own = {"Fn::Sub": "arn:${AWS::Partition}:iam::${AWS::AccountId}:root"}, {"Ref": "AWS::AccountId"}
    return name in own


def keys_are_administered_by_policies_of_this_account(deployment: Deployment) -> Iterator[str]:
    """A key is wholly the account's, which may then say who uses it; to nobody else a key policy gives every action."""
    for statement in statements(deployment):
        if not statement.is_of("AWS::KMS::Key") or not statement.allows:
            continue
        others = [name for kind, name in statement.principals if (kind, _is_own_account(name)) != ("AWS", True)]
        if others and [action for action in statement.actions if fnmatch("kms:PutKeyPolicy", action)]:
            yield f"{statement}: {others} may do anything"


def functions_have_their_own_role(deployment: Deployment) -> Iterator[str]:
    """No two functions share a role."""
    seen: dict[str, str] = {}
    for function in deployment.resources("AWS::Lambda::Function"):
        role = str(function.properties.get("Role"))
        if role in seen:
            yield f"{function}: shares its role with {seen[role]}"
        if not names_in(function.properties.get("Role")):
            yield f"{function}: its role is written elsewhere"
        seen[role] = str(function)


RULES = (
    permissions_name_action_and_resource,
    roles_hold_no_policy_of_others,
    nobody_scans,
    nobody_administers,
    nobody_changes_the_trace,
    nobody_deletes_seals,
    resources_let_no_stranger_in,
    keys_are_administered_by_policies_of_this_account,
    functions_have_their_own_role,
)
