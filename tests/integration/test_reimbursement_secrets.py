"""What a minor keeps secret does not reach the mother by a line of reimbursement, however the insurer tells of it."""

from datetime import UTC, datetime
from typing import Any

import pytest
from time_machine import TimeMachineFixture

from tests.api_client import ApiClient
from tests.fed_record import FedRecord, open_record
from tests.minor_record import MinorRecord, open_minor_record
from tests.reimbursements import URL, batch, fed, feed, feed_batch, line, statuses

type Json = dict[str, Any]

_TEXT = {"text": "x"}
TELLING: dict[str, Json] = {
    "diagnosis": {
        "diagnosis": [
            {
                "sequence": 1,
                "diagnosisCodeableConcept": {"coding": [{"system": "http://hl7.org/fhir/sid/icd-10", "code": "O04.9"}]},
            }
        ]
    },
    "text": {"item": [{"sequence": 1, "productOrService": {"text": "Interruption volontaire de grossesse"}}]},
    "display": {
        "item": [
            {"sequence": 1, "productOrService": {"coding": [{"code": "X", "display": "IVG médicamenteuse"}]}},
        ]
    },
    "code": {"item": [{"sequence": 1, "productOrService": {"coding": [{"code": "IMI"}]}}]},
    "modifier": {"item": [{"sequence": 1, "productOrService": _TEXT, "modifier": [{"coding": [{"code": "JNJD002"}]}]}]},
    "programme": {"item": [{"sequence": 1, "productOrService": _TEXT, "programCode": [{"text": "Contraception"}]}]},
    "added": {"addItem": [{"productOrService": {"text": "Dépistage des IST"}}]},
    "information": {"supportingInfo": [{"sequence": 1, "category": _TEXT, "code": {"coding": [{"code": "Z11.4"}]}}]},
    "note": {"processNote": [{"text": "Test de grossesse"}]},
    "disposition": {"disposition": "Pilule : prise en charge à 100 %"},
}


@pytest.fixture
def minor(api: ApiClient, stack: dict[str, str], clock: TimeMachineFixture) -> MinorRecord:
    """The record of somebody of fourteen."""
    return open_minor_record(api, stack)


@pytest.fixture
def adult(api: ApiClient, stack: dict[str, str], clock: TimeMachineFixture) -> FedRecord:
    """The record of an adult."""
    return open_record(api, stack)


@pytest.mark.parametrize("told", TELLING)
def test_a_line_of_a_minor_that_tells_of_a_secret_act_is_not_stored(minor: MinorRecord, told: str) -> None:
    before = minor.items(), len(minor.trace())

    answer = feed(minor.api, line(minor.id, **TELLING[told]))

    assert (answer.status, answer.code) == (422, "secret-act")
    assert (minor.items(), len(minor.trace())) == before
    assert minor.api.get(f"{URL}?patient={minor.id}", as_=minor.guardian).resources == []


def test_other_lines_of_a_minor_reach_the_mother(minor: MinorRecord) -> None:
    vaccine: Json = {"item": [{"sequence": 1, "productOrService": {"text": "Vaccin hépatite B"}}]}

    made = [fed(minor.api, line(minor.id)).id, fed(minor.api, line(minor.id, **vaccine)).id]

    found = minor.api.get(f"{URL}?patient={minor.id}", as_=minor.guardian).resources
    assert {one["id"] for one in found} == set(made)


def test_the_lines_of_an_adult_tell_what_they_tell(adult: FedRecord) -> None:
    answer = feed_batch(adult.api, batch(*(line(adult.id, **told) for told in TELLING.values())))

    assert statuses(answer) == ["201"] * len(TELLING)


def test_a_secret_is_kept_until_the_eve_of_the_majority(minor: MinorRecord, clock: TimeMachineFixture) -> None:
    """Born on 1 June 2011; midnight in Paris is the evening before in UTC."""
    clock.move_to(datetime(2029, 6, 1, 12, tzinfo=UTC), tick=False)
    told = TELLING["note"]
    done = {"sequence": 1, "procedureCodeableConcept": _TEXT}

    answer = feed_batch(
        minor.api,
        batch(
            line(minor.id, care="2029-05-31", **told),
            line(minor.id, care="2029-06-01", **told),
            line(minor.id, care="2029-06-01", procedure=[{**done, "date": "2029-05-31"}], **told),
            line(minor.id, care="2029-06-01", procedure=[{**done, "date": "2029-05-31T22:30:00Z"}], **told),
            line(minor.id, item=None, billablePeriod={"start": "2029-05-31T21:59:59Z", "end": "2029-06-01"}, **told),
            line(minor.id, care="2029-05", **told),
        ),
    )

    secret = "422 secret-act"  # pragma: allowlist secret
    assert statuses(answer) == [secret, "201", secret, "201", secret, secret]
