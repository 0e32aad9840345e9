"""What front doors say of a broken chain."""

from __future__ import annotations

from tansiq.audit.verify import Fault
from tansiq.core.errors import N_

FAULTS = {
    Fault.MISSING: N_("Row {number} is missing."),
    Fault.CHANGED: N_("Row {number} does not say what was recorded: its hash is another."),
    Fault.REASON_MISSING: N_("The reason of row {number} is gone, and no erasure of it is on record."),
    Fault.REASON_CHANGED: N_("The reason of row {number} is not the one that was given."),
    Fault.HEAD: N_("Row {number} is not the last row that the head names."),
    Fault.BEYOND: N_("Row {number} comes after the last row that the head names."),
    Fault.NOTED: N_("Row {number} has another hash than the one that was noted: the rows were made anew."),
}
