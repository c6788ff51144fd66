"""The Parameters of `$explain`: an actor, or a document."""

from collections.abc import Mapping
from typing import Any

from dmp.domain.errors import Invalid
from dmp.domain.explanation import Actor
from dmp.domain.identifiers import PS_IDNAT, STRUCT_IDNAT, Identifier
from dmp.fhir.operation import OperationInput, place_of
from dmp.fhir.references import actor_identifier, parse_target

_ACTOR = place_of("actor")


def read_question(parameters: Mapping[str, Any], base_url: str) -> Actor | str:
    """Read whom or which document (its FHIR id) is asked about.

    Raises Invalid: `missing-parameter` for neither, `invalid-parameter` for both, `actor-invalid`.
    """
    given = OperationInput(parameters)
    if "actor" in given and "document" in given:
        raise Invalid("invalid-parameter", place_of("document"), "either an actor or a document is asked about")
    if "actor" in given:
        try:
            return _actor(given.parts("actor"))
        except Invalid as broken:
            raise Invalid(broken.code, _ACTOR, broken.detail) from broken
    if "document" in given:
        return _document(given.reference("document"), base_url)
    raise Invalid("missing-parameter", _ACTOR, "an actor or a document is required")


def _actor(parts: OperationInput) -> Actor:
    """A professional has a profession; a structure without one is its certificate."""
    identifier = parts.identifier("identifier")
    if identifier is None:
        raise Invalid("missing-parameter", _ACTOR, "the part identifier is required")
    identifier, profession = _national(identifier, PS_IDNAT, STRUCT_IDNAT), parts.coded("profession")
    if identifier.system == PS_IDNAT and not profession:
        raise Invalid("missing-parameter", _ACTOR, "the part profession is required of a professional")
    structure = parts.identifier("structure")
    return Actor(
        identifier=identifier,
        profession=profession,
        structure=_national(structure, STRUCT_IDNAT) if structure else None,
        specialty=parts.coded("specialty"),
    )


def _national(identifier: Identifier, *systems: str) -> Identifier:
    found = actor_identifier(identifier)
    if found.system not in systems:
        raise Invalid("actor-invalid", _ACTOR, "a national identifier of a professional or a structure")
    return found


def _document(reference: Mapping[str, Any], base_url: str) -> str:
    target = parse_target(str(reference.get("reference", "")), base_url)
    if target is None or target.resource_type != "DocumentReference" or target.id is None:
        raise Invalid("invalid-parameter", place_of("document"), "a reference DocumentReference/[id]")
    return target.id
