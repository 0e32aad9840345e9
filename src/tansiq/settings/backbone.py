"""The message servers: where a federation's are, who signed their certificates, where this node's own listens."""

from __future__ import annotations

from tansiq.exchange.server_address import ALLOWED, is_listened_at, is_server
from tansiq.settings.reading import BadSetting, text


def url() -> str:
    """Of a federation's message servers, separated by commas; empty: `tansiq up` starts its own.

    What is refused is shown without what comes before an @: it may be a secret.
    """
    value = text("TANSIQ_BACKBONE_URL", "")
    for one in value.split(",") if value else ():
        if not is_server(one.strip()):
            shown = one.strip().rpartition("@")[2] or "''"
            raise BadSetting(name="TANSIQ_BACKBONE_URL", value=shown, allowed=ALLOWED)
    return value


def authority() -> str:
    """File of the certificates that signed the servers'; empty: those that the system trusts."""
    value = text("TANSIQ_BACKBONE_AUTHORITY", "")
    if value:
        import ssl  # which most commands do without

        try:
            ssl.create_default_context(cafile=value)
        except OSError:  # it is not there, may not be read, or holds no certificate
            raise BadSetting(
                name="TANSIQ_BACKBONE_AUTHORITY", value=value, allowed="/etc/ssl/authority.pem (PEM)"
            ) from None
    return value


def listen() -> str:
    """Where the server of this node, its federation's backbone, listens; empty: it is none."""
    value = text("TANSIQ_BACKBONE_LISTEN", "")
    if value and not is_listened_at(value):
        raise BadSetting(name="TANSIQ_BACKBONE_LISTEN", value=value, allowed="0.0.0.0:4222, [::]:4222")
    return value
