"""`make smoke`: whether a deployed account, or the local stack, is as the template says, and refuses what it must."""

import argparse
import json
import sys
from collections import Counter
from collections.abc import Iterator, Sequence

from infra.admin.installation import FAILURES, NotNow, Stack
from infra.smoke import alarms, backups, buckets, permissions, storage, tried, watch
from infra.smoke.account import Account
from infra.smoke.result import Result, State, unchecked

_BY_MOTO = "moto's CloudFormation does not make it"
_NOT_ENFORCED = "moto does not enforce it"
NOT_LOCAL = {
    **dict.fromkeys(("table.encryption", "table.policy", "bucket.policy", "queue.policy"), _BY_MOTO),
    **dict.fromkeys(("bucket.tls", "bucket.key"), "moto's bucket policies know no conditions"),
    **dict.fromkeys(("signed.length", "signed.type", "signed.expired"), _NOT_ENFORCED),
    "stream.policy": "moto's streams have no policy",
    "roles": "the local stack has none",
}
"""What fails on the local stack through no fault of ours; all else must hold there too."""
GROUPS = (
    *(permissions.keys, permissions.roles, permissions.policies, permissions.functions),
    *(storage.tables, buckets.buckets, storage.queues, storage.secrets),
    *(watch.logs, alarms.alarms, alarms.topics, watch.schedules),
    *(backups.plans, backups.selections, backups.vaults),
)
_ENDS = {State.OK: "ok", State.FAILED: "FAILED", State.UNCHECKED: "not checked"}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run every check; 0 where none failed, 1 where one did, 4 where the stack could not be asked."""
    parser = argparse.ArgumentParser("python -m infra.smoke", description=__doc__)
    where = parser.add_mutually_exclusive_group(required=True)
    where.add_argument("--stack", metavar="NAME", help="the deployed stack, by the credentials of the caller")
    where.add_argument("--local", metavar="URL", help="the local stack, such as http://127.0.0.1:8000")
    parser.add_argument("--region", help="region of the stack, where the environment does not tell it")
    parser.add_argument("--base", default="", metavar="URL", help="where the API answers, if not where the stack says")
    parser.add_argument("--output", choices=("table", "json"), default="table")
    given = parser.parse_args(arguments)
    try:
        account = Account(Stack(given.stack or "", given.region, local=given.local or ""))
        base = given.base or (f"{given.local.rstrip('/')}/fhir" if given.local else account.outputs["Base"])
        results = list(checked(account, base))
    except (NotNow, KeyError, ValueError, *FAILURES) as failure:
        sys.stderr.write(f"the stack cannot be asked: {type(failure).__name__}: {failure}\n")
        return 4
    sys.stdout.write(printed(results, given.output) + "\n")
    return 1 if any(one.state is State.FAILED for one in results) else 0


def checked(account: Account, base: str) -> Iterator[Result]:
    """Every check, in order; on the local stack, what cannot hold there is told to be so."""
    for one in _all(account, base):
        if account.is_local and one.state is State.FAILED and one.check in NOT_LOCAL:
            yield unchecked(one.check, one.target, NOT_LOCAL[one.check])
        else:
            yield one


def _all(account: Account, base: str) -> Iterator[Result]:
    for group in GROUPS:
        yield from group(account)
    yield from tried.api(base)
    yield from tried.other_name(account)
    yield from tried.authorizer(account)
    yield from tried.bucket(account)


def printed(results: Sequence[Result], form: str) -> str:
    """As JSON for programs, or as lines for people with the failures last."""
    if form == "json":
        rows = [{"check": one.check, "target": one.target, "state": one.state.value, "why": one.why} for one in results]
        return json.dumps(rows, indent=2)
    order = [State.OK, State.UNCHECKED, State.FAILED]
    lines = [
        f"{_ENDS[one.state]:<12} {one.check:<18} {one.target}{': ' + one.why if one.why else ''}"
        for one in sorted(results, key=lambda one: order.index(one.state))
    ]
    counts = Counter(one.state for one in results)
    return "\n".join([*lines, "", ", ".join(f"{counts[state]} {_ENDS[state]}" for state in order)])


if __name__ == "__main__":
    sys.exit(main())
