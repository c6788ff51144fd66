"""`python -m infra.admin`: what an operator can do to an installation, each use of it in the trace of the operators."""

import argparse
import sys
from collections.abc import Callable, Sequence
from enum import IntEnum
from typing import Any

from infra.admin import capacity, inspection, issuer_keys, orders, replays
from infra.admin.installation import FAILURES, Installation, NotNow, Refused, Stack
from infra.admin.report import Report

_EPILOG = """\
exit codes: 0 done, and nothing is wrong; 1 done, and something is wrong; 2 wrong usage; 3 refused; 4 not possible now;
130 interrupted. `make admin` tells all but the first as make does, by its own 2: scripts call the module itself.

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
    INTERRUPTED = 130


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
    except KeyboardInterrupt:
        return _failed(Exit.INTERRUPTED, "interrupted; what was done until then stands")
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
    _add_general(parser)
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    _add_inspection(commands)
    _add_orders(commands)
    _add_keys(commands)
    return parser


def _add_general(parser: argparse.ArgumentParser, *, is_command: bool = False) -> None:
    """What may stand before a command or behind it: there, only what is given says anything."""

    def standing(value: str | None) -> Any:
        return argparse.SUPPRESS if is_command else value

    def told(text: str) -> str:
        return argparse.SUPPRESS if is_command else text

    where = parser.add_mutually_exclusive_group()
    text = told("the deployed stack, reached by the credentials of the caller")
    where.add_argument("--stack", metavar="NAME", default=standing(None), help=text)
    text = told("the local stack, such as http://127.0.0.1:8000")
    where.add_argument("--local", metavar="URL", default=standing(None), help=text)
    text = told("region of the stack, where the environment does not tell it")
    parser.add_argument("--region", default=standing(None), help=text)
    text = told("who acts, locally; on AWS it is the caller's session")
    parser.add_argument("--operator", default=standing(""), help=text)
    text = told("for people, or for programs")
    parser.add_argument("--output", choices=("table", "json"), default=standing("table"), help=text)


type _Commands = "argparse._SubParsersAction[argparse.ArgumentParser]"


def _command(commands: _Commands, name: str, text: str, command: Command) -> argparse.ArgumentParser:
    added = commands.add_parser(name, help=text, description=text)
    added.set_defaults(command=command)
    _add_general(added, is_command=True)
    return added


def _add_inspection(commands: _Commands) -> None:
    fsck = _command(commands, "fsck", "hold all that is stored against what must be so", _fsck)
    fsck.add_argument("--record", default="", help="this record alone")
    fsck.add_argument("--bytes", action="store_true", help="read and hash every document, not only what S3 says of it")
    fsck.add_argument("--sweep", action="store_true", help="delete objects that nothing names, older than 25 hours")
    fsck.add_argument("--parallel", type=_number(1, 10), default=1, metavar="N", help="parts of the table at once")
    fsck.add_argument("--resume", default="", metavar="FILE", help="keep how far it is in this file, and go on from it")
    counted = _command(
        commands, "capacity", "tell how much is stored, what waits, and what comes near a limit", _capacity
    )
    counted.add_argument("--scan", action="store_true", help="count what all records hold, reading every one")
    counted.add_argument("--parallel", type=_number(1, 10), default=1, metavar="N", help="parts of the table at once")


def _add_orders(commands: _Commands) -> None:
    again = _command(commands, "replay", "handle again what was set aside", _replay)
    again.add_argument("queue", choices=replays.QUEUES)
    again.add_argument("--limit", type=_number(1, 100_000), default=1_000, metavar="N", help="messages at most")
    text = "delete, and count in the trace, what can never be handled: of no form of ours, or forgotten by its stream"
    again.add_argument("--drop-poison", action="store_true", help=text)
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
    revoking = _command(keys, "revoke", "refuse a key at once, whatever its issuer serves", _revoke)
    revoking.add_argument("--unserved", action="store_true", help="even where the issuer serves no such key")
    restoring = _command(keys, "restore", "take back that a key is refused", _restore)
    for one in (revoking, restoring):
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
    return replays.replay(installation, given.queue, given.limit, drops=given.drop_poison)


def _revoke(installation: Installation, given: argparse.Namespace) -> Report:
    return issuer_keys.revoke(installation, given.issuer, given.kid, is_unserved=given.unserved)


def _restore(installation: Installation, given: argparse.Namespace) -> Report:
    return issuer_keys.restore(installation, given.issuer, given.kid)


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
