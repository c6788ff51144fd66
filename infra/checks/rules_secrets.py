"""Where secrets are: made by their store, read there, and in no template, variable or parameter."""

import re
from collections.abc import Iterator
from typing import Any

from infra.checks.deployments import Deployment, Stack
from infra.checks.policies import names_in

SECRET = re.compile(r"SECRET|PASSWORD|PASSPHRASE|PRIVATE|CREDENTIAL|API_?KEY|(^|_)TOKEN$", re.IGNORECASE)
REFERENCE, BRACES = re.compile(r"\$\{[^}]*\}"), re.compile(r"[{}]")
FROM_THE_STORE = "{{resolve:secretsmanager:"
EDGE = "infra/edge.yaml"


def secrets_have_a_key_and_are_made_here(deployment: Deployment) -> Iterator[str]:
    """A secret is made by its store, under a key of ours, and stands in no template."""
    for secret in deployment.resources("AWS::SecretsManager::Secret"):
        keys = {each.id for each in secret.stack.resources("AWS::KMS::Key")}
        if not names_in(secret.properties.get("KmsKeyId")) & keys:
            yield f"{secret}: no key of its own"
        if "SecretString" in secret.properties or "GenerateSecretString" not in secret.properties:
            yield f"{secret}: is written in the template"


def secrets_stay_in_their_store(deployment: Deployment) -> Iterator[str]:
    """No variable of a function holds a secret as text."""
    for stack in deployment.written:
        for function in stack.resources("AWS::Lambda::Function"):
            for name, value in function.properties.get("Environment", {}).get("Variables", {}).items():
                if SECRET.search(name) and _is_given(value, stack):
                    yield f"{function}: {name} is given as text"


def secrets_are_no_parameters(deployment: Deployment) -> Iterator[str]:
    """No parameter, which whoever reads the stack reads, holds a secret."""
    for stack in deployment.written:
        for name in stack.content.get("Parameters", {}):
            if SECRET.search(name) and not name.endswith(("Arn", "Id", "Name")):
                yield f"{stack.name}#{name}: a secret as a parameter"


def no_secret_is_put_together(deployment: Deployment) -> Iterator[str]:
    """No text is put together of pieces that could become a reference to the store of secrets."""
    for source in deployment.sources:
        defaults = [each.get("Default") for each in source.content.get("Parameters", {}).values()]
        for piece in (*_pieces(source.content), *_texts(defaults)):
            if BRACES.search(REFERENCE.sub("", piece)):
                yield f"{source.name}: puts {piece!r} into a text"


def _pieces(value: Any) -> Iterator[str]:
    """The texts of which others are put together: those of a join, and those put in the place of a name."""
    match value:
        case {"Fn::Join": parts}:
            yield from _texts(parts)
        case {"Fn::Sub": [_, given]}:
            yield from _texts(given)
    for each in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from _pieces(each)


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    for each in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from _texts(each)


def _is_given(value: Any, stack: Stack) -> bool:
    """Whether it is a text, or a parameter, rather than a reference to the store."""
    match value:
        case {"Fn::If": [_, *choices]}:
            return any(_is_given(each, stack) for each in choices if each)
        case str(written) | {"Fn::Sub": str(written)} if written.startswith(FROM_THE_STORE):
            return False
    return isinstance(value, str) or bool(set(stack.content.get("Parameters", {})) & names_in(value))


RULES = (
    secrets_have_a_key_and_are_made_here,
    secrets_stay_in_their_store,
    secrets_are_no_parameters,
    no_secret_is_put_together,
)
