"""`python -m infra.admin`: what an operator can do to an installation, each use of it in the trace of the operators."""

import argparse
import sys
from collections.abc import Callable, Sequence
from enum import IntEnum

from infra.admin import capacity, inspection, issuer_keys, orders, replays
from infra.admin.installation import FAILURES, Installation, NotNow, Refused, Stack
from infra.admin.report import Report

_EPILOG = """\
exit codes: 0 done, and nothing is wrong; 1 done, and something is wrong; 2 wrong usage; 3 refused; 4 not possible now

Every use is noted in the trace of the operators before it does anything, and its outcome after; `log` shows it.
"""

type Command = Callable[[Installation, argparse.Namespace], Report]


class Exit(IntEnum):
    """How a command ended."""

    WELL = 0
    WRONG = 1
    USAGE = 2
    REFUSED = 3
    NOT_NOW = 4


def main(arguments: Sequence[str] | None = None, installation: Installation | None = None) -> int:
    """Carry out one command, print its report, and return the exit code."""
    parser = _parser()
    given = parser.parse_args(arguments)
    if installation is None and not (given.stack or given.local):
        parser.error("one of --stack and --local is needed")
    command: Command = given.command
    try:
        report = command(installation or _installation(given), given)
    except ValueError as problem:
        return _failed(Exit.USAGE, str(problem))
    except Refused as refusal:
        return _failed(Exit.REFUSED, f"refused: {refusal}")
    except (NotNow, *FAILURES) as failure:
        return _failed(Exit.NOT_NOW, f"not now: {type(failure).__name__}: {failure}")
    sys.stdout.write(report.printed(given.output) + "\n")
    return Exit.WELL if report.is_well else Exit.WRONG


def _failed(code: Exit, text: str) -> int:
    sys.stderr.write(text + "\n")
    return code


def _installation(given: argparse.Namespace) -> Stack:
    return Stack(given.stack or "", given.region, operator=given.operator, local=given.local or "")


def _parser() -> argparse.ArgumentParser:
    form = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser("python -m infra.admin", description=__doc__, epilog=_EPILOG, formatter_class=form)
    where = parser.add_mutually_exclusive_group()
    where.add_argument("--stack", metavar="NAME", help="the deployed stack, reached by the credentials of the caller")
    where.add_argument("--local", metavar="URL", help="the local stack, such as http://127.0.0.1:8000")
    parser.add_argument("--region", help="region of the stack, where the environment does not tell it")
    parser.add_argument("--operator", default="", help="who acts, locally; on AWS it is the caller's session")
    parser.add_argument("--output", choices=("table", "json"), default="table", help="for people, or for programs")
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    _add_inspection(commands)
    _add_orders(commands)
    _add_keys(commands)
    return parser


type _Commands = "argparse._SubParsersAction[argparse.ArgumentParser]"


def _command(commands: _Commands, name: str, text: str, command: Command) -> argparse.ArgumentParser:
    added = commands.add_parser(name, help=text, description=text)
    added.set_defaults(command=command)
    return added


def _add_inspection(commands: _Commands) -> None:
    fsck = _command(commands, "fsck", "hold all that is stored against what must be so", _fsck)
    fsck.add_argument("--record", default="", help="this record alone")
    fsck.add_argument("--bytes", action="store_true", help="read and hash every document, not only what S3 says of it")
    fsck.add_argument("--sweep", action="store_true", help="delete objects that nothing names, older than 25 hours")
    fsck.add_argument("--parallel", type=_number(1, 100), default=1, metavar="N", help="parts of the table at once")
    fsck.add_argument("--resume", default="", metavar="FILE", help="keep how far it is in this file, and go on from it")
    counted = _command(
        commands, "capacity", "tell how much is stored, what waits, and what comes near a limit", _capacity
    )
    counted.add_argument("--scan", action="store_true", help="count what all records hold, reading every one")
    counted.add_argument("--parallel", type=_number(1, 100), default=1, metavar="N", help="parts of the table at once")


def _add_orders(commands: _Commands) -> None:
    again = _command(commands, "replay", "handle again what was set aside", _replay)
    again.add_argument("queue", choices=replays.QUEUES)
    again.add_argument("--limit", type=_number(1, 100_000), default=1_000, metavar="N", help="messages at most")
    rebuild = _command(commands, "rebuild", "read all documents of a record anew, for search and profile", _rebuild)
    rebuild.add_argument("record")
    rebuild.add_argument("--after", default="", metavar="LOCAL", help="go on behind this document")
    for action, text in (
        ("suspend", "suspend a record; its person is told"),
        ("resume", "end the suspension of a record"),
    ):
        order = _command(commands, action, text, _suspend)
        order.set_defaults(action=action)
        order.add_argument("record")
        order.add_argument("--reason", required=True, help="why, as the head of the record keeps it")
    chain = _command(commands, "complete-chain", "chain whatever of a record's trace is not chained", _complete_chain)
    chain.add_argument("record")
    log = _command(commands, "log", "show what operators did, newest first", _log)
    log.add_argument("--limit", type=_number(1, 10_000), default=20, metavar="N")


def _add_keys(commands: _Commands) -> None:
    text = "show the keys of the trusted issuers, fetch them anew, refuse one"
    keys = commands.add_parser("keys", help=text, description=text).add_subparsers(metavar="ACTION", required=True)
    _command(
        keys, "show", "which keys each issuer serves, and which are refused here", lambda i, _: issuer_keys.show(i)
    )
    _command(keys, "renew", "let every key be fetched anew, at once", lambda i, _: issuer_keys.renew(i))
    for name, act, help_text in (
        ("revoke", issuer_keys.revoke, "refuse a key at once, whatever its issuer serves"),
        ("restore", issuer_keys.restore, "take back that a key is refused"),
    ):
        one = _command(keys, name, help_text, lambda i, given, act=act: act(i, given.issuer, given.kid))  # type: ignore[misc]
        one.add_argument("--issuer", required=True, metavar="URL")
        one.add_argument("--kid", required=True)


def _number(lowest: int, highest: int) -> Callable[[str], int]:
    def number(text: str) -> int:
        if not text.isdecimal() or not lowest <= int(text) <= highest:
            raise argparse.ArgumentTypeError(f"a number from {lowest} to {highest}")
        return int(text)

    return number


def _fsck(installation: Installation, given: argparse.Namespace) -> Report:
    return inspection.fsck(
        installation,
        record=given.record,
        reads_bytes=given.bytes,
        sweeps=given.sweep,
        parallel=given.parallel,
        resume=given.resume,
    )


def _capacity(installation: Installation, given: argparse.Namespace) -> Report:
    return capacity.capacity(installation, scans=given.scan, parallel=given.parallel)


def _replay(installation: Installation, given: argparse.Namespace) -> Report:
    return replays.replay(installation, given.queue, given.limit)


def _rebuild(installation: Installation, given: argparse.Namespace) -> Report:
    return orders.rebuild(installation, given.record, given.after)


def _suspend(installation: Installation, given: argparse.Namespace) -> Report:
    return orders.suspend(installation, given.record, given.action, given.reason)


def _complete_chain(installation: Installation, given: argparse.Namespace) -> Report:
    return orders.complete_chain(installation, given.record)


def _log(installation: Installation, given: argparse.Namespace) -> Report:
    return orders.log(installation, given.limit)


if __name__ == "__main__":
    sys.exit(main())
