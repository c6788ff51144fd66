"""What tells of an act that a minor may keep secret: a code or a word, however written and wherever it stands."""

import json
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dmp.domain import secret_acts
from dmp.domain.secret_acts import may_be_kept_secret, tell_of_secret_acts
from dmp.fhir.explanation_of_benefit_reading import read_line
from dmp.fhir.explanation_of_benefit_sayings import sayings_of
from tests.reimbursements import line

type Json = dict[str, Any]

DATA = Path(secret_acts.__file__).parent.parent / "data"
BASE = "https://dmp.example/fhir"


def read(name: str) -> Json:
    content: Json = json.loads((DATA / name).read_bytes())
    return content


ACTS, RANGES = read("secret_acts.json")["acts"], read("secret_acts.json")["ranges"]
WORDS = [one for group in read("secret_words_fr.json")["words"].values() for one in group]


@pytest.mark.parametrize(
    "code",
    [
        *("JNJD002", "jnjd002", " JNJD 002", "IVG", "IMI", "CCP", "0388", "388", "0393", "5311", "14Z08Z"),
        *("G03AD01", "G03AA07", "G03 AC 08", "G03XB02", "G02BA03", "J05AR03"),
        *("O04", "O04.9", "o049", "O03.1", "O08", "O06.90", "O00.1", "Z33", "Z320", "Z30.0", "Z30", "Z35.9", "Z64.0"),
        *("Z11.3", "Z114", "A50", "A53.9", "A64", "B20", "B24", "Z20.2", "Z21", "76102007", "56888-1"),
    ],
)
def test_a_code_of_such_an_act_is_known_however_it_is_written(code: str) -> None:
    assert may_be_kept_secret(code)


@pytest.mark.parametrize(
    "code",
    [
        *("", "GS", "ICX", "CS", "AMI", "IK", "HBQK002", "BEGA002", "C07AB03", "B01AC06", "J07BC01", "J05AB01"),
        *("A49", "A65", "B19", "B25", "J45.0", "Z00.1", "Z11.1", "Z64.4", "Z31.6", "Z41", "OD", "OPTO", "B20X"),
        *("0552", "1104", "3560088", "professional", "3400930000000"),
    ],
)
def test_other_codes_are_not(code: str) -> None:
    assert not may_be_kept_secret(code)


@pytest.mark.parametrize(
    "text",
    [
        *("Interruption volontaire de grossesse", "IVG médicamenteuse", "forfait I.V.G. en ville", "i. v. g", "L'IVG"),
        *("AVORTEMENT", "Avortements spontanés", "Mifépristone 200 mg", "MISOPROSTOL", "Lévonorgestrel 1,5 mg"),
        *("Contraception d'urgence", "contraceptifs oraux", "Pilule", "pose d'un stérilet", "D.I.U. au cuivre"),
        *("Préservatifs", "test de grossesse", "Dépistage du VIH", "dépistage des IST", "M.S.T.", "Ulipristal acétate"),
        *("contra\u00adception", "CONTRACEPTION", "ste\u0301rilet", "Dépistage de l'hépatite B"),
        *("Centre de planification familiale", "CeGIDD de Reims", "JNJD002 - Évacuation", "CIM-10 O04.9", "B24"),
    ],
)
def test_a_text_tells_by_its_words(text: str) -> None:
    assert tell_of_secret_acts({"x", text})


@pytest.mark.parametrize(
    "text",
    [
        *(
            "Consultation",
            "Vaccin hépatite B",
            "Dépistage auditif",
            "Sérum physiologique",
            "Liste",
            "Artiste",
            "Optimist",
        ),
        *("Radiographie du thorax", "Vitamine B12", "Diurétique", "Écho. abdominale", "Test d'effort", ""),
        *(
            "Soins infirmiers AMI 4",
            "Séance d'orthophonie AMO 12.1",
            "Examen obligatoire du 24e mois",
            "Intra-veineuse",
        ),
        *(
            "Vaccin papillomavirus",
            "Orthodontie, semestre de traitement TO 90",
            "Centre de santé",
            "Planning des soins",
        ),
    ],
)
def test_other_texts_tell_nothing(text: str) -> None:
    assert not tell_of_secret_acts({"x", text})


SECRET: Json = {"coding": [{"system": "urn:x", "code": "X", "display": "IVG médicamenteuse"}]}
PLACES: dict[str, Json] = {
    "type": {"type": SECRET},
    "sub-type": {"subType": {"text": "IVG"}},
    "disposition": {"disposition": "Forfait IVG"},
    "note": {"processNote": [{"text": "Prise en charge d'une contraception"}]},
    "diagnosis": {"diagnosis": [{"sequence": 1, "diagnosisCodeableConcept": {"coding": [{"code": "O04.9"}]}}]},
    "type of diagnosis": {"diagnosis": [{"sequence": 1, "diagnosisReference": {"display": "x"}, "type": [SECRET]}]},
    "group of diagnoses": {
        "diagnosis": [{"sequence": 1, "diagnosisReference": {"display": "x"}, "packageCode": {"text": "14Z08Z"}}]
    },
    "diagnosis by name": {"diagnosis": [{"sequence": 1, "diagnosisReference": {"display": "Séropositivité VIH"}}]},
    "procedure": {"procedure": [{"sequence": 1, "procedureCodeableConcept": {"text": "Pose d'un stérilet"}}]},
    "information": {"supportingInfo": [{"sequence": 1, "category": {"text": "x"}, "valueString": "Mifépristone"}]},
    "code of information": {"supportingInfo": [{"sequence": 1, "category": SECRET, "code": {"text": "x"}}]},
    "reason": {"supportingInfo": [{"sequence": 1, "category": {"text": "x"}, "reason": {"code": "IVG"}}]},
    "attachment": {"supportingInfo": [{"sequence": 1, "category": {"text": "x"}, "valueAttachment": {"title": "IVG"}}]},
    "form": {"formCode": {"text": "IVG"}},
    "category of a total": {"total": [{"category": SECRET, "amount": {"value": 1, "currency": "EUR"}}]},
    "benefit": {"benefitBalance": [{"category": {"text": "x"}, "description": "Contraception des mineures"}]},
    "provider": {"provider": {"display": "Centre de planification familiale"}},
    "facility": {"facility": {"identifier": {"value": "1"}, "display": "CeGIDD"}},
    "cover": {"insurance": [{"focal": True, "coverage": {"display": "Contraception mineures"}}]},
    "identifier": {"identifier": [{"system": "urn:x", "value": "IVG-2026-1"}]},
    "prior authorisation": {"preAuthRef": ["ivg/1"]},
    "narrative": {
        "text": {
            "status": "generated",
            "div": '<div xmlns="http://www.w3.org/1999/xhtml"><b>St&#233;rilet</b></div>',
        }
    },
    "extension": {"extension": [{"url": "https://insurer.example/label", "valueString": "Pilule"}]},
    "tag": {"meta": {"tag": [{"system": "urn:x", "code": "IVG"}]}},
    "label": {"meta": {"security": [{"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "STD"}]}},
    "contained": {
        "contained": [{"resourceType": "Organization", "id": "o", "name": "Planning familial"}],
        "facility": {"reference": "#o"},
    },
}
PARTS = ("productOrService", "modifier", "programCode", "revenue", "category", "bodySite", "adjudication")


def items() -> Iterator[tuple[str, Json]]:
    """A line with a secret at each concept of an item, of its parts and of what the insurer added."""
    for part in PARTS:
        told: Any = {
            "modifier": [SECRET],
            "programCode": [SECRET],
            "adjudication": [{"category": {"text": "x"}, "reason": SECRET}],
        }.get(part, SECRET)
        item: Json = {"sequence": 1, "productOrService": {"text": "x"}, "servicedDate": "2026-02-16", part: told}
        yield f"item.{part}", {"item": [item]}
        if part != "bodySite":
            inner = {name: value for name, value in item.items() if name != "servicedDate"}
            plain = {"sequence": 1, "productOrService": {"text": "x"}}
            yield f"detail.{part}", {"item": [{**plain, "detail": [inner]}]}
            yield f"subDetail.{part}", {"item": [{**plain, "detail": [{**plain, "subDetail": [inner]}]}]}
        if part not in ("revenue", "category"):
            yield f"addItem.{part}", {"addItem": [{name: value for name, value in item.items() if name != "sequence"}]}


@pytest.mark.parametrize("place", [pytest.param(one, id=name) for name, one in (*PLACES.items(), *items())])
def test_a_secret_is_found_wherever_it_stands_in_a_line(place: Json) -> None:
    plain, telling = read_line(line("1" * 26), BASE), read_line({**line("1" * 26), **place}, BASE)

    assert not tell_of_secret_acts(plain.sayings)
    assert tell_of_secret_acts(telling.sayings)


def test_what_stands_in_random_names_is_no_code() -> None:
    body = line("1" * 26, identifier="a501-b24-o04") | {
        "claim": {"reference": "https://insurer.example/Claim/0a-b20-z30"},
        "preAuthRef": ["O04", "A54"],
        "meta": {"source": "urn:uuid:5c0f7a4e-a501-b24a-b231-000000000000"},
    }

    assert not tell_of_secret_acts(read_line(body, BASE).sayings)


@given(st.text(max_size=30), st.sampled_from(WORDS), st.text(max_size=30))
def test_every_word_of_the_list_tells_between_whatever_stands_beside(before: str, entry: str, after: str) -> None:
    text = entry.replace("*", "").upper()

    assert tell_of_secret_acts({before, f"{before} ({text}) {after}"})


@given(st.sampled_from(ACTS), st.sampled_from(["http://www.whocc.no/atc", "urn:oid:1.2.3", ""]))
def test_every_code_of_the_list_tells_in_whatever_system(act: Json, system: str) -> None:
    coding = {"code": act["code"]} | ({"system": system} if system else {})

    assert tell_of_secret_acts(set(sayings_of({"code": {"coding": [coding]}})))


def test_a_long_name_is_looked_through_in_a_moment() -> None:
    began = time.process_time()

    said = list(sayings_of({"identifier": [{"value": "a" * 20_000}, {"value": "b" * 20_000 + "7"}]}))

    assert time.process_time() - began < 0.5
    assert [len(one) for one in said] == [20_000, 1]


@given(st.text(alphabet="aZé_ -.09٣²½", max_size=12))
def test_words_of_a_name_with_a_digit_are_left_out_whole(text: str) -> None:
    [said] = sayings_of({"value": text})

    words = re.findall(r"[^\W_]+", text)
    assert re.findall(r"[^\W_]+", said) == [one for one in words if not any(map(str.isdecimal, one))]


@given(st.text(max_size=60))
def test_any_text_is_looked_through(text: str) -> None:
    assert tell_of_secret_acts({text}) in (True, False)


def test_the_lists_are_written_as_they_are_compared() -> None:
    assert {act["confidence"] for act in (*ACTS, *RANGES)} == {"high", "medium", "low"}
    assert all(re.fullmatch(r"[A-Z]\d\d", span[end]) for span in RANGES for end in ("from", "to"))
    assert all(span["from"][0] == span["to"][0] and span["from"] <= span["to"] for span in RANGES)
    assert all(re.fullmatch(r"[A-Z0-9]+", act["code"]) for act in ACTS if act.get("family"))
    assert all(re.fullmatch(r"[a-z]{2,}\*?( [a-z]{2,}\*?)*", entry) for entry in WORDS)
    assert len({act["code"] for act in ACTS}) == len(ACTS)
    assert len(set(WORDS)) == len(WORDS)
