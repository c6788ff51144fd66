"""The header of a CDA as a DocumentReference: actors, dates, relations, versions, by the mapping of the CI-SIS."""

from typing import Any

import pytest

from dmp.cda.header import read_header
from dmp.domain.identifiers import INS_NIR_TEST, PS_IDNAT, STRUCT_IDNAT, Identifier
from dmp.fhir.cda_completion import completed, with_relations
from dmp.fhir.document_metadata import metadata_of
from dmp.fhir.document_reference import normalised
from dmp.fhir.validation import validate
from tests.cda_factories import cda
from tests.fhir_validity import assert_valid_r4

type Json = dict[str, Any]

PERSON = f'<id root="{PS_IDNAT[8:]}" extension="810000000017"/>'
NAME = "<assignedPerson><name><family>MOREL</family><given>Agathe</given><given>Anne</given></name></assignedPerson>"
STRUCTURE = (
    f'<representedOrganization><id root="{STRUCT_IDNAT[8:]}" extension="1990000019"/><name>Valmont</name>'
    "</representedOrganization>"
)
SPECIALTY = '<code code="G15_10/SM27" displayName="Médecine interne" codeSystem="1.2.250.1.213.1.1.4.5"/>'
FUNCTION = '<functionCode code="PCP" codeSystem="2.16.840.1.113883.5.88" displayName="Médecin traitant"/>'
INS = f'<id root="{INS_NIR_TEST[8:]}" extension="279035121518989"/>'


def author(inner: str, function: str = "") -> str:
    return f"<author>{function}<assignedAuthor>{inner}</assignedAuthor></author>"


def target(names: str = "", inner: str = "") -> str:
    return (
        f"<recordTarget><patientRole>{INS}<id root='1.2.3' extension='42'/>"
        f"<patient><name>{names}</name>{inner}</patient></patientRole></recordTarget>"
    )


def described(inner: str, **said: Any) -> Json:
    """The DocumentReference of a document, valid."""
    header = read_header(cda(inner))
    assert header
    attachment = {"contentType": "text/xml"}
    bare = {"resourceType": "DocumentReference", "status": "current", "content": [{"attachment": attachment}], **said}
    resource = validate(
        normalised(with_relations(completed(bare, header, "DocumentReference"), header)), "DocumentReference"
    )
    assert_valid_r4(resource)
    return resource


def named(resource: Json, reference: Json) -> Json:
    [found] = [one for one in resource["contained"] if f"#{one['id']}" == reference["reference"]]
    return dict(found)


def test_an_author_is_a_person_in_a_function_and_a_structure() -> None:
    resource = described(author(PERSON + SPECIALTY + NAME + STRUCTURE, FUNCTION))

    role = named(resource, resource["author"][0])
    person, structure = named(resource, role["practitioner"]), named(resource, role["organization"])
    assert role["resourceType"] == "PractitionerRole"
    assert role["specialty"][0]["coding"][0]["code"] == "G15_10/SM27"
    assert role["code"][0]["coding"][0]["system"] == "http://terminology.hl7.org/CodeSystem/v3-ParticipationFunction"
    assert person["name"] == [{"family": "MOREL", "given": ["Agathe", "Anne"]}]
    assert person["identifier"] == role["identifier"] == [{"system": PS_IDNAT, "value": "810000000017"}]
    assert structure["name"] == "Valmont"
    assert structure["identifier"] == [{"system": STRUCT_IDNAT, "value": "1990000019"}]


def test_an_author_without_a_function_is_a_practitioner() -> None:
    resource = described(author(PERSON + NAME))

    assert named(resource, resource["author"][0])["resourceType"] == "Practitioner"


def test_an_author_may_be_a_device_of_a_structure() -> None:
    device = "<assignedAuthoringDevice><softwareName>ALIM</softwareName></assignedAuthoringDevice>"
    code = '<code code="ALIM_AM" codeSystem="1.2.250.1.213.1.1.4.6"/>'

    resource = described(author(PERSON + code + device + STRUCTURE))

    found = named(resource, resource["author"][0])
    assert (found["resourceType"], found["deviceName"][0]["name"]) == ("Device", "ALIM")
    assert found["type"]["coding"][0]["code"] == "ALIM_AM"
    assert named(resource, found["owner"])["name"] == "Valmont"


def test_an_author_may_be_the_patient() -> None:
    resource = described(author(INS + NAME))

    found = named(resource, resource["author"][0])
    assert found["resourceType"] == "Patient"
    assert found["identifier"][0]["value"] == "279035121518989"


def test_a_structure_that_an_author_works_in_reads_nothing_as_author() -> None:
    resource = described(author(PERSON + SPECIALTY + NAME + STRUCTURE), date="2026-01-01T10:00:00Z")

    assert metadata_of(resource).authors == (Identifier(PS_IDNAT, "810000000017"),)


def test_an_author_about_whom_nothing_is_said_is_none() -> None:
    assert "author" not in described(author("<id nullFlavor='UNK'/>"))


def test_who_answers_for_the_document_is_the_author_where_that_is_the_same_person() -> None:
    entity = f"<legalAuthenticator><assignedEntity>{PERSON}{NAME}</assignedEntity></legalAuthenticator>"

    resource = described(author(PERSON + SPECIALTY + NAME) + entity)

    assert resource["authenticator"] == resource["author"][0]


def test_who_answers_for_the_document_may_be_somebody_else() -> None:
    other = PERSON.replace("810000000017", "810000000025")
    entity = f"<legalAuthenticator><assignedEntity>{other}{STRUCTURE}</assignedEntity></legalAuthenticator>"

    resource = described(author(PERSON + NAME + STRUCTURE) + entity)

    role = named(resource, resource["authenticator"])
    assert role["identifier"][0]["value"] == "810000000025"
    assert sum(one["resourceType"] == "Organization" for one in resource["contained"]) == 1


def test_the_patient_is_told_as_the_producer_knows_them() -> None:
    names = (
        '<family qualifier="BR">NÉE</family><given>RUTH MARIE</given><given qualifier="BR">RUTH</given>'
        '<family qualifier="CL">USUELLE</family><given qualifier="CL">Marie</given>'
    )
    inner = '<administrativeGenderCode code="F"/><birthTime value="19770714"/>'

    resource = described(target(names, inner))

    source = named(resource, resource["context"]["sourcePatientInfo"])
    assert [one["value"] for one in source["identifier"]] == ["279035121518989", "42"]
    assert source["name"] == [
        {"use": "official", "family": "NÉE", "given": ["RUTH", "MARIE"]},
        {"use": "usual", "family": "USUELLE", "given": ["Marie"]},
    ]
    assert (source["gender"], source["birthDate"]) == ("female", "1977-07-14")


@pytest.mark.parametrize(("written", "told"), [("1977", "1977"), ("197707", "1977-07"), ("19771399", None), ("", None)])
def test_a_birth_date_is_told_as_far_as_it_is_known(written: str, told: str | None) -> None:
    resource = described(target("<family>X</family>", f'<birthTime value="{written}"/>'))

    assert named(resource, resource["context"]["sourcePatientInfo"]).get("birthDate") == told


def test_the_period_is_that_of_the_act_that_somebody_performed() -> None:
    act = '<serviceEvent><effectiveTime><low value="{}"/></effectiveTime>{}</serviceEvent>'
    event = f"<documentationOf>{act}</documentationOf>"

    resource = described(event.format("20240101", "") + event.format("20250101+0000", "<performer/>"))

    assert resource["context"]["period"] == {"start": "2025-01-01T00:00:00.000Z"}


@pytest.mark.parametrize(
    ("type_code", "relation"), [("RPLC", "replaces"), ("APND", "appends"), ("XFRM", "transforms"), ("SUBJ", None)]
)
def test_related_documents_are_told_by_their_unique_ids(type_code: str, relation: str | None) -> None:
    parent = "<parentDocument><id root='1.2.9' extension='A'/></parentDocument>"

    resource = described(f"<relatedDocument typeCode='{type_code}'>{parent}</relatedDocument>")

    told = [(one["code"], one["target"]["identifier"]) for one in resource.get("relatesTo", [])]
    assert told == ([(relation, {"system": "urn:oid:1.2.9", "value": "A"})] if relation else [])


def test_what_the_request_says_stands() -> None:
    said = {
        "contained": [{"resourceType": "Practitioner", "id": "patient-1", "name": [{"family": "AUTRE"}]}],
        "author": [{"reference": "#patient-1"}],
        "description": "Autre titre",
        "relatesTo": [{"code": "replaces", "target": {"identifier": {"system": "urn:x", "value": "1"}}}],
    }
    related = "<relatedDocument typeCode='RPLC'><parentDocument><id root='1.2.9'/></parentDocument></relatedDocument>"

    resource = described(target("<family>X</family>") + author(PERSON + NAME) + related, **said)

    assert {key: resource[key] for key in ("author", "description", "relatesTo")} == {
        key: said[key] for key in ("author", "description", "relatesTo")
    }
    assert resource["contained"][0]["name"] == [{"family": "AUTRE"}]
    assert resource["context"]["sourcePatientInfo"] != {"reference": "#patient-1"}


def test_a_document_of_an_unlisted_model_has_the_format_that_says_so() -> None:
    resource = described("<templateId root='1.2.3.4'/><component><structuredBody/></component>")

    assert resource["content"][0]["format"]["code"] == "urn:asipSante:modelesHorsProfils:2011"


def test_codes_that_fhir_cannot_hold_are_left_out() -> None:
    codes = "<languageCode code='fr FR'/><confidentialityCode code='N' codeSystem='a b'/>"
    event = "<documentationOf><serviceEvent><code code='A  B' codeSystem='1.2.3'/></serviceEvent></documentationOf>"

    resource = described(codes + event)

    assert "language" not in resource["content"][0]["attachment"]
    assert [one["coding"][0]["code"] for one in resource["context"]["event"]] == ["A B"]


def test_an_empty_document_adds_nothing_but_its_title() -> None:
    resource = described("")

    assert set(resource) == {"resourceType", "status", "content", "description", "securityLabel"}
