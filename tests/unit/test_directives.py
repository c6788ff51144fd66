"""How decisions of the patient change those in force, as rules of the domain (IHE PCF)."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import event, given
from hypothesis import strategies as st

from dmp.domain import directives
from dmp.domain.civil_time import PARIS, same_day_months_later
from dmp.domain.consent import WISHES, ConsentKind, Directive, Grantor, PatientRef
from dmp.domain.consent_request import ConsentRequest
from dmp.domain.directives import ended_by, holds_longer, next_due, period_of, with_directive, without
from dmp.domain.errors import Conflict, Invalid
from dmp.domain.identifiers import INS_NIR_TEST, PS_IDNAT, STRUCT_IDNAT, Identifier

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
YEAR = timedelta(days=365)
MONTH = timedelta(days=30)
ACTORS = [Identifier(PS_IDNAT, "810101234567"), Identifier(PS_IDNAT, "810107654321"), Identifier(STRUCT_IDNAT, "1750")]
KINDS = [kind for kind in ConsentKind if kind is not ConsentKind.OPENING]
OF_NOBODY = (ConsentKind.OPPOSITION, ConsentKind.MASKED_IN_EMERGENCY, ConsentKind.DEFAULT_VISIBILITY)
BTG, ETREAT, BOTH = ("BTG",), ("ETREAT",), ("BTG", "ETREAT")

moments = st.datetimes(datetime(2024, 1, 1), datetime(2030, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001
spans = st.timedeltas(timedelta(seconds=1), 2 * YEAR)


@st.composite
def held(draw: st.DrawFn, number: int = 0) -> Directive:
    """A directive that a head may hold."""
    start = draw(moments)
    kind = draw(st.sampled_from(KINDS))
    has_end = kind is ConsentKind.AUTHORISATION or draw(st.booleans())
    return directive(
        f"{number:026d}",
        kind,
        None if kind in OF_NOBODY else draw(st.sampled_from(ACTORS)),
        start,
        start + draw(spans) if has_end else None,
        draw(st.sampled_from([Grantor.PATIENT, Grantor.PROFESSIONAL, Grantor.REPRESENTATIVE])),
        purposes=draw(st.sampled_from([BTG, ETREAT, BOTH])) if kind is ConsentKind.OPPOSITION else BTG,
    )


heads = st.integers(0, 9).flatmap(lambda size: st.tuples(*(held(number) for number in range(size))))


def directive(
    consent: str,
    kind: ConsentKind = ConsentKind.AUTHORISATION,
    actor: Identifier | None = ACTORS[0],
    start: datetime = NOW,
    end: datetime | None = NOW + YEAR,
    granted_by: Grantor = Grantor.PATIENT,
    *,
    purposes: tuple[str, ...] = (),
) -> Directive:
    return Directive(
        consent=consent,
        kind=kind,
        permit=kind not in (ConsentKind.BLOCK, ConsentKind.OPPOSITION),
        actor=actor,
        start=start,
        end=end,
        granted_by=granted_by,
        purposes=purposes,
    )


def asked(kind: ConsentKind = ConsentKind.AUTHORISATION, **fields: object) -> ConsentRequest:
    values: dict[str, object] = {"actor": ACTORS[0], "patient": PatientRef(record="r"), **fields}
    return ConsentRequest(kind=kind, permit=True, **values)  # type: ignore[arg-type]


def reads(head: tuple[Directive, ...], actor: Identifier, now: datetime) -> bool:
    return any(d.kind is ConsentKind.AUTHORISATION and d.actor == actor and d.in_force(now) for d in head)


def decided(head: tuple[Directive, ...], new: Directive, now: datetime) -> tuple[Directive, ...]:
    return with_directive(head, new, ended_by(new, head, now), now)


@given(heads, held(99), moments)
def test_the_new_directive_stands_and_nothing_is_invented(
    head: tuple[Directive, ...], new: Directive, now: datetime
) -> None:
    after = decided(head, new, now)

    assert after[-1] == new
    assert set(after) <= {*head, new}
    assert len(after) == len(set(after))


@given(heads, held(99), moments, moments)
def test_an_attested_authorisation_takes_nothing_from_anybody(
    head: tuple[Directive, ...], new: Directive, now: datetime, later: datetime
) -> None:
    attested = directive("n", ConsentKind.AUTHORISATION, new.actor or ACTORS[0], now, now + YEAR, Grantor.PROFESSIONAL)
    later = max(now, later)

    after = decided(head, attested, now)

    for actor in ACTORS:
        assert reads(after, actor, later) >= reads(head, actor, later)
    own = [d for d in head if d.granted_by is not Grantor.PROFESSIONAL and not d.has_expired(now)]
    assert set(own) <= set(after)


@given(heads, moments, spans)
def test_the_patients_authorisation_is_the_only_one_of_its_actor(
    head: tuple[Directive, ...], now: datetime, span: timedelta
) -> None:
    new = directive("n", start=now, end=now + span)

    after = decided(head, new, now)

    of_actor = [d for d in after if d.kind is ConsentKind.AUTHORISATION and d.actor == new.actor]
    assert of_actor == [new]
    others = {d for d in head if d.actor != new.actor and not d.has_expired(now)}
    assert others <= set(after)


@given(heads, moments)
def test_a_block_leaves_its_actor_nothing_and_the_others_everything(head: tuple[Directive, ...], now: datetime) -> None:
    block = directive("n", ConsentKind.BLOCK, start=now, end=None)

    after = decided(head, block, now)

    left = [d for d in after if d.actor == block.actor and not d.has_expired(now)]
    assert [d for d in left if d.kind not in WISHES | {ConsentKind.DELEGATION}] == [block]
    assert {d for d in head if d.actor != block.actor and not d.has_expired(now)} <= set(after)


@given(
    heads,
    moments,
    st.sampled_from(
        [
            *(ConsentKind.ATTENDING_PHYSICIAN, ConsentKind.MASKED_IN_EMERGENCY, ConsentKind.DEFAULT_VISIBILITY),
            *(ConsentKind.ADVANCE_DIRECTIVES, ConsentKind.ORGAN_DONATION),
        ]
    ),
)
def test_of_marks_and_choices_the_last_one_counts(
    head: tuple[Directive, ...], now: datetime, kind: ConsentKind
) -> None:
    last = directive("n", kind, start=now, end=None)

    after = decided(head, last, now)

    assert [d for d in after if d.kind is kind and not d.has_expired(now)] == [last]


@given(heads, held(99), moments)
def test_a_kind_ends_nothing_that_it_is_not_about(head: tuple[Directive, ...], new: Directive, now: datetime) -> None:
    about = {
        ConsentKind.BLOCK: {
            *(ConsentKind.AUTHORISATION, ConsentKind.BLOCK, ConsentKind.ATTENDING_PHYSICIAN, ConsentKind.EMERGENCY)
        },
        ConsentKind.OPPOSITION: {ConsentKind.OPPOSITION, ConsentKind.EMERGENCY},
    }

    ended = ended_by(new, head, now)

    assert {d.kind for d in ended} <= about.get(new.kind, {new.kind})
    assert not [d for d in ended if d.has_expired(now)]


OPPOSED = {
    "a covered opposition": (ConsentKind.OPPOSITION, BTG, NOW, None, True),
    "one that would come later": (ConsentKind.OPPOSITION, BTG, NOW + MONTH, NOW + YEAR, True),
    "the same": (ConsentKind.OPPOSITION, BOTH, NOW, None, True),
    "an emergency of that mode": (ConsentKind.EMERGENCY, BTG, NOW, NOW + MONTH, True),
    "a choice": (ConsentKind.MASKED_IN_EMERGENCY, BTG, NOW, None, False),
    "an authorisation": (ConsentKind.AUTHORISATION, (), NOW, NOW + YEAR, False),
}


@pytest.mark.parametrize("what", OPPOSED)
def test_an_opposition_ends_what_it_covers_and_the_emergencies_of_its_modes(what: str) -> None:
    kind, purposes, start, end, is_ended = OPPOSED[what]
    old = directive("o", kind, None, start, end, purposes=purposes)

    ended = ended_by(directive("n", ConsentKind.OPPOSITION, None, NOW, None, purposes=BOTH), [old], NOW)

    assert ended == ((old,) if is_ended else ())


def test_an_opposition_leaves_what_would_hold_where_it_does_not() -> None:
    lasting = directive("lasting", ConsentKind.OPPOSITION, None, NOW, None, purposes=BTG)
    wide = directive("wide", ConsentKind.OPPOSITION, None, NOW, NOW + MONTH, purposes=BOTH)
    other = directive("other", ConsentKind.EMERGENCY, ACTORS[0], NOW, NOW + MONTH, purposes=ETREAT)
    this = directive("this", ConsentKind.EMERGENCY, ACTORS[1], NOW, NOW + MONTH, purposes=BTG)
    head = [lasting, wide, other, this]

    shorter = directive("n", ConsentKind.OPPOSITION, None, NOW, NOW + MONTH, purposes=BTG)
    later = directive("n", ConsentKind.OPPOSITION, None, NOW + MONTH, None, purposes=BTG)

    assert ended_by(shorter, head, NOW) == (this,)
    assert ended_by(later, head, NOW) == ()


def test_an_emergency_ends_the_former_of_its_actor_and_mode() -> None:
    head = [
        directive("same", ConsentKind.EMERGENCY, purposes=BTG),
        directive("mode", ConsentKind.EMERGENCY, purposes=ETREAT),
        directive("actor", ConsentKind.EMERGENCY, ACTORS[1], purposes=BTG),
        directive("kind"),
    ]

    ended = ended_by(directive("n", ConsentKind.EMERGENCY, purposes=BTG), head, NOW)

    assert [d.consent for d in ended] == ["same"]


def test_a_delegation_ends_the_former_of_that_person_alone() -> None:
    head = [directive("same", ConsentKind.DELEGATION), directive("other", ConsentKind.DELEGATION, ACTORS[1])]

    ended = ended_by(directive("n", ConsentKind.DELEGATION, end=NOW + MONTH), head, NOW)

    assert [d.consent for d in ended] == ["same"]


@given(heads, moments)
def test_an_expired_authorisation_is_remembered_until_a_new_one(head: tuple[Directive, ...], now: datetime) -> None:
    unrelated = directive("n", actor=Identifier(PS_IDNAT, "8999"), start=now, end=now + YEAR)

    after = decided(head, unrelated, now)

    expired = {d.actor for d in head if d.kind is ConsentKind.AUTHORISATION and d.has_expired(now)}
    assert {d.actor for d in after if d.has_expired(now)} == expired


def test_a_head_never_grows_beyond_its_limits() -> None:
    head: tuple[Directive, ...] = ()
    for number in range(directives.MOST_IN_FORCE):
        actor = Identifier(PS_IDNAT, f"8{number:011d}")
        head = decided(head, directive(f"{number}", actor=actor), NOW)

    with pytest.raises(Conflict, match="too-many"):
        decided(head, directive("one more", actor=Identifier(PS_IDNAT, "8x")), NOW)
    later = NOW + 2 * YEAR
    after = decided(head, directive("next year", start=later, end=later + YEAR), later)

    assert len(head) == 300
    assert len(after) == directives.MOST_EXPIRED + 1


def test_what_one_actor_holds_is_limited() -> None:
    head: tuple[Directive, ...] = ()
    for number in range(directives.MOST_OF_ONE_ACTOR):
        end = NOW + YEAR - timedelta(days=number)
        head = decided(head, directive(f"{number}", end=end, granted_by=Grantor.PROFESSIONAL), NOW)

    with pytest.raises(Conflict, match="too-many"):
        decided(head, directive("shorter", end=NOW + MONTH, granted_by=Grantor.PROFESSIONAL), NOW)
    assert decided(head, directive("as long", granted_by=Grantor.PROFESSIONAL), NOW)[-1].consent == "as long"
    assert decided(head, directive("block", ConsentKind.BLOCK, end=None), NOW)[-1].consent == "block"


@pytest.mark.parametrize(("kind", "most"), directives.MOST_OF_A_KIND.items())
def test_what_one_opposition_ends_fits_into_a_transaction(kind: ConsentKind, most: int) -> None:
    head: tuple[Directive, ...] = ()
    for number in range(most):
        actor = Identifier(PS_IDNAT, f"8{number}") if kind is ConsentKind.EMERGENCY else None
        end = NOW + YEAR - timedelta(days=number)
        head = decided(head, directive(f"{number}", kind, actor, NOW, end, purposes=BTG), NOW)

    with pytest.raises(Conflict, match="too-many"):
        decided(head, directive("n", kind, ACTORS[0], NOW, NOW + MONTH, purposes=BTG), NOW)
    opposition = directive("all", ConsentKind.OPPOSITION, None, NOW, None, purposes=BOTH)

    assert ended_by(opposition, head, NOW) == head
    assert 2 * (sum(directives.MOST_OF_A_KIND.values()) + 2) <= 100


@given(heads)
def test_a_revocation_takes_one_away(head: tuple[Directive, ...]) -> None:
    for one in head:
        assert without(head, one.consent) == tuple(d for d in head if d is not one)


@given(moments, st.none() | moments, st.none() | moments, st.sampled_from(KINDS))
def test_a_period_is_never_longer_than_a_year_from_now_or_its_start(
    now: datetime, start: datetime | None, end: datetime | None, kind: ConsentKind
) -> None:
    try:
        first, last = period_of(asked(kind, start=start, end=end), now, 12, "1979-03-28")
    except Invalid:
        event("refused")
        return

    is_choice = kind in (ConsentKind.MASKED_IN_EMERGENCY, ConsentKind.DEFAULT_VISIBILITY)
    assert first == (min(start or now, now) if is_choice else start or now)
    assert last is None or (last > now and last > first)
    if kind is ConsentKind.AUTHORISATION:
        assert last is not None
        limit = same_day_months_later(max(first, now), 12).astimezone(PARIS).date()
        assert last.astimezone(PARIS) <= datetime(limit.year, limit.month, limit.day, tzinfo=PARIS) + timedelta(days=1)


MAJORITY = datetime(2027, 5, 16, 22, tzinfo=UTC)


@pytest.mark.parametrize(
    ("birth_date", "end", "expected"),
    [
        ("2009-05-17", None, MAJORITY),
        ("2009-05-17", NOW + MONTH, NOW + MONTH),
        ("2009-05-17", NOW + 9 * YEAR, MAJORITY),
        ("1979-03-28", None, None),
        ("1979-03-28", NOW + 9 * YEAR, NOW + 9 * YEAR),
        ("", None, None),
    ],
)
def test_a_delegation_by_a_minor_ends_with_the_minority(
    birth_date: str, end: datetime | None, expected: datetime | None
) -> None:
    assert period_of(asked(ConsentKind.DELEGATION, end=end), NOW, 12, birth_date) == (NOW, expected)


def test_a_delegation_that_would_begin_after_the_minority_is_empty() -> None:
    with pytest.raises(Invalid, match="period-empty"):
        period_of(asked(ConsentKind.DELEGATION, start=MAJORITY), NOW, 12, "2009-05-17")


@pytest.mark.parametrize("kind", [ConsentKind.MASKED_IN_EMERGENCY, ConsentKind.DEFAULT_VISIBILITY])
def test_a_choice_holds_from_now_on(kind: ConsentKind) -> None:
    soon = NOW + timedelta(seconds=30)

    with pytest.raises(Invalid, match="period-invalid"):
        period_of(asked(kind, start=NOW + timedelta(hours=1)), NOW, 12)
    assert period_of(asked(kind, start=soon), NOW, 12) == (NOW, None)


@pytest.mark.parametrize("year", [9, 99, 999, 7999])
def test_periods_at_the_ends_of_the_calendar_are_refused(year: int) -> None:
    for start in (datetime(year, 6, 1, tzinfo=UTC), datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)):
        with pytest.raises(Invalid, match="period-"):
            period_of(asked(start=start), NOW, 12)


@given(held(), st.none() | moments, st.none() | moments)
def test_a_change_holds_longer_exactly_when_some_moment_is_gained(
    one: Directive, start: datetime | None, end: datetime | None
) -> None:
    gains_before = start is not None and start < one.start
    gains_after = one.end is not None and end is not None and end > one.end

    assert holds_longer(one, start, end) == (gains_before or gains_after)


@given(held(), moments)
def test_an_authorisation_is_looked_at_to_warn_and_then_to_end(one: Directive, now: datetime) -> None:
    due = next_due(one, now, MONTH)

    if one.end is None:
        assert due is None
    elif one.kind is ConsentKind.AUTHORISATION and now < one.end - MONTH:
        assert due == one.end - MONTH
    else:
        assert due == one.end
    if one.kind is ConsentKind.AUTHORISATION and due is not None and due < (one.end or due):
        assert next_due(one, due, MONTH) == one.end


@pytest.mark.parametrize(
    ("kind", "actor", "code"),
    [
        (ConsentKind.AUTHORISATION, None, "actor-invalid"),
        (ConsentKind.AUTHORISATION, Identifier(INS_NIR_TEST, "279035121518989"), "actor-invalid"),
        (ConsentKind.AUTHORISATION, Identifier(PS_IDNAT, ""), "actor-invalid"),
        (ConsentKind.AUTHORISATION, Identifier(PS_IDNAT, "8|10101234567"), "actor-invalid"),
        (ConsentKind.AUTHORISATION, Identifier(PS_IDNAT, "8" * 65), "actor-invalid"),
        (ConsentKind.BLOCK, Identifier(PS_IDNAT, "810101234567\n"), "actor-invalid"),
        (ConsentKind.BLOCK, Identifier("", "810101234567"), "actor-invalid"),
        (ConsentKind.ATTENDING_PHYSICIAN, ACTORS[2], "actor-invalid"),
    ],
)
def test_an_actor_is_one_that_the_kind_knows(kind: ConsentKind, actor: Identifier | None, code: str) -> None:
    with pytest.raises(Invalid, match=code):
        directives.check_actor(asked(kind, actor=actor))


@pytest.mark.parametrize("kind", OF_NOBODY)
def test_choices_and_oppositions_are_about_nobody(kind: ConsentKind) -> None:
    directives.check_actor(asked(kind, actor=None))


def test_an_authorisation_that_began_earlier_lasts_a_year_from_its_start_and_renewed_from_now() -> None:
    start = NOW - timedelta(days=100)
    a_year_from_now = asked(ConsentKind.AUTHORISATION, start=start, end=NOW + timedelta(days=364))

    with pytest.raises(Invalid) as refused:
        period_of(a_year_from_now, NOW, 12)

    assert refused.value.code == "period-too-long"
    assert period_of(a_year_from_now, NOW, 12, renews=True) == (start, a_year_from_now.end)
