"""The life of a document that is awaited: whatever comes, in whatever order, it ends in one of three ways."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from dmp.domain.document import Awaited, Depositor, DocumentEntry, DocumentStatus
from dmp.domain.identifiers import INS_NIR_TEST, Identifier, professional, structure
from dmp.domain.requester import Requester, RequesterKind
from dmp.domain.upload import (
    Place,
    awaited_until,
    doc_status_of,
    failed,
    is_given_up,
    is_open,
    next_look,
    next_version,
    pinned,
    place_of,
    requester_of,
)
from tests.oracle_case import Document
from tests.oracle_people import document_entry
from tests.requester_factories import requester_employee, requester_patient, requester_professional, requester_server

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
BOTH = frozenset(Awaited)
_AWAITED = st.frozensets(st.sampled_from(Awaited), min_size=1)
_IDS = st.text("0123456789abcdefghjkmnpqrstvwxyz", min_size=26, max_size=26)


def awaiting(awaits: frozenset[Awaited] = BOTH) -> DocumentEntry:
    entry = replace(document_entry(Document()), awaits=awaits, awaited_until=awaited_until(NOW), is_uploaded=True)
    return replace(entry, body='{"status":"current"}', due=next_look(entry, NOW))


@given(_AWAITED, st.lists(st.sampled_from((*Awaited, "pin", "fail")), max_size=8))
def test_a_document_is_there_once_all_has_come_unless_it_failed(
    awaits: frozenset[Awaited], happens: list[Awaited | str]
) -> None:
    entry, expected = awaiting(awaits), set(awaits)
    for what in happens:
        if not entry.is_pending:
            break
        match what:
            case Awaited():
                entry = next_version(entry, what, NOW)
                expected.discard(what)
            case "pin":
                entry = pinned(entry, "v1")
                expected.discard(Awaited.VERDICT)
            case _:
                entry = failed(entry, "hash-mismatch", NOW)
                expected = set()

    assert entry.awaits == expected
    assert entry.is_pending == bool(expected)
    assert entry.was_never_available == (bool(expected) or bool(entry.upload_error))
    assert bool(entry.upload_error) == (entry.status is DocumentStatus.ENTERED_IN_ERROR)
    assert (doc_status_of(entry) == "final") == (not entry.was_never_available)


@given(st.integers(min_value=0, max_value=60 * 60 * 40))
def test_an_address_is_given_for_a_day_and_nothing_is_given_up_before_it_ends(seconds: int) -> None:
    entry, now = awaiting(), NOW + timedelta(seconds=seconds)

    assert is_open(entry, now) == (seconds < 24 * 3600)
    assert is_given_up(entry, now) == (seconds >= 25 * 3600)
    assert not (is_open(entry, now) and is_given_up(entry, now + timedelta(minutes=15)))


@given(_AWAITED, st.integers(min_value=0, max_value=60 * 60 * 25))
def test_the_next_look_is_never_behind_the_end_and_bytes_are_looked_for_every_hour(
    awaits: frozenset[Awaited], seconds: int
) -> None:
    entry, now = awaiting(awaits), NOW + timedelta(seconds=seconds)

    look = next_look(entry, now)

    assert look is not None
    assert now <= look <= NOW + timedelta(hours=25)
    assert Awaited.CONTENT not in awaits or look <= now + timedelta(hours=1)


@given(_IDS, _IDS, st.booleans())
def test_a_key_leads_to_its_document(record: str, local: str, is_upload: bool) -> None:
    place = Place(record, local, is_upload)

    assert place_of(place.key) == place
    assert place_of(f"{place.key}/x") is None
    assert place_of(place.key[:-1]) is None


def test_a_key_of_nothing_leads_nowhere() -> None:
    bare = "0" * 26 + "/" + "0" * 26
    keys = ("", "uploads/", "documents/", "seed.txt", "uploads/../x", "documents/uploads/x", bare, f"exports/{bare}")

    assert [place_of(key) for key in keys] == [None] * len(keys)


def test_a_depositor_is_the_same_author_afterwards() -> None:
    callers = (
        requester_professional(),
        requester_professional(structure_id=None),
        requester_employee(),
        requester_server(),
        requester_patient(),
    )

    for caller in callers:
        depositor = Depositor.of(caller)
        assert Depositor.of(requester_of(depositor)) == depositor


def test_a_depositor_stands_for_nobody_else() -> None:
    person, hospital = professional("810101234567"), structure("1750100125")
    patient = Identifier(INS_NIR_TEST, "279035121518989")

    assert requester_of(Depositor(person, hospital)) == Requester(
        kind=RequesterKind.PROFESSIONAL, identifier=person, structure=hospital
    )
    assert requester_of(Depositor(None, hospital)).kind is RequesterKind.STRUCTURE
    assert requester_of(Depositor(patient, None)).ins == patient
