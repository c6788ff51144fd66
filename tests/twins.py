"""Two records fed alike, one of which holds documents besides: what both answer to others must be the same.

Time stands still during each step, so that times are the same in both: ids alone are put in the place of names, by the
order in which they appear.
"""

import re
from base64 import b64decode
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from time_machine import TimeMachineFixture

from dmp.domain.identifiers import resource_id
from dmp.domain.requester import Requester
from tests import bodies
from tests.api_client import ApiClient, Response
from tests.aws_calls import counted
from tests.fed_record import AUTHOR
from tests.minor_record import MinorRecord, open_minor_record
from tests.requester_factories import requester_professional

HIDER = requester_professional("10105555555", "1440000004", name="Lou MOREL")
"""Deposited everything that is hidden, and what came with it."""
A07 = "https://mos.esante.gouv.fr/NOS/TRE_A07-StatutVisibiliteDocument/FHIR/TRE-A07-StatutVisibiliteDocument"
_ID = re.compile(r"[0-9abcdefghjkmnpqrstvwxyz]{26}(?![0-9a-z])")
_QUERY = re.compile(r'"query":"([A-Za-z0-9+/=]+)"')
_REQUEST_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_READS = {"Query": "BatchGetItem"}
_CURSOR = re.compile(r"(_cursor=)[A-Za-z0-9_-]+")

type Json = dict[str, Any]
type Step = Callable[["Twin"], object]
type Who = Callable[["Twin"], Requester]
type Request = Callable[["Twin", Requester], Iterator[Response]]
type Requests = dict[str, Request]


@dataclass
class Twin:
    """One of two records; `documents` and `lists` are what both hold, `hidden` what only one really does."""

    record: MinorRecord
    documents: list[str] = field(default_factory=list)
    lists: list[str] = field(default_factory=list)
    hidden: list[str] = field(default_factory=list)
    hidden_lists: list[str] = field(default_factory=list)
    hidden_events: list[str] = field(default_factory=list)
    names: dict[str, str] = field(default_factory=dict)

    @property
    def api(self) -> ApiClient:
        return self.record.api

    def publish(self, day: int, as_: Requester = AUTHOR, **elements: Any) -> str:
        """Deposit a document of that day, the same in both."""
        answer = self.api.post("/fhir/DocumentReference", self.document(day, **elements), as_=as_)
        assert answer.status == 201, answer.body
        return answer.id

    def document(self, day: int, **elements: Any) -> Json:
        content = f"%PDF-1.4 {day}".encode()
        return bodies.document(self.record.id, content, masterIdentifier=unique(day), date=_day(day), **elements)

    def submit(self, *days: int, hidden: int | None = None, as_: Requester = HIDER, code: str = "") -> list[str]:
        """Deposit a bundle of documents of these days, of which one may be hidden; the ids, the list's first."""
        body = bodies.submission(self.record.id, *(f"%PDF-1.4 {day}".encode() for day in days))
        body["entry"][0]["resource"] |= {
            "identifier": [{"use": "usual", **unique(1000 + days[0])}],
            "date": _day(days[0]),
        }
        for day, entry in zip(days, body["entry"][1:], strict=False):
            entry["resource"] |= {"masterIdentifier": unique(day), "date": _day(day)}
            entry["resource"] |= labelled(code) if day == hidden else {}
        answer = self.api.post("/fhir", body, as_=as_)
        assert answer.status == 200, answer.body
        places = [entry["response"]["location"].split("/")[1] for entry in answer.json["entry"]]
        return places[: len(days) + 1]

    def normal(self, response: Response) -> tuple[int, dict[str, str], str]:
        """An answer without what must differ: ids, cursors, the INS."""
        headers = {name: self.anonymous(value) for name, value in response.headers.items()}
        for own in ("content-length", "apigw-requestid"):
            headers.pop(own, None)
        return response.status, headers, self.anonymous(response.body.decode("utf-8", "surrogateescape"))

    def anonymous(self, text: str) -> str:
        text = _QUERY.sub(lambda match: f'"query":"{b64decode(match[1]).decode()}"', text)
        text = _CURSOR.sub(r"\1…", _REQUEST_ID.sub("…", text).replace(self.record.ins, "INS"))
        return _ID.sub(lambda match: self.names.setdefault(match[0], f"ID{len(self.names)}"), text)


def labelled(code: str) -> Json:
    """The label of an extra code."""
    return {"securityLabel": [{"coding": [{"system": A07, "code": code}]}]} if code else {}


def unique(number: int) -> Json:
    """The unique id of that number, the same in both."""
    return {**bodies.unique_id(), "value": f"urn:oid:2.25.{UUID(int=number).int + 10**9}"}


def _day(day: int) -> str:
    return f"2026-01-{day:02d}T08:00:00Z"


@dataclass
class Twins:
    """The record without (`plain`) and the one with what is hidden (`holding`), and the clock of both."""

    plain: Twin
    holding: Twin
    clock: TimeMachineFixture
    now: datetime

    def both(self, step: Step) -> None:
        """Do the same in both, at the same instant."""
        self.later()
        for twin in (self.plain, self.holding):
            step(twin)

    def later(self) -> None:
        self.now += timedelta(seconds=1)
        self.clock.move_to(self.now, tick=False)

    def make_up(self) -> None:
        """Let the plain one be asked for the same ids, which it does not hold."""
        for name in ("hidden", "hidden_lists", "hidden_events"):
            found = [one.partition(".")[2] for one in getattr(self.holding, name)]
            setattr(self.plain, name, [resource_id(self.plain.record.id, local) for local in found])

    def compare(self, requests: Requests, who: Who, *, costs: bool) -> set[int]:
        """Ask both all of it: they must answer alike, and at the same cost; the statuses that were answered."""
        statuses: set[int] = set()
        for name, request in requests.items():
            self.now += timedelta(seconds=1)
            (plain, cost), (holding, other) = (
                self._answered(twin, request, who) for twin in (self.plain, self.holding)
            )
            assert plain == holding, name
            assert cost == other or not costs, name
            statuses |= {status for status, _, _ in plain}
        return statuses

    def _answered(self, twin: Twin, request: Request, who: Who) -> tuple[list[Any], list[str]]:
        """The answers, and the calls to AWS that they took; a millisecond apart, so that the trace has an order.

        A read is a read, be it of known keys or of a range.
        """
        answers = []
        self.clock.move_to(self.now, tick=False)
        with counted() as calls:
            for response in request(twin, who(twin)):
                answers.append(twin.normal(response))
                self.clock.shift(timedelta(milliseconds=1))
        return answers, [_READS.get(call, call) for call in calls if call != "GetSecretValue"]


def open_twins(api: ApiClient, stores: Mapping[str, str], clock: TimeMachineFixture, now: datetime) -> Twins:
    """Two records of minors that nothing was fed into, opened by one mother at the same instant."""
    clock.move_to(now, tick=False)
    mother = bodies.new_ins()
    plain, holding = (Twin(open_minor_record(api, stores, mother)) for _ in range(2))
    return Twins(plain, holding, clock, now)


def get(path: str, ids: Callable[[Twin], Iterable[str]] = lambda twin: [twin.record.id], **headers: str) -> Request:
    """Read or search, once for each of the ids that the path has room for; every page of it."""

    def ask(twin: Twin, who: Requester) -> Iterator[Response]:
        sent = {"X-Request-Id": "twin", **headers}
        for one in ids(twin):
            answer = twin.api.get(f"/fhir/{path.format(one, ins=twin.record.ins)}", as_=who, headers=sent)
            yield answer
            is_page = answer.status == 200 and headers.get("Accept") != "*/*"
            while is_page and (link := answer.links.get("next")):
                answer = twin.api.get(link, as_=who, headers=sent)
                yield answer

    return ask
