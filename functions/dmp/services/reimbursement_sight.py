"""What a caller may see of the history of reimbursements: lines by the decision, as long as they are shown."""

from collections.abc import Iterable, Iterator
from dataclasses import replace

from dmp.domain.access import decide
from dmp.domain.access_request import AccessRequest
from dmp.domain.record import Record
from dmp.domain.reimbursement import RESOURCE_TYPE, Reimbursement, Window
from dmp.domain.rights import Action
from dmp.services.call import Call
from dmp.services.gate import asking


def of_lines(call: Call, record: Record, action: Action) -> AccessRequest:
    """May the caller do this to the lines of a record at all?"""
    return replace(asking(call, record, action), resource_type=RESOURCE_TYPE)


def of_line(call: Call, record: Record, line: Reimbursement | None) -> AccessRequest:
    """May the caller read a line, or one that is not there (None)?"""
    return replace(of_lines(call, record, Action.READ), document=line, missing_document=line is None)


def visible_lines(
    call: Call, record: Record, lines: Iterable[Reimbursement], window: Window
) -> Iterator[Reimbursement]:
    """Those that are shown still, whether or not DynamoDB has deleted others, and that the caller may see."""
    for line in lines:
        if window.shows(line.care, call.now) and decide(of_line(call, record, line)).permit:
            yield line
