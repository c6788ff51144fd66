"""What is asked of `access` about messages, and what of them a reader sees."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from dmp.domain.access import decide
from dmp.domain.access_request import AccessRequest
from dmp.domain.notification import Kind, Message
from dmp.domain.record import Record
from dmp.domain.rights import Action
from dmp.services.call import Call
from dmp.services.document_access import may_read
from dmp.services.gate import asking

if TYPE_CHECKING:
    from dmp.adapters.document_store import DocumentStore

_OF_DOCUMENTS = frozenset({Kind.DOCUMENT_ADDED, Kind.DOCUMENT_REPLACED, Kind.DOCUMENT_DELETED})
_DOCUMENT = "DocumentReference/"


def of_message(call: Call, record: Record, message: Message) -> AccessRequest:
    """May the caller see, and mark, a message of the record?"""
    question = asking(call, record, Action.READ_MESSAGE)
    return replace(question, belongs_to=message.addressee, is_secret=message.is_secret)


def as_seen(call: Call, record: Record, messages: Sequence[Message], documents: "DocumentStore") -> list[Message]:
    """The messages to the caller that the caller may see, each naming those documents alone that show now.

    One that tells of documents, none of which may be known, does not exist, as if they had never been there.
    """
    permitted = [m for m in messages if decide(of_message(call, record, m)).permit]
    named = {_local(one) for message in permitted for one in _documents_of(message)}
    found = documents.with_documents(record.id, sorted(named))[1] if named else {}
    visible = {local for local, document in found.items() if may_read(call, record, document)}
    return list(_without_hidden(permitted, visible))


def _without_hidden(messages: Iterable[Message], visible: set[str]) -> Iterator[Message]:
    for message in messages:
        hidden = {one for one in _documents_of(message) if _local(one) not in visible}
        about = tuple(one for one in message.about if one not in hidden)
        if about or not hidden or message.kind not in _OF_DOCUMENTS:
            yield replace(message, about=about)


def _documents_of(message: Message) -> list[str]:
    return [one for one in message.about if one.startswith(_DOCUMENT)]


def _local(reference: str) -> str:
    return reference.rpartition(".")[2]
