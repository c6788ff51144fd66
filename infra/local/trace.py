"""Prints a searchset of AuditEvents a line each: `… | python -m infra.local.trace`."""

import json
import sys
from typing import Any

_OUTCOMES = {"0": "done", "8": "refused"}


def line(event: dict[str, Any]) -> str:
    """When, what, by whom, and whether it was done."""
    requestor = next(agent["who"] for agent in event["agent"] if agent["requestor"])
    who = requestor.get("display") or requestor.get("reference") or requestor["identifier"]["value"]
    subtypes = "/".join(code["code"] for code in event["subtype"])
    return f"{event['recorded']}  {_OUTCOMES[event['outcome']]:<8} {subtypes:<22} {who}"


if __name__ == "__main__":
    for entry in reversed(json.load(sys.stdin)["entry"]):
        print(line(entry["resource"]))
