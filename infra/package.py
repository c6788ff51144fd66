"""Finish what `sam build` made: prove that the requirements got in, then add the byte code that it leaves out.

Lambda's task folder is read-only, so a package without byte code compiles every module again at every cold start.
Run as `python -m infra.package .aws-sam/build`, with the Python of the functions' runtime.
"""

import compileall
import importlib.metadata
import re
import sys
from pathlib import Path
from py_compile import PycInvalidationMode

REQUIREMENTS = Path("functions/requirements.txt")
TASK_FOLDER = "/var/task"


def required() -> dict[str, str]:
    """Return the version that requirements.txt pins for each package."""
    pins = re.findall(r"^([\w.-]+)==([\w.+!-]+)", REQUIREMENTS.read_text(encoding="utf-8"), re.MULTILINE)
    return {_normalised(name): version for name, version in pins}


def built(package: Path) -> dict[str, str]:
    """Return the version of each distribution that lies in a built package."""
    found = importlib.metadata.distributions(path=[str(package)])
    return {_normalised(each.name): each.version for each in found}


def finish(package: Path) -> None:
    """Check one built package and compile it, with hashes that nobody verifies at start-up."""
    wanted = required()
    if not wanted or built(package) != wanted:
        sys.exit(f"{package}: holds {built(package)}, but requirements.txt pins {wanted}")
    compiled = compileall.compile_dir(
        package,
        stripdir=str(package),
        prependdir=TASK_FOLDER,
        force=True,
        quiet=1,
        invalidation_mode=PycInvalidationMode.UNCHECKED_HASH,
    )
    if not compiled:
        sys.exit(f"{package}: does not compile")
    print(f"{package}: {len(wanted)} requirements, {len(list(package.rglob('*.pyc')))} modules compiled")


def _normalised(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def main(build: Path) -> None:
    """Finish every package below the folder of the build."""
    packages = [each for each in build.iterdir() if each.is_dir()]
    if not packages:
        sys.exit(f"{build}: nothing was built")
    for package in packages:
        finish(package)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
