"""Identifiers of people and structures (INS, PS_IdNat, Struct_IdNat) and of the resources of a record."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

INS_NIR = "urn:oid:1.2.250.1.213.1.4.8"
INS_NIA = "urn:oid:1.2.250.1.213.1.4.9"
INS_NIR_TEST = "urn:oid:1.2.250.1.213.1.4.10"
INS_NIR_DEMO = "urn:oid:1.2.250.1.213.1.4.11"
INS_SYSTEMS = frozenset({INS_NIR, INS_NIA, INS_NIR_TEST, INS_NIR_DEMO})
INS_REAL_SYSTEMS = frozenset({INS_NIR, INS_NIA})
PS_IDNAT = "urn:oid:1.2.250.1.71.4.2.1"
STRUCT_IDNAT = "urn:oid:1.2.250.1.71.4.2.2"
PSEUDONYM = "https://interop.esante.gouv.fr/ig/fhir/dmp/NamingSystem/dmp-person"
"""System of the keyed hash that stands for a person in the trace of somebody else's record."""
RECORD = "https://interop.esante.gouv.fr/ig/fhir/dmp/NamingSystem/dmp-record"
"""System of the id that stands for the person in the own record's trace."""
SERVICE = "https://interop.esante.gouv.fr/ig/fhir/dmp/NamingSystem/dmp-service"
"""System of the names of our own jobs in traces."""

_INS_FORM = re.compile(r"\d{6}[0-9AB]\d{8}", re.ASCII)
_INS = re.compile(r"[1-478]\d{5}(\d|[AB])\d{8}", re.ASCII)
_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
_RECORD_ID = re.compile(rf"[{_ALPHABET}]{{26}}", re.ASCII)
_LOCAL_ID = re.compile(rf"[{_ALPHABET}]{{26}}", re.ASCII)
_YEAR_ONE = datetime(1, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)
_TIME_CHARS, _RANDOM_BYTES = 10, 10


@dataclass(frozen=True, slots=True, order=True)
class Identifier:
    """A value within its system, as FHIR's Identifier."""

    system: str
    value: str

    def __str__(self) -> str:
        return f"{self.system}|{self.value}"

    @classmethod
    def parse(cls, token: str) -> "Identifier":
        """Read `system|value`, where the value may hold further bars; a token without a bar has an empty system."""
        system, bar, value = token.partition("|")
        return cls(system, value) if bar else cls("", token)


def professional(value: str) -> Identifier:
    """PS_IdNat: `8` followed by the RPPS number, `0` by the ADELI number."""
    return Identifier(PS_IDNAT, value)


def structure(value: str) -> Identifier:
    """Struct_IdNat: `1` followed by FINESS, `2` by SIREN, `3` by SIRET."""
    return Identifier(STRUCT_IDNAT, value)


def ins_key_is_valid(value: str) -> bool:
    """Check the 15 characters of an INS: form, and key = 97 - (number mod 97), Corsica by 2A→19 and 2B→18."""
    if not _INS.fullmatch(value):
        return False
    number = value[:13]
    if value[6] in "AB":
        if value[5] != "2":
            return False
        number = number[:5] + {"A": "19", "B": "18"}[value[6]] + number[7:]
    return int(value[13:]) == 97 - int(number) % 97


def ins_has_form(value: str) -> bool:
    """Whether a text has the 15 characters of an INS, whatever its key: enough for test identities."""
    return bool(_INS_FORM.fullmatch(value))


def ins_is_accepted(ins: Identifier, *, test_identities: bool) -> bool:
    """Whether an INS may name somebody: by its key where it is real; those of TEST and DEMO by their form alone.

    Production has no `test_identities`.
    """
    if ins.system in INS_REAL_SYSTEMS:
        return ins_key_is_valid(ins.value)
    return ins.system in INS_SYSTEMS and test_identities and ins_has_form(ins.value)


def ins_tells_of_birth(ins: Identifier, birth_date: str) -> bool:
    """Whether a real INS has the year of a birth date (`YYYY-MM-DD`); its month may be a fictitious one.

    INS of TEST and DEMO tell of no birth.
    """
    return ins.system not in INS_REAL_SYSTEMS or ins.value[1:3] == birth_date[2:4]


def encode_base32(number: int, length: int) -> str:
    """Write a number in Crockford's alphabet, lower case, so that text order is number order."""
    digits = []
    for _ in range(length):
        number, digit = divmod(number, 32)
        digits.append(_ALPHABET[digit])
    return "".join(reversed(digits))


def record_id(entropy: bytes) -> str:
    """Name a record with 128 random bits."""
    return encode_base32(int.from_bytes(entropy[:16]), 26)


def time_prefix(instant: datetime) -> str:
    """The 10 characters that begin every local id of that millisecond."""
    return encode_base32((instant - _YEAR_ONE) // _MILLISECOND, _TIME_CHARS)


def moment_of(local: str) -> datetime:
    """The millisecond that a local id begins with."""
    number = 0
    for character in local[:_TIME_CHARS]:
        number = number * 32 + _ALPHABET.index(character)
    return _YEAR_ONE + number * _MILLISECOND


def local_id(instant: datetime, entropy: bytes) -> str:
    """Name a resource within its record: the millisecond since the year one, then 80 random bits."""
    return time_prefix(instant) + encode_base32(int.from_bytes(entropy[:_RANDOM_BYTES]), 16)


def resource_id(record: str, local: str) -> str:
    """The FHIR id of a resource: its record, then its name within."""
    return f"{record}.{local}"


def is_record_id(value: str) -> bool:
    """Whether a text has the form of a record's id."""
    return bool(_RECORD_ID.fullmatch(value))


def is_local_id(value: str) -> bool:
    """Whether a text has the form of a local id."""
    return bool(_LOCAL_ID.fullmatch(value))


def split_resource_id(value: str) -> tuple[str, str] | None:
    """Split a FHIR id into record and local part, or None when it is not one of ours."""
    record, _, local = value.partition(".")
    if _RECORD_ID.fullmatch(record) and _LOCAL_ID.fullmatch(local):
        return record, local
    return None
