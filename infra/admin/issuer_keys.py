"""`keys`: which keys the trusted issuers serve, and a key that is compromised refused at once, whatever they serve."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit
from urllib.request import urlopen

from infra.admin.acts import traced
from infra.admin.installation import FAILURES, Installation, NotNow, Refused
from infra.admin.report import Report

FUNCTION = "Authorizer"
ALIAS = "live"
VARIABLE = "REVOKED_KEYS"
_SECONDS = 5
_LARGEST = 65_536
_OF_A_VERSION = ("CodeSha256", "Environment", "Description")
_MEANWHILE = (
    f"{FUNCTION} was changed meanwhile, perhaps by a deployment: once that has ended, look at keys show, and order anew"
)
_AHEAD = "a change of what is refused was begun and no request meets it: order it again"

type Json = dict[str, Any]


def show(installation: Installation) -> Report:
    """The ids of the keys that each issuer serves, and which of them are refused here: of what requests meet."""
    with traced(installation, "keys-show", FUNCTION) as act:
        variables = _met(installation)
        revoked = _revoked(variables)
        is_ahead = _revoked(_variables(_configuration(installation))) != revoked
        rows = [_keys(issuer, revoked) for issuer in json.loads(variables["ISSUERS"])]
        act.outcome = f"issuers {len(rows)}, revoked {len(revoked)}"
    is_well = not is_ahead and all("unreachable" not in row for row in rows)
    return Report(lists={"issuers": rows, "revoked": revoked}, is_well=is_well, notes=[_AHEAD] if is_ahead else [])


def renew(installation: Installation) -> Report:
    """New environments of the authorizer: whatever keys it held are fetched anew, at once."""
    with traced(installation, "keys-renew", FUNCTION) as act:
        moment = datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
        change = {"Description": f"Issuer keys fetched anew at {moment}"}
        version = _changed(installation, _configuration(installation), change)
        act.outcome = f"version {version}"
    return Report({"version": version}, notes=["every request from now on is held against keys fetched anew"])


def revoke(installation: Installation, issuer: str, kid: str, *, is_unserved: bool = False) -> Report:
    """Refuse a key of an issuer, from the next request on.

    A key that the issuer does not serve is most often mistyped: it takes `is_unserved`, as does an issuer that does not
    answer.
    """
    if not is_unserved:
        _check_served(installation, issuer, kid)
    return _change(installation, "keys-revoke", issuer, kid, revokes=True)


def restore(installation: Installation, issuer: str, kid: str) -> Report:
    """Take back that a key is refused."""
    return _change(installation, "keys-restore", issuer, kid, revokes=False)


def _change(installation: Installation, command: str, issuer: str, kid: str, *, revokes: bool) -> Report:
    with traced(installation, command, f"{issuer} {kid}") as act:
        configuration = _configuration(installation)
        variables = _variables(configuration)
        if issuer not in {one["issuer"] for one in json.loads(variables["ISSUERS"])}:
            raise Refused("no such issuer is trusted")
        named = {"issuer": issuer, "kid": kid}
        others = [one for one in _revoked(variables) if one != named]
        # what was begun and not ended is in one of the two
        if not revokes and named not in [*_revoked(variables), *_revoked(_met(installation))]:
            raise Refused("no such key is refused here: keys show lists them")
        revoked = [*others, named] if revokes else others
        value = json.dumps(revoked, separators=(",", ":"))
        change = {"Environment": {"Variables": variables | {VARIABLE: value}}}
        version = _changed(installation, configuration, change)
        act.outcome = f"version {version}, revoked {len(revoked)}"
    notes = [f"the next deployment keeps this only by the parameter RevokedKeys={value}"]
    return Report({"version": version}, {"revoked": revoked}, notes=notes)


def _check_served(installation: Installation, issuer: str, kid: str) -> None:
    known = {one["issuer"]: one for one in json.loads(_variables(_configuration(installation))["ISSUERS"])}
    if issuer not in known:
        return
    row = _keys(known[issuer], [])
    if kid not in row.get("served", "").split():
        served = row.get("served") or f"nothing ({row.get('unreachable', 'an empty list')})"
        raise Refused(f"{issuer} serves {served}: --unserved refuses {kid} all the same")


def _configuration(installation: Installation, **qualifier: str) -> Json:
    """The authorizer as it is to be changed, with the revision that a change must still meet; or a version of it."""
    name = installation.function(FUNCTION)
    return dict(installation.client("lambda").get_function_configuration(FunctionName=name, **qualifier))


def _met(installation: Installation) -> dict[str, str]:
    """The variables of the version that requests meet."""
    alias = _alias(installation.client("lambda"), installation.function(FUNCTION))
    return _variables(_configuration(installation, **({"Qualifier": ALIAS} if alias else {})))


def _variables(configuration: Json) -> dict[str, str]:
    """The variables of the authorizer: they name no person and no record."""
    environment = configuration.get("Environment", {})
    if "Error" in environment:
        raise NotNow(f"the variables of {FUNCTION} cannot be read: {environment['Error'].get('ErrorCode', '')}")
    return dict(environment["Variables"])


def _revoked(variables: Mapping[str, str]) -> list[Json]:
    return list(json.loads(variables.get(VARIABLE) or "[]"))


def _changed(installation: Installation, seen: Json, change: Mapping[str, Any]) -> str:
    """Change the function as it was seen; where requests go to an alias, publish the change and lead them there.

    NotNow where somebody else, such as a deployment, changed it meanwhile: neither change undoes the other.
    """
    client, name = installation.client("lambda"), installation.function(FUNCTION)
    try:
        made = client.update_function_configuration(FunctionName=name, RevisionId=seen["RevisionId"], **change)
        client.get_waiter("function_updated").wait(FunctionName=name)
        alias = _alias(client, name)
        if alias is None:
            return "$LATEST"
        now = _configuration(installation)
        if any(now.get(each) != made.get(each) for each in _OF_A_VERSION):
            raise NotNow(_MEANWHILE)
        version = str(client.publish_version(FunctionName=name, RevisionId=now["RevisionId"])["Version"])
        client.get_waiter("published_version_active").wait(FunctionName=name, Qualifier=version)
        revision = alias["RevisionId"]
        client.update_alias(FunctionName=name, Name=ALIAS, FunctionVersion=version, RevisionId=revision)
    except (client.exceptions.PreconditionFailedException, client.exceptions.ResourceConflictException) as failure:
        raise NotNow(_MEANWHILE) from failure
    return version


def _alias(client: Any, name: str) -> Json | None:
    try:
        return dict(client.get_alias(FunctionName=name, Name=ALIAS))
    except client.exceptions.ResourceNotFoundException:
        return None


def _keys(issuer: Mapping[str, str], revoked: list[Json]) -> Json:
    """What one issuer serves now, over HTTPS as the authorizer fetches it."""
    row: Json = {"issuer": issuer["issuer"], "kind": issuer["kind"]}
    here = {one["kid"] for one in revoked if one["issuer"] == issuer["issuer"]}
    if urlsplit(issuer["jwks_uri"]).scheme not in ("http", "https"):
        return row | {"unreachable": "no web address"}
    try:
        with urlopen(issuer["jwks_uri"], timeout=_SECONDS) as answer:  # nosec B310 # noqa: S310 - its scheme is checked above
            served = [str(key.get("kid")) for key in json.loads(answer.read(_LARGEST))["keys"]]
    except (*FAILURES, ValueError, KeyError, TypeError) as failure:
        return row | {"unreachable": type(failure).__name__}
    return row | {"served": " ".join(served), "refused here": " ".join(sorted(here & set(served)))}
