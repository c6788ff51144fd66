"""The body of a PATCH as changes, in whichever of its formats it came (FHIR R4 patch)."""

from dmp.domain.errors import UnsupportedMedia
from dmp.fhir.fhirpath_patch import read_parameters
from dmp.fhir.json_patch import Change, read_json_patch
from dmp.fhir.parsing import parse_resource

_JSON_PATCH = "application/json-patch+json"
_PARAMETERS = ("application/fhir+json", "application/json+fhir", "application/json")


def read_patch(body: bytes, content_type: str, resource_type: str) -> list[Change]:
    """Read a JSON Patch, or the Parameters of a FHIRPath Patch, of a resource of this type.

    Raises Malformed or Invalid for a patch that is none, NotAllowed for paths outside of the subset read here,
    UnsupportedMedia for other media types: XML Patch, and a JSON Patch that does not say that it is one.
    """
    media_type = content_type.partition(";")[0].strip().lower()
    if media_type == _JSON_PATCH:
        return read_json_patch(body)
    if media_type in _PARAMETERS and not body.lstrip().startswith(b"["):
        return read_parameters(parse_resource(body, "Parameters"), resource_type)
    raise UnsupportedMedia("unsupported-media-type", detail="a patch is a JSON Patch, or Parameters in JSON")
