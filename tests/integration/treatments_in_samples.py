"""The treatments that the published CDA samples state, written down by a person who read them."""

from dataclasses import dataclass

CIS, CIP, VIRTUAL = "1.2.250.1.213.2.3.1", "1.2.250.1.213.2.3.2", "1.2.250.1.213.2.59"
ATC = "http://www.whocc.no/atc"
INSURER_DRUG, INSURER_PREPARATION = "1.2.250.1.215.200.1.1.1", "1.2.250.1.215.200.1.1.2"
INSURER_GROUP, INSURER_SUBSTANCE = "1.2.250.1.215.200.1.2.1", "1.2.250.1.215.200.1.3.1"
ABSENT = "http://hl7.org/fhir/uv/ips/CodeSystem/absent-unknown-uv-ips"


@dataclass(frozen=True, slots=True, kw_only=True)
class Treatment:
    """What a document says of one product: when from and to, how it is taken in its words, and why."""

    section: str
    product: str
    codes: tuple[tuple[str, str], ...] = ()
    status: str
    start: str = ""
    end: str = ""
    posology: tuple[str, ...] = ()
    reasons: tuple[str, ...] = ()


DAILY = (
    "Dose : 1 comprimé ; Fréquence : 1 fois / jour ; Voie admin. : prendre par la bouche ; "
    "Rythme admin. : 100 mg / jour"
)
ANGINA, ISCHAEMIA = "I20.0", "G45.9"

TREATMENTS: dict[str, tuple[Treatment, ...]] = {
    "VSM_1.4_2022.01.xml": (
        Treatment(
            section="10160-0",
            product="PLAVIX 75mg, comprimé pelliculé",
            codes=((CIS, "63564053"), (CIP, "3400938022209")),
            status="active",
            start="2019-08-11",
            posology=("1 cp/j",),
            reasons=(ANGINA,),
        ),
        Treatment(
            section="10160-0",
            product="COUMADINE 5mg, comprimé sécable",
            codes=((CIS, "63245753"), (CIP, "3400935693099")),
            status="active",
            start="2019-08-11",
            posology=("1 cp/j",),
            reasons=(ISCHAEMIA,),
        ),
    ),
    "LDL-SES_2022.01.xml": (
        Treatment(
            section="18610-6",
            product="SOLIAN 100 mg",
            codes=((CIS, "60019927"), (CIP, "3400934874741")),
            status="stopped",
            start="2018-08-01",
            end="2019-10-29",
            posology=(f"{DAILY} ; Dose max : 200 mg / jour",),
        ),
        Treatment(
            section="10183-2",
            product="LEPONEX 100 mg",
            codes=((CIS, "62552920"), (ATC, "N05AH02")),
            status="active",
            start="2019-12-03",
            end="2020-02-02",
            posology=(f"{DAILY} ; Dose max : 300 mg / jour",),
        ),
    ),
    "TLM-DA_2022.01_TCG.xml": (
        Treatment(
            section="10160-0",
            product="PLAVIX 75mg, comprimé pelliculé",
            codes=((CIS, "63564053"), (VIRTUAL, "MV00002297")),
            status="stopped",
            start="2019-04-29",
            end="2019-05-29",
            posology=("1 cp/j",),
            reasons=(ANGINA,),
        ),
    ),
    "CARD-F-PRC-AVK_2022.01.xml": (
        Treatment(
            section="10160-0",
            product="PLAVIX 75 mg, comprimé pelliculé",
            codes=((CIS, "63564053"),),
            status="completed",
            start="2008-08-01",
            end="2008-08-31",
        ),
        Treatment(
            section="10160-0",
            product="COUMADINE 5mg, comprimé sécable",
            codes=((CIS, "63245753"), (VIRTUAL, "MV00002377")),
            status="completed",
            start="2000-03-28",
            end="2000-04-04",
            posology=("1cp",),
            reasons=(ISCHAEMIA, "3289-6"),
        ),
        Treatment(
            section="10160-0",
            product="PLAVIX 75mg, comprimé pelliculé",
            codes=((CIS, "63564053"), (VIRTUAL, "MV00002297")),
            status="active",
            start="2009-05-12",
            end="2009-05-30",
            posology=("1cp",),
            reasons=(ANGINA,),
        ),
        Treatment(
            section="18776-5",
            product="COUMADINE 5mg, comprimé sécable",
            codes=((CIS, "63245753"), (CIP, "3400935693099")),
            status="intended",
            start="2009-08-30",
        ),
    ),
    "ANEST-CR-CPA_2022.01.xml": (
        Treatment(
            section="10160-0",
            product="[CIS 60019927] SOLIAN 100 mg, comprimé sécable",
            codes=((CIS, "60019927"), (ATC, "N05AL05")),
            status="active",
            start="2020-03-20",
            posology=("Dose minimale : 1 comprimé ; Dose maximale : 1 comprimé ; Fréquence : 1 fois / jour",),
        ),
    ),
    "OBP-SAP_2024.01.xml": (
        Treatment(
            section="18610-6",
            product="SOLUPRED 20 mg, comprimé effervescent [CIS : 66871876]",
            codes=((CIS, "66871876"),),
            status="completed",
        ),
    ),
    "eP-MED-DM_2024.01_PosoStruct.xml": (
        Treatment(
            section="57828-6",
            product="PARACETAMOL MYLAN 500 mg, comprimé",
            codes=((CIS, "63107752"), (VIRTUAL, "MV00002306"), (CIP, "3400933516390"), (ATC, "N02BE01")),
            status="intended",
            start="2023-12-01",
            end="2023-12-06",
            posology=(
                "1 cp - 2 cp ; 3 fois/j à partir du 01/12/2023 pendant 2 jours ; 1500 mg/j - 3000 mg/j",
                "1 cp - 2 cp ; 2 fois/j à partir du 03/12/2023 pendant 4 jours ; 1000 mg/j - 2000 mg/j",
            ),
        ),
        Treatment(
            section="57828-6",
            product="Préparation magistrale : - 30g de diprosone - 70g de Cérat Frais de Galien",
            status="intended",
            start="2023-12-01",
            end="2023-12-06",
            posology=("2 applications/j",),
        ),
    ),
    "CNAM-HR_2021.01.xml": (
        Treatment(
            section="10160-0",
            product="LUDEAL CPR3/21",
            codes=(
                (INSURER_DRUG, "3400935673220"),
                (ATC, "G03"),
                (INSURER_SUBSTANCE, "1636"),
                (INSURER_SUBSTANCE, "1949"),
            ),
            status="unknown",
            start="2019-05-26",
        ),
        Treatment(
            section="10160-0",
            product="CRESTOR 5MG CPR9/10",
            codes=((INSURER_DRUG, "3400939169002"), (ATC, "C10"), (INSURER_SUBSTANCE, "5014")),
            status="unknown",
            start="2019-03-11",
        ),
        Treatment(
            section="10160-0",
            product="PRODUIT HOMEOPATHIQUE",
            codes=((INSURER_PREPARATION, "9064295"), (INSURER_GROUP, "W99"), (INSURER_SUBSTANCE, "6209")),
            status="unknown",
            start="2019-03-08",
        ),
    ),
    "CNAM-HR_2021.01_sans-info.xml": (
        Treatment(
            section="10160-0",
            product="Aucune donnée de remboursement connue dans la période",
            codes=((ABSENT, "no-known-medications"),),
            status="unknown",
        ),
    ),
}
"""By file; the others state none. The second treatment of OBP-SAP is the child's."""
