"""May this be done, and what follows from what is recorded: pure functions."""

from tansiq.members.rules.appointments import (
    may_appoint,
    may_end,
    may_erase,
    may_keep_duty,
    may_make_sign_in_link,
    may_see_off,
    may_transfer,
)
from tansiq.members.rules.certificates import may_keep_certificates
from tansiq.members.rules.claims import may_end_claim, may_judge_claim, may_propose_claim, may_see_proposals
from tansiq.members.rules.contacts import (
    FLAGS,
    ContactFacts,
    flags,
    last_confirmed,
    may_keep_contacts,
    may_see_contacts,
    reminder_due,
)
from tansiq.members.rules.files import may_export, may_import
from tansiq.members.rules.overlaps import Overlap, domain_key, overlaps, prefix_key
from tansiq.members.rules.periods import (
    PeriodFacts,
    StandingFacts,
    full_member_conflicts,
    in_community,
    in_force,
    may_keep_register,
    state_on,
)
from tansiq.members.rules.profiles import may_keep_profile

__all__ = [
    "FLAGS",
    "ContactFacts",
    "Overlap",
    "PeriodFacts",
    "StandingFacts",
    "domain_key",
    "flags",
    "full_member_conflicts",
    "in_community",
    "in_force",
    "last_confirmed",
    "may_appoint",
    "may_end",
    "may_end_claim",
    "may_erase",
    "may_export",
    "may_import",
    "may_judge_claim",
    "may_keep_certificates",
    "may_keep_contacts",
    "may_keep_duty",
    "may_keep_profile",
    "may_keep_register",
    "may_make_sign_in_link",
    "may_propose_claim",
    "may_see_contacts",
    "may_see_off",
    "may_see_proposals",
    "may_transfer",
    "overlaps",
    "prefix_key",
    "reminder_due",
    "state_on",
]
