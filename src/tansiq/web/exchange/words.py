"""What the exchange's codes are called, and what an alarm asks a person to do."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

from tansiq.core.errors import N_
from tansiq.exchange.node.standing import Standing

Words = str | Promise

STANDINGS: dict[str, Words] = {
    Standing.FROZEN: pgettext_lazy("link", "frozen"),
    Standing.ALARM: pgettext_lazy("link", "alarm"),
    Standing.NEVER: pgettext_lazy("link", "never heard"),
    Standing.AWAY: pgettext_lazy("link", "not heard lately"),
    Standing.CLOCK: pgettext_lazy("link", "clock is wrong"),
    Standing.DIFFERS: pgettext_lazy("link", "not known to be equal"),
    Standing.EQUAL: pgettext_lazy("link", "equal"),
}
TONES: dict[str, str] = {
    Standing.FROZEN: "bad",
    Standing.ALARM: "bad",
    Standing.NEVER: "quiet",
    Standing.AWAY: "warn",
    Standing.CLOCK: "warn",
    Standing.DIFFERS: "info",
    Standing.EQUAL: "good",
}
LANES: dict[str, Words] = {
    "urgent": pgettext_lazy("lane", "urgent"),
    "normal": pgettext_lazy("lane", "normal"),
    "bulk": pgettext_lazy("lane", "bulk"),
}
WAYS: dict[str, Words] = {
    "jetstream": pgettext_lazy("way", "message server"),
    "mail": pgettext_lazy("way", "mail"),
    "file": pgettext_lazy("way", "file"),
}
FAILURES: dict[str, Words] = {
    "full": gettext_lazy("its place there is full"),
    "nowhere": gettext_lazy("nothing there takes it"),
    "failed": gettext_lazy("nobody answers"),
}
STATES: dict[str, Words] = {
    "parked": pgettext_lazy("object", "parked"),
    "quarantined": pgettext_lazy("object", "quarantined"),
    "refused": pgettext_lazy("object", "refused"),
}
STATE_TONES = {"parked": "info", "quarantined": "bad", "refused": "quiet"}
REASONS: dict[str, Words] = {
    "clock": gettext_lazy("it is of a moment that has not come yet"),
    "epoch": gettext_lazy("its roster is not here yet"),
    "removed": gettext_lazy("its sender has left the federation"),
    "malformed": gettext_lazy("its form is wrong"),
    "author.unknown_key": gettext_lazy("its author's key is in no roster"),
    "author.signature": gettext_lazy("its author's signature is wrong"),
    "author.not_there": gettext_lazy("its author's team does not live on the node that sent it"),
    "marking": gettext_lazy("its marking cannot be obeyed"),
    "not_entitled": gettext_lazy("nobody here may have it"),
    "not_owner": gettext_lazy("its author does not own it"),
    "kind": gettext_lazy("this program does not know its kind yet"),
    "payload": gettext_lazy("its content does not fit its kind"),
    "reference": gettext_lazy("what it refers to is not here yet"),
    "blob": gettext_lazy("its file is not here yet"),
    "order": gettext_lazy("an earlier version waits"),
    "version": gettext_lazy("another version of the same number is here"),
    "deleted": gettext_lazy("deleted"),
    "entitlement": gettext_lazy("it may no longer go there"),
    "limit": gettext_lazy("too much was waiting"),
    "expired": gettext_lazy("it is kept no longer"),
    "evidence": gettext_lazy("kept as evidence"),
    "law": gettext_lazy("kept because a law says so"),
    "unreachable": gettext_lazy("no answer for a day"),
    "clone": gettext_lazy("two machines speak under one name"),
}
CAUSES: dict[str, Words] = {
    "marking": gettext_lazy("its marking was narrowed, or it was withdrawn"),
    "roster": gettext_lazy("the team left"),
}
OUTCOMES: dict[str, Words] = {
    "": pgettext_lazy("recall", "no answer yet"),
    "deleted": pgettext_lazy("recall", "deleted"),
    "kept": pgettext_lazy("recall", "kept"),
    "refused": pgettext_lazy("recall", "refused"),
    "unreachable": pgettext_lazy("recall", "unreachable"),
}
OUTCOME_TONES = {"": "warn", "deleted": "good", "kept": "info", "refused": "bad", "unreachable": "bad"}
EVIDENCE: dict[str, Words] = {
    "clone": gettext_lazy("two machines numbered their messages anew at the same time"),
    "equivocation": gettext_lazy("two messages have one number"),
    "receipt": gettext_lazy("a receipt tells of other messages than were sent"),
}
HELD: dict[str, Words] = {
    "restored": gettext_lazy("It was restored from a backup."),
    "higher": gettext_lazy("A peer gave back what this node signed and does not remember: its data are an old backup."),
}

ALARMS: Mapping[str, tuple[str, str]] = {
    "exchange.awaited": (
        N_("Teams moved here whose data was not taken in yet: {teams}. Nothing is said for them."),
        N_(
            "Have their former host write it (`tansiq members move TEAM --to NODE --out FILE`) and take it in here "
            "(`--from NODE --in FILE`); if nothing can be had, record why: `tansiq members move TEAM --without REASON`."
        ),
    ),
    "exchange.backbone": (
        N_("The federation's message server, which this node runs, does not follow the roster ({code})."),
        N_("Run `tansiq backbone show` and `tansiq backbone config` on this machine; it is tried again by itself."),
    ),
    "exchange.blob_contradicts": (
        N_("{peer} gave chunks of a file that are not its author's. They were thrown away ({digest})."),
        N_("The file is fetched from another node. Tell the operator of {peer}, and ask which program it runs."),
    ),
    "exchange.blob_no_room": (
        N_("There is no room for a file of {size_bytes} bytes: {free_bytes} bytes can be used."),
        N_("Make room on the disk of this node. What has come of the file is kept; the rest is fetched by itself."),
    ),
    "exchange.clone": (
        N_("Two stories are told under one name between this node and {peer}: nothing goes either way."),
        N_(
            "Call {peer} by telephone: one of the two nodes runs twice, or on old data. Switch the copy off, then have "
            "new keys drawn there (`tansiq roster request --rotate`) and a roster issued with them. Only that ends it."
        ),
    ),
    "exchange.comparison": (
        N_("A comparison with {peer} was broken off: what it said is against the protocol ({field})."),
        N_("Have the link compared again. If it happens again, ask {peer} which program it runs, and report it."),
    ),
    "exchange.custody": (
        N_("The keys of this node cannot be used ({code}), so changes stay here."),
        N_("Run `tansiq doctor` on the node's machine, and put the keys back from the backup if they are lost."),
    ),
    "exchange.disk": (
        N_("The disk of this node is nearly full: {free_bytes} bytes are left. What was to be sent last was put off."),
        N_("Make room on the disk. What was put off goes after the next comparison."),
    ),
    "exchange.doubted": (
        N_("{peer} says that it has messages which this node does not remember having sent."),
        N_(
            "If this node's data came from a backup, run `tansiq exchange restore`. If not, {peer} is wrong: tell its "
            "operator, and ask which program it runs. The link between the two was begun anew."
        ),
    ),
    "exchange.former_incarnation": (
        N_("{peer} sends on {lane} under a number that it has given up: perhaps an old copy of it runs."),
        N_("Ask {peer} by telephone whether it was restored or runs on two machines."),
    ),
    "exchange.held": (
        N_("This node is held: it sends nothing until its peers have said what they have of it."),
        N_("Wait for them. Record a reason for each peer that is not worth waiting for."),
    ),
    "exchange.lost": (
        N_("{peer} lacks messages on {lane} that are kept no longer. All that it may have is compared and sent anew."),
        N_("Ask {peer} whether it was off for months or lost data, and see that the link is equal again."),
    ),
    "exchange.not_entitled": (
        N_("{peer} sent {count} on {lane} that nobody here may have; all was refused."),
        N_("Tell {peer}: it marks wrongly, or its roster is an old one."),
    ),
    "exchange.not_entitled_there": (
        N_("{peer} refused {count} that this node sent: by its roster and its clock nobody there may have it."),
        N_("See that this node has the newest roster and the right time. {peer} looks at it again with each roster."),
    ),
    "exchange.register": (
        N_("The roster of epoch {epoch} says otherwise than what was recorded here of {teams}; the roster holds."),
        N_(
            "Look at the teams' pages: what ended keeps its past. Where the register here is right, have a signer take "
            "it over and issue the next roster with `tansiq roster issue --claims`."
        ),
    ),
    "exchange.split": (
        N_("There are two rosters of epoch {epoch}, both signed: {here} here, {there} elsewhere."),
        N_("Tell the Secretariat at once, by telephone. Accept no roster until it is known who signed the other."),
    ),
    "exchange.urgent_full": (
        N_("So much that is urgent waits for {peer} that nothing more can be numbered."),
        N_("Reach {peer} by telephone. Take a file to it (`tansiq exchange export`) if no other way is open."),
    ),
}
"""Code -> what happened, what to do. ``{peer}`` and the alarm's own values fill them."""


def alarm(code: str, peer: str, values: Mapping[str, Any], filled: Callable[..., str] | None = None) -> tuple[str, str]:
    """What happened and what to do, in the reader's language; the bare code where there are no words.

    Args:
        filled: fills a sentence from names; None: plain text.
    """
    if code not in ALARMS:
        return code, ""
    fill = filled or (lambda sentence, **named: sentence.format(**named))
    named = {
        "peer": peer,
        **{name: LANES.get(value, value) if name == "lane" else value for name, value in values.items()},
    }
    try:
        what, remedy = (fill(_(said), **named) for said in ALARMS[code])
    except KeyError:  # raised by an older program, without one of the values
        return code, ""
    return what, remedy
