"""The secret keys that this node holds, as files that their owner alone reads (section 10.9).

Under ``secrets/exchange`` in the node's home: ``node/`` (the certificate that seals and opens; old ones until their
retention is over), ``platform/<realm>/<team>/`` (what each team of the node signs with), ``signer/`` (for rosters, on
the machine of a signer), ``nkey.seed`` (for the backbone). Whoever is root on the machine reads them all; no person's
and no team's own OpenPGP secret key is ever among them.

Which key is in force says the roster. A key that it does not name yet waits to be named.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from threading import get_ident

from tansiq.core.errors import N_, TansiqError
from tansiq.core.home import Home
from tansiq.exchange import nkey, roster_facts, values
from tansiq.exchange.roster import Roster
from tansiq.openpgp.library import Refused
from tansiq.openpgp.sealing import Secret, generate

PRIVATE_FOLDER, PRIVATE_FILE = 0o700, 0o600
RETENTION = timedelta(days=90)
"""For how long an old node key still opens what was sealed to it (section 8)."""
_KEY, _RETIRED = ".asc", ".retired"


class KeyOpenToOthers(TansiqError):
    code = "exchange.custody.open_to_others"
    message = N_("The key file {file} can be read by others than its owner (mode {mode}).")
    remedy = N_(
        "If nobody did, `chmod 600 {file}`. If somebody may have, have new keys drawn and the old ones revoked."
    )
    exit_code = 4


class KeyUnreadable(TansiqError):
    code = "exchange.custody.unreadable"
    message = N_("The key file {file} cannot be used: {why}.")
    remedy = N_("Put it back from a backup, or move it away and have new keys drawn: `tansiq roster request --rotate`.")
    exit_code = 4


class NoKey(TansiqError):
    code = "exchange.custody.none"
    message = N_("This node has no keys for the exchange yet.")
    remedy = N_("Have them drawn: `tansiq roster request`.")
    exit_code = 2


@dataclass(frozen=True, slots=True)
class Keys:
    """What a node holds. No part of it is ever logged.

    Attributes:
        node: its secret keys, that in force first.
        platform: by team, that in force first.
        seed: of the NKey.
    """

    node: tuple[Secret, ...]
    platform: Mapping[str, tuple[Secret, ...]]
    seed: str = field(repr=False)


def draw(home: Home, *, code: str, team: str, realm: str) -> Keys:
    """Draw what is missing of the keys of node ``code`` and of ``team`` on it; what is there stays.

    Raises: KeyOpenToOthers, KeyUnreadable; OSError.
    """
    if not _files(_nodes(home)):
        _keep(_nodes(home), generate(f"node {code}, {realm}", version=6))
    if not _files(_platform(home, realm, team)):
        _keep(_platform(home, realm, team), generate(f"{team} on {code}, {realm}", version=6))
    if not _seed(home).exists():
        write_new(_seed(home), f"{nkey.new_seed()}\n".encode())
    return load(home, realm=realm)


def rotate(home: Home, *, code: str, team: str, realm: str, in_roster: Collection[str]) -> Keys:
    """Like ``draw``, and new keys of node and team beside those that ``in_roster`` (fingerprints) names.

    A key that no roster names yet is not drawn a second time: its request may be under way.
    """
    keys = draw(home, code=code, team=team, realm=realm)
    if keys.node[0].fingerprint in in_roster:
        _keep(_nodes(home), generate(f"node {code}, {realm}", version=6))
    if keys.platform[team][0].fingerprint in in_roster:
        _keep(_platform(home, realm, team), generate(f"{team} on {code}, {realm}", version=6))
    return load(home, realm=realm)


def load(home: Home, *, realm: str) -> Keys:
    """All that is here, the newest drawn first.

    Raises: NoKey, before anything was drawn; KeyOpenToOthers, KeyUnreadable.
    """
    node = _secrets(_nodes(home))
    if not node:
        raise NoKey()
    folder = _root(home) / "platform" / realm
    teams = sorted(one.name for one in folder.iterdir()) if folder.exists() else []
    platform = {team: _secrets(folder / team) for team in teams}
    return Keys(node, {team: secrets for team, secrets in platform.items() if secrets}, _read_seed(home))


def in_force(keys: Keys, roster: Roster, *, here: str) -> Keys:
    """``keys`` as ``roster`` has them: those in force first, platform keys of teams that live here alone."""
    node = roster.node(here)
    present = node.present.fingerprint if node and node.present else ""
    platform = {}
    for team in roster.teams:
        if team.node == here and team.present and team.code in keys.platform:
            mine = [one for one in keys.platform[team.code] if one.fingerprint == team.present.fingerprint]
            if mine:
                platform[team.code] = tuple(mine)
    return replace(keys, node=tuple(sorted(keys.node, key=lambda one: one.fingerprint != present)), platform=platform)


def heed(home: Home, roster: Roster, *, now: datetime) -> None:
    """Do what a roster means for the keys here: a platform key that it retired or struck is destroyed at once, the
    retention of a node key that it retired or revoked begins. Doing it again changes nothing."""
    said = roster_facts.facts_of(roster, here="", now=now)
    for file in _files(*_teams(home, roster.realm)):
        platform_key = said.platform_keys.get(_read(file).fingerprint)
        if platform_key and (platform_key.struck or platform_key.until_epoch is not None):
            _destroy(file)
    for file in _files(_nodes(home)):
        node_key, mark = said.node_keys.get(_read(file).fingerprint), file.with_suffix(_RETIRED)
        if node_key and node_key.until_epoch is not None and not mark.exists():
            write_new(mark, values.write_time(now).encode())


def destroy_expired(home: Home, *, now: datetime, retention: timedelta = RETENTION) -> list[str]:
    """Destroy the node keys that a roster retired longer ago than ``retention``; their fingerprints."""
    destroyed = []
    for file in _files(_nodes(home)):
        mark = file.with_suffix(_RETIRED)
        if mark.exists() and now - values.read_time(mark.read_text()) >= retention:
            destroyed.append(_read(file).fingerprint)
            _destroy(file)
            mark.unlink()
    return destroyed


def stamp(home: Home) -> int:
    """Another number whenever a node key was drawn or destroyed here, by whichever process."""
    try:
        return _nodes(home).stat().st_mtime_ns
    except FileNotFoundError:
        return 0


def draw_signer(home: Home, *, realm: str) -> Secret:
    """A key that signs rosters: drawn if this machine has none."""
    if not (found := signers(home)):
        _keep(signer_folder(home), generate(f"signer of rosters, {realm}", version=6))
        found = signers(home)
    return found[0]


def signers(home: Home) -> tuple[Secret, ...]:
    """Keys here that sign rosters. Raises: KeyOpenToOthers, KeyUnreadable."""
    return _secrets(signer_folder(home))


def signer_folder(home: Home) -> Path:
    """Where the keys lie that sign rosters, and what they have signed (``signed_once``)."""
    return _root(home) / "signer"


def _root(home: Home) -> Path:
    return home.secrets / "exchange"


def _nodes(home: Home) -> Path:
    return _root(home) / "node"


def _platform(home: Home, realm: str, team: str) -> Path:
    return _root(home) / "platform" / realm / team


def _teams(home: Home, realm: str) -> list[Path]:
    folder = _root(home) / "platform" / realm
    return sorted(folder.iterdir()) if folder.exists() else []


def _seed(home: Home) -> Path:
    return _root(home) / "nkey.seed"


def _files(*folders: Path) -> list[Path]:
    """Key files, the newest drawn first in each folder."""
    return [file for folder in folders if folder.exists() for file in sorted(folder.glob(f"*{_KEY}"), reverse=True)]


def _secrets(folder: Path) -> tuple[Secret, ...]:
    return tuple(_read(file) for file in _files(folder))


def _read(file: Path) -> Secret:
    """Raises: KeyOpenToOthers, KeyUnreadable."""
    try:
        return Secret.read(_private(file))
    except Refused as refused:
        raise KeyUnreadable(file=file, why=refused.values["reason"]) from None


def _read_seed(home: Home) -> str:
    seed = _private(_seed(home)).decode("ascii", "replace").strip()
    try:
        nkey.public(seed)
    except nkey.BadKey:
        raise KeyUnreadable(file=_seed(home), why="NKey") from None
    return seed


def _private(file: Path) -> bytes:
    try:
        mode = stat.S_IMODE(file.stat().st_mode)
        if mode & 0o077:
            raise KeyOpenToOthers(file=file, mode=f"{mode:o}")
        return file.read_bytes()
    except OSError as error:
        raise KeyUnreadable(file=file, why=error.strerror or type(error).__name__) from error


def _keep(folder: Path, secret: Secret) -> None:
    """In a file that begins with its number in the folder, so that files stand in the order of their drawing."""
    number = max((int(file.name[:4]) for file in _files(folder)), default=0) + 1
    write_new(folder / f"{number:04}-{secret.fingerprint[:16]}{_KEY}", secret.write())


def _make(folder: Path) -> None:
    """With the folders above it, all of them closed to others."""
    if not folder.exists():
        _make(folder.parent)
        folder.mkdir(mode=PRIVATE_FOLDER, exist_ok=True)


def write_new(file: Path, data: bytes) -> None:
    """Whole or not at all, on the disk, mode 0600 whatever the umask. Of two who write one file the first wins."""
    _make(file.parent)
    draft = file.with_name(f".{file.name}.{os.getpid()}.{get_ident()}")
    draft.unlink(missing_ok=True)
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, PRIVATE_FILE)
    try:
        with os.fdopen(descriptor, "wb") as out:
            os.fchmod(descriptor, PRIVATE_FILE)
            out.write(data)
            out.flush()
            os.fsync(descriptor)
        with suppress(FileExistsError):
            os.link(draft, file)
        _settle(file.parent)
    finally:
        draft.unlink(missing_ok=True)


def _destroy(file: Path) -> None:
    """Overwritten, then gone. A file system that copies on write, or a backup, may have it still (the manual)."""
    with file.open("r+b") as out:
        out.write(bytes(file.stat().st_size))
        out.flush()
        os.fsync(out.fileno())
    file.unlink()
    _settle(file.parent)


def _settle(folder: Path) -> None:
    """What the folder says of its files, onto the disk."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
