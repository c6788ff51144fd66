"""All dangerous edits."""

from tests import (
    planted_access,
    planted_branches,
    planted_limits,
    planted_openings,
    planted_silence,
    planted_storage,
    planted_ways,
    planted_workings,
)

EDITS = [
    *planted_access.EDITS,
    *planted_storage.EDITS,
    *planted_openings.EDITS,
    *planted_ways.EDITS,
    *planted_branches.EDITS,
    *planted_silence.EDITS,
    *planted_limits.EDITS,
    *planted_workings.EDITS,
]
