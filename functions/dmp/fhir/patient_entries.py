"""A Patient among the entries of an ITI-65 Bundle: it names a record that is there, and never changes it (MHD)."""

from dmp.domain.consent import PatientRef
from dmp.domain.identifiers import is_record_id
from dmp.fhir.bundle_entries import Entry
from dmp.fhir.references import ins_of, one_patient, patient_named_by


def patient_entry(entry: Entry) -> PatientRef | None:
    """Whom the entry names by its INS, by the address of a GET or PUT, or by `ifNoneExist`; None where by nothing.

    Raises Invalid `wrong-patient` where these name two.
    """
    claims = [(entry.place, PatientRef(ins=ins)) for ins in ins_of(entry.resource)]
    by_address = patient_named_by(entry.url)
    if by_address and (by_address.ins or is_record_id(by_address.record or "")):
        claims.append((f"{entry.request_place}.url", by_address))
    by_condition = patient_named_by(f"Patient?{entry.condition.removeprefix('Patient').removeprefix('?')}")
    if by_condition:
        claims.append((f"{entry.request_place}.ifNoneExist", by_condition))
    return one_patient(claims) if claims else None
