"""What the verbs of ``tansiq roster`` read: files of rosters and requests, digests as people write them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tansiq.cli import reading
from tansiq.core.errors import N_, TansiqError
from tansiq.core.language import _

if TYPE_CHECKING:
    from tansiq.exchange.join import JoinRequest
    from tansiq.exchange.roster_signing import SignedRoster

AsJson = Annotated[bool, typer.Option("--json", help=_("JSON on standard output."))]
Out = Annotated[Path | None, typer.Option("--out", metavar="FILE", help=_("Where to write the file."))]


class NoRoster(TansiqError):
    code = "exchange.roster.file"
    message = N_("{file} is no signed roster, or is damaged.")
    remedy = N_("Have the file handed over again, as it was written.")
    exit_code = 2


class NoRequest(NoRoster):
    message = N_("{file} is no request of a node, or is damaged.")


class NoCertificate(NoRoster):
    message = N_("{file} is no certificate of a signer, or is damaged.")
    remedy = N_("Have it written with `tansiq roster signer`, and handed over as it is.")


class BadDigest(TansiqError):
    code = "exchange.roster.digest"
    message = N_("{value} is no digest of a roster.")
    remedy = N_("It is 64 hexadecimal digits, as `tansiq roster show` prints them where the roster was issued.")
    exit_code = 2


def request_in(file: Path) -> JoinRequest:
    from tansiq.exchange import join
    from tansiq.exchange.values import Unfit

    try:
        return join.read(reading.read(file))
    except Unfit:
        raise NoRequest(file=file) from None


def signed_in(file: Path) -> SignedRoster:
    from tansiq.exchange.roster_signing import SignedRoster
    from tansiq.exchange.values import Unfit

    try:
        return SignedRoster.read(reading.read(file))
    except Unfit:
        raise NoRoster(file=file) from None


def signer_in(file: Path) -> bytes:
    from tansiq.exchange import roster_reading
    from tansiq.exchange.values import Unfit

    certificate = reading.read(file)
    try:
        roster_reading.fingerprint_of(certificate)
    except Unfit:
        raise NoCertificate(file=file) from None
    return certificate


def digest_of(text: str) -> str | None:
    """As people write it: in groups, in capitals. Raises: BadDigest."""
    from tansiq.exchange import values

    plain = "".join(text.split()).lower()
    if plain and not values.DIGEST.fullmatch(plain):
        raise BadDigest(value=text[:80])
    return plain or None
