"""What a producer is told of a document that is taken in although something of it is not as it should be (ITI-65)."""

from collections.abc import Iterator, Mapping
from typing import Any

from dmp.domain.identifiers import INS_SYSTEMS, ins_key_is_valid
from dmp.domain.submission import Remark
from dmp.fhir.references import identifiers_of, parse_target
from dmp.fhir.security_labels import unknown_label

type Resource = Mapping[str, Any]


def remarks_on(sent: Resource, stored: Resource, place: str) -> Iterator[Remark]:
    """The remarks on a DocumentReference: its class was corrected, a label is unknown, the key of its INS is wrong."""
    if _codes(sent) - _codes(stored):
        yield Remark("category-corrected", f"{place}.category")
    for index, label in enumerate(sent.get("securityLabel", [])):
        if unknown_label(label):
            yield Remark("unknown-label", f"{place}.securityLabel[{index}]")
    if any(system in INS_SYSTEMS and not ins_key_is_valid(value) for system, value in _patients(sent)):
        yield Remark("ins-key-wrong", f"{place}.subject")


def _codes(resource: Resource) -> set[tuple[str, str]]:
    concepts = resource.get("category", []) if "type" in resource else []
    codings = (coding for concept in concepts for coding in concept.get("coding", []))
    return {(coding.get("system", ""), coding.get("code", "")) for coding in codings}


def _patients(resource: Resource) -> Iterator[tuple[str, str]]:
    """Every identifier by which the document names its patient."""
    subject = resource.get("subject", {})
    named = [subject.get("identifier", {})]
    target = parse_target(subject.get("reference", ""))
    if target and target.identifier:
        yield target.identifier.system, target.identifier.value
    named += [{"system": i.system, "value": i.value} for one in resource.get("contained", []) for i in _own(one)]
    yield from ((one["system"], one["value"]) for one in named if one.get("system") and one.get("value"))


def _own(contained: Resource) -> Any:
    return identifiers_of(contained) if contained["resourceType"] == "Patient" else ()
