"""Whether what requirements.txt pins got into a package: without that file `sam build` succeeds with nothing in it."""

import importlib.metadata
import re
from pathlib import Path

REQUIREMENTS = Path("functions/requirements.txt")


class Incomplete(Exception):
    """A package holds other distributions than requirements.txt pins; the text says which."""


def check(package: Path, *, but: frozenset[str] = frozenset()) -> None:
    """Raise Incomplete unless the package holds the pinned distributions, `but` those, and no other."""
    wanted = {name: version for name, version in pinned().items() if name not in but}
    if not wanted or held(package) != wanted:
        raise Incomplete(f"{package} holds {held(package)}, but {REQUIREMENTS} pins {wanted}")


def pinned() -> dict[str, str]:
    """Return the version that requirements.txt pins for each distribution."""
    pins = re.findall(r"^([\w.-]+)==([\w.+!-]+)", REQUIREMENTS.read_text(encoding="utf-8"), re.MULTILINE)
    return {_normalised(name): version for name, version in pins}


def held(package: Path) -> dict[str, str]:
    """Return the version of each distribution that lies in a package."""
    found = importlib.metadata.distributions(path=[str(package)])
    return {_normalised(each.name): each.version for each in found}


def _normalised(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
