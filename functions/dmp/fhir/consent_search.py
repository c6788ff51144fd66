"""Search of Consent: its parameters, and which Consents they mean (IHE PCF)."""

from collections.abc import Collection

from dmp.domain.consent import Consent
from dmp.domain.identifiers import Identifier
from dmp.fhir.consent import categories_of, delegate_of
from dmp.fhir.search import Search
from dmp.fhir.search_parameters import PATIENT, PATIENT_IDENTIFIER, Kind, Parameter
from dmp.fhir.systems import CONSENT_STATE

CONSENT_PARAMETERS = (
    PATIENT,
    PATIENT_IDENTIFIER,
    Parameter("actor", Kind.TOKEN),
    Parameter("status", Kind.TOKEN),
    Parameter("category", Kind.TOKEN),
    Parameter("period", Kind.DATE),
    Parameter("_lastUpdated", Kind.DATE),
)
"""`actor` is an identifier, or the reference of a delegate: nobody else whom a Consent names is a resource here."""
ME = "me"
"""As `actor`: whoever asks, and the structure of the token."""


def is_wanted(search: Search, consent: Consent, me: Collection[Identifier]) -> bool:
    """Whether a Consent satisfies every parameter of a search."""
    directive = consent.directive
    return (
        search.tokens_match("actor", _names(search, consent, me))
        and search.tokens_match("status", [(CONSENT_STATE, consent.status.value)])
        and search.tokens_match("category", categories_of(consent))
        and all(any(d.matches(directive.start, directive.end) for d in group) for group in search.dates("period"))
        and search.within("_lastUpdated", consent.updated)
    )


def _names(search: Search, consent: Consent, me: Collection[Identifier]) -> list[tuple[str, str]]:
    """By which tokens the actor may be meant; a delegate never by an INS, which no query may carry."""
    actor = consent.directive.actor
    if delegate := delegate_of(consent):
        return [("", delegate), ("", delegate.partition("/")[2]), ("", f"{search.base_url}/{delegate}")]
    if actor is None:
        return []
    return [(actor.system, actor.value), *([("", ME)] if actor in me else [])]
