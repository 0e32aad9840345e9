"""A roster that several have to sign: made where it is issued, signed where each signer's key is, accepted where it was
made (section 10.2). Whoever signs has had its digest compared: until enough have signed, nothing else proves it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from tansiq.audit.actions import record
from tansiq.core.errors import N_, TansiqError
from tansiq.core.home import Home
from tansiq.core.viewer import Viewer
from tansiq.exchange import custody, roster_reading, roster_signing, signed_once
from tansiq.exchange.join import grouped
from tansiq.exchange.node import rosters
from tansiq.exchange.node.issuing import NoRoster, NotASigner, taken
from tansiq.exchange.roster import Roster
from tansiq.exchange.roster_signing import NotTheOne, SignedRoster
from tansiq.exchange.values import Unfit
from tansiq.openpgp.sealing import Secret


class NotOne(TansiqError):
    code = "exchange.roster.not_one"
    message = N_("The files hold different rosters.")
    remedy = N_("Give files of one proposal alone: their digests are the same.")
    exit_code = 2


class NotNext(TansiqError):
    code = "exchange.roster.not_next"
    message = N_("What is proposed does not follow the roster here, of epoch {epoch}.")
    remedy = N_("Accept what is between with `tansiq roster accept`, or have it proposed anew.")
    exit_code = 2


class NotRead(TansiqError):
    code = "exchange.roster.not_read"
    message = N_("A roster is signed by its digest alone, and that of the file is {digest}.")
    remedy = N_("Have it read out to you by telephone by who proposed it. If it is this one, give it with --digest.")
    exit_code = 2


class TooFew(TansiqError):
    code = "exchange.roster.too_few"
    message = N_("{count} of {threshold} signers have signed it.")
    remedy = N_("Have more of them sign it: `tansiq roster sign FILE`; then give all files at once.")
    exit_code = 2


class NothingSigned(TansiqError):
    code = "exchange.roster.nothing_signed"
    message = N_("No key on this machine has signed a roster of epoch {epoch}.")
    remedy = N_("Make one with `tansiq roster issue`; `tansiq roster show --out FILE` writes the one in force.")
    exit_code = 2


@dataclass(frozen=True, slots=True)
class Proposal:
    """``signed_by``: fingerprints of those who may sign and did; ``threshold`` of them are needed."""

    made: SignedRoster
    signed_by: frozenset[str]
    threshold: int

    @property
    def is_whole(self) -> bool:
        return len(self.signed_by) >= self.threshold


def proposal(parts: Sequence[SignedRoster]) -> Proposal:
    """One proposal of copies with different signatures; those that do not count are left out.

    Raises: NoRoster, NotOne, NotNext.
    """
    known = _known()
    if len({(one.epoch, one.text) for one in parts}) != 1:
        raise NotOne()
    if parts[0].epoch != known.epoch + 1:
        raise NotNext(epoch=known.epoch)
    valid = {}
    for part in parts:
        for key in roster_signing.valid_signers(part, known.signers):
            valid[key] = next(one for one in part.signatures if one.key == key)
    made = roster_signing.gathered(parts[0].epoch, parts[0].text, valid.values())
    return Proposal(made, frozenset(valid), known.signers.threshold)


def shown(parts: Sequence[SignedRoster], *, digest: str) -> Roster:
    """What a proposal says, once its digest was compared. Raises: what ``proposal`` does; NotRead, NotTheOne."""
    known, made = _known(), proposal(parts).made
    if made.digest != digest:
        theirs = grouped(made.digest)
        raise NotTheOne(given=grouped(digest), digest=theirs) if digest else NotRead(digest=theirs)
    try:
        roster = roster_reading.read(made.text)
    except Unfit:
        raise NotNext(epoch=known.epoch) from None
    if roster.epoch != made.epoch or roster.previous != known.digest or roster.realm != known.realm:
        raise NotNext(epoch=known.epoch)
    return roster


def sign(home: Home, parts: Sequence[SignedRoster], *, digest: str, by: Viewer, now: datetime) -> Proposal:
    """The proposal with the signatures of this machine's keys. It is accepted nowhere by that.

    Raises: what ``shown`` does; NotASigner, SignedAnother, SignedLater.
    """
    draft = shown(parts, digest=digest)
    mine = _mine(home)
    before = proposal(parts).made
    added = [roster_signing.sign(before.text, one) for one in mine]
    made = roster_signing.gathered(before.epoch, before.text, [*before.signatures, *added])
    with transaction.atomic():
        item = ("exchange.roster", made.epoch)
        record("roster.signed", item, by=by, now=now, digest=made.digest, keys=[one.key for one in added])
        signed_once.keep(home, draft, by=[one.fingerprint for one in mine])
    return proposal([made])


def again(home: Home) -> Proposal:
    """What keys on this machine have signed as the next roster, signed by them once more: its file may be lost.

    Raises: NoRoster, NotASigner, NothingSigned.
    """
    known, mine, epoch = _known(), _mine(home), _known().epoch + 1
    found = [(one, signed_once.of_epoch(home, one.fingerprint, realm=known.realm, epoch=epoch)) for one in mine]
    text = next((text for _one, text in found if text is not None), None)
    if text is None:
        raise NothingSigned(epoch=epoch)
    signatures = [roster_signing.sign(text, one) for one, its in found if its == text]
    return proposal([roster_signing.gathered(epoch, text, signatures)])


def accept(parts: Sequence[SignedRoster], *, by: Viewer, now: datetime) -> SignedRoster:
    """Accept what this node proposed and enough have signed. Raises: what ``proposal`` does; TooFew, NotTaken."""
    found = proposal(parts)
    if not found.is_whole:
        raise TooFew(count=len(found.signed_by), threshold=found.threshold)
    return taken(found.made, rosters.accept_signed([found.made], by=by, now=now))


def _mine(home: Home) -> list[Secret]:
    """Keys on this machine that may sign the next roster. Raises: NoRoster, NotASigner."""
    known = _known()
    mine = [one for one in custody.signers(home) if one.fingerprint in known.signers.certificates]
    if not mine:
        raise NotASigner(epoch=known.epoch)
    return mine


def _known() -> Roster:
    if (known := rosters.current()) is None:
        raise NoRoster()
    return known
