"""Where a web hook may lead: to a public host by HTTPS, never into a network behind it (FHIR Subscription)."""

import re
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from urllib.parse import SplitResult, urlsplit

from dmp.domain.errors import Invalid

LONGEST = 500
"""Characters of an address."""
HTTPS_PORT = 443
_FIRST_FREE_PORT = 1024
_PRINTABLE = re.compile(r"[!-\[\]-~]+", re.ASCII)
"""No blank, no control character, no backslash: what one reader takes for part of the host, another does not."""
_LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_HOST = re.compile(rf"(?:{_LABEL}\.)+[a-z](?:[a-z0-9-]{{0,61}}[a-z0-9])?", re.ASCII)
"""At least two labels, the last of which begins with a letter: `127.1` and `0x7f.1` are numbers in disguise."""
_LOOPBACK = "localhost"
_TRANSLATED = IPv6Network("64:ff9b::/96")
"""Addresses of IPv4 behind NAT64, private ones too (RFC 6052)."""

type Address = IPv4Address | IPv6Address


def check_endpoint(text: str, *, may_loop_back: bool) -> None:
    """Refuse an address that no web hook may have; Invalid `endpoint-invalid` says why.

    `may_loop_back` lets it lead to this very machine, to be tried there.
    """
    parts, port = _split(text)
    host = parts.hostname or ""
    if parts.scheme != "https":
        raise _invalid("the address begins with https:")
    if "@" in parts.netloc or "#" in text:
        raise _invalid("the address holds neither a user nor a fragment")
    if port != HTTPS_PORT and port < _FIRST_FREE_PORT:
        raise _invalid("the port is 443, or above 1023")
    if may_loop_back and host == _LOOPBACK:
        return
    literal = _literal(host)
    if literal and not is_permitted(literal, may_loop_back=may_loop_back):
        raise _invalid("the address is none of the public network")
    if not literal and (len(host) > 253 or not _HOST.fullmatch(host) or host.endswith(f".{_LOOPBACK}")):
        raise _invalid("the host is no name of the public network")


def is_permitted(address: Address, *, may_loop_back: bool) -> bool:
    """Whether a hook may be sent to an IP address: public ones alone, whatever name leads there."""
    if may_loop_back and address.is_loopback:
        return True
    if isinstance(address, IPv6Address) and (address.scope_id or address.ipv4_mapped or address in _TRANSLATED):
        return False
    is_tunnel = isinstance(address, IPv6Address) and bool(address.sixtofour or address.teredo)
    return address.is_global and not address.is_multicast and not address.is_reserved and not is_tunnel


def _split(text: str) -> tuple[SplitResult, int]:
    if len(text) > LONGEST or not _PRINTABLE.fullmatch(text):
        raise _invalid("the address is too long, or holds characters that no address has")
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        raise _invalid("the address is none") from None
    return parts, HTTPS_PORT if port is None else port


def _literal(host: str) -> Address | None:
    try:
        return ip_address(host)
    except ValueError:
        return None


def _invalid(why: str) -> Invalid:
    return Invalid("endpoint-invalid", "Subscription.channel.endpoint", why)
