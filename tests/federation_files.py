"""``FileFederation(folder, "XA", "XE", "XF")``: nodes on databases of their own that fetch files from each other, too.

The kind ``case.note`` waits for its files; ``event`` does not. A node's process is ``begin`` to ``begin``: what it had
in memory of what is under way is gone then.
"""

from __future__ import annotations

import io
import random
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

from factories import exchange_node as make
from federation_database import DatabaseFederation, DatabaseNode
from federation_node import Letter, Roster
from tansiq.exchange.blobs import BlobStore
from tansiq.exchange.body import BlobReference
from tansiq.exchange.kinds import Kinds
from tansiq.exchange.node.here import Here
from tansiq.exchange.requests import Answer, Ask, ChunkGiven

CHUNK = 512 * 1024


def is_chunk(letter: Letter) -> bool:
    return isinstance(letter.content, Answer) and isinstance(letter.content.given, ChunkGiven)


def content(size_bytes: int, *, seed: int = 1) -> bytes:
    return random.Random(seed).randbytes(size_bytes)


class FileNode(DatabaseNode):
    def __init__(self, *arguments: Any, folder: Path) -> None:
        super().__init__(*arguments)
        self.folder = folder
        self.begin()

    def __getstate__(self) -> dict[str, Any]:
        return {name: one for name, one in super().__getstate__().items() if name not in ("store", "files", "asking")}

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        self.begin()

    def begin(self) -> None:
        from tansiq.exchange.node.asking import Asking
        from tansiq.exchange.node.files import Files

        self.store = BlobStore(self.folder / self.code, least_free_bytes=0)
        self.files = Files(self.store)
        self.asking = Asking(self.files)

    def here(self, roster: Roster | None = None) -> Here:
        here = super().here(roster)
        kinds = [replace(kind, blobs_needed=kind.name == "case.note") for kind in here.kinds.by_name().values()]
        return replace(here, kinds=Kinds(kinds), has_blob=self.store.has)

    def keep(self, data: bytes, name: str = "report.pdf") -> BlobReference:
        return self.store.keep(io.BytesIO(data), size_bytes=len(data), media_type="application/pdf", name=name)

    def share(
        self, name: str, *blobs: BlobReference, audience: str, kind: str = "case.note", text: str = "words"
    ) -> None:
        from tansiq.exchange.node import publishing

        with self.at() as here:
            publishing.publish(
                here,
                kind=kind,
                name=name,
                payload=make.payload(text),
                markings=make.marked(self.code, *audience.split()),
                team=self.code,
                blobs=blobs,
                now=self.now,
            )

    def withdraw(self, name: str) -> None:
        from tansiq.exchange.node import publishing

        with self.at() as here:
            publishing.withdraw(here, f"{self.code}:{name}", self.now)

    def tick(self, now: datetime) -> list[Letter]:
        from tansiq.exchange.node import uses

        letters = super().tick(now)
        with self.at(now) as here:
            uses.drop_superseded(here)
            self.files.tidy(now)
            asks = [self.asking.made(here, peer, asked, now) for peer, asked in self.files.wanted(here, now)]
        return letters + [Letter(self.code, ask.recipient, ask) for ask in asks if ask is not None]

    def _follow(self, here: Here, outcome: Any, now: datetime) -> Iterator[Letter]:
        yield from super()._follow(here, outcome, now)
        match outcome.body.head:
            case Ask() as ask:
                for answer in self.asking.answers(here, ask, now):
                    yield Letter(self.code, answer.recipient, answer)
            case Answer() as answer:
                for ask in self.asking.heed(here, answer, now):
                    yield Letter(self.code, ask.recipient, ask)

    def applied(self) -> list[str]:
        return [identifier for what, identifier, _version in self.log if what == "applied"]

    def reads(self, of: BlobReference) -> bytes:
        return b"".join(self.store.decrypted(of))

    def files_on_disk(self) -> list[str]:
        """Of any part of any file, the locks aside."""
        return sorted(path.name for part in ("held", "arriving") for path in (self.store.folder / part).glob("*"))


class FileFederation(DatabaseFederation):
    def __init__(self, folder: Path, *codes: str) -> None:
        self.make_node = partial(FileNode, folder=folder)
        super().__init__(*codes)

    def bring_part(self, code: str, count: int) -> None:
        """Go on until ``code`` was handed ``count`` chunks; what is under way then is lost."""
        handed = 0
        while handed < count:
            for each in self.nodes:
                self.tick(each)
            while self.letters and handed < count:
                letter = self.letters[0]
                handed += letter.recipient == code and is_chunk(letter)
                self.deliver()
            self.pass_time(timedelta(seconds=1))
        self.letters.clear()

    def restart(self, code: str) -> None:
        """Its process died, and another began."""
        self.nodes[code].begin()

    def chunks(self, sender: str = "", recipient: str = "") -> list[int]:
        """Numbers of the chunks that left, in order."""
        return [
            letter.content.given.index  # type: ignore[union-attr]
            for _epoch, letter in self.emitted
            if is_chunk(letter) and sender in ("", letter.sender) and recipient in ("", letter.recipient)
        ]

    def asks(self, sender: str = "") -> list[Ask]:
        return [
            letter.content
            for _epoch, letter in self.emitted
            if isinstance(letter.content, Ask) and sender in ("", letter.sender)
        ]
