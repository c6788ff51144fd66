"""Documents that a new one names without replacing them: appends, transforms, signs, is related to (FHIR R4, MHD)."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from dmp.domain.document import ReplacesTarget
from dmp.domain.errors import Invalid
from dmp.domain.identifiers import Identifier, split_resource_id
from dmp.domain.submission import NAMED, Remark, SubmittedRelation
from dmp.fhir.references import Surroundings, identifier_of, logical, parse_target

type Resource = Mapping[str, Any]

_DOCUMENT = "DocumentReference"
_NAMING = frozenset({_DOCUMENT, "Binary"})
UNHELD = "related-document-unknown"
"""Remarks that an address cannot be one of this server's."""


MOST_RELATED = 100
"""What one document may relate to in one way: each is looked for."""


def _check_numbers(resource: Resource, place: str) -> None:
    numbers = {
        "relatesTo": resource.get("relatesTo", []),
        "context.related": resource.get("context", {}).get("related", []),
    }
    for path, named in numbers.items():
        if len(named) > MOST_RELATED:
            raise Invalid("invalid-resource", f"{place}.{path}", f"at most {MOST_RELATED}")


@dataclass(slots=True)
class NamedDocuments:
    """What one DocumentReference names: `relations` in the record, and `remarks` on what is elsewhere."""

    around: Surroundings
    relations: list[SubmittedRelation] = field(default_factory=list)
    remarks: list[Remark] = field(default_factory=list)

    def found_in(self, resource: Resource, place: str) -> dict[str, Any]:
        """The resource, its references to documents as they will be stored.

        What an identifier names becomes a NAMED reference; the full URLs of new documents stay as they are.
        Raises Invalid `unknown-reference` for what can be no document.
        """
        content = dict(resource)
        _check_numbers(content, place)
        if "relatesTo" in content:
            content["relatesTo"] = [
                self._relation(one, f"{place}.relatesTo[{index}].target")
                for index, one in enumerate(content["relatesTo"])
            ]
        related = content.get("context", {}).get("related")
        if related:
            here = f"{place}.context.related"
            named = [self._related(one, f"{here}[{index}]") for index, one in enumerate(related)]
            content["context"] = {**content["context"], "related": named}
        return content

    def _relation(self, relation: Resource, place: str) -> dict[str, Any]:
        if relation["code"] == "replaces":
            return dict(relation)
        return {**relation, "target": self._reference(relation["target"], place, is_logical=True)}

    def _related(self, reference: Resource, place: str) -> dict[str, Any]:
        """What is related may be anything: an order, a study; only what is said to be a document is looked for."""
        literal = reference.get("reference", "")
        target = parse_target(literal, self.around.base_url)
        is_document = literal in self.around.bundled or (target is not None and target.resource_type in _NAMING)
        return self._reference(reference, place, is_logical=False) if is_document else dict(reference)

    def _reference(self, reference: Resource, place: str, *, is_logical: bool) -> dict[str, Any]:
        literal = reference.get("reference", "")
        if literal in self.around.bundled:
            return self._bundled(reference, place)
        target = parse_target(literal, self.around.base_url)
        if target and target.id:
            return self._by_id(reference, target.id, place)
        identifier = target.identifier if target else identifier_of(reference.get("identifier"))
        if identifier and (target or (is_logical and not literal)):
            return self._by_identifier(reference, identifier, place)
        if not literal.startswith(("http://", "https://")):
            raise Invalid("unknown-reference", place, "the reference leads to no document of a record")
        self.remarks.append(Remark(UNHELD, place))
        return dict(reference)

    def _bundled(self, reference: Resource, place: str) -> dict[str, Any]:
        if self.around.bundled[reference["reference"]]["resourceType"] != _DOCUMENT:
            raise Invalid("unknown-reference", place, "the entry of the bundle is no document")
        return dict(reference)

    def _by_id(self, reference: Resource, identity: str, place: str) -> dict[str, Any]:
        """An id that no server of this kind gives is kept as it is: IHE's own examples append to such documents."""
        if split_resource_id(identity) is None:
            self.remarks.append(Remark(UNHELD, place))
            return dict(reference)
        self.relations.append(SubmittedRelation(ReplacesTarget(identity), place))
        return dict(reference)

    def _by_identifier(self, reference: Resource, identifier: Identifier, place: str) -> dict[str, Any]:
        named = f"{NAMED}{len(self.relations)}"
        self.relations.append(SubmittedRelation(ReplacesTarget(identifier=identifier), place))
        return {"type": _DOCUMENT, **logical(identifier), **reference, "reference": named}
