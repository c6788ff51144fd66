"""One call of the API: who asks, when, and under which request id."""

from dataclasses import dataclass
from datetime import datetime

from dmp.domain.requester import Requester


@dataclass(frozen=True, slots=True)
class Call:
    """What every service operation needs to know of its caller."""

    requester: Requester
    now: datetime
    request_id: str
