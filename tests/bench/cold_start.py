"""One cold start in a process of its own: CPU of import and first event, and memory after it. Run by the bench."""

import importlib
import json
import re
import sys
import time
from pathlib import Path


def main() -> None:
    """Read `[handler, event]` from standard input, call the handler once, print what it cost as JSON."""
    name, event = json.load(sys.stdin)
    module, _, attribute = name.rpartition(".")
    started = time.process_time()
    handler = getattr(importlib.import_module(module), attribute)
    imported = time.process_time()
    answer = handler(event, None)
    ended = time.process_time()
    warm = [_cpu(handler, event) for _ in range(20)]
    report = {
        "status": answer.get("statusCode", 200) if isinstance(answer, dict) else 200,
        "import_ms": (imported - started) * 1000,
        "cold_ms": (ended - started) * 1000,
        "warm_ms": sorted(warm)[len(warm) // 2] * 1000,
        "rss_mb": _peak_kilobytes() / 1024,
        "modules": len(sys.modules),
    }
    print(json.dumps(report))


def _peak_kilobytes() -> int:
    """The most memory that this process held."""
    found = re.search(r"VmHWM:\s+(\d+)", Path("/proc/self/status").read_text())
    return int(found[1]) if found else 0


def _cpu(handler: object, event: object) -> float:
    started = time.process_time()
    handler(event, None)  # type: ignore[operator]
    return time.process_time() - started


if __name__ == "__main__":
    main()
