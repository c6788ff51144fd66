"""The CareTeam of a record as it is answered, and its search (FHIR R4 CareTeam)."""

import json
from functools import cache
from pathlib import Path
from typing import Any

from dmp.domain.care_team import CareTeam, Member
from dmp.domain.identifiers import STRUCT_IDNAT
from dmp.fhir.search import Search
from dmp.fhir.search_parameters import PATIENT, PATIENT_IDENTIFIER, Kind, Parameter
from dmp.fhir.systems import CARE_TEAM_STATUS, DMP_CONSENT_KIND
from dmp.fhir.times import instant_text

type Json = dict[str, Any]

CARE_TEAM_PARAMETERS = (PATIENT, PATIENT_IDENTIFIER, Parameter("status", Kind.TOKEN))
_TEXTS = Path(__file__).parent.parent / "data" / "consents_fr.json"
_ACTIVE = "active"


def render_care_team(team: CareTeam) -> Json:
    """The team as a resource that nobody can write: it has no versions, for time alone changes it."""
    rendered: Json = {
        "resourceType": "CareTeam",
        "id": team.id,
        "meta": {"lastUpdated": instant_text(team.updated)},
        "status": _ACTIVE,
        "name": _texts()["name"],
        "subject": {"reference": f"Patient/{team.record}"},
        "participant": [_participant(member) for member in team.members],
    }
    return {name: value for name, value in rendered.items() if value}


def is_team_wanted(search: Search) -> bool:
    """Whether the only team there is satisfies a search."""
    return search.tokens_match("status", [(CARE_TEAM_STATUS, _ACTIVE)])


def _participant(member: Member) -> Json:
    is_structure = member.actor.system == STRUCT_IDNAT
    role = _texts()["roles"]["structure" if is_structure else member.role]
    period = {"start": instant_text(member.start), **({"end": instant_text(member.end)} if member.end else {})}
    reference = {
        "type": "Organization" if is_structure else "Practitioner",
        "identifier": {"system": member.actor.system, "value": member.actor.value},
        **({"display": member.name} if member.name else {}),
    }
    coding = {"system": DMP_CONSENT_KIND, "code": member.role.value}
    return {"role": [{"coding": [coding], "text": role}], "member": reference, "period": period}


@cache
def _texts() -> Json:
    return dict(json.loads(_TEXTS.read_bytes())["care_team"])
