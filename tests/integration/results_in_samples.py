"""The results and measures that the published CDA samples state, written down by a person who read them."""

from typing import NamedTuple


class Result(NamedTuple):
    """What was observed, what came out as one would say it, and when; `judged` is how that was interpreted."""

    code: str
    value: str
    on: str
    judged: str = ""


_BATTERY = "2014-04-02T14:55:21+02:00"
_URINE, _CULTURE = "2024-01-04T13:19:33+01:00", "2024-01-04T15:50:00+01:00"
_SCREENED, _FASTED = "2011-06-22", "2011-08-11"
_COUNTED = "2010-01-04T11:30:00+01:00"
_STROKE, _EXAMINED = "2018-10-01", "2020-03-19"
_ASKED = "2020-03-23"
_CONCLUSION = "Conclusion (texte libre)"

LABORATORY: dict[str, tuple[Result, ...]] = {
    "BIO-CR-BIO_2021.01_Auto-Presentable.xml": (
        Result("2571-8", "0.62 g/L", _BATTERY, "N"),
        Result("2093-3", "1.9 g/L", _BATTERY, "N"),
        Result("2085-9", "0.73 g/L", _BATTERY, "N"),
        Result("13457-7", "1.05 g/L", _BATTERY, "N"),
        Result("53049-3", "0.88 g/L", _BATTERY, "N"),
        Result("30239-8", "45 [IU]/L", _BATTERY, "H"),
        Result("1743-4", "49 [IU]/L", _BATTERY, "N"),
        Result("2324-2", "65 [IU]/L", _BATTERY, "H"),
        Result("1988-5", "<1.0 mg/L", _BATTERY, "N"),
        Result("3016-3", "2.05 m[IU]/L", _BATTERY, "N"),
        Result("3024-7", "7.67 pg/mL", _BATTERY, "L"),
    ),
    "BIO-CR-BIO_2024.01_TSH_1.xml": (
        Result("3016-3", "1.95 m[IU]/L", _BATTERY, "N"),
        Result("3024-7", "7.67 pg/mL", _BATTERY, "L"),
    ),
    "BIO-CR-BIO_2024.01_Microbiologie_V2.xml": (
        Result("5778-6", "paille", _URINE),
        Result("5767-9", "clair", _URINE),
        Result("30405-5", "500 /mL", _URINE),
        Result("30391-7", "200 /mL", _URINE),
        Result("30383-4", "absence", _URINE),
        Result("653-6", "nombreux Gram - ; quelques Gram +", _URINE),
        Result(
            "41852-5",
            "Escherichia coli: 51480-2 120000 /mL, 20-8 >=0.512 ug/mL R, 28-1 <0.128 ug/mL I, 18928-2 <0.032 ug/mL S",
            _CULTURE,
        ),
        Result(
            "41852-5",
            "Streptococcus D.: 51480-2 200000 /mL, 20-8 <0.012 ug/mL S, 28-1 <0.013 ug/mL S, 18928-2 <0.014 ug/mL S",
            _CULTURE,
        ),
    ),
    "AVC-EUNV_2022.01.xml": (
        Result("2093-3", "1.5 g/L", _SCREENED),
        Result("2571-8", "0.54 g/L", _SCREENED),
        Result("2089-1", "1.2 g/L", _SCREENED),
        Result("2085-9", "0.35 g/L", _SCREENED),
        Result("2345-7", "1.8 g/L", _FASTED),
        Result("53049-3", "1.05 g/L", _FASTED),
        Result("27353-2", "1.2 %", _SCREENED),
        Result("14682-9", "75 umol/L", _SCREENED),
        Result("35591-7", "111.6 mL/min", _SCREENED),
        Result("1988-5", "1.2 mg/L", _SCREENED),
        Result("14979-9", "27 s", _FASTED),
        Result("6301-6", "0.94", _SCREENED),
        Result("3255-7", "1.2 g/L", _SCREENED),
        Result("789-8", "4.6 10*12/L", "2013-11-12T11:30:00+01:00", "N"),
        Result("718-7", "13.0 g/dL", _COUNTED, "N"),
        Result("4544-3", "45 %", _COUNTED, "N"),
        Result("30428-7", "85 fL", _COUNTED, "N"),
        Result("28540-3", "31.0 g/dL", _COUNTED, "N"),
        Result("28539-5", "30.0 pg", _COUNTED, "N"),
        Result("777-3", "250 10*9/L", _COUNTED, "N"),
        Result("6690-2", "8.2 10*9/L", _COUNTED, "N"),
        Result("26511-6", "60 %", _COUNTED, "N"),
        Result("26450-7", "2 %", _COUNTED, "N"),
        Result("30180-4", "0 %", _COUNTED, "N"),
        Result("26478-8", "31 %", _COUNTED, "N"),
        Result("26485-3", "6 %", _COUNTED, "N"),
    ),
    "CARD-F-PRC-AVK_2022.01.xml": (
        Result("3289-6", "2.5", "2009-05-12T14:30:00+02:00", "N"),
        Result("3289-6", "1.5", "2009-06-11T14:30:00+02:00", "N"),
        Result("3289-6", "2.0", "2009-06-15T14:30:00+02:00", "N"),
    ),
    "OBP-SAP_2024.01.xml": (Result("882-1", "groupe sanguin A positif", "2023-01-25"),),
}

VITAL_SIGNS: dict[str, tuple[Result, ...]] = {
    "ANEST-CR-CPA_2022.01.xml": (
        Result("8302-2", "176 cm", "2010-03-12"),
        Result("29463-7", "59 kg", "2010-03-12"),
        Result("39156-5", "19 kg/m2", "2010-03-12"),
        Result("85354-9", "8480-6 120 mm[Hg], 8462-4 80 mm[Hg]", "2010-03-12"),
        Result("8867-4", "60 /min", "2010-03-12"),
        Result("20564-1", "95 %", "2010-03-12"),
    ),
    "CSE-MDE_2023.01.xml": (
        Result("29463-7", "3900 g", "2021-02-11"),
        Result("8302-2", "52 cm", "2021-02-11"),
        Result("8287-5", "35 cm", "2021-02-11"),
    ),
    "SDM-MR_2024.01_nouveau-ne.xml": (
        Result("29463-7", "2850 g", ""),
        Result("8302-2", "45 cm", ""),
        Result("8287-5", "19 cm", ""),
    ),
    "TLM-DA_2022.01_TCG.xml": (
        Result("29463-7", "59 kg", "2019-11-25"),
        Result("8302-2", "176 cm", "2019-11-25"),
        Result("39156-5", "19 kg/m2", "2019-11-25"),
    ),
    "OBP-SAP_2024.01.xml": (
        Result("29463-7", "59 kg", "2023-03-22"),
        Result("8302-2", "176 cm", "2023-03-22"),
        Result("39156-5", "19 kg/m2", "2023-03-22"),
    ),
    "eP-MED-DM_2024.01_PosoStruct.xml": (
        Result("29463-7", "55 kg", "2023-12-01"),
        Result("8302-2", "170 cm", "2023-12-01"),
    ),
}

IMAGING: dict[str, tuple[Result, ...]] = {
    "AVC-EUNV_2022.01.xml": (
        Result("EAQM004", _CONCLUSION, _STROKE),
        Result("EAQM002", _CONCLUSION, _STROKE),
        Result("ACQN001", _CONCLUSION, _STROKE),
        Result("EBQH006", _CONCLUSION, _STROKE),
        Result("DZQM006", _CONCLUSION, _STROKE),
        Result("DZQJ001", _CONCLUSION, _STROKE),
    ),
}

EXAMS: dict[str, tuple[Result, ...]] = {
    "AVC-EUNV_2022.01.xml": (
        Result("DEQP003", _CONCLUSION, _STROKE),
        Result("DEQP004", _CONCLUSION, _STROKE),
        Result("DEQP005", _CONCLUSION, _STROKE),
    ),
    "ANEST-CR-CPA_2022.01.xml": (
        Result("MED-593", "yes", _EXAMINED),
        Result("MED-638", "Classe 1 : toute la luette et les loges amygdaliennes sont visibles", _EXAMINED),
        Result("MED-639", "5 mm", _EXAMINED),
        Result("MED-640", "5 mm", _EXAMINED),
    ),
}

_NIHSS_ITEMS = (
    "70184-7 0 LA18436-8, 70185-4 1 LA18441-8, 70186-2 1 LA18444-2, 70187-0 1 LA18446-7, 70188-8 0 LA18448-3, "
    "70189-6 0 LA18453-3, 70967-5 0 LA18456-6, 70190-4 0 LA18456-6, 70968-3 1 LA18463-2, 70191-2 0 LA18463-2, "
    "70192-0 2 LA18467-3, 70193-8 0 LA18478-0, 70194-6 0 LA18472-3, 70195-3 0 LA18468-1, 70196-1 0 LA18468-1"
)

SCORES: dict[str, tuple[Result, ...]] = {
    "AVC-EUNV_2022.01.xml": (
        Result("75859-9", "0", "2018", "N LA6111-4"),
        Result("9269-2", "15", "2018", "N"),
        Result("72089-6", f"4: {_NIHSS_ITEMS}", "2018-09-23"),
    ),
    "ANEST-CR-CPA_2022.01.xml": (
        Result("95034-5", "Type d'aides à domicile", _ASKED),
        Result("MED-596", "no", _ASKED),
        Result("MED-597", "no", _ASKED),
        Result("MED-598", "se déplace en fauteuil roulant", _ASKED),
        Result("MED-346", "GIR-6", _ASKED),
        Result("MED-633", "Aptitude physique excellente (Score de Duke > 10 MET)", _ASKED),
        Result("MED-599", "Alimentation mixée", _ASKED),
        Result("MED-650", "no", _ASKED),
        Result("MED-651", "no", _ASKED),
    ),
}

RESULTS = {
    "laboratory": LABORATORY,
    "vital-signs": VITAL_SIGNS,
    "imaging": IMAGING,
    "exam": EXAMS,
    "survey": SCORES,
}
"""By category and file; the others state none that is coded."""
