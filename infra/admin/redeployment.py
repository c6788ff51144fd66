"""`make kept-keys`: whether a deployment would trust again a key of an issuer that an operator had refused."""

import json
import sys
import tomllib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from infra.admin import issuer_keys
from infra.admin.installation import FAILURES, Installation, Refused, Stack

PARAMETER = "RevokedKeys"
SETTINGS = Path("samconfig.toml")

type Key = tuple[str, str]


def main(
    arguments: Sequence[str] | None = None, installed: Callable[[str, str], Installation] = Stack, path: Path = SETTINGS
) -> int:
    """0 where every key that is refused now stays so, 1 where one would not, 4 where that cannot be told."""
    [environment] = sys.argv[1:] if arguments is None else arguments
    settings = tomllib.loads(path.read_text())[environment]["deploy"]["parameters"]
    try:
        lost = taken_back(installed(settings["stack_name"], settings["region"]), settings)
    except (*FAILURES, KeyError, TypeError, ValueError) as failure:
        sys.stderr.write(f"whether a refused key would be taken back cannot be told: {type(failure).__name__}\n")
        return 4
    for issuer, kid in lost:
        sys.stderr.write(f"this deployment would trust a refused key again: {issuer} {kid}\n")
    if lost:
        sys.stderr.write(f"name it in {PARAMETER} in {path.name}, or restore it first: keys restore\n")
    return 1 if lost else 0


def taken_back(installation: Installation, settings: dict[str, Any]) -> list[Key]:
    """The keys that the authorizer refuses now, and would not after a deployment by these settings."""
    try:
        name = installation.function(issuer_keys.FUNCTION)
    except Refused:
        return []
    told = installation.client("lambda").get_function_configuration(FunctionName=name)
    now = _keys(told["Environment"]["Variables"].get(issuer_keys.VARIABLE))
    named = settings.get("parameter_overrides", {})
    then = _keys(named[PARAMETER] if PARAMETER in named else _deployed(installation, settings["stack_name"]))
    return sorted(now - then)


def _deployed(installation: Installation, stack: str) -> str:
    """What the stack was deployed with: what a deployment does not name stays as it is."""
    [found] = installation.client("cloudformation").describe_stacks(StackName=stack)["Stacks"]
    given = {one["ParameterKey"]: one["ParameterValue"] for one in found.get("Parameters", [])}
    return str(given.get(PARAMETER, ""))


def _keys(text: str | None) -> set[Key]:
    return {(one["issuer"], one["kid"]) for one in json.loads(text or "[]")}


if __name__ == "__main__":
    sys.exit(main())
