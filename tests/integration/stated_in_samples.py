"""What the published CDA samples state, written down by hand from reading their narratives and entries.

Problems, allergies, vaccinations and procedures that are said of the person; what is planned, and what is said of a
child or of relatives, is not here. Where narrative and entry differ, the entry counts, as in
`VAC` (the narrative dates the first dose of tetanus vaccine 25/08/2009) or `ANEST` (problems its entries negate).
"""

from dataclasses import dataclass

type Facts = tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class Stated:
    """The statements of one document, each by its first code (or its words) and what else is told of it."""

    problems: Facts = ()
    """Code, words, state, since when."""
    allergies: Facts = ()
    """Code, words, state, since when."""
    vaccinations: Facts = ()
    """Code, words, day, lot, number of the dose."""
    procedures: Facts = ()
    """Code, words, day."""
    relatives: Facts = ()
    """Who, and what they had."""


_TIA = ("G45.9", "Accident ischémique cérébral transitoire", "active")
_ANGINA = ("I20.0", "Angine de poitrine instable", "active")
_SICKLE_CELLS = ("MTH", "D57.1")
_STENTS = "vaisseaux coronaires avec pose d'endoprothèse, par voie artérielle transcutanée"
_VISIT = ("G", "CONSULTATION MEDECINE GENERALE")
_NOTHING_PAID = "Aucune donnée de remboursement connue dans la période"

STATED = {
    "ANEST-CR-CPA_2022.01.xml": Stated(
        problems=(
            ("I10", "[CIM-10 : I10] Hypertension essentielle", "refuted", ""),
            ("I26", "[CIM-10 : I26] Embolie pulmonaire", "refuted", ""),
            ("J40", "[CIM-10 : J40] Bronchite, non précisée aigüe ou chronique", "refuted", "2018-09-23"),
            ("E03.9", "[CIM-10 : E03.9] Hypothyroïdie, sans précision", "active", "2018-09-23"),
            (
                "G22",
                "[CIM-10 : G22] Syndrome parkinsonien au cours de maladies classées ailleurs",
                "active",
                "2018-09-23",
            ),
            ("F33", "[CIM-10 : F33] Trouble dépressif récurrent", "active", "2018-09-23"),
            ("K21", "[CIM-10 : K21] Reflux gastro-oesophagien", "active", "2018-09-23"),
            ("N04", "[CIM-10 : N04] Syndrome néphrotique", "active", "2018-09-23"),
            ("E10", "[CIM-10 : E10] Diabète sucré de type 1", "active", "2018-09-23"),
            ("MED-670", "(Texte libre pour la description du cancer)", "active", "2018-09-23"),
            ("B19", "[CIM-10 : B19] Hépatite virale, sans précision", "active", "2018-09-23"),
            ("J81", "[CIM-10 : J81] Œdème pulmonaire", "refuted", ""),
            ("J44.9", "[CIM-10 : J44.0] Maladie pulmonaire obstructive chronique, sans précision", "refuted", ""),
            ("N76.0", "[CIM-10 : N76.0] Vaginite aigüe", "refuted", ""),
            ("O03", "[CIM-10 : O03] Avortement spontané", "refuted", ""),
            ("B16", "[CIM-10 : B16] Hépatite aigüe B", "refuted", ""),
            ("D68.9", "[CIM-10 : D68.9] Anomalie de la coagulation, sans précision", "refuted", ""),
            (
                "D75.9",
                "[CIM-10 : D75.9] Maladie du sang et des organes hématopoïétiques, sans précision",
                "refuted",
                "",
            ),
        ),
        allergies=(("N02BE01", "[CIS : 68787715] paracétamol", "active", "2000"),),
    ),
    "AVC-EUNV_2022.01.xml": Stated(
        procedures=(
            ("392031002", "Description Endartériectomie (texte libre)", "2018-10-01"),
            ("2119009", "Description Angioplastie (texte libre)", "2018-10-01"),
            ("36910002", "Description Crâniectomie (texte libre)", "2018-10-01"),
            ("10458001", "Description Evacuation hématome intracérébral (texte libre)", "2018-10-01"),
            ("MED-512", "Description Pose Valve / Dérivation externe (texte libre)", "2018-10-01"),
        )
    ),
    "BIO-CR-BIO_2021.01_Auto-Presentable.xml": Stated(),
    "BIO-CR-BIO_2021.01_CDA-R2-Niveau-1.xml": Stated(),
    "BIO-CR-BIO_2024.01_Microbiologie_V2.xml": Stated(),
    "BIO-CR-BIO_2024.01_TSH_1.xml": Stated(),
    "CANCER-PPS_2022.01_feuille-de-style-externe.xml": Stated(
        problems=(("8000/3", "Tumeur maligne, SAI", "active", "2019-01-29"),),
        procedures=(
            ("C15313", "Radiothérapie", "2019-05-01"),
            ("ORG-176", "Conseil d'hygiène de vie", "2019-05-01"),
        ),
    ),
    "CARD-F-PRC-AVK_2022.01.xml": Stated(
        problems=((*_TIA, "2009-08-12"), (*_ANGINA, "2009-08-12")),
        allergies=(
            ("J01MA01", "ofloxacine", "active", "2000-03-28"),
            ("A10BB09", "DIAMICRON 30mg, comprimé à libération modifiée", "inactive", "2000-03-28"),
            ("C10AC01", "colestyramine", "inactive", "2000-03-28"),
            ("N02BE01", "PARACETAMOL", "inactive", "2000-03-28"),
        ),
    ),
    "CNAM-HR_2021.01.xml": Stated(
        vaccinations=(
            ("3400932857241", "VACCIN TETANIQUE PASTEUR SUSP INJ1/.5", "", "", ""),
            ("3400936924642", "HBVAXPRO 10 MICROG/ML SUSP INJ SER1/1", "", "", ""),
            ("3400932857241", "VACCIN TETANIQUE PASTEUR SUSP INJ1/.5", "", "", ""),
        ),
        procedures=(
            (*_VISIT, "2019-07-11"),
            (*_VISIT, "2019-07-08"),
            (*_VISIT, "2019-06-26"),
            ("FTR", "FORFAIT TECHNIQUE REDUIT IRMN -SCANNERS", "2019-05-25"),
            (*_VISIT, "2019-03-11"),
            (*_VISIT, "2019-03-08"),
            ("HBMD053", "Restaur 1 prémol / molaire 1 face par matér plastiq sans ancr", "2019-02-08"),
            ("BJQP002", "exam. fct motricité oculaire", "2019-01-21"),
            ("YYYY300", "suppl. imagerie pr radio interv. au bloc op.", "2019-05-15"),
            ("QEQJ001", "remno sein +inject IV", "2019-04-30"),
            ("YYYY600", "sup pour archivage numérique 1 mammo ou 1 exam scan ou remno", "2019-04-30"),
            ("1208", "T.S.H. (SANG)", "2019-06-11"),
            ("9105", "FORFAIT DE SECURITE POUR ECHANTILLON SANGUIN", "2019-06-11"),
            ("552", "SANG : GLUCOSE (GLYCEMIE)", "2019-05-15"),
            ("1208", "T.S.H. (SANG)", "2019-05-15"),
        ),
    ),
    "CNAM-HR_2021.01_sans-info.xml": Stated(
        vaccinations=(("no-known-immunizations", _NOTHING_PAID, "", "", ""),),
        procedures=(("no-known-procedures", _NOTHING_PAID, ""),) * 3,
    ),
    "CSE-MDE_2023.01.xml": Stated(),
    "DOC_NON_STRUCTURE_CDA-R2-N1.xml": Stated(),
    "IMG-DA-IMG_2024.01_Radiographie_ChevilleGenou.xml": Stated(
        problems=(
            ("", "(texte libre)", "inactive", ""),
            ("77386006", "patiente actuellement enceinte", "active", "2023-01-12"),
        ),
        procedures=(("", "(texte libre)", "2021-07-14"),),
    ),
    "IMG_CR_IMG_2024.01_CDA-R2-Niveau-1.xml": Stated(),
    "LDL-SES_2022.01.xml": Stated(
        allergies=(("no-known-allergies", "Aucune allergie / intolérance identifiée pendant le séjour", "active", ""),)
    ),
    "OBP-SAP_2024.01.xml": Stated(
        problems=(
            ("N10", "Pyélonéphrite aiguë", "active", "2023-03-22"),
            ("O46", "Hémorragie précédant l'accouchement, non classée ailleurs", "active", "2023-03-22"),
            ("O47.0", "Faux travail avant 37 semaines révolues de gestation", "active", "2023-03-22"),
            ("O42", "Rupture prématurée des membranes", "active", "2023-03-22"),
            ("O13", "Hypertension gestationnelle [liée à la grossesse]", "active", "2023-03-22"),
            ("O24.0", "Diabète sucré préexistant, de type 1", "active", "2023-03-22"),
            ("N39.0", "Infection des voies urinaires, siège non précisé", "active", "2023-03-22"),
            ("O23", "Infections de l'appareil génito-urinaire au cours de la grossesse", "active", "2023-03-22"),
        ),
        allergies=(("N02BE01", "PARACETAMOL", "active", "2023-03-22"),),
        procedures=(("SURG", "Appendicectomie, par laparotomie", "2023-03-22"),),
        relatives=(_SICKLE_CELLS, ("FTH", "D66")),
    ),
    "SDM-MR_2024.01_nouveau-ne.xml": Stated(
        problems=(
            ("842009", "consanguinité", "refuted", "2024-01-12"),
            ("513", "Leucémie lymphoblastique aigüe (code ORPHA : 513)", "active", ""),
        ),
        procedures=(("09.02", "09.02 ASSISTANCE MÉDICALE À LA PROCRÉATION", ""),),
        relatives=(("PCOUSN", "513"),),
    ),
    "TLM-DA_2022.01_TCG.xml": Stated(
        problems=((*_TIA, "2019-11-25"), ("N10", "Pyélonéphrite aiguë", "inactive", "2008-08-11")),
        allergies=(("J01DE01", "bêta-lactamines", "active", "2018-02-21"),),
        procedures=(("DDAF004", f"Dilatation intraluminale de deux {_STENTS}", "2017-08-01"),),
        relatives=(_SICKLE_CELLS,),
    ),
    "VAC_2023.01.xml": Stated(
        vaccinations=(
            ("61077869", "Vaccin antituberculeux", "1975", "235421176", "1"),
            ("68747507", "VACCIN TETANIQUE", "2009-09-28", "4456668", "1"),
            ("68747507", "VACCIN TETANIQUE", "2009-09-28", "4456672", "2"),
            ("61920725", "VACCIN MENINGOCOCCIQUE", "2021-04-09", "357904636", "1"),
        )
    ),
    "VSM_1.4_2022.01.xml": Stated(
        problems=(
            (*_TIA, "2019-08-11"),
            (*_ANGINA, "2019-08-11"),
            ("N10", "Pyélonéphrite aiguë", "resolved", "2018-04-22"),
            ("I21.1", "Infarctus transmural inférieur", "resolved", "2018-01-14"),
        ),
        allergies=(("60234100", "Paracétamol", "inactive", "2018-06-03"),),
        procedures=(("DDAF004", f"Dilatation intraluminale de 2 {_STENTS}", "2018-01-14"),),
        relatives=(_SICKLE_CELLS,),
    ),
    "eP-MED-DM_2024.01_PosoStruct.xml": Stated(),
}
