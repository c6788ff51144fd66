"""The template as SAM CLI gets it: routes that leave it no choice, one variable more, and nothing else."""

from collections import defaultdict
from pathlib import Path
from typing import Any

from infra.local.template import content
from infra.sam_local.local_template import ENDPOINT, METHODS, localised

DEPLOYED = content(Path(__file__).parents[2] / "template.yaml")
LOCAL = localised(DEPLOYED)
FUNCTION = "AWS::Serverless::Function"

type Json = dict[str, Any]


def routes(template: Json) -> dict[tuple[str, str], list[tuple[str, str]]]:
    """Which functions take a method at a path, and by what kind of route."""
    found = defaultdict(list)
    for name, resource in template["Resources"].items():
        for event in resource.get("Properties", {}).get("Events", {}).values():
            if event["Type"] == "HttpApi" and "Path" in event["Properties"]:
                told = event["Properties"]["Method"]
                for method in METHODS if told == "ANY" else {told}:
                    found[event["Properties"]["Path"], method].append((told, name))
    return found


def test_each_method_at_a_path_has_one_route_and_it_is_the_one_that_api_gateway_takes() -> None:
    deployed = routes(DEPLOYED)

    local = routes(LOCAL)

    assert any(len(takers) > 1 for takers in deployed.values())
    assert local.keys() == deployed.keys()
    for where, takers in local.items():
        [(_, function)] = takers
        assert function == max(deployed[where], key=lambda taker: taker[0] != "ANY")[1]


def test_functions_learn_where_moto_is() -> None:
    assert LOCAL["Globals"]["Function"]["Environment"]["Variables"][ENDPOINT] == ""
    assert ENDPOINT not in DEPLOYED["Globals"]["Function"]["Environment"]["Variables"]


def test_nothing_else_is_changed() -> None:
    def rest(template: Json) -> Json:
        variables = template["Globals"]["Function"]["Environment"]["Variables"]
        shared = template["Globals"]["Function"] | {
            "Environment": {n: v for n, v in variables.items() if n != ENDPOINT}
        }
        return template | {
            "Globals": shared,
            "Resources": {name: without_events(each) for name, each in template["Resources"].items()},
        }

    assert rest(LOCAL) == rest(DEPLOYED)


def without_events(resource: Json) -> Json:
    """A resource but for the routes of a function; other events stay."""
    if resource["Type"] != FUNCTION:
        return resource
    events = resource["Properties"].get("Events", {})
    others = {name: event for name, event in events.items() if event["Type"] != "HttpApi"}
    return resource | {"Properties": resource["Properties"] | {"Events": others}}
