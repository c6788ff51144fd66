"""Requests for the structured profile, spoilt at random; what is taken is read, changed and found."""

import json
from random import Random

from dmp.domain.clinical_profile import ProfileKind
from tests import profile_bodies as made
from tests.fed_record import AUTHOR
from tests.fuzz import json_mutations
from tests.fuzz.fuzzed_record import FuzzedRecord

_PATCH = [
    {"op": "add", "path": "/meta/security/-", "value": made.MASK},
    {"op": "remove", "path": "/meta/security/0"},
]
_VALUES = ("", "active", "a|b", "|", "ge2026", "xx2026", "-date", "date", "J01C", "\x00", "9" * 50, "professional")


def entry(target: FuzzedRecord, chance: Random) -> None:
    """A spoilt entry; where it is taken, a spoilt change, or a spoilt patch of its labels, and a search."""
    kind = chance.choice(list(ProfileKind))
    make = made.blood_pressure if chance.random() < 0.1 else made.BODIES[kind]
    body = make(target.fed.id, meta={"security": [made.NORMAL]})
    kind = ProfileKind(body["resourceType"])
    answer = target.send("POST", f"/fhir/{kind}", _spoilt(body, chance), as_=AUTHOR)
    if answer.status != 201:
        return
    url = f"/fhir/{kind}/{answer.id}"
    if chance.random() < 0.5:
        target.send("PUT", url, _spoilt(answer.json, chance), as_=AUTHOR)
    else:
        media = "application/json-patch+json"
        target.send("PATCH", url, _spoilt(_PATCH, chance), as_=target.fed.patient, content_type=media)
    name = chance.choice(("code", "date", "_sort", "_tag", "status", "clinical-status", "_id", "identifier", "_cursor"))
    target.send("GET", f"/fhir/{kind}?patient={target.fed.id}&{name}={chance.choice(_VALUES)}", as_=target.fed.patient)


def _spoilt(body: object, chance: Random) -> bytes:
    return json.dumps(json_mutations.spoilt(body, chance)).encode()
