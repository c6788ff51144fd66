"""From a parameter of a search to the condition that a stored resource must satisfy (FHIR R4 search)."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from dmp.domain.search_terms import Condition, Groups, Span, Spans
from dmp.fhir.search import Search
from dmp.fhir.search_elements import (
    Actor,
    Resource,
    actors,
    at,
    codes_of,
    extended,
    identified,
    is_coded,
    is_identified,
    named,
    ranges,
    spans,
)
from dmp.fhir.search_values import DateValue, Prefix

type Values = Callable[[Resource], Iterable[Any]]
"""The elements of a resource that a parameter looks at."""
type Test = Callable[[Search, str, Resource], bool]
"""Whether a resource satisfies the parameter of this name."""
type Actors = Callable[[Resource], Iterable[Actor]]

_SPECIAL = "http://terminology.hl7.org/CodeSystem/special-values"


def conditions(search: Search, tests: Mapping[str, Test]) -> tuple[Condition, ...]:
    """The conditions of those parameters that were given."""
    given = [(name, test) for name, test in tests.items() if name in search.values]
    return tuple(_bound(search, name, test) for name, test in given)


def _bound(search: Search, name: str, test: Test) -> Condition:
    return lambda resource: test(search, name, resource)


def elements(*path: str) -> Values:
    """The elements at a path."""
    return lambda resource: at(resource, *path)


def extensions(url: str, value: str, *path: str) -> Values:
    """The values of an extension, of the resource and of the elements at a path."""
    return lambda resource: extended([resource, *(at(resource, *path) if path else ())], url, value)


def codes(values: Values) -> Test:
    """A token for codes."""
    return lambda search, name, resource: _all(
        search.tokens(name), lambda token: is_coded(token, codes_of(values(resource)))
    )


def identifiers(values: Values) -> Test:
    """A token for identifiers, or for the logical identifiers of references."""
    return lambda search, name, resource: _all(
        search.tokens(name), lambda token: is_identified(token, identified(values(resource)))
    )


def references(values: Values) -> Test:
    """A reference; a logical one is found by its identifier too."""
    return lambda search, name, resource: search.references_match(
        name, list(named(list(values(resource)), search.base_url))
    )


def texts(values: Values) -> Test:
    """A string."""
    return lambda search, name, resource: search.texts_match(name, values(resource))


def uris(values: Values) -> Test:
    """A URI; an OID may come without `urn:oid:`."""
    return lambda search, name, resource: _all(
        search.texts(name), lambda wanted: wanted.removeprefix("urn:oid:") in _oids(values(resource))
    )


def moments(values: Values) -> Test:
    """A date for a dateTime of any precision."""
    return lambda search, name, resource: _all(
        search.dates(name), lambda value: any(value.matches(*one) for one in ranges(values(resource)))
    )


def starts(values: Values) -> Test:
    """A date for the moment at which a dateTime begins."""
    return lambda search, name, resource: _all(
        search.dates(name), lambda value: any(value.matches_instant(one[0]) for one in ranges(values(resource)))
    )


def periods(values: Values) -> Test:
    """A date for the time of a service, which it overlaps (ITI-67)."""
    return lambda search, name, resource: _all(
        search.dates(name), lambda value: any(value.overlaps(*one) for one in spans(values(resource)))
    )


def archived(values: Values) -> Test:
    """Whether something is archived; what does not say so is not."""

    def test(search: Search, name: str, resource: Resource) -> bool:
        text = "true" if True in values(resource) else "false"
        return search.tokens_match(name, [("", text), (_SPECIAL, text)])

    return test


def people(values: Values, *types: str) -> Actors:
    """Those whom references lead to; of the given types alone where there are some."""

    def found(resource: Resource) -> Iterator[Actor]:
        for actor in actors(resource, values(resource)):
            if not types or actor.type == types[0]:
                yield actor.within(*types) if types else actor

    return found


def names(found: Actors, part: str) -> Test:
    """A string for the names of those whom references lead to."""
    return lambda search, name, resource: search.texts_match(
        name, (text for actor in found(resource) for text in actor.names(part))
    )


def actor_identifiers(values: Values) -> Test:
    """A token for the identifiers of those whom references lead to."""
    found = people(values)
    return lambda search, name, resource: _all(
        search.tokens(name),
        lambda token: is_identified(token, [one for actor in found(resource) for one in actor.identifiers]),
    )


def instants(search: Search, name: str) -> Spans:
    """The spans of time in which an instant satisfies a parameter."""
    return tuple(tuple(span for value in group for span in _held(value)) for group in search.dates(name))


def ids(search: Search) -> Groups[str]:
    """What `_id` asks."""
    return tuple(tuple(token.code for token in group) for group in search.tokens("_id"))


def _held(value: DateValue) -> Iterator[Span]:
    """The moments that a date with its prefix stands for; all but a span of time are two."""
    if value.prefix is Prefix.NOT_EQUAL:
        yield Span(None, value.start)
        yield Span(value.end, None)
    else:
        yield Span(*value.window)


def _all[Value](groups: Groups[Value], test: Callable[[Value], bool]) -> bool:
    return all(any(map(test, group)) for group in groups)


def _oids(values: Iterable[str]) -> set[str]:
    return {value.removeprefix("urn:oid:") for value in values}
