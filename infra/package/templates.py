"""The built template in two forms: for `sam local` with the folder of the package, for `sam deploy` with its ZIP file.

`sam deploy` uploads a file as it is, under its MD5, but packs a folder itself, in the order in which the system lists
it.
"""

import copy
import hashlib
from pathlib import Path
from typing import Any

import yaml

FUNCTION = "AWS::Serverless::Function"
LOCAL, DEPLOYED = "template.yaml", "deploy.yaml"
SETTINGS = Path("samconfig.toml")


def write(build: Path, folder: Path, archive: Path, architecture: str) -> None:
    """Write both templates into the folder of a build, where `sam build` left one."""
    template = yaml.safe_load((build / LOCAL).read_text(encoding="utf-8"))
    template["Parameters"]["Architecture"] |= {"Default": architecture, "AllowedValues": [architecture]}
    (build / DEPLOYED).write_text(_text(_of_package(template, archive.name, release(build, archive))), encoding="utf-8")
    (build / LOCAL).write_text(_text(_of_package(template, folder.name, None)), encoding="utf-8")


def release(build: Path, archive: Path) -> str:
    """A name of all that is deployed: of the package, the templates and the settings.

    An alias serves a published version, and SAM publishes one only when this name changes: without it, a changed
    parameter would reach the function and never the callers.
    """
    parts = [archive, *sorted(build.rglob(LOCAL)), SETTINGS]
    digests = [hashlib.sha256(part.read_bytes()).digest() for part in parts]
    return hashlib.sha256(b"".join(digests)).hexdigest()


def _of_package(template: dict[str, Any], code: str, published: str | None) -> dict[str, Any]:
    made = copy.deepcopy(template)
    made["Globals"]["Function"].pop("CodeUri", None)
    for resource in made["Resources"].values():
        if resource["Type"] == FUNCTION:
            resource["Properties"]["CodeUri"] = code
            if published and "AutoPublishAlias" in resource["Properties"]:
                resource["Properties"]["AutoPublishCodeSha256"] = published
    return made


def _text(template: dict[str, Any]) -> str:
    return yaml.safe_dump(template, sort_keys=False, allow_unicode=True, width=120)
