"""Fills a fresh stack with the record of the demonstration, through the API alone, each step by who would take it."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx

from infra.local import demo_profile, examples
from infra.local.issuers import Issuer
from infra.local.personas import PERSONAS

_BY_ID = {persona.id: persona for persona in PERSONAS}

type Resource = dict[str, Any]


def demo(client: httpx.Client, issuers: Mapping[str, Issuer]) -> None:
    """Open the record, deposit documents, enter what is known beside, name and authorise who cares."""
    now = datetime.now(UTC)
    people = _People(client, issuers)
    record = people.ask("patient", "Patient/$open", examples.opening(now))["id"]
    people.ask("patient", "Consent", examples.consent(record, "attending-physician", "attending-physician"))
    people.ask("hospital-server", "", examples.submission(record, now - timedelta(days=40)))
    people.ask("hospital-server", "DocumentReference", examples.biology(record, now - timedelta(days=30)))
    people.ask("attending-physician", "DocumentReference", examples.synthesis(record, now - timedelta(days=9)))
    people.ask("attending-physician", "DocumentReference", examples.consultation(record, now - timedelta(days=2)))
    people.ask("attending-physician", "AllergyIntolerance", demo_profile.allergy(record))
    people.ask("attending-physician", "Immunization", demo_profile.vaccination(record, now - timedelta(days=20)))
    people.ask("patient", "RelatedPerson", demo_profile.contact(record))
    people.ask("cnam-feed", "", demo_profile.reimbursements([now - timedelta(days=days) for days in (2, 40, 300)]))
    people.ask("patient", "Consent", examples.consent(record, "authorisation", "specialist"))


class _People:
    """Calls the API on behalf of personas."""

    def __init__(self, client: httpx.Client, issuers: Mapping[str, Issuer]) -> None:
        self._client = client
        self._issuers = issuers

    def ask(self, persona: str, path: str, resource: Resource) -> Resource:
        """Post a resource and return what comes back; RuntimeError tells why it was refused."""
        who = _BY_ID[persona]
        answer = self._client.post(
            path,
            json=resource,
            headers={
                "authorization": f"Bearer {self._issuers[who.issuer].sign(who.claims)}",
                "content-type": "application/fhir+json",
                "prefer": "return=representation",
            },
        )
        if answer.is_error:
            raise RuntimeError(f"{persona} could not post {path or 'a bundle'}: {answer.status_code} {answer.text}")
        content: Resource = answer.json()
        return content
