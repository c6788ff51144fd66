"""A file that must not be taken, with what refuses it; and one that must."""

from dataclasses import dataclass

UNSAFE = "unsafe-content"
MISMATCH = "content-mismatch"


@dataclass(frozen=True, slots=True)
class HostileFile:
    """Bytes under a declared type, and the code of their refusal."""

    name: str
    content_type: str
    content: bytes
    code: str = UNSAFE

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True, slots=True)
class HarmlessFile:
    """Bytes under a declared type that are taken."""

    name: str
    content_type: str
    content: bytes

    def __str__(self) -> str:
        return self.name
