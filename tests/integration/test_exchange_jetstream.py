"""The backbone: real message servers, each member's right and wrong, floods, kills, reloads."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from factories.backbone import Backbone, Rude, certified, eventually, free_ports, subject
from tansiq.exchange import administration, jetstream, nkey, servers
from tansiq.exchange.body import Lane
from tansiq.exchange.carried import Outbound, Outcome, Trouble
from tansiq.exchange.connection import Connection
from tansiq.exchange.jetstream import Quotas, Type
from tansiq.exchange.transport import Transport

QUOTAS = Quotas(urgent=5, normal=40, bulk=10)
CODES = ("XA", "XB", "XC")


def begun(folder: Path, count: int = 1, **others: object) -> Backbone:
    backbone = Backbone(folder, list(CODES), count, QUOTAS, **others)  # type: ignore[arg-type]
    backbone.write()
    for number in range(count):
        backbone.begin(number)
    backbone.administer()
    return backbone


@pytest.fixture
def backbone(tmp_path: Path) -> Iterator[Backbone]:
    backbone = begun(tmp_path)
    yield backbone
    backbone.end()


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Backbone]:
    """For tests that change nothing."""
    backbone = begun(tmp_path_factory.mktemp("backbone"))
    yield backbone
    backbone.end()


def taken(transport: Transport, lane: Lane = Lane.NORMAL, seconds: float = 10) -> list[bytes]:
    """Fetch once and acknowledge."""
    found = transport.fetch(lane, 100, seconds)
    transport.ack(found)
    return [one.data for one in found]


# What a member can do


def test_message_published_is_fetched_with_all_that_belongs_to_it(backbone: Backbone) -> None:
    with backbone.transport("XA") as xa, backbone.transport("XB") as xb:
        outcome = xb.publish(subject("XA", "XB"), b"\x00sealed\xff", "id.1", type=Type.ROSTER)
        (found,) = xa.fetch(Lane.NORMAL, 10, 10)

        assert outcome is Outcome.ACKNOWLEDGED
        assert (found.lane, found.sender, found.data, found.type, found.deliveries) == (
            Lane.NORMAL,
            "XB",
            b"\x00sealed\xff",
            Type.ROSTER,
            1,
        )
        assert found.headers == {"Nats-Msg-Id": "id.1", "Tansiq-Type": "roster"}


def test_message_acknowledged_is_forgotten_and_one_not_acknowledged_stays(backbone: Backbone) -> None:
    with backbone.transport("XA") as xa, backbone.transport("XB") as xb:
        xb.publish_many([Outbound(subject("XA", "XB"), b"m", f"id.{number}") for number in range(3)])

        found = xa.fetch(Lane.NORMAL, 10, 10)
        xa.ack(found[:2])

        eventually(lambda: backbone.waiting() == {subject("XA", "XB"): 1})
        assert len(found) == 3


def test_message_of_the_largest_size_travels(backbone: Backbone) -> None:
    largest = bytes(range(256)) * 4096

    with backbone.transport("XA") as xa, backbone.transport("XB") as xb:
        outcome = xb.publish(subject("XA", "XB", Lane.BULK), largest, "i" * 80, headers={"Via": "x" * 3000})

        assert (outcome, taken(xa, Lane.BULK)) == (Outcome.ACKNOWLEDGED, [largest])


def test_message_repeated_by_its_id_is_stored_once(backbone: Backbone) -> None:
    with backbone.transport("XB") as xb:
        outcomes = [xb.publish(subject("XA", "XB"), b"m", "id.1") for _ in range(3)]
        outcomes.append(xb.publish(subject("XA", "XB"), b"m", "id.2"))

        assert outcomes == [Outcome.ACKNOWLEDGED] * 4
        assert backbone.waiting() == {subject("XA", "XB"): 2}


def test_fetch_gives_what_is_there_of_its_lane_and_no_other(backbone: Backbone) -> None:
    with backbone.transport("XA") as xa, backbone.transport("XB") as xb:
        for lane in reversed(Lane):
            xb.publish(subject("XA", "XB", lane), lane.encode(), f"{lane}.1")

        found = [xa.fetch(lane, 10, 0) for lane in Lane]

        assert [[one.data for one in of_lane] for of_lane in found] == [[b"urgent"], [b"normal"], [b"bulk"]]
        assert [xa.fetch(lane, 10, 0) for lane in Lane] == [[], [], []]


def test_fetch_that_waits_hears_what_comes_meanwhile(backbone: Backbone) -> None:
    with backbone.transport("XA") as xa, backbone.transport("XB") as xb:
        sending = threading.Timer(0.3, lambda: xb.publish(subject("XA", "XB", Lane.URGENT), b"alert", "id.1"))
        sending.start()

        found = xa.fetch(Lane.URGENT, 10, 30)
        sending.join()

        assert [one.data for one in found] == [b"alert"]


def test_many_messages_arrive_all_once_and_in_order(tmp_path: Path) -> None:
    backbone = Backbone(tmp_path, ["XA", "XB"])
    backbone.write()
    backbone.begin()
    try:
        backbone.administer()
        wanted = [b"%06d" % number for number in range(1500)]
        with backbone.transport("XA") as xa, backbone.transport("XB") as xb:
            outcomes = xb.publish_many([Outbound(subject("XA", "XB"), data, data.decode()) for data in wanted])
            found: list[bytes] = []
            while len(found) < len(wanted) and (more := taken(xa)):
                found += more

            assert set(outcomes) == {Outcome.ACKNOWLEDGED}
            assert found == wanted
            eventually(lambda: backbone.waiting() == {})
    finally:
        backbone.end()


# What a member cannot do


@pytest.fixture
def rude(shared: Backbone) -> Iterator[Rude]:
    """XB with a client of its own."""
    client = Rude(shared.urls[0], shared.seed("XB"))
    assert client.heard == []
    yield client
    client.close()


FOREIGN = [
    "tansiq.v1.live.XA.urgent.XC",  # as another
    "tansiq.v1.live.XB.urgent.XC",
    "tansiq.v1.live.XB.urgent.XB",  # to itself
    "tansiq.v1.live.XZ.urgent.XB",  # to nobody's
    "tansiq.v1.other.XA.urgent.XB",
    "tansiq.v1.live.XA.other.XB",
    "tansiq.inbox.live.XA.x.1",
    "tansiq.inbox.live.XB.x.1",
    "_INBOX.administrator.x.1",
    "$JS.API.INFO",
    "$JS.API.ACCOUNT.PURGE.BACKBONE",
    "$JS.API.STREAM.NAMES",
    "$JS.API.STREAM.LIST",
    "$JS.API.STREAM.CREATE.own",
    "$JS.API.STREAM.INFO.tansiq_live_XA_urgent",
    "$JS.API.STREAM.INFO.tansiq_live_XB_urgent",
    "$JS.API.STREAM.UPDATE.tansiq_live_XB_urgent",
    "$JS.API.STREAM.DELETE.tansiq_live_XA_urgent",
    "$JS.API.STREAM.DELETE.tansiq_live_XB_urgent",
    "$JS.API.STREAM.PURGE.tansiq_live_XA_urgent",
    "$JS.API.STREAM.MSG.GET.tansiq_live_XA_urgent",
    "$JS.API.STREAM.MSG.DELETE.tansiq_live_XA_urgent",
    "$JS.API.STREAM.SNAPSHOT.tansiq_live_XA_urgent",
    "$JS.API.STREAM.RESTORE.own",
    "$JS.API.STREAM.LEADER.STEPDOWN.tansiq_live_XA_urgent",
    "$JS.API.DIRECT.GET.tansiq_live_XA_urgent",
    "$JS.API.CONSUMER.CREATE.tansiq_live_XA_urgent",
    "$JS.API.CONSUMER.CREATE.tansiq_live_XB_urgent.more",
    "$JS.API.CONSUMER.DURABLE.CREATE.tansiq_live_XA_urgent.more",
    "$JS.API.CONSUMER.NAMES.tansiq_live_XA_urgent",
    "$JS.API.CONSUMER.INFO.tansiq_live_XA_urgent.reader",
    "$JS.API.CONSUMER.INFO.tansiq_live_XB_urgent.reader",
    "$JS.API.CONSUMER.DELETE.tansiq_live_XA_urgent.reader",
    "$JS.API.CONSUMER.PAUSE.tansiq_live_XA_urgent.reader",
    "$JS.API.CONSUMER.MSG.NEXT.tansiq_live_XA_urgent.reader",
    "$JS.API.CONSUMER.MSG.NEXT.tansiq_live_XB_urgent.other",
    "$JS.ACK.tansiq_live_XA_urgent.reader.1.1.1.1.0",
    "$JS.FC.tansiq_live_XA_urgent.x",
    "$SYS.REQ.SERVER.PING",
    "$SYS.REQ.SERVER.PING.VARZ",
    "$SYS.REQ.SERVER.X.RELOAD",
    "$SYS.REQ.SERVER.X.ACCOUNTZ",
    "$SYS.REQ.ACCOUNT.BACKBONE.CONNZ",
    "$SYS.REQ.ACCOUNT.PING.CONNZ",
    "$SYS.REQ.USER.INFO",
    "$SRV.PING",
    "anything",
]


@pytest.mark.parametrize("name", FOREIGN)
def test_member_that_publishes_what_is_not_its_own_is_refused(rude: Rude, name: str) -> None:
    assert rude.publish(name, b"{}", "tansiq.inbox.live.XB.answer") == [
        f"-ERR 'Permissions Violation for Publish to \"{name}\"'".encode()
    ]


@pytest.mark.parametrize(
    "name",
    [
        ">",
        "*.>",
        "tansiq.>",
        "tansiq.v1.>",
        "tansiq.v1.live.XB.urgent.*",
        "tansiq.v1.live.*.urgent.XB",
        "tansiq.inbox.>",
        "tansiq.inbox.live.*.>",
        "tansiq.inbox.live.XA.>",
        "_INBOX.>",
        "$JS.>",
        "$JS.EVENT.ADVISORY.>",
        "$SYS.>",
        "_R_.>",
    ],
)
def test_member_that_subscribes_to_what_is_not_its_own_is_refused(rude: Rude, name: str) -> None:
    assert rude.subscribe(name) == [f"-ERR 'Permissions Violation for Subscription to \"{name}\"'".encode()]


def test_stranger_is_not_let_in(shared: Backbone) -> None:
    with Transport(shared.urls, nkey.new_seed(), "XB") as stranger:
        eventually(lambda: stranger.trouble is Trouble.REFUSED)

        assert not stranger.connected


REPLIES = [
    "$JS.API.STREAM.PURGE.tansiq_live_XC_normal",
    "$JS.API.STREAM.DELETE.tansiq_live_XC_normal",
    "$JS.API.CONSUMER.DELETE.tansiq_live_XC_normal.reader",
    "$JS.API.CONSUMER.MSG.NEXT.tansiq_live_XC_normal.reader",
    "$JS.ACK.tansiq_live_XC_normal.reader.1.1.1.1.0",
    "tansiq.v1.live.XC.urgent.XA",
    "tansiq.v1.live.XC.normal.XA",
    "tansiq.inbox.live.XC.x.1",
    "$SYS.REQ.SERVER.PING",
]


def test_member_that_wants_answers_elsewhere_moves_nothing_there(backbone: Backbone) -> None:
    with backbone.transport("XA") as xa, backbone.transport("XC") as xc:
        xa.publish(subject("XC", "XA"), b"precious", "id.1")
        xa.publish_many([Outbound(subject("XB", "XA"), b"{}", f"bait.{number}") for number in range(len(REPLIES))])
        rude = Rude(backbone.urls[0], backbone.seed("XB"))
        for reply in REPLIES:
            rude.publish("$JS.API.CONSUMER.MSG.NEXT.tansiq_live_XB_normal.reader", b'{"batch":1,"no_wait":true}', reply)
            rude.publish(subject("XA", "XB", Lane.BULK), b"x", reply)
        rude.close()
        taken_up = len(REPLIES) - 1  # the server itself refuses an answer to an acknowledgement
        eventually(lambda: backbone.waiting().get(subject("XA", "XB", Lane.BULK)) == taken_up)

        held = backbone.waiting()
        left = taken(xc)

        assert {name: n for name, n in held.items() if ".XC." in name} == {subject("XC", "XA"): 1}
        assert left == [b"precious"]
        assert backbone.administer() == administration.Changes()


@pytest.mark.parametrize(
    "headers",
    [
        b"NATS/1.0 503 \xff\xfe\r\n\r\n",
        b"NATS/1.0 404 No Messages\r\n\r\n",
        b"NATS/1.0 408\r\nStatus: 408\r\n\r\n",
        b"NATS/1.0\r\nStatus: 100\r\nTansiq-Type: \xff\xff\r\n\r\n",
        b"NATS/1.0\r\nTansiq-Type: " + b"x" * 3000 + b"\r\n\r\n",
        b"NATS/1.0\r\n: no name\r\nno colon\r\n\x00: nul\r\n\r\n",
        b"NATS/1.0\r\nNats-Rollup: all\r\n\r\n",
        b"NATS/1.0\r\nNats-TTL: 1s\r\n\r\n",
        b"NATS/1.0\r\nNats-Expected-Stream: other\r\n\r\n",
        b"NATS/1.0\r\nNats-Schedule: @every 1s\r\nNats-Schedule-Target: tansiq.v1.live.XA.urgent.XC\r\n\r\n",
        b"\r\n\r\n",
        b"NATS/1.0",
        b"garbage",
    ],
)
def test_hostile_headers_stop_nobody_who_reads(backbone: Backbone, headers: bytes) -> None:
    rude = Rude(backbone.urls[0], backbone.seed("XB"))
    rude.publish(subject("XA", "XB"), b"", headers=headers)
    rude.publish(subject("XA", "XB"), b"body", headers=headers)
    rude.close()

    with backbone.transport("XA") as xa, backbone.transport("XC") as xc:
        assert xc.publish(subject("XA", "XC"), b"alert", "id.1") is Outcome.ACKNOWLEDGED
        found: list[bytes] = []
        while b"alert" not in found and (more := taken(xa)):
            found += more
        assert found[-1] == b"alert"
        assert set(found) <= {b"", b"body", b"alert"}
        eventually(lambda: backbone.waiting() == {})


def test_empty_messages_take_nothing_behind_them_along(backbone: Backbone) -> None:
    """To the server an empty answer is the last one where a question crosses accounts."""
    rude = Rude(backbone.urls[0], backbone.seed("XB"))
    for _ in range(5):
        rude.publish(subject("XA", "XB", Lane.URGENT), b"")
    rude.close()

    with backbone.transport("XA") as xa, backbone.transport("XC") as xc:
        xc.publish(subject("XA", "XC", Lane.URGENT), b"alert", "id.1")
        assert taken(xa, Lane.URGENT) == [b""] * 5 + [b"alert"]


def test_message_above_the_largest_size_is_refused_by_the_server(backbone: Backbone) -> None:
    rude = Rude(backbone.urls[0], backbone.seed("XB"))

    heard = rude.publish(subject("XA", "XB"), b"x" * (jetstream.MESSAGE_LIMIT_BYTES + 1))

    rude.close()
    assert heard[0] in (b"-ERR 'Maximum Payload Violation'", b"hung up")
    assert backbone.waiting() == {}


# Floods


def test_flood_of_one_sender_fills_its_own_part_only(backbone: Backbone) -> None:
    with backbone.transport("XA") as xa, backbone.transport("XB") as xb, backbone.transport("XC") as xc:
        flood = xb.publish_many([Outbound(subject("XA", "XB", Lane.BULK), b"f", f"f.{n}") for n in range(50)])
        other = xc.publish(subject("XA", "XC", Lane.BULK), b"events", "e.1")
        urgent = [
            one.publish(subject("XA", code, Lane.URGENT), b"alert", f"{code}.1")
            for one, code in ((xb, "XB"), (xc, "XC"))
        ]
        heard = taken(xa, Lane.URGENT)

        assert [flood.count(outcome) for outcome in (Outcome.ACKNOWLEDGED, Outcome.FULL)] == [QUOTAS.bulk, 40]
        assert (other, urgent) == (Outcome.ACKNOWLEDGED, [Outcome.ACKNOWLEDGED] * 2)
        assert heard == [b"alert", b"alert"]


def test_full_quota_has_room_again_once_the_recipient_acknowledged(backbone: Backbone) -> None:
    with backbone.transport("XA") as xa, backbone.transport("XB") as xb:
        xb.publish_many([Outbound(subject("XA", "XB", Lane.BULK), b"f", f"f.{n}") for n in range(QUOTAS.bulk)])
        refused = xb.publish(subject("XA", "XB", Lane.BULK), b"late", "late.1")
        taken(xa, Lane.BULK)
        eventually(lambda: backbone.waiting() == {})

        assert refused is Outcome.FULL
        assert xb.publish(subject("XA", "XB", Lane.BULK), b"late", "late.2") is Outcome.ACKNOWLEDGED


# Membership


def test_administer_a_second_time_changes_nothing(backbone: Backbone) -> None:
    assert backbone.administer() == administration.Changes()


def test_administer_with_other_quotas_changes_the_streams_and_keeps_messages(backbone: Backbone) -> None:
    with backbone.transport("XB") as xb:
        xb.publish(subject("XA", "XB"), b"m", "id.1")
    backbone.quotas = Quotas(urgent=6, normal=40, bulk=10)

    changes = backbone.administer()

    assert changes == administration.Changes(changed=[f"tansiq_live_{code}_urgent" for code in CODES])
    assert backbone.waiting() == {subject("XA", "XB"): 1}


def test_administer_with_a_members_key_is_refused(shared: Backbone) -> None:
    with pytest.raises(administration.BackboneRefused):
        administration.administer(shared.urls, shared.seed("XB"), shared.specs)


def test_administer_without_any_stream_is_refused(shared: Backbone) -> None:
    with pytest.raises(ValueError):
        administration.administer(shared.urls, shared.administrator, [])


def test_administer_of_a_backbone_that_is_away_says_so(tmp_path: Path) -> None:
    nowhere = Backbone(tmp_path, list(CODES))

    with pytest.raises(administration.BackboneAway) as away:
        nowhere.administer()

    assert nowhere.urls[0] in str(away.value)


def test_removed_member_is_cut_off_and_cannot_come_back(backbone: Backbone) -> None:
    with backbone.transport("XA") as xa, backbone.transport("XB") as xb, backbone.transport("XC") as xc:
        rude = Rude(backbone.urls[0], backbone.seed("XB"))
        xb.publish(subject("XA", "XB"), b"from XB", "id.1")
        xa.publish(subject("XB", "XA"), b"to XB", "id.2")
        xc.publish(subject("XA", "XC"), b"from XC", "id.3")

        backbone.members.remove("XB")
        changes = backbone.settle()

        assert rude.after(b"")[-1:] in ([], [b"hung up"])
        assert rude.stream.read() == b""
        rude.close()
        eventually(lambda: not xb.connected and xb.trouble is Trouble.REFUSED)
        assert xb.publish(subject("XA", "XB"), b"again", "id.4") is Outcome.FAILED
        assert xb.fetch(Lane.NORMAL, 10, 1) == []
        assert backbone.waiting() == {subject("XA", "XC"): 1}
        assert changes.deleted == [f"tansiq_live_XB_{lane}" for lane in sorted(Lane)]
        assert changes.purged == [("tansiq_live_XA_normal", "XB")]
        assert (xa.connected, xc.connected) == (True, True)
        assert xa.publish(subject("XB", "XA"), b"to nobody", "id.5") is Outcome.NOWHERE
        assert taken(xa) == [b"from XC"]


def test_member_added_or_taken_again_works_without_a_restart(backbone: Backbone) -> None:
    with backbone.transport("XA") as xa:
        for codes in (["XA", "XC", "XD"], ["XA", "XB", "XC", "XD"]):
            backbone.members[:] = codes
            backbone.settle()
            new = codes[-1] if "XB" not in codes else "XB"
            with backbone.transport(new) as transport:
                assert transport.publish(subject("XA", new), new.encode(), f"{new}.1") is Outcome.ACKNOWLEDGED
                assert xa.publish(subject(new, "XA"), b"welcome", f"{new}.2") is Outcome.ACKNOWLEDGED
                assert (taken(transport), taken(xa)) == ([b"welcome"], [new.encode()])


def test_member_with_a_new_key_keeps_its_messages_and_its_old_key_is_dead(backbone: Backbone) -> None:
    with backbone.transport("XA") as xa, backbone.transport("XB") as before:
        xa.publish(subject("XB", "XA"), b"waiting", "id.1")
        backbone.seeds["XB"] = nkey.new_seed()

        changes = backbone.settle()

        eventually(lambda: before.trouble is Trouble.REFUSED)
        with backbone.transport("XB") as after:
            assert taken(after) == [b"waiting"]
        assert changes == administration.Changes()


# Trouble


def test_message_acknowledged_survives_a_kill_of_the_server(backbone: Backbone) -> None:
    with backbone.transport("XA") as xa, backbone.transport("XB") as xb:
        acknowledged: set[bytes] = set()
        tenth = threading.Event()
        killing = threading.Thread(target=lambda: [tenth.wait(60), backbone.kill()])
        killing.start()
        for number in range(QUOTAS.normal):
            if xb.publish(subject("XA", "XB"), b"%d" % number, f"id.{number}") is Outcome.ACKNOWLEDGED:
                acknowledged.add(b"%d" % number)
            if len(acknowledged) == 10:
                tenth.set()
        killing.join()
        backbone.begin()

        found: set[bytes] = set()
        until = time.monotonic() + 120
        while not acknowledged <= found and time.monotonic() < until:
            found |= set(taken(xa, seconds=2))
        assert acknowledged <= found
        assert len(acknowledged) >= 10


def test_transport_of_a_backbone_that_is_away_says_so_at_once_and_comes_back(backbone: Backbone) -> None:
    with backbone.transport("XA") as xa, backbone.transport("XB") as xb:
        backbone.kill()
        eventually(lambda: not xa.connected and not xb.connected)

        outcomes = xb.publish_many([Outbound(subject("XA", "XB"), b"m", f"id.{number}") for number in range(1000)])
        nothing, trouble = xa.fetch(Lane.NORMAL, 10, 0.2), xb.trouble
        backbone.begin()

        assert (set(outcomes), nothing, trouble) == ({Outcome.FAILED}, [], Trouble.AWAY)
        assert xb.wait(30) and xa.wait(30)
        assert xb.publish(subject("XA", "XB"), b"m", "id.1") is Outcome.ACKNOWLEDGED
        assert taken(xa) == [b"m"]


def test_transport_closed_gives_empty_answers(backbone: Backbone) -> None:
    with backbone.transport("XA") as xa:
        waiting: list[object] = []
        thread = threading.Thread(target=lambda: waiting.append(xa.fetch(Lane.BULK, 1, 60)))
        thread.start()
        time.sleep(0.2)
        xa.close()
        thread.join(10)

        assert waiting == [[]]
        assert xa.publish(subject("XB", "XA"), b"m", "id.1") is Outcome.FAILED
        assert xa.fetch(Lane.NORMAL, 1, 1) == []
        xa.ack([])
        xa.close()


def test_backbone_keeps_nothing_readable_but_sizes_times_and_codes(backbone: Backbone) -> None:
    with backbone.transport("XB") as xb:
        xb.publish(subject("XA", "XB"), b"sealed", "id.1")

    assert [
        json.loads(json.dumps(vars_of(one))) for one in administration.fillings(backbone.urls, backbone.administrator)
    ] == [{"realm": "live", "to": "XA", "lane": "normal", "sender": "XB", "messages": 1}]


def vars_of(filling: administration.Filling) -> dict[str, object]:
    return {name: getattr(filling, name) for name in filling.__slots__}


# Encryption


@pytest.mark.parametrize("count", [1, pytest.param(3, marks=pytest.mark.long)])
def test_backbone_over_tls_is_believed_by_its_authority_only(tmp_path: Path, count: int) -> None:
    backbone = begun(tmp_path, count, tls=certified(tmp_path / "tls"))
    try:
        with backbone.transport("XA") as xa, backbone.transport("XB") as xb:
            assert xb.publish(subject("XA", "XB"), b"m", "id.1") is Outcome.ACKNOWLEDGED
            assert taken(xa) == [b"m"]
        with Transport(backbone.urls, backbone.seed("XA"), "XA") as unbelieving:
            eventually(lambda: unbelieving.trouble is Trouble.REFUSED)
            assert not unbelieving.connected
    finally:
        backbone.end()


def test_server_that_says_no_encryption_is_not_spoken_to(
    shared: Backbone, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As somebody between a node and its backbone would."""
    attempts: list[BaseException | None] = []
    opening = Connection.open

    async def opened(self: Connection, url: str, **named: Any) -> None:
        try:
            await opening(self, url, **named)
            attempts.append(None)
        except BaseException as error:
            attempts.append(error)
            raise

    monkeypatch.setattr(Connection, "open", opened)
    urls = [url.replace("nats:", "tls:") for url in shared.urls]

    with Transport(urls, shared.seed("XA"), "XA", authority=certified(tmp_path / "tls").authority) as transport:
        eventually(lambda: len(attempts) >= 2)
        assert not transport.connected
    assert {type(error) for error in attempts[:2]} == {OSError}


# Three servers


@pytest.fixture
def three(tmp_path: Path) -> Iterator[Backbone]:
    backbone = begun(tmp_path, 3)
    yield backbone
    backbone.end()


def taken_again(xb: Transport, name: str) -> bytes:
    """Offered until the servers have chosen who leads, and one took it."""
    data, until = name.encode(), time.monotonic() + 120
    attempt = 0
    while xb.publish(subject("XA", "XB"), data, f"{name}.{attempt}") is not Outcome.ACKNOWLEDGED:
        assert time.monotonic() < until
        attempt += 1
        xb.wait(1)
        time.sleep(0.2)  # else whoever asks takes the processor from those who choose
    return data


@pytest.mark.long
def test_three_servers_lose_nothing_acknowledged_when_any_is_killed(three: Backbone) -> None:
    with three.transport("XA") as xa, three.transport("XB") as xb:
        acknowledged: set[bytes] = set()
        found: set[bytes] = set()
        for number in range(90):
            if number % 30 == 10:
                three.kill(number // 30)
            data = b"%d" % number
            if xb.publish(subject("XA", "XB"), data, f"id.{number}") is Outcome.ACKNOWLEDGED:
                acknowledged.add(data)
            found |= set(taken(xa, seconds=1)) if number % 10 == 9 else set()
            if number % 30 == 20:
                three.begin(number // 30)
                acknowledged.add(taken_again(xb, f"again.{number}"))
        until = time.monotonic() + 120
        while not acknowledged <= found and time.monotonic() < until:
            found |= set(taken(xa, seconds=2))

        assert acknowledged <= found
        assert len(acknowledged) > 30


def test_transport_leaves_a_server_that_sees_no_streams_for_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As one that came back to its cluster, and lost sight of the others."""
    from tansiq.exchange import traffic

    monkeypatch.setattr(traffic, "FIRST_PATIENCE_SECONDS", 0.5)
    monkeypatch.setattr(traffic.random, "randrange", lambda _count: 0)
    whole = begun(tmp_path / "whole")
    blind = Backbone(tmp_path / "blind", list(whole.members), seeds=whole.seeds)
    blind.write()
    blind.begin()
    try:
        with Transport([*blind.urls, *whole.urls], whole.seed("XB"), "XB") as xb, whole.transport("XA") as xa:
            assert xb.wait(20)
            first = xb.publish(subject("XA", "XB"), b"alert", "id.1")
            eventually(lambda: xb.publish(subject("XA", "XB"), b"alert", "id.1") is Outcome.ACKNOWLEDGED)

            assert first is Outcome.NOWHERE
            assert taken(xa) == [b"alert"]
    finally:
        blind.end()
        whole.end()


def test_server_that_answers_nobody_but_by_name_takes_a_removal(tmp_path: Path) -> None:
    """A busy one may answer too late to be heard among all."""
    backbone = begun(tmp_path)
    try:
        deaf(backbone, "$SYS.REQ.SERVER.PING")
        with backbone.transport("XB") as xb:
            backbone.members.remove("XB")
            backbone.write()

            reloaded = backbone.reload()

            eventually(lambda: xb.trouble is Trouble.REFUSED)
        assert (len(reloaded.done), reloaded.away, reloaded.wrong) == (1, {}, set())
    finally:
        backbone.end()


def test_reload_that_no_server_answers_is_not_done(tmp_path: Path) -> None:
    backbone = begun(tmp_path)
    try:
        deaf(backbone, "$SYS.REQ.SERVER.PING", "$SYS.REQ.SERVER.*.RELOAD")

        with pytest.raises(administration.BackboneAway) as away:
            backbone.reload()

        assert away.value.values == {"urls": backbone.urls[0]}
    finally:
        backbone.end()


def deaf(backbone: Backbone, *subjects: str) -> None:
    """Have the server not hear these of the administrator."""
    conf = backbone.folder / "server0" / "conf"
    text = conf.read_text()
    for name in subjects:
        text = text.replace(f'"{name}"', f'"{name}.DEAF"')
    conf.write_text(text)
    backbone.end()
    backbone.begin()


def test_reload_says_which_of_the_servers_did_not_follow(shared: Backbone) -> None:
    (port,) = free_ports(1)
    dead = f"nats://127.0.0.1:{port}"

    reloaded = administration.reload([dead, *shared.urls], shared.administrator, accounts=servers.names(shared.nodes))

    assert (len(reloaded.done), list(reloaded.away)) == (1, [dead])
    with pytest.raises(administration.BackboneAway) as away:
        reloaded.require()
    assert dead in str(away.value)


def test_reload_of_a_configuration_that_is_not_of_this_roster_says_so(backbone: Backbone) -> None:
    backbone.members.remove("XB")
    stale = backbone.reload()
    backbone.write()
    right = backbone.reload()

    assert (stale.wrong, right.wrong) == ({"live_XB"}, set())
    with pytest.raises(administration.BackboneOutdated) as outdated:
        stale.require()
    assert "live_XB" in str(outdated.value)


@pytest.mark.long
def test_three_servers_take_a_removal_all_at_once(three: Backbone) -> None:
    with three.transport("XB") as xb:
        three.members.remove("XB")
        three.settle()

        eventually(lambda: xb.trouble is Trouble.REFUSED)
        for url in three.urls:
            with Transport([url], three.seed("XB"), "XB") as again:
                eventually(lambda again=again: again.trouble is Trouble.REFUSED)
        assert {spec.to for spec in three.specs} == {"XA", "XC"}
        assert len(three.reload().done) == 3
