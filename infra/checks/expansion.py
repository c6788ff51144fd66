"""SAM's own translator, offline: templates in, as JSON on stdin, plain CloudFormation out, in the same order.

Run by the Python of .audit, whose pins hold the translator: its requirements quarrel with those of the tests.
"""

import json
import os
import sys
from typing import Any

PACKAGE = "s3://packages/functions.zip"
APPLICATION = "https://packages.s3.amazonaws.com/stack.yaml"


def expand(template: dict[str, Any]) -> dict[str, Any]:
    """Return the template with every AWS::Serverless::* in its plain form, as if `sam package` had uploaded its files.

    Raises the translator's InvalidDocumentException where the template is no SAM template.
    """
    from samtranslator.parser.parser import Parser
    from samtranslator.translator.translator import Translator

    functions = template.get("Globals", {}).get("Function", {})
    _upload(functions, "CodeUri", PACKAGE)
    for resource in template["Resources"].values():
        _upload(resource.get("Properties", {}), "CodeUri", PACKAGE)
        if resource["Type"] == "AWS::Serverless::Application":
            _upload(resource["Properties"], "Location", APPLICATION)
    plain: dict[str, Any] = Translator({}, Parser()).translate(template, parameter_values={})
    return plain


def _upload(properties: dict[str, Any], name: str, address: str) -> None:
    if isinstance(properties.get(name), str):
        properties[name] = address


def main() -> None:
    """Expand what comes in; a template that the translator refuses is told as {"refused": why}."""
    from samtranslator.model.exceptions import InvalidDocumentException

    os.environ.setdefault("AWS_DEFAULT_REGION", "eu-west-3")
    expanded: list[dict[str, Any]] = []
    for template in json.load(sys.stdin):
        try:
            expanded.append(expand(template))
        except InvalidDocumentException as refusal:
            expanded.append({"refused": "; ".join(str(cause.message) for cause in refusal.causes)})
    json.dump(expanded, sys.stdout)


if __name__ == "__main__":
    main()
