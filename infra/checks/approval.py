"""What was judged: a digest of everything that templates say, so that nothing in them changes unseen.

The templates are read as they are written, with all branches of their conditions: nothing depends on parameters. Free
of approval are comments and texts for people alone; no setting of a function is, for any can be so wrong that it fails.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from infra.checks.bars import Verdict
from infra.checks.resolution import Json

APPROVED = Path(__file__).with_name("approved.json")
ADVICE = (
    "judge each change (git diff), then `make approve`; the diff of infra/checks/approved.json is reviewed with the"
    " templates"
)
TEXTS = {
    "AWS::CloudWatch::Alarm": "AlarmDescription",
    "AWS::Events::Rule": "Description",
    "AWS::KMS::Key": "Description",
    "AWS::Lambda::Function": "Description",
    "AWS::SecretsManager::Secret": "Description",
    "AWS::Serverless::Function": "Description",
}
"""The property by which a resource says what it is for, and that does nothing."""
LABELS = "AWS::CloudFormation::Interface"
"""How a console groups parameters."""
CHARACTERS, OF_A_PART = 32, 6
"""Of a digest: enough that nobody finds two meanings for one; those of a part only tell which one changed."""


@dataclass(frozen=True)
class Thing:
    """One thing that a template declares, with its parts: properties begin with a dot."""

    file: str
    section: str
    id: str
    parts: Mapping[str, Any]

    @property
    def name(self) -> str:
        """By which it is found again."""
        return " ".join(map(_word, (self.file, self.section, self.id)))

    def line(self) -> str:
        """Its name, the digest of all of it, and a short one for each part."""
        parts = (f"{_word(name)}={_digest(self.parts[name])[:OF_A_PART]}" for name in sorted(self.parts))
        return " ".join((self.name, _digest(self.parts)[:CHARACTERS], *parts))


def things(templates: Mapping[str, Json]) -> Iterator[Thing]:
    """Everything that the templates say but what is for people alone."""
    for file, template in templates.items():
        for section, content in template.items():
            if section == "Description" and _is_plain(content):
                continue
            if not isinstance(content, dict):
                yield Thing(file, section, "-", {"": content})
                continue
            for name, declared in content.items():
                if (section, name) != ("Metadata", LABELS):
                    yield Thing(file, section, name, _parts(section, declared))


def _parts(section: str, declared: Any) -> dict[str, Any]:
    if not isinstance(declared, dict):
        return {"": declared}
    own = {name: each for name, each in declared.items() if not _is_for_people(section, name, each)}
    if section != "Resources" or not isinstance(own.get("Properties"), dict):
        return own
    text = TEXTS.get(str(own.get("Type")))
    properties = own.pop("Properties")
    return own | {f".{name}": each for name, each in properties.items() if not (name == text and _is_plain(each))}


def _is_for_people(section: str, name: str, value: Any) -> bool:
    """Whether it is what a parameter or an output says of itself."""
    return section in {"Parameters", "Outputs"} and name == "Description" and _is_plain(value)


def _is_plain(value: Any) -> bool:
    """Whether it is a text in which nothing is put at deployment."""
    return isinstance(value, str) and "{{" not in value


def _digest(value: Any) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True, default=repr).encode()).hexdigest()


def _word(name: object) -> str:
    """A name as one word of a line."""
    return quote(str(name), safe=":/.{}-")


def lines(templates: Mapping[str, Json]) -> list[str]:
    """What approval writes: a line for each thing, in the order of their names."""
    return sorted(each.line() for each in things(templates))


def unapproved(templates: Mapping[str, Json], approved: list[str]) -> Iterator[str]:
    """What is new, changed or gone since it was approved, by file, section, name and part."""
    before = {_name(line): line for line in approved}
    now = {_name(line): line for line in lines(templates)}
    for name in sorted(before.keys() | now.keys()):
        if name not in now:
            yield f"{name} is gone"
        elif name not in before:
            yield f"{name} is new"
        elif now[name] != before[name]:
            yield f"{name}: {', '.join(_changed(before[name], now[name])) or 'something'} changed"
    yield from hidden(templates)
    if len(before) != len(approved):
        yield f"{APPROVED.name}: says something twice"


def hidden(templates: Mapping[str, Json]) -> Iterator[str]:
    """What could pass for a property, for it begins with a dot beside the properties of a resource."""
    for file, template in templates.items():
        for name, declared in template.get("Resources", {}).items():
            for key in declared:
                if str(key).startswith("."):
                    yield f"{_word(file)} Resources {_word(name)}: {_word(key)} begins with a dot"


def _name(line: str) -> str:
    return " ".join(line.split(" ")[:3])


def _changed(before: str, now: str) -> list[str]:
    """The parts in which two lines differ."""
    parts = {part.partition("=")[0] for part in {*before.split(" ")[4:]} ^ {*now.split(" ")[4:]}}
    return sorted(part or "it" for part in parts)


def written(templates: Mapping[str, Json]) -> str:
    """The text of approved.json."""
    return json.dumps(lines(templates), indent=0) + "\n"


def judge(templates: Mapping[str, Json]) -> Verdict:
    """Whether all that the templates say was approved."""
    approved = json.loads(APPROVED.read_text(encoding="utf-8"))
    found = list(unapproved(templates, approved))
    return Verdict(f"{len(approved)} things approved, {len(found)} findings", (*found, *([ADVICE] if found else [])))
