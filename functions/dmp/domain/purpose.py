"""For which purposes the record is used at all: care, and what serves it (L.1111-18; v3 PurposeOfUse, TRE_R248)."""

from collections.abc import Iterable

_NORMAL_ACCESS = frozenset({"normal", "bris_de_glace", "centre_15"})
_OF_CARE = frozenset({"TREAT", "ETREAT", "BTG", "CAREMGT", "PATRQT", "FAMRQT", "PWATRNY", "SUPNWK", "COC"})
_OF_INSURANCE = frozenset({"HPAYMT", "HOPERAT", "ENROLLM", "COVERAGE", "CLMATTCH", "ELIGDTRM", "PATADMIN"})
CARE = _OF_CARE | _NORMAL_ACCESS
"""What professionals, structures and patients may state."""
INSURER = CARE | _OF_INSURANCE
"""What the health insurance may state besides, which reads no content."""
OUTSIDE_CARE = _OF_INSURANCE | frozenset(
    {
        *("CLINTRCH", "CLINTRL", "HRESCH", "BIORCH", "DSRCH", "POARCH", "PREVRCH", "TRANSRCH", "CLINTRLNPC"),
        *("HMARKT", "HDM", "HLEGAL", "HACCRED", "HCOMPL", "HDECD", "HDIRECT", "HOUTCOMS", "HPRGRP", "HQUALIMP"),
        *("HTEST", "HTRAIN", "LABELING", "METAMGT", "MEMADMIN", "MILCDM", "MILDCRG", "PATSFTY", "PERFMSR", "RECORDMGT"),
        *("SYSDEV", "HSYSADMIN", "COVAUTH", "ELIGVER", "REMITADV", "DISASTER", "THREAT", "PUBHLTH", "GOV", "FRAUD"),
        *("EMPLOYMENT", "INSURANCE", "EMPLOI", "ASSURANCE", "EMPL", "INSUR"),
    }
)
"""Purposes that have a name and are none of care's."""


def is_outside_care(code: str) -> bool:
    """Whether a purpose is known to be another than care."""
    return code in OUTSIDE_CARE


def within(codes: Iterable[str], permitted: frozenset[str]) -> bool:
    """Whether all stated purposes are permitted ones; what nobody knows is not."""
    return permitted.issuperset(codes)
