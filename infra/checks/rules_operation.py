"""How long things are kept, and that nothing is lost: logs, queues, dead letters, backups, erasure, regions."""

from collections.abc import Iterator, Mapping
from typing import Any

from infra.checks.deployments import Deployment, Resource
from infra.checks.expected import UNION, ref
from infra.checks.policies import listed, names_in

DAYS_OF_A_BACKUP = 35
DAYS_OF_AN_ERASURE = 50
DAYS_UNTIL_JOBS_RAN = 2
"""The daily job of retention, and a day that S3 and AWS Backup take to delete what is due."""
DAILY = {"rate(1 hour)", "rate(6 hours)", "rate(12 hours)", "rate(1 day)"}
DAYS_OF_AN_ARCHIVE = 30
DAYS_OF_A_LOG = range(30, 1097)
SECONDS_BEHIND_THE_API = 29
QUEUE = "AWS::SQS::Queue"
HERE = "infra/checks/rules_operation.py"


def logs_are_encrypted_and_end(deployment: Deployment) -> Iterator[str]:
    """Every log group has a key of ours and an end, of three years at most."""
    for group in deployment.resources("AWS::Logs::LogGroup"):
        key = names_in(group.properties.get("KmsKeyId"))
        if not key or (group.stack is deployment.main and key != {"DataKey"}):
            yield f"{group}: no key, or that of something else"
        if group.properties.get("RetentionInDays") not in DAYS_OF_A_LOG:
            kept = group.properties.get("RetentionInDays", "for ever")
            yield f"{group}: kept {kept}, which is not within DAYS_OF_A_LOG ({HERE})"


def functions_log_to_their_own_group(deployment: Deployment) -> Iterator[str]:
    """Every function writes structured logs to a group that this template makes, unless its role lets it write none."""
    for function in deployment.resources("AWS::Lambda::Function"):
        logging = function.properties.get("LoggingConfig", {})
        own = names_in(logging.get("LogGroup")) & {each.id for each in function.stack.resources("AWS::Logs::LogGroup")}
        role = names_in(function.properties["Role"])
        roles = [each for each in function.stack.resources("AWS::IAM::Role") if each.id in role]
        writes = any("logs:PutLogEvents" in str(role.properties) for role in roles)
        if writes and (not own or logging.get("LogFormat") != "JSON"):
            yield f"{function}: logs where nothing is encrypted or ends"


def functions_of_the_application_are_bounded(deployment: Deployment) -> Iterator[str]:
    """Variables have a key of ours, executions a limit, and a function behind the API ends before the API does."""
    behind = {
        name
        for each in deployment.resources("AWS::Lambda::Permission")
        for name in names_in(each.properties["FunctionName"])
    }
    for function in deployment.main.resources("AWS::Lambda::Function"):
        if not names_in(function.properties.get("KmsKeyArn")):
            yield f"{function}: variables under no key of ours"
        if deployment.main.given(ref("ReservedConcurrency")) and not function.properties.get(
            "ReservedConcurrentExecutions"
        ):
            yield f"{function}: takes as much of the account's concurrency as there is"
        if function.id in behind and function.properties.get("Timeout", 3) > SECONDS_BEHIND_THE_API:
            yield f"{function}: works on after the API gave up"


def queues_are_encrypted(deployment: Deployment) -> Iterator[str]:
    """No message lies unencrypted."""
    for queue in deployment.resources(QUEUE):
        if (
            not names_in(queue.properties.get("KmsMasterKeyId"))
            and queue.properties.get("SqsManagedSseEnabled") is not True
        ):
            yield f"{queue}: not encrypted"


def what_fails_is_set_aside(deployment: Deployment) -> Iterator[str]:
    """Each queue and stream that is read, and each schedule, has a queue for what fails."""
    for mapping in deployment.resources("AWS::Lambda::EventSourceMapping"):
        for name in names_in(mapping.properties["EventSourceArn"]):
            source = mapping.stack.resource(name)
            where = source.properties if source.whole["Type"] == QUEUE else mapping.properties
            if not list(_dead_letters(where)):
                yield f"{mapping}: what fails is lost"
    for schedule in deployment.resources("AWS::Scheduler::Schedule"):
        if not list(_dead_letters(schedule.properties.get("Target", {}))):
            yield f"{schedule}: what fails is lost"


def what_failed_is_kept_for_two_weeks(deployment: Deployment) -> Iterator[str]:
    """A queue has another for what fails, or is one, and then keeps that for two weeks."""
    set_aside = {
        name for each in deployment.resources() for letter in _all_dead_letters(each) for name in names_in(letter)
    }
    for queue in deployment.resources(QUEUE):
        kept = queue.properties.get("MessageRetentionPeriod", 345600)
        if queue.id in set_aside and kept < 1209600:
            yield f"{queue}: keeps what failed for {kept} s"
        if queue.id not in set_aside and "RedrivePolicy" not in queue.properties:
            yield f"{queue}: what fails comes back until it is lost"


def _all_dead_letters(resource: Resource) -> Iterator[Any]:
    targets = [resource.properties.get("Target", {}), *resource.properties.get("Targets", ())]
    for each in (resource.properties, *(target for target in targets if isinstance(target, dict))):
        yield from _dead_letters(each)


def _dead_letters(properties: Mapping[str, Any]) -> Iterator[Any]:
    """Where goes what a queue, a mapping, a function or a target could not do."""
    yield from listed(properties.get("RedrivePolicy", {}).get("deadLetterTargetArn", []))
    yield from listed(properties.get("DestinationConfig", {}).get("OnFailure", {}).get("Destination", []))
    letters = properties.get("DeadLetterConfig", {})
    yield from listed(letters.get("TargetArn", letters.get("Arn", [])))


def backups_end(deployment: Deployment) -> Iterator[str]:
    """No backup is kept for more than 35 days, here or where it is copied to."""
    for plan in deployment.resources("AWS::Backup::BackupPlan"):
        for rule in plan.properties["BackupPlan"]["BackupPlanRule"]:
            for each in (rule, *rule.get("CopyActions", ())):
                kept = each.get("Lifecycle", {}).get("DeleteAfterDays")
                if not isinstance(kept, int) or kept > DAYS_OF_A_BACKUP:
                    yield f"{plan}: keeps a backup {kept or 'for ever'}"


def an_erasure_ends_in_time(deployment: Deployment) -> Iterator[str]:
    """50 days after the request nothing is left: delay, job, then the longest of versions, recovery and backups."""
    written = deployment.main
    parameters = next(each for each in deployment.written if each.name == written.name).content["Parameters"]
    delay = parameters.get("ErasureDelayDays", {})
    kept = {f"{where}": days for where, days in _copies(deployment)}
    longest = max((days for days in kept.values() if isinstance(days, int)), default=0)
    total = delay.get("MaxValue", 10**6) + DAYS_UNTIL_JOBS_RAN + longest
    if total > DAYS_OF_AN_ERASURE:
        wait = delay.get("MaxValue", "any number")
        yield f"{written.name}: an erasure takes up to {total} days: {wait} until it begins, then {kept}"
    unbounded = [where for where, days in kept.items() if not isinstance(days, int)]
    if unbounded:
        yield f"{unbounded}: kept for ever"
    if not set(parameters["RetentionSchedule"].get("AllowedValues", [""])) <= DAILY:
        yield f"{written.name}: the job of retention may run more seldom than daily"


def _copies(deployment: Deployment) -> Iterator[tuple[str, Any]]:
    """For how many days something stays after it was deleted, by what keeps it."""
    for bucket in deployment.resources("AWS::S3::Bucket"):
        if "ObjectLockConfiguration" not in bucket.properties:
            rules = bucket.properties.get("LifecycleConfiguration", {}).get("Rules", ())
            whole = [
                each.get("NoncurrentVersionExpiration", {}).get("NoncurrentDays")
                for each in rules
                if not each.get("Prefix")
            ]
            yield f"{bucket} former versions", next((days for days in whole if days), None)
    for table in deployment.resources("AWS::DynamoDB::Table"):
        yield f"{table} recovery", table.properties["PointInTimeRecoverySpecification"].get("RecoveryPeriodInDays", 35)
    for plan in deployment.resources("AWS::Backup::BackupPlan"):
        for rule in plan.properties["BackupPlan"]["BackupPlanRule"]:
            yield f"{plan} {rule['RuleName']}", rule.get("Lifecycle", {}).get("DeleteAfterDays")


def archives_end(deployment: Deployment) -> Iterator[str]:
    """Archives of records that people asked for go within a month, and what was half uploaded within a day or so."""
    [documents] = [each for each in deployment.resources("AWS::S3::Bucket") if each.id == "DocumentsBucket"]
    rules = documents.properties.get("LifecycleConfiguration", {}).get("Rules", ())
    archives = [
        each.get("ExpirationInDays")
        for each in rules
        if each.get("Prefix") == "exports/" and each["Status"] == "Enabled"
    ]
    if not archives or not all(days and days <= DAYS_OF_AN_ARCHIVE for days in archives):
        yield f"{documents}: archives are kept {archives or 'for ever'}"
    if not any("AbortIncompleteMultipartUpload" in each for each in rules):
        yield f"{documents}: half uploads are kept for ever"


def data_stay_in_the_union(deployment: Deployment) -> Iterator[str]:
    """By default the stack refuses every region but those of the European Union."""
    written = next(each for each in deployment.written if each.name == deployment.main.name)
    regions = _contained(written.content.get("Rules", {}))
    if not regions or not regions <= set(UNION):
        yield f"{written.name}: may be deployed to {sorted(regions - set(UNION)) or 'any region'}"
    if written.content["Parameters"].get("OutsideTheUnion", {}).get("Default") != "refused":
        yield f"{written.name}: other regions are allowed by default"


def _contained(expression: Any) -> set[str]:
    """Every value that an Fn::Contains about the region lists."""
    match expression:
        case {"Fn::Contains": [list(values), {"Ref": "AWS::Region"}]}:
            return set(values)
        case dict():
            return set().union(*map(_contained, expression.values()))
        case list():
            return set().union(*map(_contained, expression))
    return set()


RULES = (
    logs_are_encrypted_and_end,
    functions_log_to_their_own_group,
    functions_of_the_application_are_bounded,
    queues_are_encrypted,
    what_fails_is_set_aside,
    what_failed_is_kept_for_two_weeks,
    backups_end,
    an_erasure_ends_in_time,
    archives_end,
    data_stay_in_the_union,
)
