"""Who is told of what, by which channel: preferences, minors and secrets, professionals (R.1111-48, L.1111-5)."""

from datetime import UTC, datetime, timedelta
from itertools import count

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dmp.domain.identifiers import INS_NIR_TEST, Identifier, professional, structure
from dmp.domain.message_text import text_of
from dmp.domain.notification import ALWAYS, PATIENT, Channel, Kind, Message, MessageStatus, Notice, messages_of
from dmp.domain.record import Identity, Record, RecordStatus, Telecom

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
EMAIL = "dominique@example.org"
DOCTOR, HOSPITAL = professional("810101234567"), structure("1750100125")
CHOICES = st.frozensets(
    st.tuples(st.sampled_from([k.value for k in Kind]), st.sampled_from([c.value for c in Channel]))
)


def record(*, birth_date: str = "1979-03-28", unwanted: frozenset[tuple[str, str]] = frozenset()) -> Record:
    identity = Identity(
        ins=Identifier(INS_NIR_TEST, "279035121518989"),
        birth_name="PAT-TROIS",
        given_names=("DOMINIQUE",),
        usual_name="",
        birth_date=birth_date,
        gender="female",
        birth_place="51215",
        telecom=(Telecom("phone", "0601020304"), Telecom("email", EMAIL)),
    )
    return Record(
        id="r" * 26,
        version=1,
        patient_version=1,
        updated=NOW,
        status=RecordStatus.OPEN,
        identity=identity,
        opened_at=NOW,
        unwanted=unwanted,
    )


def told(notice: Notice, about: Record, mail_domain: str = "") -> list[tuple[str, str]]:
    """Recipient and address of each message."""
    locals_ = (f"{number:026d}" for number in count())
    return [(m.recipient, m.email) for m in messages_of(notice, about, locals_, NOW, mail_domain)]


@given(st.sampled_from(Kind), CHOICES)
def test_a_mail_announces_a_message_that_the_person_wants_by_a_channel_that_the_person_wants(
    kind: Kind, unwanted: frozenset[tuple[str, str]]
) -> None:
    [*made] = told(Notice(kind=kind), record(unwanted=unwanted))

    if kind in ALWAYS:
        assert made == [(PATIENT, EMAIL)]
    elif (kind.value, Channel.MESSAGE.value) in unwanted:
        assert made == []
    else:
        assert made == [(PATIENT, "" if (kind.value, Channel.MAIL.value) in unwanted else EMAIL)]


@given(st.sampled_from(Kind), CHOICES)
def test_what_professionals_are_told_is_not_the_patients_choice(
    kind: Kind, unwanted: frozenset[tuple[str, str]]
) -> None:
    notice = Notice(kind=kind, also=(DOCTOR, HOSPITAL, DOCTOR))

    made = [one for one in told(notice, record(unwanted=unwanted), "relay.example") if one[0] != PATIENT]

    assert made == [(str(DOCTOR), "810101234567@relay.example"), (str(HOSPITAL), "")]


def test_without_a_relay_professionals_have_no_address() -> None:
    assert told(Notice(kind=Kind.EMERGENCY_ACCESS, also=(DOCTOR,)), record())[1] == (str(DOCTOR), "")


@pytest.mark.parametrize(
    ("birth_date", "is_secret", "address"),
    [("2008-03-03", True, ""), ("2008-03-03", False, EMAIL), ("2008-03-02", True, EMAIL), ("2008-03-02", False, EMAIL)],
)
def test_a_secret_of_a_minor_goes_to_no_mailbox_that_may_be_a_parents(
    birth_date: str, is_secret: bool, address: str
) -> None:
    made = told(Notice(kind=Kind.FIRST_ACCESS, is_secret=is_secret), record(birth_date=birth_date))

    assert made == [(PATIENT, address)]


@pytest.mark.parametrize("kind", Kind)
def test_every_kind_has_a_text_for_the_person_and_one_for_others(kind: Kind) -> None:
    texts = {
        text_of(Message(record="r", local="l", sent=NOW, recipient=recipient, kind=kind))
        for recipient in (PATIENT, str(DOCTOR), str(HOSPITAL))
    }

    assert len(texts) == 2
    assert all(texts)


def test_a_message_is_marked_as_a_new_version() -> None:
    message = Message(record="r", local="l", sent=NOW, recipient=PATIENT, kind=Kind.FIRST_ACCESS)

    marked = message.marked(MessageStatus.READ, NOW + timedelta(hours=1))

    assert (marked.version, marked.status, marked.sent) == (2, MessageStatus.READ, NOW)
