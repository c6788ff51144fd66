"""What the rules of template.yaml refuse before anything is deployed, and what its settings stand for."""

import re
from pathlib import Path
from typing import Any

import pytest

from infra.checks.resolution import PSEUDO_PARAMETERS, Resolution
from infra.local.template import content

ROOT = Path(__file__).parents[2]
MAIN, FIREWALL = (content(ROOT / name) for name in ("template.yaml", "infra/firewall.yaml"))
EDGE = {
    "EdgeDomainName": "dmp.example.org",
    "EdgeCertificateArn": "arn:aws:acm:us-east-1:123456789012:certificate/1",
    "WebAclArn": "arn:aws:wafv2:us-east-1:123456789012:global/webacl/dmp/1",
    "BaseUrl": "https://dmp.example.org",
}
NAME = {"DomainName": "api.example.org", "CertificateId": "1"}
CLIENTS = {"MutualTlsTrustStore": "s3://authorities/all.pem"}
NETWORK = {"VpcId": "vpc-1", "VpcSubnetIds": "subnet-1,subnet-2"}
REPLICA = {"ReplicaBucket": "replica", "ReplicaKeyId": "1"}
LOCK = {"BackupLockCoolingDays": "3"}


def resolution(template: dict[str, Any], /, **given: str) -> Resolution:
    defaults = {name: each.get("Default", name) for name, each in template["Parameters"].items()}
    return Resolution(template, {**PSEUDO_PARAMETERS, **defaults, **given})


def refused(**given: str) -> set[str]:
    """The rules that a deployment with these parameters breaks."""
    return broken(MAIN, **given)


def broken(template: dict[str, Any], /, **given: str) -> set[str]:
    chosen = resolution(template, **given)
    return {
        name
        for name, rule in template["Rules"].items()
        if chosen.holds(rule.get("RuleCondition", {"Fn::Equals": ["", ""]}))
        and not all(chosen.holds(written_out(each["Assert"])) for each in rule["Assertions"])
    }


def written_out(assertion: Any) -> Any:
    match assertion:
        case {"Fn::Contains": [values, one]}:
            return {"Fn::Or": [{"Fn::Equals": [each, one]} for each in values]}
        case dict():
            return {name: written_out(each) for name, each in assertion.items()}
        case list():
            return [written_out(each) for each in assertion]
    return assertion


def region(name: str) -> dict[str, str]:
    return {"AWS::Region": name}


@pytest.mark.parametrize(
    "given", [{}, EDGE, NAME, NAME | CLIENTS, EDGE | NAME | CLIENTS, NETWORK, REPLICA, LOCK, region("eu-central-1")]
)
def test_what_is_whole_is_deployed(given: dict[str, str]) -> None:
    assert refused(**given) == set()


@pytest.mark.parametrize("name", ["us-east-1", "eu-west-2", "eu-central-2", "ap-southeast-2"])
def test_health_data_stay_in_the_european_union_unless_somebody_says_otherwise(name: str) -> None:
    assert refused(**region(name)) == {"HealthDataStaysInTheUnion"}
    assert refused(**region(name), OutsideTheUnion="allowed") == set()
    assert refused(**REPLICA, ReplicaRegion=name) == {"AReplicaHasItsKey"}


@pytest.mark.parametrize("missing", sorted(EDGE.keys() - {"EdgeDomainName"}))
def test_an_edge_is_deployed_whole_with_its_firewall(missing: str) -> None:
    given = {name: value for name, value in EDGE.items() if name != missing}

    assert refused(**given) == {"AnEdgeHasItsFirewall"}


def test_beside_an_edge_no_other_door_stands_open() -> None:
    assert refused(**EDGE, **NAME) == {"AnEdgeHasItsFirewall"}


@pytest.mark.parametrize(
    ("given", "rule"),
    [
        ({"DomainName": "api.example.org"}, "ANameHasItsCertificate"),
        (CLIENTS, "ANameHasItsCertificate"),
        ({"VpcId": "vpc-1"}, "ANetworkIsWhole"),
        ({"VpcSubnetIds": "subnet-1"}, "ANetworkIsWhole"),
        ({"ReplicaBucket": "replica"}, "AReplicaHasItsKey"),
        ({"SealsReplicaBucket": "replica"}, "AReplicaHasItsKey"),
        ({"BackupLockCoolingDays": "1"}, "ALockCoolsThreeDays"),
        ({"BackupLockCoolingDays": "2"}, "ALockCoolsThreeDays"),
    ],
)
def test_what_asks_for_something_else_is_refused_without_it(given: dict[str, str], rule: str) -> None:
    assert refused(**given) == {rule}


def test_the_firewall_belongs_where_cloudfront_looks_for_it() -> None:
    assert broken(FIREWALL, **region("us-east-1")) == set()
    assert broken(FIREWALL, **region("eu-west-3")) == {"CloudFrontLooksHereAlone"}


@pytest.mark.parametrize(
    ("given", "closed"), [({}, False), (NAME, True), (EDGE, False), (EDGE | NAME | CLIENTS, False)]
)
def test_the_address_of_aws_is_closed_where_nothing_needs_it(given: dict[str, str], closed: bool) -> None:
    api = MAIN["Resources"]["Api"]["Properties"]

    assert resolution(MAIN, **given).value(api["DisableExecuteApiEndpoint"]) is closed


def test_what_is_not_asked_for_is_not_made() -> None:
    made = resolution(MAIN).template()["Resources"]

    assert not made.keys() & {"Edge", "EdgeSecret", "ApiDomain", "ApiMapping", "JoinNetwork", "FunctionsGroup"}
    assert not made.keys() & {"ReplicationRole", "EmptyReplica", "DeleteInReplica", "MalwareProtection"}
    assert "ReplicationConfiguration" not in made["DocumentsBucket"]["Properties"]
    assert made["Authorizer"]["Properties"]["Environment"]["Variables"]["EDGE_SECRET"] == ""


def test_pages_of_the_portal_alone_reach_documents_by_signed_addresses() -> None:
    bucket = MAIN["Resources"]["DocumentsBucket"]["Properties"]
    [rule] = resolution(MAIN, PortalUrl="https://portal.example.org/app/").value(bucket["CorsConfiguration"])[
        "CorsRules"
    ]

    assert rule["AllowedOrigins"] == ["https://portal.example.org"]
    assert set(rule["AllowedMethods"]) == {"GET", "HEAD", "PUT"}
    assert "*" not in rule["AllowedHeaders"]


@pytest.mark.parametrize("wrong", ["*", "arn:aws:iam::*:role/*", "arn:aws:iam::123456789012:role/Op*", "Operators"])
def test_the_role_of_last_resort_is_one(wrong: str) -> None:
    pattern = MAIN["Parameters"]["OperatorsRoleArn"]["AllowedPattern"]

    assert re.fullmatch(pattern, "")
    assert re.fullmatch(pattern, "arn:aws:iam::123456789012:role/people/Operators")
    assert not re.fullmatch(pattern, wrong)
