"""The built template as SAM CLI needs it: what API Gateway and Lambda do and `sam local` does not, in so many words."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any

ENDPOINT = "AWS_ENDPOINT_URL"
METHODS = {"DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"}

type Json = dict[str, Any]


def localised(template: Json) -> Json:
    """The same functions and routes, with two differences.

    The functions have one variable more, the address of moto, for SAM CLI sets none that is not declared. And where a
    path has a route for one method beside one for ANY, that one is told method by method: SAM CLI chooses by chance.
    """
    shared = template["Globals"]["Function"]
    variables = shared["Environment"]["Variables"] | {ENDPOINT: ""}
    told = _methods_told(template)
    return template | {
        "Globals": template["Globals"] | {"Function": shared | {"Environment": {"Variables": variables}}},
        "Resources": {name: _with_routes(each, told) for name, each in template["Resources"].items()},
    }


def _methods_told(template: Json) -> Mapping[str, set[str]]:
    """The methods that have a route of their own, by path."""
    told = defaultdict(set)
    for resource in template["Resources"].values():
        for properties in _routes(resource):
            if properties["Method"].upper() != "ANY":
                told[properties["Path"]].add(properties["Method"].upper())
    return told


def _routes(resource: Json) -> Iterator[Json]:
    for event in resource.get("Properties", {}).get("Events", {}).values():
        if event["Type"] == "HttpApi" and "Path" in event["Properties"]:
            yield event["Properties"]


def _with_routes(resource: Json, told: Mapping[str, set[str]]) -> Json:
    if not any(True for _ in _routes(resource)):
        return resource
    events = resource["Properties"]["Events"]
    split = {key: each for name, event in events.items() for key, each in _split(name, event, told)}
    return resource | {"Properties": resource["Properties"] | {"Events": split}}


def _split(name: str, event: Json, told: Mapping[str, set[str]]) -> Iterator[tuple[str, Json]]:
    properties = event["Properties"]
    others = told.get(properties.get("Path", ""), set())
    if event["Type"] != "HttpApi" or not others or properties["Method"].upper() != "ANY":
        yield name, event
        return
    for method in sorted(METHODS - others):
        yield f"{name}{method.title()}", event | {"Properties": properties | {"Method": method}}
