"""A node that is its federation's backbone: what its message server reads, and bringing it to a new roster.

What speaks to the server is loaded when it is needed: every command loads this module.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from tansiq.cli import secrets
from tansiq.core.errors import N_, TansiqError
from tansiq.core.home import Home

if TYPE_CHECKING:
    from tansiq.exchange import administration
    from tansiq.exchange.jetstream import BackboneNode


class HubUnnamed(TansiqError):
    code = "backbone.hub.unnamed"
    message = N_("TANSIQ_BACKBONE_LISTEN is {listen}, for other machines, and TANSIQ_BACKBONE_URL is not set.")
    remedy = N_("Set it to the name that the certificate has, such as tls://backbone.example:4222.")
    exit_code = 2


def is_hub() -> bool:
    from tansiq import settings

    return bool(settings.BACKBONE_LISTEN)


def administers(home: Home) -> bool:
    """Whether the administrator's key is here: on the hub, or where the files for three servers were written."""
    return is_hub() or (home.secrets / "backbone.nkey").exists()


def urls() -> list[str]:
    """Where this node reaches its own server. Raises: HubUnnamed."""
    from tansiq import settings

    if settings.BACKBONE_URL:
        return [url.strip() for url in settings.BACKBONE_URL.split(",")]
    if settings.BACKBONE_CERTIFICATE:
        raise HubUnnamed(listen=settings.BACKBONE_LISTEN)
    return [f"nats://{settings.BACKBONE_LISTEN}"]


def configure(home: Home, name: str) -> Path:
    """Write what the server is to read. Raises: as ``text``."""
    home.backbone.mkdir(mode=secrets.PRIVATE_FOLDER, exist_ok=True)
    file = home.backbone / "server.conf"
    secrets.write(file, text(home, name))
    return file


def text(home: Home, name: str) -> str:
    """What the server is to read: the members of the roster here. Raises: servers.NotEncrypted, HubUnnamed."""
    from tansiq import settings
    from tansiq.exchange import nkey, servers

    urls()
    tls = None
    if settings.BACKBONE_CERTIFICATE:
        tls = servers.Tls(Path(settings.BACKBONE_CERTIFICATE).absolute(), Path(settings.BACKBONE_KEY).absolute())
    server = servers.Server(
        name,
        settings.BACKBONE_LISTEN,
        home.backbone,
        settings.BACKBONE_BYTES,
        log=home.backbone / "server.log",
        tls=tls,
    )
    return servers.configuration(server, members(), administrator=nkey.public(seed(home)))


def clustered(home: Home, name: str, *, store: Path, tls: Path, routes: Sequence[str], password: str) -> str:
    """What one of three servers on machines of their own is to read; it listens on all of its machine's addresses."""
    from tansiq import settings
    from tansiq.exchange import nkey, servers

    shown = servers.Tls(tls / "cert.pem", tls / "key.pem", tls / "ca.pem")
    server = servers.Server(name, "0.0.0.0:4222", store, settings.BACKBONE_BYTES, tls=shown)
    cluster = servers.Cluster("backbone", "0.0.0.0:6222", routes, password)
    return servers.configuration(server, members(), administrator=nkey.public(seed(home)), cluster=cluster)


def waiting(home: Home) -> list[administration.Filling]:
    """What waits where. Raises: BackboneAway, BackboneRefused."""
    from tansiq.exchange import administration

    return administration.fillings(urls(), seed(home), authority=authority())


def apply(home: Home, name: str) -> administration.Changes:
    """Bring the server that runs to the roster here: who may come, then the streams. To be done after each new roster.

    What can be done is done before it is said that a server did not follow.

    Raises: BackboneAway, BackboneRefused, BackboneOutdated.
    """
    from tansiq import settings
    from tansiq.exchange import administration, jetstream, servers

    if is_hub():
        configure(home, name)
    nodes = members()
    reloaded = administration.reload(urls(), seed(home), accounts=servers.names(nodes), authority=authority())
    if not nodes:
        reloaded.require()
        return administration.Changes()
    quotas = jetstream.Quotas.for_storage(settings.BACKBONE_BYTES, len(nodes))
    specs = jetstream.specs(nodes, replicas=3 if len(urls()) == 3 else 1, quotas=quotas)
    changes = administration.administer(urls(), seed(home), specs, authority=authority())
    reloaded.require()
    return changes


def answers(home: Home) -> bool:
    """Whether the server lets the administrator in."""
    from tansiq.exchange import administration

    try:
        administration.fillings(urls(), seed(home), authority=authority())
    except TansiqError:
        return False
    return True


def members() -> list[BackboneNode]:
    """Of the roster here; nobody before the first."""
    from tansiq.exchange import jetstream
    from tansiq.exchange.node import rosters

    roster = rosters.current()
    return jetstream.nodes_of(roster) if roster else []


def named() -> str:
    """What the server is called: the code of this node."""
    from tansiq.members.models import Node

    return str(Node.objects.values_list("code", flat=True).get())


def seed(home: Home) -> str:
    """The administrator's, drawn when it is first needed. It opens nothing but the message server."""
    from tansiq.exchange import nkey

    file = home.secrets / "backbone.nkey"
    if not file.exists():
        secrets.write(file, nkey.new_seed() + "\n")
    return file.read_text().strip()


def authority() -> Path | None:
    from tansiq import settings

    return Path(settings.BACKBONE_AUTHORITY) if settings.BACKBONE_AUTHORITY else None
