"""Requesters as the authorizer would make them, for tests that begin behind it."""

from dataclasses import replace
from typing import Any

from dmp.domain.claims import INSURER_AGENT
from dmp.domain.identifiers import INS_NIR_TEST, PS_IDNAT, Identifier, professional, structure
from dmp.domain.requester import Requester, RequesterKind
from tests.token_factory import ins_with_key

STRUCTURE = "1750100125"
INS = f"{INS_NIR_TEST}|{ins_with_key('2850775056123')}"


def requester_professional(rpps: str = "10101234567", structure_id: str | None = STRUCTURE, **fields: Any) -> Requester:
    """A physician, general practitioner; `profession`, `specialties` and the like as fields."""
    requester = Requester(
        kind=RequesterKind.PROFESSIONAL,
        identifier=professional(f"8{rpps}"),
        name="Alix MARTIN",
        structure=structure(structure_id) if structure_id else None,
        structure_name="Cabinet du Parc" if structure_id else "",
        profession="10",
        specialties=("SM26",),
        family_name="MARTIN",
        given_name="Alix",
    )
    return replace(requester, **fields)


def requester_employee(subject_id: str = "secretaire-7", structure_id: str = STRUCTURE, **fields: Any) -> Requester:
    """A secretary with a CPE card."""
    requester = Requester(
        kind=RequesterKind.EMPLOYEE,
        identifier=Identifier(PS_IDNAT, f"3{structure_id[1:]}/{subject_id}"),
        name=subject_id,
        structure=structure(structure_id),
    )
    return replace(requester, **fields)


def requester_server(structure_id: str = STRUCTURE, **fields: Any) -> Requester:
    """A server certificate alone."""
    requester = Requester(
        kind=RequesterKind.STRUCTURE,
        identifier=structure(structure_id),
        structure=structure(structure_id),
        software="Hopital 1.2",
    )
    return replace(requester, **fields)


def requester_patient(ins: str = INS, **fields: Any) -> Requester:
    """A person with her INS, as `system|value`."""
    requester = Requester(
        kind=RequesterKind.PATIENT,
        identifier=Identifier.parse(ins),
        name="Camille DUVAL",
        family_name="DUVAL",
        given_name="Camille",
        birth_date="1985-07-14",
        gender="female",
        email="camille.duval@example.org",
    )
    return replace(requester, **fields)


def requester_cpam_agent(agent_id: str = "agent-751", **fields: Any) -> Requester:
    """An agent at the desk of the insurer."""
    identifier = Identifier(INSURER_AGENT, agent_id)
    return replace(Requester(kind=RequesterKind.CPAM_AGENT, identifier=identifier, name=agent_id), **fields)


def requester_cnam_feed(agent_id: str = "CNAM_FEED", **fields: Any) -> Requester:
    """The insurer's feed of reimbursements."""
    identifier = Identifier(INSURER_AGENT, agent_id)
    return replace(Requester(kind=RequesterKind.CNAM_FEED, identifier=identifier, name=agent_id), **fields)
