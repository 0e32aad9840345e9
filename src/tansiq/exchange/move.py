"""A guest team's data on its way to another node: one document, cut into parts that are sealed like bodies. Pure.

    {"t":"move","v":1,"realm","team","from","to","number","count","digest","bytes"}

``bytes`` is a run of the document, ``digest`` is of the whole; parts are numbered from 1. The document is canonical
JSON (section 1.2): ``register`` (the team as a file of teams), ``profiles`` (published ones, as stored), ``objects``
(each with its versions as their author signed them, the oldest first, and the nodes that any may have reached).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from tansiq.exchange import canonical, values
from tansiq.exchange.fields import Fields
from tansiq.exchange.values import Unfit

PART_BYTES = 360 * 1024
"""Of the document in one part; in base64 they and the rest fit a body."""
MOST_PARTS = 10_000


@dataclass(frozen=True, slots=True)
class Moving:
    """Whose data, from which node to which, in which realm."""

    realm: str
    team: str
    sender: str
    recipient: str


@dataclass(frozen=True, slots=True)
class MovedObject:
    """
    Attributes:
        versions: contents as ``Statement.content`` has them, the oldest first; the last is live unless it is withdrawn.
        reached: nodes to which any version was attempted.
    """

    object: str
    kind: str
    versions: tuple[str, ...]
    is_live: bool
    reached: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Moved:
    """The document."""

    register: str
    profiles: tuple[Mapping[str, Any], ...]
    objects: tuple[MovedObject, ...]

    def written(self) -> bytes:
        """The canonical document of section 10.8."""
        said = {
            "register": self.register,
            "profiles": [dict(one) for one in self.profiles],
            "objects": [
                {
                    "object": one.object,
                    "kind": one.kind,
                    "versions": list(one.versions),
                    "live": one.is_live,
                    "reached": list(one.reached),
                }
                for one in self.objects
            ],
        }
        return canonical.write(said).encode()


def parts(moving: Moving, document: bytes) -> Iterator[bytes]:
    """Canonical texts, to be sealed one by one. Raises: ValueError, where there would be too many."""
    count = max(1, -(-len(document) // PART_BYTES))
    if count > MOST_PARTS:
        raise ValueError(f"{count} parts")
    for number in range(1, count + 1):
        run = document[(number - 1) * PART_BYTES : number * PART_BYTES]
        yield canonical.write(
            {
                "t": "move",
                "v": 1,
                "realm": moving.realm,
                "team": moving.team,
                "from": moving.sender,
                "to": moving.recipient,
                "number": number,
                "count": count,
                "digest": values.digest(document),
                "bytes": values.write_bytes(run),
            }
        ).encode()


def joined(moving: Moving, contents: Iterable[bytes]) -> Moved:
    """The document of parts that came from the node which they name, in any order. Raises: Unfit."""
    runs: dict[int, bytes] = {}
    count, digest = 0, ""
    for content in contents:
        fields = Fields(canonical.read_canonical(content), "move")
        if fields.text("t", longest=8) != "move" or fields.whole("v", least=1) != 1:
            raise Unfit(field="move.t", expected="a part of a team that moves")
        said = Moving(
            fields.form("realm", values.REALM),
            fields.form("team", values.CODE),
            fields.form("from", values.CODE),
            fields.form("to", values.CODE),
        )
        if said != moving:
            raise Unfit(field="move", expected=f"{moving.team} from {moving.sender} to {moving.recipient}")
        number = fields.whole("number", least=1, most=MOST_PARTS)
        runs[number] = fields.bytes("bytes", longest=PART_BYTES)
        count, digest = fields.whole("count", least=1, most=MOST_PARTS), fields.form("digest", values.DIGEST)
    document = b"".join(runs[number] for number in sorted(runs))
    if sorted(runs) != list(range(1, count + 1)) or values.digest(document) != digest:
        raise Unfit(field="move.count", expected="all parts of one file")
    return _read(canonical.read(document, limit_bytes=MOST_PARTS * PART_BYTES))


def _read(said: Any) -> Moved:
    fields = Fields(said, "moved")
    register = fields.text("register", longest=MOST_PARTS * PART_BYTES)
    profiles = fields.items("profiles", _table, most=10_000)
    return Moved(register, profiles, fields.items("objects", _object, most=10_000_000))


def _table(said: Any) -> Mapping[str, Any]:
    if type(said) is not dict:
        raise Unfit(field="moved.profiles", expected="objects")
    return said


def _object(said: Any) -> MovedObject:
    fields = Fields(said, "moved.objects")
    return MovedObject(
        object=fields.form("object", values.OBJECT),
        kind=fields.form("kind", values.KIND),
        versions=fields.items("versions", _text, most=100_000),
        is_live=fields.truth("live"),
        reached=fields.items("reached", _code, most=1_000),
    )


def _text(said: Any) -> str:
    if type(said) is not str:
        raise Unfit(field="moved.versions", expected="texts")
    return said


def _code(said: Any) -> str:
    if type(said) is not str or not values.CODE.fullmatch(said):
        raise Unfit(field="moved.reached", expected=values.CODE.pattern)
    return said
