"""Runs handlers of a package as Lambda does, in a process that has the package, boto3 and the standard library alone.

Started with `-I -S` and two folders; takes a line of JSON, a handler and its event, and answers with a line.
"""

import importlib
import json
import os
import sys
import traceback


def main() -> None:
    """Answer until there is nothing more to read; what handlers print goes where errors go."""
    sys.path[:0], sys.path[len(sys.path) :] = [sys.argv[1]], [sys.argv[2]]
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    for line in sys.stdin:
        name, event, context = json.loads(line)
        module, _, attribute = name.rpartition(".")
        try:
            answer = {"answer": getattr(importlib.import_module(module), attribute)(event, Context(context))}
        except Exception as failure:  # noqa: BLE001 - whatever a handler raises, Lambda tells and goes on
            traceback.print_exc()
            answer = {"failed": f"{type(failure).__name__}: {failure}"}
        print(json.dumps(answer), file=answers, flush=True)


class Context:
    """What a handler learns of its own invocation."""

    def __init__(self, known: dict[str, object]) -> None:
        self.__dict__.update(known)

    def get_remaining_time_in_millis(self) -> int:
        """Enough."""
        return 20_000


if __name__ == "__main__":
    main()
