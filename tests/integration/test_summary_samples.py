"""The summary of records fed with every published CDA sample, against the lists written by hand from reading them."""

from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from tests.api_client import ApiClient
from tests.fed_record import FedRecord
from tests.integration.stated_in_samples import STATED, Facts
from tests.integration.test_cda_samples import deposited, opened_for, published
from tests.integration.treatments_in_samples import ABSENT, TREATMENTS
from tests.ips_rules import Json, assert_summary, entries_of

pytestmark = pytest.mark.skipif(not published(), reason="the published samples are not here")

SOURCE = "https://interop.esante.gouv.fr/ig/fhir/dmp/StructureDefinition/dmp-source"
REFUTED = "refuted"


@pytest.fixture(scope="module")
def fed(api: ApiClient, stack: dict[str, str]) -> dict[str, tuple[FedRecord, dict[str, str]]]:
    """The records of the persons of the samples, by their INS, each with the documents by the names of their files."""
    records: dict[str, tuple[FedRecord, dict[str, str]]] = {}
    for sample in published():
        [ins] = sample["ins"]
        if not ins["keyValid"]:
            continue
        if ins["extension"] not in records:
            records[ins["extension"]] = opened_for(api, stack, ins, sample["birthTime"]), {}
        record, documents = records[ins["extension"]]
        answer = deposited(record, sample)
        assert answer.status == 201, answer.body
        documents[sample["file"]] = answer.id
    return records


@pytest.fixture(scope="module")
def summaries(fed: dict[str, tuple[FedRecord, dict[str, str]]]) -> list[tuple[Json, dict[str, str]]]:
    """Their summaries, as the person sees them."""
    found = []
    for record, documents in fed.values():
        answer = record.api.get(f"/fhir/Patient/{record.id}/$summary", as_=record.patient)
        assert answer.status == 200, answer.body
        found.append((answer.json, documents))
    return found


def test_the_summaries_of_the_samples_are_valid(summaries: list[tuple[Json, dict[str, str]]]) -> None:
    assert len(summaries) > 1

    for bundle, _ in summaries:
        assert_summary(bundle)


def test_allergies_problems_and_vaccinations_that_the_samples_state_are_told_with_their_sources(
    summaries: list[tuple[Json, dict[str, str]]],
) -> None:
    missing = [
        (name, fact)
        for bundle, documents in summaries
        for name, document in documents.items()
        for sections, fact in stated_in(name)
        if not any(says(one, fact, document) for section in sections for one in entries_of(bundle, section))
    ]

    assert missing == []


def test_treatments_that_the_samples_state_are_told_with_their_sources(
    summaries: list[tuple[Json, dict[str, str]]],
) -> None:
    missing = [
        (name, one.product)
        for bundle, documents in summaries
        for name, document in documents.items()
        for one in TREATMENTS.get(name, ())
        if not any(system == ABSENT for system, _ in one.codes)
        and not any(is_treatment(entry, one, document) for entry in entries_of(bundle, "10160-0"))
    ]

    assert missing == []


def test_what_no_sample_states_is_not_told(summaries: list[tuple[Json, dict[str, str]]]) -> None:
    """Nothing without a source, and no problem that a document says the person does not have."""
    for bundle, documents in summaries:
        for section in ("48765-2", "10160-0", "11450-4", "11348-0", "11369-6"):
            for entry in entries_of(bundle, section):
                assert set(sources_of(entry)) <= set(documents.values())
                assert sources_of(entry)
                codes = entry.get("verificationStatus", {}).get("coding", [{}])
                assert codes[0].get("code") != REFUTED


def stated_in(name: str) -> Iterator[tuple[tuple[str, ...], tuple[str, ...]]]:
    """What a sample states, each with the sections where it may stand; that there is nothing, and denials, aside."""
    stated = STATED[name]
    listed: list[tuple[tuple[str, ...], Facts]] = [
        (("11450-4", "11348-0"), stated.problems),
        (("48765-2",), stated.allergies),
        (("11369-6",), stated.vaccinations),
    ]
    for sections, facts in listed:
        yield from ((sections, fact) for fact in facts if REFUTED not in fact and not fact[0].startswith("no-"))


def says(entry: Mapping[str, Any], fact: tuple[str, ...], document: str) -> bool:
    """Whether an entry says what was written down, and names the document that does."""
    concept = entry.get("code") or entry.get("vaccineCode") or {}
    codes = {coding.get("code") for coding in concept.get("coding", [])}
    is_it = fact[0] in codes or concept.get("text", "").casefold() == fact[1].casefold()
    return is_it and document in sources_of(entry)


def is_treatment(entry: Mapping[str, Any], treatment: Any, document: str) -> bool:
    concept = entry["medicationCodeableConcept"]
    codes = {coding.get("code") for coding in concept.get("coding", [])}
    is_it = bool(codes & {code for _, code in treatment.codes}) or concept.get("text") == treatment.product
    return is_it and document in sources_of(entry)


def sources_of(entry: Mapping[str, Any]) -> list[str]:
    """The ids of the documents that an entry names."""
    found = (one["extension"] for one in entry.get("extension", []) if one["url"] == SOURCE)
    parts = (part for extension in found for part in extension if part["url"] == "document")
    return [part["valueReference"]["reference"].rpartition("/")[2] for part in parts]
