"""AuditEvent: an entry of the trace as BALP and MHD shape it (R.1111-43)."""

from base64 import b64encode
from collections.abc import Iterator
from typing import Any

from dmp.domain.audit import AuditEntry
from dmp.domain.identifiers import RECORD, SERVICE, Identifier, resource_id
from dmp.fhir.audit_shapes import ORGANISATION, Coding, Shape, Touched, coding, outcome_text, profile_of, shape_of
from dmp.fhir.systems import ACT_REASON, DMP_POLICY
from dmp.fhir.times import instant_text

type Json = dict[str, Any]

_ENTITY_TYPE = "http://terminology.hl7.org/CodeSystem/audit-entity-type"
_OBJECT_ROLE = "http://terminology.hl7.org/CodeSystem/object-role"
_RESOURCE_TYPE = "http://hl7.org/fhir/resource-types"
_SOURCE_TYPE = "http://terminology.hl7.org/CodeSystem/security-source-type"
_BALP_ENTITY = "https://profiles.ihe.net/ITI/BALP/CodeSystem/BasicAuditEntityType"
_PROFESSION = "https://mos.esante.gouv.fr/NOS/TRE_G15-ProfessionSante/FHIR/TRE-G15-ProfessionSante"
_REQUESTER_KIND = "https://interop.esante.gouv.fr/ig/fhir/dmp/CodeSystem/dmp-requester-kind"
_ABSENT = "http://hl7.org/fhir/StructureDefinition/data-absent-reason"
_SYSTEM_OBJECT = coding(_ENTITY_TYPE, "2", "System Object")
_REPORT = coding(_OBJECT_ROLE, "3", "Report")
_DOMAIN_RESOURCE = coding(_OBJECT_ROLE, "4", "Domain Resource")
_DOCUMENTS = frozenset({"DocumentReference", "Binary"})
_THIS_SERVER = {"identifier": {"system": SERVICE, "value": "dmp"}, "display": "DMP"}


def event_id(entry: AuditEntry) -> str:
    """The FHIR id of the event of an entry."""
    return resource_id(entry.record, entry.local) if entry.record else entry.local


def render_audit_event(entry: AuditEntry, base_url: str) -> Json:
    """The AuditEvent of an entry, naming its profile where it conforms."""
    shape = shape_of(entry)
    profile, recorded = profile_of(entry, shape), instant_text(entry.at)
    meta: Json = {"versionId": "1", "lastUpdated": recorded}
    if profile:
        meta["profile"] = [profile]
    entities = list(_entities(entry, shape))
    return {
        "resourceType": "AuditEvent",
        "id": event_id(entry),
        "meta": meta,
        "type": shape.type,
        "subtype": list(shape.subtypes),
        "action": shape.action.value,
        "recorded": recorded,
        "outcome": entry.outcome.value,
        "outcomeDesc": outcome_text(entry),
        "agent": list(_agents(entry, shape, base_url)),
        "source": {
            "observer": _THIS_SERVER,
            "type": [coding(_SOURCE_TYPE, "4", "Application Server")],
        },
    } | ({"entity": entities} if entities else {})


def references_of(entry: AuditEntry) -> tuple[str, ...]:
    """The references that an entry touched: the bytes of a document and its metadata have one id, and both are told."""
    documents = [
        f"DocumentReference/{what.removeprefix('Binary/')}" for what in entry.what if what.startswith("Binary/")
    ]
    return tuple(dict.fromkeys([*entry.what, *documents]))


def _agents(entry: AuditEntry, shape: Shape, base_url: str) -> Iterator[Json]:
    yield _user(entry, shape)
    if entry.structure:
        who = _who(entry.structure, entry.structure_name)
        yield {"type": _concept(ORGANISATION), "who": who, "requestor": False}
    yield {
        "type": _concept(shape.client),
        "who": _client(entry),
        "requestor": False,
        "network": {"extension": [{"url": _ABSENT, "valueCode": "unknown"}]},
    }
    yield {
        "type": _concept(shape.server),
        "who": _THIS_SERVER,
        "requestor": False,
        "network": {"address": base_url, "type": "5"},
    }


def _user(entry: AuditEntry, shape: Shape) -> Json:
    """Who asked; `policy` names the rule that decided, in a form for machines."""
    roles = [coding(_REQUESTER_KIND, entry.role)]
    if entry.profession:
        roles.append(coding(_PROFESSION, entry.profession))
    user: Json = {"type": _concept(shape.user), "role": [_concept(role) for role in roles], "who": _caller(entry)}
    if entry.actor_name:
        user["name"] = entry.actor_name
    user |= {"requestor": True, "policy": [f"{DMP_POLICY}/{entry.reason}"]}
    if entry.purpose:
        user["purposeOfUse"] = [_concept(coding(ACT_REASON, entry.purpose))]
    return user


def _caller(entry: AuditEntry) -> Json:
    if entry.actor.system == RECORD:
        named = {"display": entry.actor_name} if entry.actor_name else {}
        return {"reference": f"Patient/{entry.actor.value}", **named}
    return _who(entry.actor, entry.actor_name)


def _client(entry: AuditEntry) -> Json:
    return {"display": entry.software or "Logiciel non identifié"}


def _who(identifier: Identifier, name: str) -> Json:
    known = {"system": identifier.system} if identifier.system else {}
    return {"identifier": {**known, "value": identifier.value}} | ({"display": name} if name else {})


def _concept(code: Coding) -> Json:
    return {"coding": [code]}


def _entities(entry: AuditEntry, shape: Shape) -> Iterator[Json]:
    """The patient, what was touched or asked, the Consents that the decision rests on, the request's id."""
    if entry.record:
        yield {
            "what": {"reference": f"Patient/{entry.record}"},
            "type": coding(_ENTITY_TYPE, "1", "Person"),
            "role": coding(_OBJECT_ROLE, "1", "Patient"),
        }
    yield from _touched(entry, shape)
    if entry.query:
        yield {
            "type": _SYSTEM_OBJECT,
            "role": coding(_OBJECT_ROLE, "24", "Query"),
            "query": b64encode(entry.query.encode()).decode(),
        }
    for local in entry.basis:
        yield {
            "what": {"reference": f"Consent/{resource_id(entry.record, local)}"},
            "type": coding(_RESOURCE_TYPE, "Consent"),
            "role": coding(_OBJECT_ROLE, "13", "Security Resource"),
        }
    if entry.request_id:
        kind = coding(_BALP_ENTITY, "XrequestId")
        yield {"what": {"identifier": {"value": entry.request_id}}, "type": kind}


def _touched(entry: AuditEntry, shape: Shape) -> Iterator[Json]:
    """The profiles know one System Object each; what else was touched is typed by its resource."""
    patient = f"Patient/{entry.record}"
    if shape.touched is Touched.QUERY:
        yield from (_resource(what) for what in references_of(entry) if what != patient)
        return
    main = _main(entry, shape)
    if main:
        is_list = shape.touched is Touched.SUBMISSION
        role = coding(_OBJECT_ROLE, "20", "Job") if is_list else _role(main)
        yield {**_what(main), "type": _SYSTEM_OBJECT, "role": role}
    yield from (_resource(what) for what in references_of(entry) if what not in (main, patient))


def _main(entry: AuditEntry, shape: Shape) -> str:
    if shape.touched is Touched.SUBMISSION:
        return next((what for what in entry.what if what.startswith("List/")), "")
    return entry.what[0] if entry.what else ""


def _resource(reference: str) -> Json:
    kind = reference.partition("/")[0]
    return {**_what(reference), "type": coding(_RESOURCE_TYPE, kind), "role": _role(reference)}


def _role(reference: str) -> Coding:
    return _REPORT if reference.partition("/")[0] in _DOCUMENTS else _DOMAIN_RESOURCE


def _what(reference: str) -> Json:
    """A reference; the operation on it, where it was one, stands beside."""
    resource, _, operation = reference.partition("/$")
    return {"what": {"reference": resource}} | ({"description": f"${operation}"} if operation else {})
