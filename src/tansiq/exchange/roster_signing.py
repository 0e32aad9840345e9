"""Rosters signed, and a chain of them taken over: sections 10.2 and 10.3.

Nothing of a roster is parsed before its signatures, or the digest that a person compared, have proven it. Until then
only the wrapper is looked at: its form, the epoch that it names, and the digest of the text in it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from tansiq.core.errors import N_, TansiqError
from tansiq.exchange import canonical, roster_reading, values
from tansiq.exchange.fields import Fields
from tansiq.exchange.roster import LIMIT_BYTES, MOST_SIGNERS, Roster, Signers
from tansiq.exchange.values import Unfit
from tansiq.openpgp import sealing
from tansiq.openpgp.sealing import NotVerified, Secret

WRAPPED_LIMIT_BYTES = 2 * LIMIT_BYTES
_LONGEST_SIGNATURE = 4096
_CLOCK_TOLERANCE = timedelta(minutes=20)
_FORM = re.compile(
    rb'\{"epoch":[0-9]{1,16},"roster":"(?:[^"\\]++|\\.)*+","signatures":\[[^\[\]]{0,300000}\]\}', re.DOTALL
)
"""What a wrapper looks like, so that no other JSON of its length is ever parsed."""


class NotTheOne(TansiqError):
    """A person compared a digest, and the file's is another: nothing of it is to be used."""

    code = "exchange.roster.not_the_one"
    message = N_("You gave {given}; this file's digest is {digest}: it is not the roster that was read out.")
    remedy = N_("Do not use it. Have the file handed over again, and the digest read out once more by telephone.")
    exit_code = 2


@dataclass(frozen=True, slots=True)
class Signature:
    """By whom, as a fingerprint, and the detached OpenPGP signature, binary."""

    key: str
    signature: bytes


@dataclass(frozen=True, slots=True)
class SignedRoster:
    """A roster's text with signatures, in the order of their keys; nothing of it is proven.

    Attributes:
        epoch: as the wrapper says it: by whose signers to judge it. The text's must be the same.
    """

    epoch: int
    text: str
    signatures: tuple[Signature, ...]

    @property
    def digest(self) -> str:
        """SHA-256 of the text, in hexadecimal."""
        return values.digest(self.text.encode())

    def written(self) -> str:
        """The wrapper: what travels and what files hold."""
        signatures = [{"key": one.key, "signature": values.write_bytes(one.signature)} for one in self.signatures]
        return canonical.write({"epoch": self.epoch, "roster": self.text, "signatures": signatures})

    @classmethod
    def read(cls, data: bytes) -> SignedRoster:
        """Raises: Unfit, and nothing else."""
        if len(data) > WRAPPED_LIMIT_BYTES or not _FORM.fullmatch(data):
            raise Unfit(field="signed roster", expected="epoch, roster and signatures")
        fields = Fields(canonical.read_canonical(data, limit_bytes=WRAPPED_LIMIT_BYTES), "signed roster")
        signatures = fields.items("signatures", _signature, most=MOST_SIGNERS)
        keys = [one.key for one in signatures]
        if keys != sorted(set(keys)):
            raise Unfit(field="signatures", expected="in the order of their keys, none twice")
        return cls(fields.whole("epoch", least=1), fields.text("roster", longest=LIMIT_BYTES), signatures)


def sign(text: str, by: Secret) -> Signature:
    """One signer's word for a roster. Raises: Refused, where the key cannot sign now."""
    return Signature(by.fingerprint, sealing.sign_detached(signed_bytes(text), by=by))


def signed(roster: Roster, *by: Secret) -> SignedRoster:
    """Raises: Unfit, for a roster that its readers would refuse."""
    text = roster.written()
    roster_reading.read(text)
    return gathered(roster.epoch, text, [sign(text, one) for one in by])


def gathered(epoch: int, text: str, signatures: Iterable[Signature]) -> SignedRoster:
    """The signatures of several signers, who may sit in several places, under one text."""
    of_key = {one.key: one for one in signatures}
    return SignedRoster(epoch, text, tuple(of_key[key] for key in sorted(of_key)))


def signed_bytes(text: str) -> bytes:
    """What a signer signs (section 10.2)."""
    return values.length_prefixed("tansiq.roster.v1", text)


def valid_signers(signed_roster: SignedRoster, signers: Signers) -> frozenset[str]:
    """Fingerprints of those of ``signers`` who signed it. What others signed is passed over."""
    content = signed_bytes(signed_roster.text)
    return frozenset(
        one.key
        for one in signed_roster.signatures
        if one.key in signers.certificates and _is_valid(content, one, signers.certificates[one.key])
    )


class Why(StrEnum):
    """Why a roster is not taken over."""

    FORM = "form"
    REALM = "realm"
    ANCHOR = "anchor"
    SIGNATURES = "signatures"
    CLOCK = "clock"
    MISSING = "missing"
    NOTHING = "nothing"


@dataclass(frozen=True, slots=True)
class NotAccepted:
    """Attributes:
    epoch: of the roster that was refused. ``MISSING``: the one after the roster here is not among those given.
    detail: field and what was expected of it, or the digest that was found.
    """

    reason: Why
    epoch: int = 0
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Behind:
    """All that was given is known, or older than what is. ``epoch``: the highest given."""

    epoch: int


@dataclass(frozen=True, slots=True)
class Split:
    """Those who may sign have signed two rosters of ``epoch``, or one that follows another than is here: an alarm.

    Attributes:
        here: digest of the roster that this node has, ``there`` of the other.
    """

    epoch: int
    here: str
    there: str
    evidence: SignedRoster


@dataclass(frozen=True, slots=True)
class Accepted:
    """Attributes:
    steps: the rosters taken over, in the order of their epochs, with what was signed.
    rest: why the one after them was not; None where nothing was left.
    """

    steps: tuple[tuple[Roster, SignedRoster], ...]
    rest: NotAccepted | None = None

    @property
    def roster(self) -> Roster:
        """The newest."""
        return self.steps[-1][0]


Past = Callable[[int], Roster | None]
"""The roster that was accepted here at an epoch; None where none was."""


def accept(
    known: Roster | None,
    chain: Sequence[SignedRoster],
    *,
    realm: str,
    now: datetime,
    anchor: str | None = None,
    past: Past = lambda _epoch: None,
) -> Accepted | Behind | Split | NotAccepted:
    """Judge rosters from anybody (section 10.3), in whatever order they are given.

    Args:
        known: the roster here; None: the first is to be accepted.
        realm: of this node; it never changes.
        anchor: digest that a person compared. Needed for the first, otherwise not looked at.
        past: rosters of former epochs, to tell a split from what is merely old.
    """
    if not chain:
        return NotAccepted(Why.NOTHING)
    steps: list[tuple[Roster, SignedRoster]] = []
    refused: list[NotAccepted] = []
    for one in sorted(chain, key=lambda one: (one.epoch, one.digest)):
        here = steps[-1][0] if steps else known
        outcome = _first(one, anchor) if here is None else _next(here, one, _with(past, known, steps), now)
        if isinstance(outcome, Split):
            return outcome
        if isinstance(outcome, Roster) and outcome.realm != realm:
            outcome = NotAccepted(Why.REALM, one.epoch, outcome.realm)
        if isinstance(outcome, Roster):
            steps.append((outcome, one))
        elif isinstance(outcome, NotAccepted):
            refused.append(outcome)  # another copy of the same may have better signatures
    if steps:
        newest = steps[-1][0].epoch
        return Accepted(tuple(steps), next((one for one in refused if one.epoch > newest), None))
    return refused[0] if refused else Behind(max(one.epoch for one in chain))


def _with(past: Past, known: Roster | None, steps: Sequence[tuple[Roster, SignedRoster]]) -> Past:
    """``past``, and what has been taken over since."""
    newer = {roster.epoch: roster for roster, _signed in steps}
    if known is not None:
        newer[known.epoch] = known
    return lambda epoch: newer[epoch] if epoch in newer else past(epoch)


def _first(one: SignedRoster, anchor: str | None) -> Roster | NotAccepted:
    """By its digest; of epoch 1 by its own signers too, who thereby show that they have their keys."""
    if anchor is None or one.digest != anchor:
        return NotAccepted(Why.ANCHOR, one.epoch, one.digest)
    roster = _read(one)
    if isinstance(roster, Roster) and roster.epoch == 1 and not _is_signed(one, roster.signers):
        return NotAccepted(Why.SIGNATURES, 1)
    return roster


def _next(here: Roster, one: SignedRoster, past: Past, now: datetime) -> Roster | Behind | Split | NotAccepted:
    if one.epoch > here.epoch + 1:
        return NotAccepted(Why.MISSING, one.epoch)
    if one.epoch <= here.epoch:
        return _old(one, past)
    if not _is_signed(one, here.signers):
        return NotAccepted(Why.CLOCK if _is_early(one, here.signers, now) else Why.SIGNATURES, one.epoch)
    roster = _read(one)
    if isinstance(roster, Roster) and roster.previous != here.digest:
        return Split(one.epoch - 1, here.digest, roster.previous, one)
    return roster


def _old(one: SignedRoster, past: Past) -> Behind | Split | NotAccepted:
    """Known, of no concern, or evidence: signed by those who might, and not the roster that is here.

    Of the first roster here, whatever its epoch, nobody knows the one before: its own signers are asked.
    """
    ours = past(one.epoch)
    if ours is None or ours.digest == one.digest:
        return Behind(one.epoch)
    before = past(one.epoch - 1) if one.epoch > 1 else None
    if not _is_signed(one, (before or ours).signers):
        return NotAccepted(Why.SIGNATURES, one.epoch)
    roster = _read(one)
    return Split(one.epoch, ours.digest, one.digest, one) if isinstance(roster, Roster) else roster


def _read(one: SignedRoster) -> Roster | NotAccepted:
    try:
        roster = roster_reading.read(one.text)
    except Unfit as unfit:
        return NotAccepted(Why.FORM, one.epoch, f"{unfit.values['field']}: {unfit.values['expected']}")
    if roster.epoch != one.epoch:
        return NotAccepted(Why.FORM, one.epoch, "epoch: the roster's")
    return roster


def _is_signed(one: SignedRoster, signers: Signers) -> bool:
    return len(valid_signers(one, signers)) >= signers.threshold


def _is_early(one: SignedRoster, signers: Signers, now: datetime) -> bool:
    """Whether a signature by a signer says that it was made after the clock here: one of the two clocks is wrong."""
    made = (sealing.signed_at(said.signature) for said in one.signatures if said.key in signers.certificates)
    return any(moment is not None and moment - now > _CLOCK_TOLERANCE for moment in made)


def _is_valid(content: bytes, said: Signature, certificate: bytes) -> bool:
    try:
        sealing.verify_detached(content, said.signature, signers=[certificate])
    except NotVerified:
        return False
    return True


def _signature(said: object) -> Signature:
    fields = Fields(said, "signature")
    found = Signature(fields.form("key", values.FINGERPRINT), fields.bytes("signature", longest=_LONGEST_SIGNATURE))
    if fields.left():
        raise Unfit(field="signature", expected="a key and a signature")
    return found
