"""The mails that tell of messages: one for every kind, none that tells what it is about."""

import json
from pathlib import Path

import pytest

from dmp.domain.mail import mail_of

TEXTS = json.loads(
    (Path(__file__).parents[2] / "functions" / "dmp" / "data" / "mails_fr.json").read_text(encoding="utf-8")
)
PORTAL = "https://portail.example"


@pytest.mark.parametrize("kind", [*TEXTS["kinds"], "a-kind-to-come"])
def test_every_kind_has_a_mail_that_leads_to_the_portal(kind: str) -> None:
    mail = mail_of(kind, PORTAL)

    assert mail.subject
    assert PORTAL in mail.text
    assert "{" not in mail.subject + mail.text
    assert "\n" not in mail.subject


def test_a_kind_without_a_text_of_its_own_says_that_a_message_waits() -> None:
    assert mail_of("a-kind-to-come", PORTAL).subject == TEXTS["default"]["subject"]
