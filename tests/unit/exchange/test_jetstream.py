"""Names on the backbone, quotas, and what the servers' configuration says to whom."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tansiq.exchange import jetstream, nkey, servers
from tansiq.exchange.body import Lane
from tansiq.exchange.carried import Outbound, received
from tansiq.exchange.jetstream import BackboneNode, Quotas
from tansiq.exchange.transport import BadBackbone, checked

KEYS = {code: nkey.public(nkey.new_seed()) for code in ("XA", "XB", "XC", "XD", "ADMIN")}
SERVER = servers.Server("one", "127.0.0.1:4222", Path("/srv/backbone"), 1 << 30)
PASSWORD = "p" * 40


def nodes(*codes: str, realm: str = "live") -> list[BackboneNode]:
    return [BackboneNode(code, KEYS[code], realm) for code in codes]


def told(*members: BackboneNode, **others: object) -> dict[str, object]:
    """The configuration as values: what it says is JSON but for the outermost names."""
    text = servers.configuration(SERVER, members, administrator=KEYS["ADMIN"], **others)  # type: ignore[arg-type]
    starts = [f"\n{line.partition(':')[0]}: " for line in text.splitlines() if line[:1].isalpha()]
    parts = "\n" + text
    for start in starts:
        parts = parts.replace(start, "\n,\n" + json.dumps(start[1:-2]) + ":", 1)
    found: dict[str, object] = json.loads("{" + parts.lstrip().removeprefix(",") + "}")
    return found


def test_subject_names_realm_recipient_lane_and_sender() -> None:
    subject = jetstream.subject("live", "XA", Lane.URGENT, "XB")

    assert subject == "tansiq.v1.live.XA.urgent.XB"
    assert jetstream.sender_in(subject) == "XB"


@pytest.mark.parametrize("text", ["", "tansiq.v1.live.XA.urgent", "tansiq.v2.live.XA.urgent.XB", "a.b.c.d.e.f"])
def test_sender_in_another_subject_is_empty(text: str) -> None:
    assert jetstream.sender_in(text) == ""


@given(
    st.tuples(*[st.from_regex(r"[a-z0-9-]{2,6}", fullmatch=True)] * 2),
    st.tuples(*[st.from_regex(r"[A-Z0-9-]{2,6}", fullmatch=True)] * 2),
)
def test_stream_names_of_two_recipients_differ(realms: tuple[str, str], codes: tuple[str, str]) -> None:
    one, other = (jetstream.stream_name(realm, code, Lane.BULK) for realm, code in zip(realms, codes, strict=True))

    assert (one == other) == (realms[0] == realms[1] and codes[0] == codes[1])
    assert jetstream.STREAM.fullmatch(one)


@pytest.mark.parametrize("code, realm", [("xa", "live"), ("X*", "live"), ("XA.XB", "live"), (">", "live"), ("XA", "L")])
def test_backbone_node_with_a_wrong_name_is_refused(code: str, realm: str) -> None:
    with pytest.raises(ValueError):
        BackboneNode(code, KEYS["XA"], realm)


def test_specs_of_one_key_for_two_nodes_are_refused() -> None:
    twice = [BackboneNode("XA", KEYS["XA"]), BackboneNode("XB", KEYS["XA"])]

    with pytest.raises(ValueError, match="one key"):
        jetstream.specs(twice, replicas=1, quotas=Quotas())


def test_specs_are_a_stream_for_each_node_and_lane() -> None:
    specs = jetstream.specs(nodes("XB", "XA"), replicas=3, quotas=Quotas(1, 2, 3))

    assert [(spec.name, spec.quota, spec.stream()["num_replicas"]) for spec in specs] == [
        ("tansiq_live_XA_urgent", 1, 3),
        ("tansiq_live_XA_normal", 2, 3),
        ("tansiq_live_XA_bulk", 3, 3),
        ("tansiq_live_XB_urgent", 1, 3),
        ("tansiq_live_XB_normal", 2, 3),
        ("tansiq_live_XB_bulk", 3, 3),
    ]


@given(st.integers(12 << 30, 1 << 42), st.integers(2, 57))
def test_quotas_keep_one_flooding_member_below_half_of_the_disk(storage: int, count: int) -> None:
    quotas = Quotas.for_storage(storage, count)

    flood = sum(quotas.of(lane) for lane in Lane) * (count - 1) * jetstream.MESSAGE_LIMIT_BYTES
    assert flood <= storage // 2
    assert min(quotas.of(lane) for lane in Lane) >= 20


def test_configuration_lets_a_node_do_its_own_and_nothing_else() -> None:
    said = told(*nodes("XA", "XB"), *nodes("XC", realm="drill-1"))

    account = said["accounts"]["live_XA"]  # type: ignore[index]
    assert account["users"] == [
        {
            "nkey": KEYS["XA"],
            "permissions": {
                "publish": {
                    "allow": [
                        "$JS.API.CONSUMER.MSG.NEXT.tansiq_live_XA_urgent.reader",
                        "$JS.API.CONSUMER.MSG.NEXT.tansiq_live_XA_normal.reader",
                        "$JS.API.CONSUMER.MSG.NEXT.tansiq_live_XA_bulk.reader",
                        "$JS.ACK.tansiq_live_XA_urgent.reader.>",
                        "$JS.ACK.tansiq_live_XA_normal.reader.>",
                        "$JS.ACK.tansiq_live_XA_bulk.reader.>",
                        "tansiq.v1.live.XB.urgent.XA",
                        "tansiq.v1.live.XB.normal.XA",
                        "tansiq.v1.live.XB.bulk.XA",
                    ]
                },
                "subscribe": {"allow": ["tansiq.inbox.live.XA.>"]},
            },
        }
    ]
    assert "jetstream" not in account
    assert sorted(said["accounts"]) == ["BACKBONE", "SYSTEM", "drill-1_XC", "live_XA", "live_XB"]  # type: ignore[call-overload]


def test_configuration_exports_each_thing_to_one_account() -> None:
    said = told(*nodes("XA", "XB"))

    exports = said["accounts"]["BACKBONE"]["exports"]  # type: ignore[index]
    whose = {export["service"]: export["accounts"] for export in exports}
    assert len(exports) == len(whose) == 14
    assert all(len(accounts) == 1 and accounts[0].removeprefix("live_") in name for name, accounts in whose.items())


def test_configuration_writes_to_disk_before_it_acknowledges() -> None:
    assert told(*nodes("XA"))["jetstream"]["sync_interval"] == "always"  # type: ignore[index]


def test_configuration_of_a_removed_member_does_not_name_it() -> None:
    text = servers.configuration(SERVER, nodes("XA", "XC"), administrator=KEYS["ADMIN"])

    assert KEYS["XA"] in text
    assert "XB" not in text.replace(KEYS["XA"], "").replace(KEYS["XC"], "").replace(KEYS["ADMIN"], "")


@pytest.mark.parametrize("listen", ["0.0.0.0:4222", "192.0.2.1:4222", "[::]:4222", "backbone.example:4222", ":4222"])
def test_configuration_for_other_machines_without_tls_is_refused(listen: str) -> None:
    server = servers.Server("one", listen, Path("/srv/backbone"), 1 << 30)

    with pytest.raises(servers.NotEncrypted):
        servers.configuration(server, nodes("XA"), administrator=KEYS["ADMIN"])


def test_configuration_of_a_cluster_demands_certificates_of_its_servers() -> None:
    tls = servers.Tls(Path("/c"), Path("/k"), Path("/ca"))
    server = servers.Server("one", "192.0.2.1:4222", Path("/srv/backbone"), 1 << 30, tls=tls)
    routes = [f"192.0.2.{number}:6222" for number in (1, 2, 3)]
    cluster = servers.Cluster("federation", routes[0], routes, PASSWORD)

    text = servers.configuration(server, nodes("XA"), administrator=KEYS["ADMIN"], cluster=cluster)

    assert text.count('"verify": true') == 1
    assert text.count('"handshake_first": true') == 1
    assert text.count("nats-route://server:") == 3


def test_configuration_with_a_member_as_administrator_is_refused() -> None:
    with pytest.raises(ValueError, match="administrator"):
        servers.configuration(SERVER, nodes("XA"), administrator=KEYS["XA"])


@pytest.mark.parametrize(
    "headers",
    [
        {"A": "b\r\nNats-Rollup: all"},
        {"A\r\nB": "c"},
        {"A": ""},
        {"A": " b"},
        {"A": "é"},
        {"": "b"},
        {"A:B": "c"},
        {"A": "b" * 5000},
    ],
)
def test_outbound_with_headers_that_say_more_than_they_seem_is_refused(headers: dict[str, str]) -> None:
    with pytest.raises(ValueError):
        Outbound("tansiq.v1.live.XA.urgent.XB", b"", "id.1", headers=headers)


def test_outbound_of_one_byte_too_many_is_refused() -> None:
    with pytest.raises(ValueError):
        Outbound("tansiq.v1.live.XA.urgent.XB", b"x" * (1024 * 1024 + 1), "id.1")


@given(st.text(), st.binary(max_size=9), st.dictionaries(st.text(), st.text()), st.text())
def test_received_of_anything_never_raises(subject: str, data: bytes, headers: dict[str, str], token: str) -> None:
    assert received(Lane.BULK, subject, data, headers, token).data == data


@pytest.mark.parametrize(
    "url",
    [
        "",
        "nats://192.0.2.1:4222",
        "nats://backbone.example",
        "http://127.0.0.1",
        "tls://",
        "tls://u:p@x:1",
        "tls://x:y",
    ],
)
def test_transport_url_that_is_none_or_in_the_clear_is_refused(url: str) -> None:
    with pytest.raises(BadBackbone) as refused:
        checked([url])

    assert "u:p" not in str(refused.value)


def test_transport_urls_over_tls_or_on_this_machine_are_taken() -> None:
    urls = ["tls://backbone.example:4222", "nats://127.0.0.1:4222", "nats://localhost:4222", "nats://[::1]:4222"]

    assert checked(urls) == urls
