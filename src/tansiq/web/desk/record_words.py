"""What the verbs of the audit record say to a reader. A verb without words is shown as it is."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import pgettext_lazy

FAMILIES = {
    "membership.": pgettext_lazy("record", "membership"),
    "claim.": pgettext_lazy("record", "claims"),
    "contact.": pgettext_lazy("record", "contacts"),
    "contacts.": pgettext_lazy("record", "confirmations of contacts"),
    "duty.": pgettext_lazy("record", "duty roster"),
    "certificate.": pgettext_lazy("record", "certificates"),
    "profile.": pgettext_lazy("record", "profiles"),
    "person.": pgettext_lazy("record", "people and their roles"),
    "key.": pgettext_lazy("record", "API keys"),
    "sharing.": pgettext_lazy("record", "sharing"),
    "directory.": pgettext_lazy("record", "imports"),
    "exchange.": pgettext_lazy("record", "links to other nodes"),
    "item.read": pgettext_lazy("record", "readings"),
    "audit.": pgettext_lazy("record", "the record itself"),
}

VERBS = {
    "audit.reason-erased": pgettext_lazy("record", "erased a reason"),
    "certificate.rechecked": pgettext_lazy("record", "found a certificate changed"),
    "certificate.uploaded": pgettext_lazy("record", "uploaded a certificate"),
    "certificate.withdrawn": pgettext_lazy("record", "withdrew a certificate"),
    "claim.ended": pgettext_lazy("record", "ended a claim"),
    "claim.overlap_decided": pgettext_lazy("record", "recorded a decision on a disputed claim"),
    "claim.proposed": pgettext_lazy("record", "proposed a claim"),
    "claim.refused": pgettext_lazy("record", "refused a claim"),
    "claim.verified": pgettext_lazy("record", "verified a claim"),
    "contact.added": pgettext_lazy("record", "added a contact"),
    "contact.changed": pgettext_lazy("record", "changed a contact"),
    "contact.moved": pgettext_lazy("record", "moved a contact"),
    "contact.removed": pgettext_lazy("record", "removed a contact"),
    "contacts.confirmed": pgettext_lazy("record", "confirmed the contacts"),
    "contacts.reminded": pgettext_lazy("record", "asked to confirm the contacts"),
    "directory.imported": pgettext_lazy("record", "imported a file"),
    "duty.ended": pgettext_lazy("record", "ended a shift"),
    "duty.set": pgettext_lazy("record", "planned a shift"),
    "exchange.alarm_ended": pgettext_lazy("record", "ended an alarm"),
    "exchange.comparison_asked": pgettext_lazy("record", "had a link compared"),
    "exchange.kept": pgettext_lazy("record", "kept something against a recall"),
    "exchange.not_awaited": pgettext_lazy("record", "decided not to wait for a team's data"),
    "exchange.refused": pgettext_lazy("record", "refused what another node sent"),
    "exchange.retried": pgettext_lazy("record", "had what another node sent tried again"),
    "exchange.waived": pgettext_lazy("record", "decided not to wait for a peer"),
    "item.read": pgettext_lazy("record", "read"),
    "key.created": pgettext_lazy("record", "made an API key"),
    "key.revoked": pgettext_lazy("record", "revoked an API key"),
    "membership.community": pgettext_lazy("record", "recorded an agreement with the community"),
    "membership.ended": pgettext_lazy("record", "ended a membership"),
    "membership.imported": pgettext_lazy("record", "imported periods of membership"),
    "membership.opened": pgettext_lazy("record", "opened a membership"),
    "membership.standing": pgettext_lazy("record", "changed how a membership stands"),
    "node.set_up": pgettext_lazy("record", "set the node up"),
    "person.accepted": pgettext_lazy("record", "accepted an invitation"),
    "person.address_asked": pgettext_lazy("record", "asked for another mail address"),
    "person.address_changed": pgettext_lazy("record", "changed their mail address"),
    "person.appointed": pgettext_lazy("record", "appointed somebody"),
    "person.appointment_ended": pgettext_lazy("record", "ended an appointment"),
    "person.erased": pgettext_lazy("record", "erased a person's name and address"),
    "person.invited": pgettext_lazy("record", "invited somebody"),
    "person.joined": pgettext_lazy("record", "signed in for the first time"),
    "person.language_chosen": pgettext_lazy("record", "chose their language"),
    "person.left": pgettext_lazy("record", "recorded that somebody left"),
    "person.renamed": pgettext_lazy("record", "changed their name"),
    "person.roles_by_provider": pgettext_lazy("record", "took roles over from the identity provider"),
    "person.transferred": pgettext_lazy("record", "moved somebody to another team"),
    "profile.published": pgettext_lazy("record", "published a profile"),
    "profile.written": pgettext_lazy("record", "wrote a section of a profile"),
    "sharing.marked": pgettext_lazy("record", "marked something"),
    "sharing.onward_withdrawn": pgettext_lazy("record", "took back what was passed on"),
    "sharing.released": pgettext_lazy("record", "released something"),
    "sharing.told_onward": pgettext_lazy("record", "passed something on"),
    "sharing.unscoped": pgettext_lazy("record", "read past the scope, for the node's own work"),
    "sign_in_link.made": pgettext_lazy("record", "made a sign-in link"),
    "sign_in_link.used": pgettext_lazy("record", "used a sign-in link"),
}
REFUSED_KEY = pgettext_lazy("record", "refused an API key")


def details(values: dict[str, Any]) -> list[tuple[str, str]]:
    """Names and values of a row as one reads them; what says nothing is left out."""
    return [(name, plain(value)) for name, value in values.items() if value not in ("", None, [])]


def plain(value: Any) -> str:
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def verb(code: str) -> str:
    """In words, or as it is."""
    return str(REFUSED_KEY if code.startswith("key.refused.") else VERBS.get(code, code))
