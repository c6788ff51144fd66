"""The people, structures and devices of a CDA as resources that its DocumentReference contains (MHD, PDSm)."""

import json
from collections.abc import Collection
from itertools import count
from typing import Any

from dmp.domain.clinical_document import AuthorKind, CdaAuthor, CdaName, CdaPatient
from dmp.domain.document import Coding
from dmp.domain.identifiers import Identifier

type Json = dict[str, Any]


class Actors:
    """Contained resources, each once; their ids are none of those that are `taken`."""

    def __init__(self, taken: Collection[str]) -> None:
        self.contained: list[Json] = []
        self._taken = frozenset(taken)
        self._numbers = count(1)
        self._references: dict[str, str] = {}
        self._known: dict[CdaAuthor, Json] = {}

    def author(self, author: CdaAuthor) -> Json:
        """A reference to an author: Practitioner, PractitionerRole, Device or Patient; empty where nothing is known."""
        if author not in self._known:
            self._known[author] = self._author(author)
        return self._known[author]

    def authenticator(self, person: CdaAuthor) -> Json:
        """A reference to who answers for the document: to the author where that is the same person."""
        same = (known for known in self._known if person.identifier and known.identifier == person.identifier)
        return self.author(next(same, person))

    def patient(self, patient: CdaPatient) -> Json:
        """A reference to the patient as the producer knows them (sourcePatientInfo); empty where nothing is known."""
        names = [_human_name("official", patient.birth), _human_name("usual", patient.used)]
        described = {
            "identifier": [identifier_json(one) for one in patient.identifiers],
            "name": [name for name in names if name],
            "gender": patient.gender,
            "birthDate": patient.birth_date,
        }
        return self._contain("patient", "Patient", described)

    def _author(self, author: CdaAuthor) -> Json:
        described: Json = {"identifier": [identifier_json(author.identifier)] if author.identifier else []}
        match author.kind:
            case AuthorKind.DEVICE:
                described["deviceName"] = [{"name": author.family, "type": "model-name"}] if author.family else []
                described["type"] = concept(author.specialty) if author.specialty else {}
                described["owner"] = self._organization(author)
                return self._contain("device", "Device", described)
            case AuthorKind.PATIENT:
                described["name"] = _person_name(author)
                return self._contain("patient-author", "Patient", described)
            case AuthorKind.PERSON:
                return self._role(author, described)

    def _role(self, author: CdaAuthor, described: Json) -> Json:
        """A person in a function and a structure, or the person alone (XDS author)."""
        person = self._contain("practitioner", "Practitioner", {**described, "name": _person_name(author)})
        structure = self._organization(author)
        if not (structure or author.specialty or author.function):
            return person
        role = {
            **described,
            "practitioner": person,
            "organization": structure,
            "code": [concept(author.function)] if author.function else [],
            "specialty": [concept(author.specialty)] if author.specialty else [],
        }
        return self._contain("role", "PractitionerRole", role)

    def _organization(self, author: CdaAuthor) -> Json:
        identifiers = [identifier_json(author.organization)] if author.organization else []
        return self._contain(
            "organization", "Organization", {"identifier": identifiers, "name": author.organization_name}
        )

    def _contain(self, name: str, resource_type: str, described: Json) -> Json:
        elements = {key: value for key, value in described.items() if value}
        if not elements:
            return {}
        key = json.dumps([resource_type, elements], sort_keys=True)
        if key not in self._references:
            identity = next(one for one in (f"{name}-{n}" for n in self._numbers) if one not in self._taken)
            self._references[key] = f"#{identity}"
            self.contained.append({"resourceType": resource_type, "id": identity, **elements})
        return {"reference": self._references[key]}


def concept(coding: Coding) -> Json:
    """A code as a CodeableConcept."""
    return {"coding": [coding_json(coding)]}


def coding_json(coding: Coding) -> dict[str, str]:
    """A code as a Coding."""
    parts = {"system": coding.system, "code": coding.code, "display": coding.display}
    return {name: value for name, value in parts.items() if value}


def identifier_json(identifier: Identifier) -> dict[str, str]:
    """An identifier as FHIR writes it."""
    return {"system": identifier.system, "value": identifier.value}


def _person_name(author: CdaAuthor) -> list[Json]:
    elements: Json = {"family": author.family, "given": author.given.split()}
    name = {key: value for key, value in elements.items() if value}
    return [name] if name else []


def _human_name(use: str, name: CdaName | None) -> Json:
    if name is None:
        return {}
    return {"use": use, "family": name.family, **({"given": list(name.given)} if name.given else {})}
