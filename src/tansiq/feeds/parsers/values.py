"""Single values of unknown kind (address, network, URL, host name), told apart in columns."""

from __future__ import annotations

import polars as pl

from tansiq.addresses.names import clean_hostnames
from tansiq.feeds.parsers.networks import NETWORK, canonical_networks

c = pl.col

IPV4_LIKE = r"^\d{1,3}(?:\.\d{1,3}){3}$"
IPV4_PORT = r"^(\d{1,3}(?:\.\d{1,3}){3}):(\d{1,5})$"
IPV6_LIKE = r"^[0-9A-Fa-f]*:[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*$"
IPV6_PORT = r"^\[([0-9A-Fa-f:.]+)\]:(\d{1,5})$"
URL_LIKE = r"^[A-Za-z][A-Za-z0-9+.-]*://[^\s/?#]*\w[^\s]*$"
NAME = r"(?:[\w-]+\.)+[^\W\d_][\w-]*\w"
NAME_LIKE = rf"^{NAME}\.?$"
NAME_PORT = rf"^({NAME}):(\d{{1,5}})$"
NAME_AND_PATH = rf"^{NAME}(?::\d{{1,5}})?/\S*$"
HOSTS_FILE = r"^(?:0\.0\.0\.0|127\.0\.0\.1|::1?)\s+(\S+\.\S+)$"
SET_ENTRY = r"^(?:ipset\s+)?(?:-?add|-A)\s+\S+\s+(\S+)$"


FOUND = ("port", "network", "url", "hostname", "reject")


def refanged(text: pl.Expr) -> pl.Expr:
    """Without the spellings that keep people from clicking: hxxp, [.], (.), [:]."""
    plain = text.str.replace_all(r"\[\.\]|\(\.\)|\[dot\]", ".").str.replace_all("[:]", ":", literal=True)
    return plain.str.replace(r"^(?i)hxxp(s?)(?:\[?:\]?//)", "http${1}://").str.replace(r"^(?i)fxp://", "ftp://")


def tell_apart(rows: pl.DataFrame, column: str = "value") -> pl.DataFrame:
    """Turn ``column`` into ``ip``, ``port``, ``network``, ``url`` or ``hostname``; ``reject`` where it is none of them.

    A network gives its first address. A text of four numbers with dots counts as an address even when a number is too
    large: it will be refused as an invalid address rather than as an unknown value. A host name with a path but no
    scheme is an http URL. Entries of hosts files and of ipset scripts give their name or address.
    """
    rows = rows.rename({name: f"{name}_given" for name in ("ip", *FOUND) if name in rows.columns and name != column})
    simple = rows[column].str.contains(IPV4_LIKE).fill_null(False)
    addresses = rows.filter(simple).rename({column: "ip"}).with_columns(pl.lit(None, pl.String).alias(n) for n in FOUND)
    if simple.all():
        return addresses
    others = told_apart(rows.filter(~simple), column)
    return pl.concat([addresses, others], how="diagonal").sort("line_number")


def told_apart(rows: pl.DataFrame, column: str) -> pl.DataFrame:
    """The same for values of every kind; the many plain IPv4 addresses are spared its regular expressions."""
    value = refanged(c(column).str.strip_chars())
    value = pl.coalesce(value.str.extract(HOSTS_FILE), value.str.extract(SET_ENTRY), value)
    rows = rows.with_columns(value.alias("value_"))
    text = c("value_")
    rows = rows.with_columns(canonical_networks(rows["value_"]).alias("network"))
    kinds = {
        "ip": pl.coalesce(
            c("network").str.extract(r"^([^/]+)/"),
            pl.when(text.str.contains(f"{IPV4_LIKE}|{IPV6_LIKE}")).then(text),
            text.str.extract(IPV4_PORT),
            text.str.extract(IPV6_PORT),
        ),
        "port": pl.coalesce(
            text.str.extract(IPV4_PORT, 2), text.str.extract(IPV6_PORT, 2), text.str.extract(NAME_PORT, 2)
        ),
        "url": pl.when(text.str.contains(URL_LIKE))
        .then(text)
        .when(text.str.contains(NAME_AND_PATH) & ~text.str.contains(NETWORK))
        .then("http://" + text),
        "hostname": pl.coalesce(pl.when(text.str.contains(NAME_LIKE)).then(text), text.str.extract(NAME_PORT)),
    }
    rows = rows.with_columns(**kinds)
    rows = rows.with_columns(clean_hostnames(rows["hostname"]).alias("hostname"))
    unknown = pl.all_horizontal(c("ip", "url", "hostname").is_null())
    return rows.with_columns(reject=pl.when(unknown).then(why_unknown(text))).drop("value_", column)


def why_unknown(text: pl.Expr) -> pl.Expr:
    """The reason why a value is refused, by what it resembles most."""
    return (
        pl.when(text.str.contains(NETWORK))
        .then(pl.lit("ip.invalid"))
        .when(text.str.contains("://", literal=True))
        .then(pl.lit("url.invalid"))
        .when(text.str.contains(NAME_LIKE))
        .then(pl.lit("host.invalid"))
        .otherwise(pl.lit("value.unknown"))
    )
