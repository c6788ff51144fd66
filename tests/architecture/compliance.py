"""The pages for auditors as data: their tables, what they quote, and whether what a reference names is there."""

import ast
import json
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "infra/compliance"
PAGES = sorted(FOLDER.glob("*.md"))
_SECTIONS = ("Resources", "Parameters", "Conditions", "Outputs")
_REFERENCE = re.compile(r"[\w.-]+(/[\w.-]+)+|\S+(\.py::|\.yaml#)\S+")
_SKIP = re.compile(r"\bskip(if)?\b")
_RULER = re.compile(r"\|[ :|-]+")


class _Loader(yaml.SafeLoader):
    """YAML in which the short forms of CloudFormation stay what they say."""


def _short_form(loader: yaml.SafeLoader, tag: str, node: yaml.Node) -> dict[str, Any]:
    if isinstance(node, yaml.ScalarNode):
        return {tag: loader.construct_scalar(node)}
    if isinstance(node, yaml.SequenceNode):
        return {tag: loader.construct_sequence(node, deep=True)}
    return {tag: loader.construct_mapping(node, deep=True)} if isinstance(node, yaml.MappingNode) else {}


_Loader.add_multi_constructor("!", _short_form)


@cache
def template(path: Path) -> dict[str, Any]:
    """A template, or any other YAML, as it is written."""
    return dict(yaml.load(path.read_text(encoding="utf-8"), Loader=_Loader))  # noqa: S506


@cache
def stacks() -> list[Path]:
    """The template and the stacks nested in it or deployed beside it."""
    return [
        ROOT / "template.yaml",
        *(each for each in sorted(ROOT.glob("infra/*.yaml")) if "Resources" in template(each)),
    ]


def resources(*kinds: str) -> dict[str, dict[str, Any]]:
    """The properties of every resource of these types, in all stacks, by logical id."""
    declared = [each for path in stacks() for each in template(path)["Resources"].items()]
    return {name: each.get("Properties", {}) for name, each in declared if each["Type"] in kinds}


def quoted(page: Path) -> list[str]:
    """What stands between backticks."""
    return re.findall(r"`([^`\n]+)`", page.read_text(encoding="utf-8"))


def references() -> Iterator[tuple[Path, str]]:
    """Whatever a page quotes that names a test, a piece of code, a line of a template or a file."""
    for page in PAGES:
        yield from ((page, each) for each in quoted(page) if _REFERENCE.fullmatch(each))


def rows(page: str, cells: int) -> list[list[str]]:
    """The rows of all tables of a page with so many cells, headings and rulers aside."""
    lines = (FOLDER / page).read_text(encoding="utf-8").splitlines()
    is_ruler = [bool(_RULER.fullmatch(line)) for line in lines]
    bodies = [
        line
        for line, ruler, above_ruler in zip(lines, is_ruler, [*is_ruler[1:], False], strict=True)
        if line.startswith("|") and not ruler and not above_ruler
    ]
    split = [[cell.strip() for cell in line.strip("|").split("|")] for line in bodies]
    return [row for row in split if len(row) == cells]


def problem(reference: str) -> str | None:
    """What is wrong with a reference, None where it leads to something."""
    path, mark, name = re.split(r"(::|#|$)", reference, maxsplit=1)
    file = ROOT / path
    if not file.exists():
        return f"no file {path}"
    if mark == "::":
        return None if name in _defined(file) else f"no {name} in {path}"
    return _in_template(file, name) if mark else None


@cache
def _defined(file: Path) -> set[str]:
    """Functions, classes, their methods and the constants of a module."""
    names: set[str] = set()
    for node in ast.parse(file.read_text(encoding="utf-8")).body:
        match node:
            case ast.FunctionDef(name=name):
                names.add(name)
            case ast.ClassDef(name=name, body=body):
                names |= {name, *(f"{name}::{each.name}" for each in body if isinstance(each, ast.FunctionDef))}
            case ast.Assign(targets=[ast.Name(id=name)]) | ast.AnnAssign(target=ast.Name(id=name)):
                names.add(name)
    return names


def may_skip(reference: str) -> bool:
    """Whether a test needs something that lies outside the repository, and skips without it."""
    path, _, name = reference.partition("::")
    if not path.endswith(".py"):
        return False
    return bool({"", *name.split("::")} & _skipping(ROOT / path))


@cache
def _skipping(file: Path) -> set[str]:
    """The tests and classes that may skip, and the empty name where all of a module may."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        match node:
            case ast.FunctionDef(name=name) | ast.ClassDef(name=name) if _SKIP.search(
                "".join(map(ast.unparse, node.decorator_list))
            ):
                found.add(name)
            case ast.FunctionDef(name=name) if "pytest.skip(" in ast.unparse(node):
                found.add(name)
            case ast.Assign(targets=[ast.Name(id="pytestmark")]) if _SKIP.search(ast.unparse(node)):
                found.add("")
    return found


def _in_template(file: Path, name: str) -> str | None:
    """`Name`, `Name/Sid of a statement`, `Parameter=default` or `Resource.Path.To=value`."""
    place, _, value = name.partition("=")
    holder, _, sid = place.partition("/")
    first, *path = holder.split(".")
    sections = [template(file).get(section, {}) for section in _SECTIONS]
    declared = next((section[first] for section in sections if first in section), None)
    if declared is None:
        return f"no {first} in {file.name}"
    if sid:
        return None if statements_named(declared, sid) else f"{first} has no statement {sid}"
    start = declared.get("Default") if first in template(file).get("Parameters", {}) else declared.get("Properties", {})
    stated = walked(start, path)
    return None if not value or stated == value else f"{place} is {stated}, not {value}"


def walked(value: Any, path: list[str]) -> str:
    """What lies at the end of a path, elements of lists by Id, RuleName or number; a Ref as the name it refers to."""
    for step in path:
        if isinstance(value, list) and step.isdecimal():
            value = value[int(step)]
        elif isinstance(value, list):
            value = next((each for each in value if step in (each.get("Id"), each.get("RuleName"))), {})
        else:
            value = value.get(step, {})
    return str(value["Ref"] if isinstance(value, dict) and "Ref" in value else value).lower()


def statements_named(value: Any, sid: str) -> list[dict[str, Any]]:
    """The statements of that Sid, wherever they stand."""
    return [each for each in statements(value) if each["Sid"] == sid]


def statements(value: Any) -> Iterator[dict[str, Any]]:
    """Every statement with a Sid within something declared."""
    if isinstance(value, dict):
        yield from [value] if "Sid" in value else []
        yield from (each for below in value.values() for each in statements(below))
    if isinstance(value, list):
        yield from (each for below in value for each in statements(below))


def named_in(value: Any) -> set[str]:
    """The logical ids that an expression names."""
    return set(re.findall(r'(?:"(?:Ref|GetAtt)": \[?"|\$\{)(\w+)', json.dumps(value)))


def actions(statement: dict[str, Any]) -> set[str]:
    """What a statement allows or denies."""
    return set(statement["Action"] if isinstance(statement["Action"], list) else [statement["Action"]])


def permitted(function: str, asked: set[str], stores: set[str]) -> set[str]:
    """The stores on which the role of a function allows one of these actions; mails count as one, `SES`."""
    role = resources("AWS::IAM::Role")[f"{function}Role"]
    shared = resources("AWS::IAM::ManagedPolicy")
    held = [role, *(shared[name] for name in named_in(role.get("ManagedPolicyArns", [])) if name in shared)]
    allowing = [each for each in statements(held) if each["Effect"] == "Allow" and asked & actions(each)]
    found = {name for each in allowing for name in named_in(each["Resource"])} & stores
    return found | {"SES" for each in allowing if "ses:SendEmail" in actions(each)}
