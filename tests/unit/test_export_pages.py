"""The pages of an archive: whatever the trace or a record may hold has words of its own in them."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from dmp import export_pages
from dmp.domain.audit import Interaction
from dmp.domain.document import DocumentStatus
from dmp.services.record_contents import TYPES
from tests.audit_factories import audit_entry

TEXTS = json.loads((Path(export_pages.__file__).parent / "data" / "export_fr.json").read_bytes())


@pytest.mark.parametrize("interaction", list(Interaction))
def test_every_interaction_is_told_in_words(interaction: Interaction) -> None:
    assert export_pages.interaction(interaction.value) != interaction.value


def test_every_type_of_resource_and_every_status_has_its_words() -> None:
    assert set(TEXTS["types"]) == set(TYPES)
    assert set(TEXTS["states"]) == set(DocumentStatus)


def test_an_access_is_told_by_its_day_its_author_and_its_reason() -> None:
    entry = audit_entry(
        at=datetime(2026, 3, 2, 12, tzinfo=UTC),
        interaction=Interaction.RETRIEVE,
        actor_name="<b>Alix</b>",
        structure_name="Cabinet & Co",
        reason="authorised",
    )

    page = b"".join(export_pages.trace([entry])).decode()

    assert "<td>02/03/2026 13:00</td><td>&lt;b&gt;Alix&lt;/b&gt;, Cabinet &amp; Co</td>" in page
    assert "<td>Ouverture d&#x27;un document</td><td>Accès autorisé par le patient.</td>" in page
