"""Who may see and do what of a node's links (section 7 and the manual's page on links). Pure: no clock, no database."""

from __future__ import annotations

from collections.abc import Collection

from tansiq.core.decision import YES, Decision, no
from tansiq.core.viewer import Role, Scope, Viewer

WATCHING = frozenset({Role.HEAD, Role.DUTY_OFFICER, Role.ANALYST})
ANSWERING = frozenset({Role.HEAD, Role.DUTY_OFFICER})
WHOLE, OWN = "exchange.links.whole", "exchange.links.own"
"""Why somebody may: they operate the node; or they see what concerns objects of their own team, and no more."""


def may_see_links(*, operator: str, teams: Collection[str], by: Viewer) -> Decision:
    """The state of links: sizes, times, reason codes, never content.

    All of it is for the head, the duty officers and the analysts of the team that operates the node, and for a key of
    that team with the scope. The same people of another team that lives here see what concerns their team's objects. A
    seat of the federation adds nothing: whoever holds one looks after the federation, not after somebody's machine.

    Args:
        operator: the team that runs the node; empty: none is known.
        teams: that live on the node.
    """
    if by.nobody or by.reason:
        return no("exchange.links.nobody")
    if by.key:
        if not by.allows(Scope.EXCHANGE_READ):
            return no("sharing.key.scope", key=by.key)
    elif not by.holds(*WATCHING):
        return no("exchange.links.not_working")
    if by.team and by.team == operator:
        return Decision(True, WHOLE)
    return Decision(True, OWN) if by.team in teams else no("exchange.links.not_here")


def may_compare(*, operator: str, by: Viewer) -> Decision:
    """Have a link compared now. It changes nothing but what differs, so whoever watches the links may."""
    if not by.person:
        return no("exchange.links.nobody")
    if by.team != operator or not operator:
        return no("exchange.links.not_operator")
    return YES if by.holds(*WATCHING) else no("exchange.links.not_working")


def may_end_alarm(*, operator: str, by: Viewer) -> Decision:
    """Say that what an alarm asks for was done: the head or a duty officer of the team that operates the node."""
    if not by.person or not operator or by.team != operator or not by.holds(*ANSWERING):
        return no("exchange.alarm.not_yours")
    return YES


def may_answer_check(*, operator: str, by: Viewer) -> Decision:
    """Say that a communication check was seen: whoever works for the team that operates the node."""
    if not by.person or not operator or by.team != operator or not by.holds(*WATCHING):
        return no("exchange.check.not_yours")
    return YES
