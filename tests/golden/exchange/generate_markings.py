"""Makes the vectors of markings and of who may have what (sections 1.5 and 1.6): ``markings.json``, see README.md.

Run from the root of the repository: ``PYTHONPATH=tests:src python tests/golden/exchange/generate_markings.py``. It
writes the same bytes each time.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from tansiq.core.marking import Audience, Marking, Pap, Tlp
from tansiq.exchange import markings
from tansiq.exchange.facts import Facts
from tansiq.exchange.node.here import Here
from tansiq.exchange.values import write_time

HERE = Path(__file__).parent
NOON = datetime(2026, 3, 1, 12, 0, 0, 500_000, tzinfo=UTC)
BEFORE, AFTER = NOON - timedelta(milliseconds=1), NOON + timedelta(milliseconds=1)
NODES = [
    {"code": "XA", "team": "XA-CERT"},
    {"code": "XB", "team": "XB-CERT"},
    {"code": "XC", "team": "XC-CERT"},
]
TEAMS = [
    {"code": "XA-CERT", "node": "XA", "community": True, "state": "active"},
    {"code": "XB-CERT", "node": "XB", "community": True, "state": "active"},
    {"code": "XC-CERT", "node": "XC", "community": False, "state": "active"},
    {"code": "XD-CERT", "node": "XB", "community": True, "state": "suspended"},
    {"code": "XE-CERT", "node": "", "community": True, "state": "active"},
]
PERSONS = {"AMINA": "XA-CERT", "BILAL": "XB-CERT", "DALIA": "XD-CERT"}


def under(node: str) -> Here:
    """The roster of the vectors as the program has it."""
    facts = Facts(
        here=node,
        realm="live",
        epoch=1,
        node_keys={},
        senders=[one["code"] for one in NODES],
        platform_keys={},
        homes={str(team["code"]): str(team["node"]) for team in TEAMS if team["node"]},
    )
    return Here(
        code=node,
        realm="live",
        team="",
        facts=facts,
        members=frozenset(one["code"] for one in NODES),
        community=frozenset(str(team["code"]) for team in TEAMS if team["community"] and team["state"] == "active"),
        persons=PERSONS,
        operators={one["code"]: one["team"] for one in NODES},
    )


def named(*teams: str, persons: Sequence[str] = ()) -> Audience:
    return Audience.of(teams=teams, persons=persons)


GREEN = Marking(Tlp.GREEN, "XA-CERT")
SINGLE: dict[str, Marking] = {
    "nothing but a label": Marking(Tlp.CLEAR, "XA-CERT"),
    "all fields": Marking(
        Tlp.AMBER_STRICT,
        "XA-CERT",
        named("XD-CERT", "XB-CERT", persons=["BILAL", "AMINA"]),
        NOON,
        Pap.GREEN,
        'Ask "XA" first — naïve, تنسيق \U0001f600',
    ),
    "an embargo on a whole second": Marking(Tlp.GREEN, "XA-CERT", embargo_until=NOON.replace(microsecond=0)),
    "an embargo on half a second": Marking(Tlp.GREEN, "XA-CERT", embargo_until=NOON),
    "marks of direction, which are taken": Marking(Tlp.GREEN, "XA-CERT", note="\u200fتنسيق\u200e"),
}


def refused() -> list[dict[str, str]]:
    said = json.loads(SINGLE["all fields"].canonical())
    green, amber = GREEN.canonical(), Marking(Tlp.AMBER, "XA-CERT", named("XB-CERT")).canonical()
    both = json.loads(markings.write([Marking.read(green), Marking.read(amber)]))
    audience = said["audience"]
    other: dict[str, Any] = {
        "no list": said,
        "no marking": [],
        "a marking twice": [said, said],
        "out of the order of ids": both[::-1],
        "a field less": [{name: said[name] for name in said if name != "pap"}],
        "a field more": [said | {"x-later": 1}],
        "a label of the former version": [said | {"tlp": "TLP:WHITE"}],
        "a label without its family": [said | {"tlp": "AMBER"}],
        "PAP without a label": [said | {"pap": ""}],
        "no origin": [said | {"origin": ""}],
        "a team in small letters": [said | {"audience": audience | {"teams": ["xb-cert"]}}],
        "teams out of order": [said | {"audience": audience | {"teams": ["XD-CERT", "XB-CERT"]}}],
        "a team twice": [said | {"audience": audience | {"teams": ["XB-CERT", "XB-CERT"]}}],
        "1,001 persons": [said | {"audience": audience | {"persons": [f"P-{i:04}" for i in range(1001)]}}],
        "TLP:RED that names teams": [said | {"tlp": "TLP:RED"}],
        "an embargo without digits of a second": [said | {"embargo_until": "2026-03-01T12:00:00Z"}],
        "an embargo in microseconds": [said | {"embargo_until": "2026-03-01T12:00:00.500000Z"}],
        "an embargo in another zone": [said | {"embargo_until": "2026-03-01T15:00:00.500+03:00"}],
        "an embargo on no day": [said | {"embargo_until": "2026-02-29T12:00:00.500Z"}],
        "a note of 1,001 characters": [said | {"note": "x" * 1001}],
        "a note of two lines": [said | {"note": "a\nb"}],
        "a note that turns": [said | {"note": "a\u2067b\u2069"}],
        "101 markings": [said | {"note": str(number)} for number in range(101)],
    }
    texts = {what: _text(value) for what, value in other.items()}
    texts["a space"] = f"[{SINGLE['all fields'].canonical().replace(',', ', ', 1)}]"
    return [{"what": what, "text": text} for what, text in texts.items()]


def _text(value: Any) -> str:
    """Canonical: only what is named is wrong with it. Of 101 markings the order is right as well."""
    if isinstance(value, list) and len(value) > 100:
        value = sorted(value, key=lambda one: Marking.read(json.dumps(one)).marking_id)
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def strict() -> list[dict[str, Any]]:
    amber = Marking(Tlp.AMBER, "XB-CERT", named("XC-CERT"))
    red = Marking(Tlp.RED, "XA-CERT")
    cases = [
        ("the same", [GREEN], [GREEN]),
        ("one added", [GREEN, amber], [GREEN]),
        ("one taken away", [GREEN], [GREEN, amber]),
        ("a stricter label in its place", [red], [GREEN]),
        ("the same with a note", [Marking(Tlp.GREEN, "XA-CERT", note="Ask first")], [GREEN]),
    ]
    return [
        {
            "what": what,
            "marking": markings.write(one),
            "author": markings.write(other),
            "as_strict": markings.is_as_strict(one, other),
        }
        for what, one, other in cases
    ]


def decisions() -> list[dict[str, Any]]:
    embargoed = Marking(Tlp.CLEAR, "XA-CERT", named("XB-CERT", persons=["DALIA"]), embargo_until=NOON)
    cases: list[tuple[str, list[Marking], datetime]] = [
        ("everybody's", [Marking(Tlp.CLEAR, "XA-CERT")], NOON),
        ("the community's, and its origin's, who is not of it", [Marking(Tlp.GREEN, "XC-CERT")], NOON),
        ("the community's, of which those on XC are not", [GREEN], NOON),
        ("a team's that is named and not of the community", [Marking(Tlp.GREEN, "XA-CERT", named("XC-CERT"))], NOON),
        ("amber: the origin and the named", [Marking(Tlp.AMBER, "XA-CERT", named("XC-CERT"))], NOON),
        ("amber and strict: the same", [Marking(Tlp.AMBER_STRICT, "XA-CERT", named("XC-CERT"))], NOON),
        ("named while suspended", [Marking(Tlp.AMBER, "XA-CERT", named("XD-CERT"))], NOON),
        ("named and living nowhere", [Marking(Tlp.AMBER, "XA-CERT", named("XE-CERT"))], NOON),
        ("an origin in no roster", [Marking(Tlp.AMBER, "XZ-CERT", named("XC-CERT"))], NOON),
        ("under an embargo", [embargoed], BEFORE),
        ("at the end of an embargo", [embargoed], NOON),
        ("after an embargo", [embargoed], AFTER),
        ("green under an embargo", [Marking(Tlp.GREEN, "XA-CERT", embargo_until=NOON)], BEFORE),
        ("red to nobody", [Marking(Tlp.RED, "XA-CERT")], NOON),
        ("red to a person at home", [Marking(Tlp.RED, "XA-CERT", named(persons=["BILAL"]))], NOON),
        ("red to a person under an embargo", [Marking(Tlp.RED, "XA-CERT", named(persons=["BILAL"]), NOON)], BEFORE),
        ("red to a guest of another's machine", [Marking(Tlp.RED, "XA-CERT", named(persons=["DALIA"]))], NOON),
        ("amber to a guest", [Marking(Tlp.AMBER, "XA-CERT", named(persons=["DALIA"]))], NOON),
        ("a person whom nobody knows", [Marking(Tlp.AMBER, "XA-CERT", named(persons=["ZAYD"]))], NOON),
        ("two that XB may have", [GREEN, Marking(Tlp.AMBER, "XC-CERT", named("XB-CERT"))], NOON),
        ("two for different teams of a node", [GREEN, Marking(Tlp.AMBER, "XC-CERT", named("XD-CERT"))], NOON),
        (
            "a person named by one, whose team the other names",
            [Marking(Tlp.RED, "XA-CERT", named(persons=["BILAL"])), Marking(Tlp.AMBER, "XC-CERT", named("XB-CERT"))],
            NOON,
        ),
        (
            "red of a person's own team, who is named by the other",
            [Marking(Tlp.RED, "XB-CERT"), Marking(Tlp.AMBER, "XA-CERT", named(persons=["BILAL"]))],
            NOON,
        ),
        ("PAP and a note", [Marking(Tlp.CLEAR, "XA-CERT", pap=Pap.RED, note="To nobody")], NOON),
    ]
    return [
        {
            "what": what,
            "set": markings.write(marked),
            "at": write_time(at),
            "nodes": [node["code"] for node in NODES if under(node["code"]).may_have(node["code"], marked, at)],
        }
        for what, marked, at in cases
    ]


def vectors() -> dict[str, Any]:
    return {
        "markings": [
            {"what": what, "canonical": marking.canonical(), "id": marking.marking_id}
            for what, marking in SINGLE.items()
        ],
        "set": markings.write([*SINGLE.values(), GREEN]),
        "refused": refused(),
        "strict": strict(),
        "roster": {"nodes": NODES, "teams": TEAMS},
        "persons": PERSONS,
        "decisions": decisions(),
    }


if __name__ == "__main__":
    text = json.dumps(vectors(), indent=1, ensure_ascii=False)
    (HERE / "markings.json").write_text(f"{text}\n", encoding="utf-8")
