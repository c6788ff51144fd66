"""A consumer of a stream as it is deployed, for records that a test gives it."""

from collections.abc import Iterator, Sequence

from infra.local.event_sources import StreamMapping
from infra.local.runtime import Runtime
from infra.local.template import Template
from infra.local.triggers import StreamConsumer, StreamRecord
from tests.aws_stack import TEMPLATE


class GivenStream(StreamConsumer):
    """Filters, batches, bisects and sets aside as the local stack does, and ends with what it is given."""

    def __init__(
        self, mapping: StreamMapping, lost_records: str, runtime: Runtime, given: Sequence[StreamRecord]
    ) -> None:
        super().__init__(mapping, "arn:aws:dynamodb:eu-west-3:123456789012:table/given", lost_records, runtime)
        self._given = given

    def consume(self) -> None:
        """Deliver everything, or set it aside."""
        self._consume()

    def _poll(self) -> Iterator[list[StreamRecord]]:
        yield list(self._given)


def mappings_of(function: str) -> list[StreamMapping]:
    """The event source mappings of a function, as they are deployed."""
    return [mapping for mapping in Template(TEMPLATE).stream_mappings if mapping.function == function]
