"""A node that is its federation's backbone: what its message server reads, and bringing it to a new roster."""

from __future__ import annotations

from pathlib import Path

from tansiq.cli import secrets
from tansiq.core.errors import N_, TansiqError
from tansiq.core.home import Home
from tansiq.exchange import administration, jetstream, nkey, servers
from tansiq.exchange.jetstream import BackboneNode, Quotas


class HubUnnamed(TansiqError):
    code = "backbone.hub.unnamed"
    message = N_("TANSIQ_BACKBONE_LISTEN is {listen}, for other machines, and TANSIQ_BACKBONE_URL is not set.")
    remedy = N_("Set it to the name that the certificate has, such as tls://backbone.example:4222.")
    exit_code = 2


def is_hub() -> bool:
    from tansiq import settings

    return bool(settings.BACKBONE_LISTEN)


def urls() -> list[str]:
    """Where this node reaches its own server. Raises: HubUnnamed."""
    from tansiq import settings

    if settings.BACKBONE_URL:
        return [url.strip() for url in settings.BACKBONE_URL.split(",")]
    if settings.BACKBONE_CERTIFICATE:
        raise HubUnnamed(listen=settings.BACKBONE_LISTEN)
    return [f"nats://{settings.BACKBONE_LISTEN}"]


def configure(home: Home, name: str) -> Path:
    """Write what the server is to read: the members of the roster here. Raises: servers.NotEncrypted, HubUnnamed."""
    from tansiq import settings

    urls()
    home.backbone.mkdir(mode=secrets.PRIVATE_FOLDER, exist_ok=True)
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
    file = home.backbone / "server.conf"
    secrets.write(file, servers.configuration(server, members(), administrator=nkey.public(seed(home))))
    return file


def apply(home: Home, name: str) -> administration.Changes:
    """Bring the server that runs to the roster here: who may come, then the streams. To be done after each new roster.

    Raises: BackboneAway, BackboneRefused.
    """
    from tansiq import settings

    configure(home, name)
    administration.reload(urls(), seed(home), authority=authority())
    nodes = members()
    if not nodes:
        return administration.Changes()
    quotas = Quotas.for_storage(settings.BACKBONE_BYTES, len(nodes))
    specs = jetstream.specs(nodes, replicas=1, quotas=quotas)
    return administration.administer(urls(), seed(home), specs, authority=authority())


def answers(home: Home) -> bool:
    """Whether the server lets the administrator in."""
    try:
        administration.fillings(urls(), seed(home), authority=authority())
    except TansiqError:
        return False
    return True


def members() -> list[BackboneNode]:
    """Of the roster here; nobody before the first."""
    from tansiq.exchange.node import rosters

    roster = rosters.current()
    return jetstream.nodes_of(roster) if roster else []


def seed(home: Home) -> str:
    """The administrator's, drawn when it is first needed. It opens nothing but the message server."""
    file = home.secrets / "backbone.nkey"
    if not file.exists():
        secrets.write(file, nkey.new_seed() + "\n")
    return file.read_text().strip()


def authority() -> Path | None:
    from tansiq import settings

    return Path(settings.BACKBONE_AUTHORITY) if settings.BACKBONE_AUTHORITY else None
