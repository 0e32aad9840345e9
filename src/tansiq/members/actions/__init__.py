"""Verbs that change the register. Each is one transaction with its audit row; ``by`` acts, ``now`` is the one clock."""

from tansiq.members.actions.appointments import appoint, end_appointment, grant_by_provider, transfer
from tansiq.members.actions.certificates import (
    CertificateTaken,
    Unproven,
    recheck_all,
    upload_certificate,
    withdraw_certificate,
)
from tansiq.members.actions.claims import decide_overlap, end_claim, propose_claim, refuse_claim, verify_claim
from tansiq.members.actions.contacts import add_contact, change_contact, confirm_contacts, move_contact, remove_contact
from tansiq.members.actions.directory import (
    Counts,
    Imported,
    LocatedOverlap,
    NotStored,
    import_statement,
    located_overlaps,
    ship_directory,
)
from tansiq.members.actions.duty import put_on_duty, take_off_duty
from tansiq.members.actions.node import FirstAdministrator, first_administrator
from tansiq.members.actions.people import (
    Invited,
    accept_invitation,
    erase,
    invite,
    invite_again,
    leave,
    sign_in_link,
    use_sign_in_link,
)
from tansiq.members.actions.periods import Opened, agree_community, end_period, open_period, set_standing
from tansiq.members.actions.profiles import publish_profile, write_section
from tansiq.members.actions.reminders import Reminder
from tansiq.members.actions.tokens import LinkNotValid

__all__ = [
    "CertificateTaken",
    "Counts",
    "FirstAdministrator",
    "Imported",
    "Invited",
    "LinkNotValid",
    "LocatedOverlap",
    "NotStored",
    "Opened",
    "Reminder",
    "Unproven",
    "accept_invitation",
    "add_contact",
    "agree_community",
    "appoint",
    "change_contact",
    "confirm_contacts",
    "decide_overlap",
    "end_appointment",
    "end_claim",
    "end_period",
    "erase",
    "first_administrator",
    "grant_by_provider",
    "import_statement",
    "invite",
    "invite_again",
    "leave",
    "located_overlaps",
    "move_contact",
    "open_period",
    "propose_claim",
    "publish_profile",
    "put_on_duty",
    "recheck_all",
    "refuse_claim",
    "remove_contact",
    "set_standing",
    "ship_directory",
    "sign_in_link",
    "take_off_duty",
    "transfer",
    "upload_certificate",
    "use_sign_in_link",
    "verify_claim",
    "withdraw_certificate",
    "write_section",
]
