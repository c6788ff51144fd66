"""The mails that tell of messages: one for every kind, none that tells what it is about."""

import json
from pathlib import Path

import pytest

from dmp.domain.code_lists import document_types
from dmp.domain.mail import mail_of
from dmp.domain.notification import Kind

TEXTS = json.loads(
    (Path(__file__).parents[2] / "functions" / "dmp" / "data" / "mails_fr.json").read_text(encoding="utf-8")
)
PORTAL = "https://portail.example"


def test_every_kind_has_a_text_and_every_text_is_of_a_kind() -> None:
    assert set(TEXTS["kinds"]) == set(Kind)


@pytest.mark.parametrize("kind", [*Kind, "a-kind-to-come"])
def test_every_kind_has_a_mail_that_leads_to_the_portal_if_the_message_can_be_read_there(kind: str) -> None:
    mail = mail_of(kind, PORTAL)

    assert mail.subject
    assert (PORTAL in mail.text) is (kind not in {Kind.RECORD_CLOSED, Kind.RECORD_SUSPENDED})
    assert "{" not in mail.subject + mail.text
    assert "\n" not in mail.subject


@pytest.mark.parametrize("kind", Kind)
def test_no_mail_names_a_document_a_type_or_a_number(kind: Kind) -> None:
    mail = mail_of(kind, PORTAL)
    text = (mail.subject + mail.text).casefold()

    types = {one.display.casefold() for one in document_types().values()}
    assert not [display for display in types if display in text]
    assert not [word for word in ("document ", "ordonnance", "résultat", "analyse", "docteur", "dr ") if word in text]
    assert not any(character.isdigit() for character in text)


def test_a_kind_without_a_text_of_its_own_says_that_a_message_waits() -> None:
    assert mail_of("a-kind-to-come", PORTAL).subject == TEXTS["default"]["subject"]
