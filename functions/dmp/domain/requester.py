"""Who calls: what the authorizer learnt from the token, and nothing else of it (IHE IUA, Pro Santé Connect)."""

from dataclasses import dataclass
from enum import StrEnum

from dmp.domain.identifiers import Identifier


class RequesterKind(StrEnum):
    """On whose behalf the request is made; what each kind may do is the table of `rights`."""

    PROFESSIONAL = "professional"
    """CPS or e-CPS card, or a server certificate reinforced by Pro Santé Connect."""
    EMPLOYEE = "employee"
    """CPE card of a structure's secretary."""
    STRUCTURE = "structure"
    """Server certificate (CSA) alone."""
    PATIENT = "patient"
    CPAM_AGENT = "cpam-agent"
    CNAM_FEED = "cnam-feed"
    SERVICE = "service"
    """One of our own jobs; no token stands for it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Requester:
    """The caller of one request.

    `identifier` is the PS_IdNat of a professional, the Struct_IdNat of a structure, the employee's id within the
    structure, the INS of a patient or the agent's id. `structure` is the only structure the caller acts for.
    """

    kind: RequesterKind
    identifier: Identifier
    name: str = ""
    structure: Identifier | None = None
    structure_name: str = ""
    profession: str = ""
    specialties: tuple[str, ...] = ()
    regulates_emergency_calls: bool = False
    family_name: str = ""
    given_name: str = ""
    birth_date: str = ""
    gender: str = ""
    email: str = ""
    software: str = ""
    refusal: str = ""
    """Why this caller, whose token is genuine, may do nothing: the code of a denial that the trace keeps."""
    is_secret: bool = False
    """Whether the access is a connexion secrète, which representatives never learn of (EX_0.1-1100)."""
    scopes: tuple[str, ...] | None = None
    """What the user of a third-party app let it do, as `context/Type.letters`; None where no app calls."""
    asks: str = ""
    """What the route of an app's request asks, as `Type.letters`."""

    @property
    def ins(self) -> Identifier | None:
        """The INS of a patient, nobody else's."""
        return self.identifier if self.kind is RequesterKind.PATIENT else None

    @property
    def actors(self) -> frozenset[Identifier]:
        """The identifiers by which a Consent can name the caller: the professional, and the structure of the token."""
        if self.kind is RequesterKind.PROFESSIONAL and self.structure:
            return frozenset({self.identifier, self.structure})
        if self.kind is RequesterKind.PROFESSIONAL:
            return frozenset({self.identifier})
        return frozenset({self.structure}) if self.structure else frozenset()
