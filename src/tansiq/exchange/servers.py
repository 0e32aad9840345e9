"""The text of the message servers' configuration: who may do what, by exact names. Section 16, "JetStream".

**Each node has an account of its own; the streams are in another.** Permissions on subjects alone would not do: a
server checks where a client publishes and not where it wants the answer, which the server itself then publishes. A
member that may only ask for its own next message, with the answer to go to ``$JS.API.STREAM.PURGE.<another's>``, would
empty another's stream; with the answer to go to another's subject it would write there under another's name. Across
accounts an answer comes back into the account that asked, where nothing else is.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from typing import Any

from tansiq.core.errors import N_, TansiqError
from tansiq.exchange import nkey
from tansiq.exchange.body import Lane
from tansiq.exchange.jetstream import (
    MESSAGE_LIMIT_BYTES,
    PREFIX,
    BackboneNode,
    ack_prefix,
    inbox,
    next_subject,
    ordered,
    subject,
)

BACKBONE, SYSTEM = "BACKBONE", "SYSTEM"
SERVERS = ("$SYS.REQ.SERVER.PING", "$SYS.REQ.SERVER.*.RELOAD", "$SYS.REQ.SERVER.*.ACCOUNTZ")
"""What the administrator may ask the servers themselves: who is there, to read their configuration anew, and which
accounts they have by it."""
CONNECTIONS = 8
"""Of one node at once: its service, a command, and what of the one before has not been noticed to be gone."""
SUBSCRIPTIONS = 64


class NotEncrypted(TansiqError):
    code = "exchange.backbone.not_encrypted"
    message = N_("The message server is to listen at {listen}, for other machines, without encryption.")
    remedy = N_("Name a certificate and its key, or let it listen at 127.0.0.1.")
    exit_code = 2


@dataclass(frozen=True, slots=True)
class Tls:
    """What a server shows. ``authority``: who signed the other servers' certificates; for servers among each other."""

    certificate: Path
    key: Path
    authority: Path | None = None


@dataclass(frozen=True, slots=True)
class Server:
    """One machine's part. ``listen`` and others are ``address:port``."""

    name: str
    listen: str
    store: Path
    storage_bytes: int
    log: Path | None = None
    tls: Tls | None = None


@dataclass(frozen=True, slots=True)
class Cluster:
    """Three servers that hold everything three times.

    Attributes:
        listen: where this server's others reach it.
        routes: the same of all three, this one too.
        password: one for all three, at least 32 characters of base64url; makes nobody a client.
    """

    name: str
    listen: str
    routes: Sequence[str]
    password: str


def configuration(
    server: Server, nodes: Iterable[BackboneNode], *, administrator: str, cluster: Cluster | None = None
) -> str:
    """The whole text for one server. Servers of a cluster get the same nodes.

    Whoever is not among ``nodes`` has neither key nor account from the next reading on, and its connection is ended
    by that. A server has to read it **twice** where nodes are new: an account that came by a reading is
    connected to the streams by the next (nats-server 2.15.1); ``administration.reload`` does so.

    Args:
        administrator: public NKey of who alone may create and delete streams, and look at their sizes.

    Raises: NotEncrypted. ValueError: a node or key twice, or a key that is none.
    """
    members = ordered(nodes)
    if not nkey.is_public(administrator) or administrator in {node.nkey_public for node in members}:
        raise ValueError("the administrator's key is no user's, or a node's")
    for listen in [server.listen] + ([cluster.listen] if cluster else []):
        if server.tls is None and not _on_loopback(listen):
            raise NotEncrypted(listen=listen)
    said: dict[str, Any] = {
        "server_name": server.name,
        "listen": server.listen,
        "max_payload": MESSAGE_LIMIT_BYTES,
        "max_control_line": 4096,
        "jetstream": {
            "store_dir": str(server.store),
            "max_memory_store": 64 << 20,
            "max_file_store": server.storage_bytes,
            "sync_interval": "always",
        },
        "system_account": SYSTEM,
        "accounts": _accounts(members, administrator),
    }
    if server.log is not None:
        said |= {"log_file": str(server.log), "logfile_size_limit": 10 << 20, "logfile_max_num": 2}
    if server.tls is not None:
        said["tls"] = {**_files(server.tls), "handshake_first": True}
    if cluster is not None:
        said["cluster"] = _cluster(cluster, server.tls)
    return "".join(f"{name}: {_text(value)}\n" for name, value in said.items())


def _accounts(members: Sequence[BackboneNode], administrator: str) -> dict[str, Any]:
    """The streams' account, one for each node, and the servers' own."""
    return {
        SYSTEM: {
            "exports": [{"service": name, "response_type": "stream", "accounts": [BACKBONE]} for name in SERVERS],
        },
        BACKBONE: {
            "jetstream": "enabled",
            "users": [{"nkey": administrator}],
            "imports": [_import(SYSTEM, name) for name in SERVERS],
            "exports": [export for node in members for export in _exports(node)],
        },
    } | {account(node): _member(node, members) for node in members}


def account(node: BackboneNode) -> str:
    """Name of the account that a member has to itself."""
    return f"{node.realm}_{node.code}"


def names(nodes: Iterable[BackboneNode]) -> set[str]:
    """Of all accounts that a server has by the configuration for these."""
    return {SYSTEM, BACKBONE} | {account(node) for node in nodes}


def _exports(node: BackboneNode) -> list[dict[str, Any]]:
    own = {"accounts": [account(node)]}
    lanes = list(Lane)
    return [
        {"service": _all_of(node), **own},
        *({"service": next_subject(node.realm, node.code, lane), "response_type": "stream", **own} for lane in lanes),
        *({"service": ack_prefix(node.realm, node.code, lane) + ">", **own} for lane in lanes),
    ]


def _member(node: BackboneNode, members: Sequence[BackboneNode]) -> dict[str, Any]:
    """One node: publish as itself to members, fetch and acknowledge its own, hear answers. Nothing else."""
    fetching = [next_subject(node.realm, node.code, lane) for lane in Lane]
    acknowledging = [ack_prefix(node.realm, node.code, lane) + ">" for lane in Lane]
    others = [other.code for other in members if other.realm == node.realm and other.code != node.code]
    publishing = [subject(node.realm, to, lane, node.code) for to in others for lane in Lane]
    return {
        "users": [
            {
                "nkey": node.nkey_public,
                "permissions": {
                    "publish": {"allow": [*fetching, *acknowledging, *publishing]},
                    "subscribe": {"allow": [inbox(node.realm, node.code) + ".>"]},
                },
            }
        ],
        "imports": [_import(BACKBONE, name) for name in [_all_of(node), *fetching, *acknowledging]],
        "limits": {"max_connections": CONNECTIONS, "max_subscriptions": SUBSCRIPTIONS},
    }


def _all_of(node: BackboneNode) -> str:
    """What the node publishes, to whomever: that it is to a member the permissions say."""
    return f"{PREFIX}.{node.realm}.*.*.{node.code}"


def _import(exporter: str, name: str) -> dict[str, Any]:
    return {"service": {"account": exporter, "subject": name}}


def _cluster(cluster: Cluster, tls: Tls | None) -> dict[str, Any]:
    if len(cluster.password) < 32:
        raise ValueError("the cluster's password is too short")
    said: dict[str, Any] = {
        "name": cluster.name,
        "listen": cluster.listen,
        "authorization": {"user": "server", "password": cluster.password},
        "routes": [f"nats-route://server:{cluster.password}@{route}" for route in cluster.routes],
        "no_advertise": True,
    }
    if tls is not None:
        authority = {"ca_file": str(tls.authority)} if tls.authority else {}
        said["tls"] = {**_files(tls), **authority, "verify": True}
    return said


def _files(tls: Tls) -> dict[str, str]:
    return {"cert_file": str(tls.certificate), "key_file": str(tls.key), "min_version": "1.3"}


def _on_loopback(listen: str) -> bool:
    host = listen.rpartition(":")[0].strip("[]")
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _text(value: Any, depth: int = 0) -> str:
    """As the servers read it: JSON, one short thing a line so that two versions can be compared by eye."""
    inner = "  " * (depth + 1)
    if isinstance(value, dict):
        lines = [f"{inner}{json.dumps(name)}: {_text(part, depth + 1)}" for name, part in value.items()]
        return "{\n" + ",\n".join(lines) + "\n" + "  " * depth + "}"
    if isinstance(value, list) and len(value) > 1:
        return "[\n" + ",\n".join(inner + _text(part, depth + 1) for part in value) + "\n" + "  " * depth + "]"
    if isinstance(value, list):
        return "[" + ", ".join(_text(part, depth) for part in value) + "]"
    return json.dumps(value, ensure_ascii=False)
