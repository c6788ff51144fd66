"""The resources that clients send: DocumentReference, List, Binary, Bundle, Parameters and Consent (FHIR R4)."""

from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field, create_model

from dmp.fhir import primitives as p
from dmp.fhir.actors import DomainResource, Resource, Rules
from dmp.fhir.datatypes import (
    VALUES,
    Annotation,
    Attachment,
    CodeableConcept,
    Coding,
    Element,
    Identifier,
    Period,
    Reference,
)


class RelatesTo(Element):
    """A relation to another document."""

    code: Literal["replaces", "transforms", "signs", "appends"]
    target: Reference


class DocumentContent(Element):
    """The document itself."""

    attachment: Attachment
    format: Coding | None = None


class DocumentContext(Element):
    """The circumstances of a document."""

    encounter: list[Reference] | None = None
    event: list[CodeableConcept] | None = None
    period: Period | None = None
    facilityType: CodeableConcept | None = None
    practiceSetting: CodeableConcept | None = None
    sourcePatientInfo: Reference | None = None
    related: list[Reference] | None = None


class DocumentReference(DomainResource):
    """The metadata of a document."""

    resourceType: Literal["DocumentReference"]
    masterIdentifier: Identifier | None = None
    identifier: list[Identifier] | None = None
    status: Literal["current", "superseded", "entered-in-error"]
    docStatus: Literal["preliminary", "final", "amended", "entered-in-error"] | None = None
    type: CodeableConcept | None = None
    category: list[CodeableConcept] | None = None
    subject: Reference | None = None
    date: p.Instant | None = None
    author: list[Reference] | None = None
    authenticator: Reference | None = None
    custodian: Reference | None = None
    relatesTo: list[RelatesTo] | None = None
    description: p.String | None = None
    securityLabel: list[CodeableConcept] | None = None
    content: list[DocumentContent] = Field(min_length=1)
    context: DocumentContext | None = None


class ListItem(Element):
    """An entry of a List."""

    flag: CodeableConcept | None = None
    deleted: p.Boolean | None = None
    date: p.DateTime | None = None
    item: Reference


class ListResource(DomainResource):
    """A SubmissionSet or a Folder."""

    resourceType: Literal["List"]
    identifier: list[Identifier] | None = None
    status: Literal["current", "retired", "entered-in-error"]
    mode: Literal["working", "snapshot", "changes"]
    title: p.String | None = None
    code: CodeableConcept | None = None
    subject: Reference | None = None
    encounter: Reference | None = None
    date: p.DateTime | None = None
    source: Reference | None = None
    orderedBy: CodeableConcept | None = None
    note: list[Annotation] | None = None
    entry: list[ListItem] | None = None
    emptyReason: CodeableConcept | None = None

    def rules(self) -> Rules:
        """lst-1 to lst-3."""
        items = self.entry or []
        return (
            (not self.emptyReason or not items, "lst-1: a list with entries gives a reason for being empty"),
            (self.mode == "changes" or not any(item.deleted for item in items), "lst-2: a deleted entry"),
            (self.mode == "working" or not any(item.date for item in items), "lst-3: a dated entry"),
        )


class Binary(Resource):
    """Bytes; `data` is decoded apart."""

    resourceType: Literal["Binary"]
    contentType: p.Code
    securityContext: Reference | None = None
    data: str | None = None


class BundleLink(Element):
    """A link of a bundle or an entry."""

    relation: p.String
    url: p.Uri


class EntryRequest(Element):
    """How an entry of a transaction is to be carried out."""

    method: Literal["GET", "HEAD", "POST", "PUT", "DELETE", "PATCH"]
    url: p.Uri
    ifNoneMatch: p.String | None = None
    ifModifiedSince: p.Instant | None = None
    ifMatch: p.String | None = None
    ifNoneExist: p.String | None = None


class BundleEntry(Element):
    """An entry of a transaction; its resource is looked at apart."""

    link: list[BundleLink] | None = None
    fullUrl: p.Uri | None = None
    resource: dict[str, Any] | None = None
    request: EntryRequest


class Bundle(Resource):
    """A transaction."""

    resourceType: Literal["Bundle"]
    identifier: Identifier | None = None
    type: Literal["transaction"]
    timestamp: p.Instant | None = None
    link: list[BundleLink] | None = None
    entry: list[BundleEntry] = Field(min_length=1)


if TYPE_CHECKING:
    type Parts = list[Element]
else:
    type Parts = list[Parameter]


class _ParameterParts(Element):
    choice = "value"
    name: p.String
    resource: dict[str, Any] | None = None
    part: Parts | None = None

    def rules(self) -> Rules:
        """inp-1."""
        has_value = any(name.startswith("value") for name in self.model_fields_set)
        given = sum((has_value, self.resource is not None, self.part is not None))
        return ((given == 1, "inp-1: a parameter has one of value, resource and parts"),)


Parameter = create_model("Parameter", __base__=_ParameterParts, __module__=__name__, **VALUES)


class Parameters(Resource):
    """The input of an operation."""

    resourceType: Literal["Parameters"]
    parameter: Parts | None = None


class ConsentPolicy(Element):
    """A policy that a consent rests on."""

    authority: p.Uri | None = None
    uri: p.Uri | None = None

    def rules(self) -> Rules:
        """A policy names something."""
        return ((self.authority or self.uri, "a policy that names nothing"),)


class ProvisionActor(Element):
    """Whom a provision is about; PCF's role is filled in where it is left out."""

    role: CodeableConcept | None = None
    reference: Reference


class Provision(Element):
    """What is permitted or denied; nothing but PCF's Basic option is understood."""

    type: Literal["permit", "deny"]
    period: Period | None = None
    actor: list[ProvisionActor] | None = None
    purpose: list[Coding] | None = None


class Consent(DomainResource):
    """A decision of the patient."""

    choice = "source"
    resourceType: Literal["Consent"]
    identifier: list[Identifier] | None = None
    status: Literal["draft", "proposed", "active", "rejected", "inactive", "entered-in-error"] | None = None
    scope: CodeableConcept
    category: list[CodeableConcept] = Field(min_length=1)
    patient: Reference
    dateTime: p.DateTime | None = None
    performer: list[Reference] | None = None
    organization: list[Reference] | None = None
    sourceAttachment: Attachment | None = None
    sourceReference: Reference | None = None
    policy: list[ConsentPolicy] | None = None
    policyRule: CodeableConcept | None = None
    provision: Provision
