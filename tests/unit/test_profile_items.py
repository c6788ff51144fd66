"""Items of the structured profile: what is written is what is read."""

import pytest

from dmp.adapters import profile_items
from dmp.domain.clinical_profile import Candidate, Extraction, ProfileKind


@pytest.mark.parametrize("is_cut", [True, False])
def test_an_item_tells_whether_its_document_states_more(is_cut: bool) -> None:
    resource = {"resourceType": "Condition", "code": {"text": "Asthme"}}
    said = Candidate(kind=ProfileKind.CONDITION, section=None, resource=resource)
    extraction = Extraction(record="r", local="d", candidates=(said,), is_cut=is_cut)

    assert profile_items.read_extraction(profile_items.write_extraction(extraction)) == extraction
