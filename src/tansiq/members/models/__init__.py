"""The tables of the members desk."""

from tansiq.members.models.directory import (
    Claim,
    ClaimTable,
    Contact,
    Country,
    Membership,
    Team,
)
from tansiq.members.models.people import Appointment, Node, Person

__all__ = ["Appointment", "Claim", "ClaimTable", "Contact", "Country", "Membership", "Node", "Person", "Team"]
