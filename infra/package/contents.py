"""What of the libraries stays out of the package: what no function can reach, by name. Whatever is not named stays.

Licences stay, and of the description of each distribution its head: scanners for known weaknesses go by name and
version.
"""

import re
import shutil
from collections.abc import Iterator
from itertools import takewhile
from pathlib import Path

ELSEWHERE = frozenset({"jmespath", "pycparser"})
"""Distributions that are not needed: one comes with the runtime's boto3, one read C when cryptography was built."""
UNREACHED = (
    # cryptography loads cffi's extension module alone
    "cffi",
    "pycparser",
    "pycparser-*.dist-info",
    # certificates, recipes: the functions verify signatures and seal cursors
    "cryptography/fernet.py",
    "cryptography/hazmat/asn1",
    "cryptography/hazmat/primitives/hpke.py",
    "cryptography/hazmat/primitives/kdf",
    "cryptography/hazmat/primitives/serialization/pkcs*.py",
    "cryptography/hazmat/primitives/twofactor",
    "cryptography/x509",
    # all but what the logger loads
    "aws_lambda_powertools/event_handler",
    "aws_lambda_powertools/logging/formatters",
    "aws_lambda_powertools/metrics/provider/datadog",
    "aws_lambda_powertools/middleware_factory",
    "aws_lambda_powertools/shared/cookies.py",
    "aws_lambda_powertools/shared/dynamodb_deserializer.py",
    "aws_lambda_powertools/shared/headers_serializer.py",
    "aws_lambda_powertools/shared/json_encoder.py",
    "aws_lambda_powertools/utilities/[!_j]*",
    # the former pydantic, the one to come, what is no model, types that none has, and what checks types
    "pydantic/color.py",
    "pydantic/dataclasses.py",
    "pydantic/deprecated",
    "pydantic/experimental",
    "pydantic/mypy.py",
    "pydantic/networks.py",
    "pydantic/root_model.py",
    "pydantic/type_adapter.py",
    "pydantic/validate_call_decorator.py",
    "pydantic/v1",
    # what draws on a page
    "pypdf/annotations",
    # comes with the boto3 of the runtime
    "jmespath",
    "jmespath-*",
    # tests, and what SAM CLI copies along
    "annotated_types/test_cases.py",
    "requirements.txt",
    # everywhere
    "**/*.pyi",
    "**/py.typed",
)
ZONES = frozenset({"Europe/Paris"})
"""The time zones that the functions name; Lambda's system need not have any."""
NOTICES = "NOTICES"
_DESCRIPTION = "METADATA"
_LEGAL = re.compile(r"licen[cs]e|notice|copying", re.IGNORECASE)


class Missing(Exception):
    """Something to be left out is not there: a library changed, and the list has to follow."""


def prune(package: Path) -> None:
    """Remove from a built package what no function reaches; Missing where the list names what is not there."""
    for pattern in UNREACHED:
        _remove(package, pattern)
    for cache in package.rglob("__pycache__"):
        shutil.rmtree(cache)
    (package / NOTICES).write_text("\n\n".join(_notices(package)), encoding="utf-8")
    for superfluous in [*_unused_zones(package / "tzdata/zoneinfo"), *_records(package)]:
        superfluous.unlink()
    for description in package.glob(f"*.dist-info/{_DESCRIPTION}"):
        head, _, _ = description.read_text(encoding="utf-8").partition("\n\n")
        description.write_text(head + "\n", encoding="utf-8")


def _remove(package: Path, pattern: str) -> None:
    found = sorted(package.glob(pattern))
    if not found:
        raise Missing(f"{package} has no {pattern}")
    for path in found:
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink()


def _unused_zones(zones: Path) -> Iterator[Path]:
    for path in sorted(zones.rglob("*")):
        is_package = path.name == "__init__.py" and any(path.parent in (zones / used).parents for used in ZONES)
        if path.is_file() and not is_package and path.relative_to(zones).as_posix() not in ZONES:
            yield path


def _notices(package: Path) -> list[str]:
    """The notices of copyright that stand at the head of sources, and nowhere else once there is byte code alone."""
    heads = (_head(path.read_text(encoding="utf-8")) for path in sorted(package.rglob("*.py")))
    return list(dict.fromkeys(head for head in heads if "copyright" in head.lower()))


def _head(source: str) -> str:
    return "\n".join(takewhile(lambda line: line.startswith("#") or not line.strip(), source.splitlines())).strip()


def _records(package: Path) -> Iterator[Path]:
    """What installers keep of a distribution, but for its description and its licences."""
    for path in sorted(package.glob("*.dist-info/**/*")):
        if path.is_file() and path.name != _DESCRIPTION and not _LEGAL.search(path.name):
            yield path
