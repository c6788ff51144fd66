"""How decisions of the patient change those in force, as rules of the domain (IHE PCF)."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import event, given
from hypothesis import strategies as st

from dmp.domain import directives
from dmp.domain.civil_time import PARIS, same_day_months_later
from dmp.domain.consent import ConsentKind, ConsentRequest, Directive, Grantor, PatientRef
from dmp.domain.directives import ended_by, holds_longer, next_due, period_of, with_directive, without
from dmp.domain.errors import Conflict, Invalid
from dmp.domain.identifiers import INS_NIR_TEST, PS_IDNAT, STRUCT_IDNAT, Identifier

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
YEAR = timedelta(days=365)
MONTH = timedelta(days=30)
ACTORS = [Identifier(PS_IDNAT, "810101234567"), Identifier(PS_IDNAT, "810107654321"), Identifier(STRUCT_IDNAT, "1750")]
KINDS = [ConsentKind.AUTHORISATION, ConsentKind.BLOCK, ConsentKind.ATTENDING_PHYSICIAN]

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
        draw(st.sampled_from(ACTORS)),
        start,
        start + draw(spans) if has_end else None,
        draw(st.sampled_from([Grantor.PATIENT, Grantor.PROFESSIONAL, Grantor.REPRESENTATIVE])),
    )


heads = st.integers(0, 12).flatmap(lambda size: st.tuples(*(held(number) for number in range(size))))


def directive(
    consent: str,
    kind: ConsentKind = ConsentKind.AUTHORISATION,
    actor: Identifier = ACTORS[0],
    start: datetime = NOW,
    end: datetime | None = NOW + YEAR,
    granted_by: Grantor = Grantor.PATIENT,
) -> Directive:
    permit = kind is not ConsentKind.BLOCK
    return Directive(
        consent=consent, kind=kind, permit=permit, actor=actor, start=start, end=end, granted_by=granted_by
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

    assert [d for d in after if d.actor == block.actor and not d.has_expired(now)] == [block]
    assert {d for d in head if d.actor != block.actor and not d.has_expired(now)} <= set(after)


@given(heads, moments)
def test_there_is_one_mark_at_most(head: tuple[Directive, ...], now: datetime) -> None:
    mark = directive("n", ConsentKind.ATTENDING_PHYSICIAN, start=now, end=None)

    after = decided(head, mark, now)

    assert [d for d in after if d.kind is ConsentKind.ATTENDING_PHYSICIAN and not d.has_expired(now)] == [mark]


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


@given(heads)
def test_a_revocation_takes_one_away(head: tuple[Directive, ...]) -> None:
    for one in head:
        assert without(head, one.consent) == tuple(d for d in head if d is not one)


@given(moments, st.none() | moments, st.none() | moments, st.sampled_from(KINDS))
def test_a_period_is_never_longer_than_a_year_from_now_or_its_start(
    now: datetime, start: datetime | None, end: datetime | None, kind: ConsentKind
) -> None:
    try:
        first, last = period_of(asked(kind, start=start, end=end), now, 12)
    except Invalid:
        event("refused")
        return

    assert first == (start or now)
    assert last is None or (last > now and last > first)
    if kind is ConsentKind.AUTHORISATION:
        assert last is not None
        limit = same_day_months_later(max(first, now), 12).astimezone(PARIS).date()
        assert last.astimezone(PARIS) <= datetime(limit.year, limit.month, limit.day, tzinfo=PARIS) + timedelta(days=1)


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
        (ConsentKind.OPPOSITION, None, "consent-kind-unsupported"),
        (ConsentKind.MASKED_IN_EMERGENCY, None, "consent-kind-unsupported"),
        (ConsentKind.DELEGATION, ACTORS[0], "consent-kind-unsupported"),
        (ConsentKind.DEFAULT_VISIBILITY, None, "consent-kind-unsupported"),
    ],
)
def test_an_actor_is_one_that_the_kind_knows(kind: ConsentKind, actor: Identifier | None, code: str) -> None:
    with pytest.raises(Invalid, match=code):
        directives.check_actor(asked(kind, actor=actor))
