"""What a signer's keys have signed: of one epoch one roster each (section 10.2).

Two signatures of one key under two rosters of an epoch are what a split is made of, whoever gathers them. So the text
is kept beside the keys, not in the database, which may be an old backup: ``signer/signed/<key>/<realm>.<epoch>.json``,
on the disk before the signature leaves the process. All are kept, as every roster is.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from tansiq.core.errors import N_, TansiqError
from tansiq.core.home import Home
from tansiq.exchange import custody, values
from tansiq.exchange.roster import Roster


class SignedAnother(TansiqError):
    code = "exchange.roster.signed_another"
    message = N_("A key on this machine has signed another roster of epoch {epoch} already, with the digest {digest}.")
    remedy = N_(
        "Have that one signed and accepted: `tansiq roster issue --again` writes it once more. "
        "Your change goes into the roster after it, or other signers sign it without this key."
    )
    exit_code = 5


class SignedLater(TansiqError):
    code = "exchange.roster.signed_later"
    message = N_("A key on this machine has signed a roster of epoch {later} already; this one is of epoch {epoch}.")
    remedy = N_("Accept the federation's rosters up to now with `tansiq roster accept`, then make the next one.")
    exit_code = 5


def keep(home: Home, roster: Roster, *, by: Iterable[str]) -> None:
    """Note that the keys ``by`` (fingerprints) sign ``roster``; again changes nothing. Before anybody has a signature.

    Raises: SignedAnother, SignedLater; OSError.
    """
    text = roster.written()
    for key in by:
        later = max(_epochs(home, key, roster.realm), default=0)
        if later > roster.epoch and of_epoch(home, key, realm=roster.realm, epoch=roster.epoch) != text:
            raise SignedLater(later=later, epoch=roster.epoch)
        custody.write_new(_file(home, key, roster.realm, roster.epoch), text.encode())
        # of two processes that sign at once the first has written it: read what is there now
        kept = of_epoch(home, key, realm=roster.realm, epoch=roster.epoch)
        if kept != text:
            raise SignedAnother(epoch=roster.epoch, digest=values.digest((kept or "").encode()))


def of_epoch(home: Home, key: str, *, realm: str, epoch: int) -> str | None:
    """The text that ``key`` has signed as the roster of ``epoch``."""
    file = _file(home, key, realm, epoch)
    return file.read_bytes().decode("utf-8", "replace") if file.exists() else None


def _epochs(home: Home, key: str, realm: str) -> list[int]:
    files = _folder(home, key).glob(f"{realm}.*.json")
    return [int(number) for file in files if (number := file.name.split(".")[1]).isdecimal()]


def _file(home: Home, key: str, realm: str, epoch: int) -> Path:
    return _folder(home, key) / f"{realm}.{epoch}.json"


def _folder(home: Home, key: str) -> Path:
    return custody.signer_folder(home) / "signed" / key
