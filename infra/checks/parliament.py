"""parliament on every policy: known actions, resources that they take, conditions that they know."""

import json
import re
import subprocess
from collections.abc import Mapping
from typing import Any

from infra.checks.bars import Verdict
from infra.checks.deployments import AUDITORS, ROOT, Application, Resource
from infra.checks.plausible import arn, plain
from infra.checks.policies import Kind, documents

# what it says of sound policies, by what they hang on
QUIRKS = {
    Kind.ROLE: (
        # AWS gives it no resource; Lambda asks it of the streams it reads, as SAM's own policy templates allow it
        r"RESOURCE_MISMATCH \[\{'action': 'dynamodb:ListStreams', 'required_format': '\*'\}\]",
        # Lambda says it of every call that a function makes
        r"UNKNOWN_CONDITION_FOR_ACTION Unknown condition lambda:SourceFunctionArn for action ec2:\w+",
    ),
    Kind.TRUST: (),
    Kind.RESOURCE: (
        # there `*` is the resource that holds the policy
        r"RESOURCE_STAR .*",
        # a denial of every action has a condition that some of them do not know, which then do not fall under it
        r"UNKNOWN_CONDITION_FOR_ACTION Unknown condition \S+ for action (kms|s3):\w+",
        # an ARN in a text; a number that is not whole
        r"MISMATCHED_TYPE\w* Type mismatch: \w+ requires a value of type (String|Arn) but given (Arn|String)",
        r"MISMATCHED_TYPE Type mismatch: s3:TlsVersion requires a value of type Numeric but given \['1.2'\]",
    ),
}
OF_SCHEDULES = r"NO_VERSION "
"""The roles that SAM writes for schedules hold policies without one."""


def judge(application: Application) -> Verdict:
    """Judge each policy of each deployment, references replaced by plausible ARNs."""
    policies: dict[str, Any] = {}
    quirks: dict[str, tuple[str, ...]] = {}
    for deployment in application.deployments:
        for resource in deployment.resources():
            for number, (kind, document) in enumerate(documents(resource)):
                holder = f"{resource} {kind} {number} ({deployment.choice})"
                policies[holder] = _judged(kind, document, resource)
                quirks[holder] = (*QUIRKS[kind], *_of_schedules(resource))
    command = [str(AUDITORS / "python"), "-m", "infra.checks.policy_audit"]
    run = subprocess.run(command, input=json.dumps(policies), cwd=ROOT, capture_output=True, text=True, check=False)
    if run.returncode:
        return Verdict("no report", (run.stderr,))
    failures = dict.fromkeys(
        f"{holder.rpartition(' (')[0]}: {finding}"
        for holder, findings in json.loads(run.stdout).items()
        for finding in findings
        if not any(re.fullmatch(quirk, finding) for quirk in quirks[holder])
    )
    count = sum(len(policy["Statement"]) for policy in policies.values())
    return Verdict(f"{len(policies)} policies, {count} statements, {len(failures)} findings", tuple(failures))


def _judged(kind: Kind, document: Mapping[str, Any], resource: Resource) -> Any:
    policy = plain(document, resource.stack)
    if kind is Kind.TRUST:
        # parliament knows policies that name a resource only: here it is the role itself
        policy = {**policy, "Statement": [{**each, "Resource": arn(resource)} for each in policy["Statement"]]}
    return policy


def _of_schedules(resource: Resource) -> tuple[str, ...]:
    written_by_sam = "scheduler.amazonaws.com" in str(resource.properties.get("AssumeRolePolicyDocument"))
    return (OF_SCHEDULES,) if written_by_sam else ()
