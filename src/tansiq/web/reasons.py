"""Words for the codes of decisions: why something is seen, or may not be done. Desks return the codes.

A refusal to *see* is never told to the one who is refused: what they may not see is not there. These words are for
authors, previews, greyed-out buttons and the audit record.
"""

from __future__ import annotations

from datetime import datetime

from django.utils.formats import date_format
from django.utils.translation import gettext as _

from tansiq.core.decision import Decision
from tansiq.core.errors import N_

SHARING = {
    "sharing.clear": N_("It is open to everybody."),
    "sharing.community": N_("It is for the community, to which they belong."),
    "sharing.origin": N_("It is their own team's."),
    "sharing.named.team": N_("Their team is named in the marking."),
    "sharing.named.person": N_("They are named in the marking."),
    "sharing.onward": N_("A team that received it has let this constituent know."),
    "sharing.red.sealed": N_("They are named in the marking, and it is sealed to their own certificate."),
    "sharing.red.waived": N_("They are named in the marking, and the risk of their host was accepted for a reason."),
    "sharing.embargo": N_("It is under embargo until {until}."),
    "sharing.unmarked": N_("It has no marking, so nobody may see it."),
    "sharing.green.outside": N_("It is for the community, to which they do not belong."),
    "sharing.amber.not_named": N_("It is for the teams named in the marking, and theirs is not one of them."),
    "sharing.strict.not_named": N_("It stays within the teams named in the marking, and theirs is not one of them."),
    "sharing.red.not_named": N_("It is for the persons named in the marking alone."),
    "sharing.red.key": N_("It is for persons, and an API key is none."),
    "sharing.red.hosted_elsewhere": N_(
        "Their team is hosted on another team's node, whose operators could read it. "
        "Seal it to the person's own OpenPGP certificate, or give a reason for sending it nevertheless."
    ),
    "sharing.nobody": N_("Nobody is signed in."),
    "sharing.observer": N_("Observers watch: they change nothing."),
    "sharing.key.scope": N_("The API key {key} lacks the scope for this."),
    "sharing.key.read_only": N_("The API key {key} may only read."),
    "sharing.mark.not_origin": N_("Only the origin of a marking may take it away: {origins}."),
    "sharing.onward.incomplete": N_("Name one person or one organisation, and give a reason."),
    "sharing.onward.not_a_person": N_("Only a person acting for a team may decide this."),
    "sharing.onward.label": N_("What is marked {label} may not be passed on to constituents."),
    "sharing.onward.not_received": N_("Only a team named in the marking may pass this on to its constituents."),
    "sharing.onward.not_own": N_("This was passed on by {team}, and only that team may withdraw it."),
    "sharing.onward.none": N_("{team} has not passed this on to that organisation."),
    "sharing.preview.no_team": N_("Only people who act for a team mark what is that team's own."),
    "sharing.preview.nobody": N_("Nobody on this node will be able to see this."),
    "sharing.preview.origin_out": N_(
        "Nobody of a team that this comes from will be able to see it. Name one of its people if they should."
    ),
}

AUDIT = {
    "audit.entry.guest": N_("Nobody is signed in."),
    "audit.entry.reading": N_("Who read what is for the reader, the head of their team and auditors."),
    "audit.entry.not_yours": N_("This row of the audit record is about the work of others."),
    "audit.reason.not_yours": N_("The reason is for the team that gave it."),
    "audit.reason.erase.not_yours": N_("Only the head of the team that gave a reason may erase it."),
    "audit.verify.not_yours": N_("Heads of teams, the Secretariat and auditors check the audit record."),
}

KEYS = {
    "members.key.by_key": N_("An API key neither makes nor revokes keys: a person of {team} does."),
    "members.key.not_head": N_("Only the head of {team} keeps its API keys."),
    "members.key.revoked": N_("The API key was revoked."),
    "members.key.expired": N_("The API key has expired."),
    "members.key.address": N_("The API key may not be used from that address."),
}

MEMBERS = {
    "members.appointment.by_key": N_("An API key appoints nobody."),
    "members.appointment.last_head": N_("A team's last head goes only once there is another."),
    "members.appointment.not_head": N_("Only the head of a team appoints in it; the Secretariat appoints heads."),
    "members.appointment.seat_not_secretariat": N_("Seats of the federation are given by the Secretariat."),
    "members.appointment.seat_without_decision": N_("A seat rests on a decision. Name it."),
    "members.certificate.by_key": N_("Which key is a team's is said by people, not by an API key."),
    "members.certificate.not_of_team": N_(
        "The certificates of {team} are kept by its head, its duty officers and its keeper, and by the Secretariat."
    ),
    "members.claim.by_key": N_("An API key proposes claims only if it may write in the directory, and ends none."),
    "members.claim.judged_already": N_("This claim has been judged already."),
    "members.claim.not_keeper": N_("What {team} answers for is claimed by its head or its constituency keeper."),
    "members.claim.not_of_team": N_("Proposals of {team} are shown to its own people and to the federation's seats."),
    "members.claim.not_secretariat": N_("Claims are judged by the Secretariat."),
    "members.claim.own_team": N_("Nobody judges claims of the team that they act for: another officer has to."),
    "members.contacts.by_key": N_("Contacts are kept by people, not by an API key."),
    "members.contacts.not_of_community": N_("Only members of the federation see all contacts."),
    "members.contacts.not_of_team": N_(
        "The contacts of {team} are kept by its head, its duty officers and its keeper, and by the Secretariat."
    ),
    "members.duty.not_of_team": N_("The duty roster of {team} is kept by its head and its duty officers."),
    "members.export.not_head": N_("A team's data are exported by its head, everybody's by the Secretariat."),
    "members.import.not_secretariat": N_("Files of teams are taken in by the Secretariat or the node's operator."),
    "members.import.people": N_(
        "The file speaks of people: only the operator at the node's own machine may take it in. Leave the people out."
    ),
    "members.person.erased_already": N_("This person is erased already."),
    "members.person.left": N_("This person has left."),
    "members.person.not_head": N_("Only the head of a team they were of, or the Secretariat, may do this."),
    "members.person.not_secretariat": N_("Only the Secretariat may do this."),
    "members.person.other_teams": N_("This person is of other teams too: the Secretariat decides."),
    "members.person.still_active": N_("This person has not left yet."),
    "members.profile.not_of_team": N_("The profile of {team} is written by its head and its keeper."),
    "members.register.not_secretariat": N_("The register of members is kept by the Secretariat."),
    "members.sign_in_link.not_operator": N_("Sign-in links are made by the operator at the node's own machine."),
}

EXCHANGE = {
    "exchange.alarm.lasting": N_("This alarm ends by itself, as soon as what it tells of is over."),
    "exchange.alarm.not_yours": N_("An alarm is ended by the head or a duty officer of the team that runs this node."),
    "exchange.keep.not_here": N_(
        "What is kept against a recall is decided by people of a team that lives on this node."
    ),
    "exchange.links.no_roster": N_("This node has no roster, and so no peers."),
    "exchange.links.nobody": N_("Links are shown to people of a team, and to its API keys."),
    "exchange.links.not_here": N_("Links are shown to the team that runs this node and to teams that live on it."),
    "exchange.links.not_operator": N_("The links are looked after by the team that runs this node."),
    "exchange.check.not_yours": N_(
        "Checks are answered by the head, the duty officers and the analysts of the team that runs this node."
    ),
    "exchange.links.not_working": N_("Links are for the head, the duty officers and the analysts of a team."),
    "exchange.waiting.nobody": N_("What waits is decided by people."),
    "exchange.waiting.unmarked": N_("Its marking cannot be read, so nobody may see it."),
    "exchange.waive.not_yours": N_(
        "Not to wait for a peer is decided by the head or a duty officer of the team that runs this node."
    ),
}

REASONS: dict[str, str] = {**SHARING, **AUDIT, **KEYS, **MEMBERS, **EXCHANGE}
"""Code -> English sentence with named placeholders, for the catalogues."""


def sentence(decision: Decision) -> str:
    """The reason of ``decision`` in the reader's language; the bare code where nobody has found words yet."""
    if decision.reason not in REASONS:
        return decision.reason
    values = {
        name: date_format(value, "DATETIME_FORMAT") if isinstance(value, datetime) else value
        for name, value in decision.values.items()
    }
    return _(REASONS[decision.reason]).format(**values)
