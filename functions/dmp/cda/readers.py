"""Which reader reads which statement: by the section's code and the statement's template, or its element."""

from dmp.cda import (
    allergies,
    family_history,
    lifestyle,
    medications,
    problems,
    procedures,
    results,
    vaccinations,
    vital_signs,
)
from dmp.cda.entry import Readers

READERS: Readers = {
    **problems.READERS,
    **allergies.READERS,
    **vaccinations.READERS,
    **procedures.READERS,
    **family_history.READERS,
    **lifestyle.READERS,
    **medications.READERS,
    **results.READERS,
    **vital_signs.READERS,
}
