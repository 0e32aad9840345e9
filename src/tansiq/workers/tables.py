"""Keep the compiled attribution table in step with the claims and the address table."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from tansiq.addresses.table import AddressTable, current_folder
from tansiq.attribution.compile import compile_table
from tansiq.attribution.folder import Pointer, folder_name
from tansiq.core.claims import Claim, TeamCard
from tansiq.core.home import Home
from tansiq.exchange.node import life
from tansiq.members import queries


def refresh(home: Home) -> None:
    """Compile anew if the claims or the address table have changed, or the compiled table is damaged.

    Costs a few milliseconds when nothing has. Of several processes one compiles and the others wait for it; those that
    have the former table open keep it until they open the next.

    Raises: BrokenTable: the address table cannot be read; TableNotWritten: disk full. The former table stays.
    """
    if _is_current(home):
        return
    home.tables.mkdir(parents=True, exist_ok=True)
    with _alone(home.tables / "attribution.lock"):
        if not _is_current(home):
            _compile(home)


def _is_current(home: Home) -> bool:
    pointer = Pointer(home.tables)
    said = pointer.read()
    wanted = {"claims_version": queries.claims_version(), "addresses": _addresses(home), "held_since": _held()}
    return wanted.items() <= said.items() and pointer.open() is not None


def _addresses(home: Home) -> str:
    folder = current_folder(home.tables)
    return folder.name if folder else "none"


def _held() -> str | None:
    """Since when; held, less is shown of others, and ``whois`` says so without a database."""
    since = life.held_since()
    return since.isoformat() if since else None


def _compile(home: Home) -> None:
    addresses = AddressTable.current(home.tables)
    stamp = addresses.stamp if addresses else "none"
    held = _held()
    number, claims, teams = _directory()
    into = home.tables / folder_name(number, stamp.removeprefix("addresses-") + ("-held" if held else ""))
    compile_table(addresses=addresses, claims=claims, teams=teams, number=number, into=into)
    as_of = addresses.as_of.isoformat() if addresses else None
    facts = {"claims_version": number, "addresses": stamp, "addresses_as_of": as_of, "held_since": held}
    Pointer(home.tables).move(into.name, **facts)


def _directory() -> tuple[int, Sequence[Claim], Sequence[TeamCard]]:
    """The claims, the teams and the number that belongs to them, also while somebody imports."""
    while True:
        number = queries.claims_version()
        claims, teams = queries.claims(), queries.team_cards()
        if queries.claims_version() == number:
            return number, claims, teams


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    with path.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
