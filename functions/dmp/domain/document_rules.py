"""What decides about one document: whose it is, and which professions it is for (R.1111-46)."""

from dmp.domain import access_matrix, rights
from dmp.domain.access_request import AccessRequest, Decision, deny, permit
from dmp.domain.document import Depositor
from dmp.domain.rights import Action, Capacity


def awaited(request: AccessRequest) -> Decision | None:
    """To all but its depositor, a document that never became available does not exist; to these all else applies."""
    document = request.document
    if document is None or not document.was_never_available:
        return None
    if Depositor.of(request.requester).is_same_author(document.depositor):
        return None
    return deny("no-document", hidden=True)


def own_document(request: AccessRequest) -> Decision | None:
    """The depositor, person or structure, has the own documents and Folders; a named author reads."""
    document = request.document
    fed_by = document.depositor if document else request.folder
    if (
        fed_by
        and request.action in rights.GRANTED[Capacity.AUTHOR]
        and Depositor.of(request.requester).is_same_author(fed_by)
    ):
        return permit("author")
    if document and request.action is Action.READ and request.requester.identifier in document.authors:
        return permit("named-author")
    return None


def not_habilitated(request: AccessRequest) -> Decision | None:
    """The habilitation matrix: profession by type of document; what it does not know is denied (R.1111-46)."""
    if request.document is None or request.action is not Action.READ:
        return None
    code = request.document.type.code if request.document.type else None
    if access_matrix.permits(access_matrix.row_of(request.requester), code):
        return None
    return deny("not-habilitated")
