"""The tables of the members desk."""

from tansiq.members.models.certificates import TeamCertificate
from tansiq.members.models.desk import ClaimEvidence, ContactReminder, ProfileSection, PublishedProfile
from tansiq.members.models.directory import (
    Claim,
    ClaimTable,
    Contact,
    Country,
    Membership,
    Team,
)
from tansiq.members.models.entry import AddressChange, DutyShift, Invitation, OneTimeToken, SignInLink
from tansiq.members.models.keys import ApiKey
from tansiq.members.models.membership import CountryStatement, MembershipPeriod, Standing
from tansiq.members.models.people import Appointment, Node, Person

__all__ = [
    "AddressChange",
    "ApiKey",
    "Appointment",
    "Claim",
    "ClaimEvidence",
    "ClaimTable",
    "Contact",
    "ContactReminder",
    "Country",
    "CountryStatement",
    "DutyShift",
    "Invitation",
    "Membership",
    "MembershipPeriod",
    "Node",
    "OneTimeToken",
    "Person",
    "ProfileSection",
    "PublishedProfile",
    "SignInLink",
    "Standing",
    "Team",
    "TeamCertificate",
]
