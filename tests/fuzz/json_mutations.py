"""JSON bodies spoilt at random, as software and attackers spoil them: the shape stays near enough to get far in."""

import base64
import copy
import json
from collections.abc import Callable, Iterator
from random import Random
from typing import Any

_TEXTS = (
    "", " ", "\t", "0", "a" * 70_000, "é" * 300, "\u202egnp.exe", "\u0000", "\ud800", "\u200b", "\ufeff", "null",
    "urn:uuid:00000000-0000-4000-8000-000000000000", "urn:oid:1.2.3", "urn:oid:9.9", "urn:oid:" + "1." * 500 + "1",
    "Patient/", "Patient/a", "Patient?identifier=", "Patient?identifier=|", "Patient?identifier=a|b&x=y", "#", "#a",
    "DocumentReference/0123456789abcdefghjkmnpqrs.a", "https://dmp.example/fhir/Patient/a", "http://[", "//a/b?c#d",
    "9999-12-31T23:59:60Z", "0001-01-01T00:00:00+14:00", "2026-01-01T25:00:00Z", "10000-01-01",
    "current", "superseded", "entered-in-error", "replaces", "appends", "transaction", "POST", "DELETE", "PATCH",
    "application/xml", "text/html", "image/png", "11490-0", "MASQUE_PS", "<script>a()</script>", "' OR 1=1", "${x}",
    "../../etc/passwd", "%00", "a|b|c", "\\", '"', "SUBJECT", "resourceType", "AAAA", "====", "A" * 9_999 + "=",
)  # fmt: skip
_VALUES: tuple[Any, ...] = (
    None, True, False, 0, -1, 1.5, 1e308, -0.0, 2**31, 2**63, 10**400, [], {}, [[]], [None], [None, None], {"": ""},
    {"a": None}, [{}], {"reference": "#"}, {"coding": []}, {"coding": [{"code": "a"}]}, {"extension": []},
    {"extension": [{"url": "a"}]}, {"resourceType": "Patient"}, {"resourceType": 7}, {"identifier": {"value": "a"}},
)  # fmt: skip

type Place = tuple[Any, Any]


def spoilt(body: Any, chance: Random) -> Any:
    """A copy with one to three things wrong, or perhaps none that matters."""
    changed = copy.deepcopy(body)
    for _ in range(chance.choice((1, 1, 1, 2, 3))):
        places = list(_places(changed))
        if not places:
            break
        chance.choice(_WAYS)(*chance.choice(places), chance)
    return changed


def spoilt_text(body: Any, chance: Random) -> bytes:
    """The text of a body with bytes changed, left out, doubled or cut off."""
    text = bytearray(json.dumps(body).encode())
    for _ in range(chance.randint(1, 4)):
        at = chance.randrange(len(text))
        match chance.randrange(4):
            case 0:
                text[at] = chance.randrange(256)
            case 1:
                del text[at : at + chance.randint(1, 40)]
            case 2:
                text[at:at] = text[at : at + chance.randint(1, 40)]
            case _:
                text[at:at] = chance.choice(
                    (b"\xff", b"\x00", b"\\u0000", b"[" * 50, b'{"a":', b"1e999", b"NaN", b",,")
                )
        text = text or bytearray(b" ")
    return bytes(text)


def _places(value: Any) -> Iterator[Place]:
    """Every place within a value: the container and its key."""
    keys = list(value) if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ()
    for key in keys:
        yield value, key
        yield from _places(value[key])


def _drop(container: Any, key: Any, _: Random) -> None:
    del container[key]


def _retype(container: Any, key: Any, chance: Random) -> None:
    container[key] = copy.deepcopy(chance.choice(_VALUES))


def _reword(container: Any, key: Any, chance: Random) -> None:
    container[key] = chance.choice(_TEXTS)


def _double(container: Any, key: Any, _: Random) -> None:
    twice = [copy.deepcopy(container[key]), copy.deepcopy(container[key])]
    if isinstance(container, list):
        container[key:key] = twice[:1]
    else:
        container[key] = twice


def _multiply(container: Any, key: Any, chance: Random) -> None:
    value = container[key]
    if isinstance(value, list) and value:
        container[key] = [copy.deepcopy(chance.choice(value)) for _ in range(chance.choice((2, 31, 120)))]


def _nest(container: Any, key: Any, chance: Random) -> None:
    for _ in range(chance.choice((1, 3, 40))):
        container[key] = [container[key]] if chance.random() < 0.5 else {"extension": container[key]}


def _rename(container: Any, key: Any, chance: Random) -> None:
    if isinstance(container, dict):
        value = container.pop(key)
        container[chance.choice((f"_{key}", f"{key}X", "contained", "extension", "modifierExtension", "id", "é"))] = (
            value
        )


def _swap(container: Any, key: Any, chance: Random) -> None:
    other = chance.choice(list(container) if isinstance(container, dict) else range(len(container)))
    container[key], container[other] = container[other], container[key]


def _damage(container: Any, key: Any, chance: Random) -> None:
    value = container[key]
    if isinstance(value, str) and value:
        at = chance.randrange(len(value))
        container[key] = (
            value[:at] + chance.choice(("", "=", " ", "é", "\n", value, "/", "|", "#", "%", "-", "0")) + value[at + 1 :]
        )


def _recode(container: Any, key: Any, chance: Random) -> None:
    """Other bytes where there is base64, so that hash and size are wrong."""
    if key == "data":
        container[key] = base64.b64encode(chance.choice((b"", b"a", b"%PDF-1.4\n", b"PK\x03\x04", b"<a/>"))).decode()
    else:
        _reword(container, key, chance)


_WAYS: tuple[Callable[[Any, Any, Random], None], ...] = (
    _drop, _drop, _retype, _retype, _reword, _reword, _double, _multiply, _nest, _rename, _swap, _damage, _damage,
    _recode,
)  # fmt: skip
