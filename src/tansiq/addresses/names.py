"""Host names, registered domains and URLs, a column at a time."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from tansiq.addresses.text import DOT, parse_addresses, patched

Places = NDArray[np.int64]

EXACT, WILD, EXCEPTION = 1, 2, 3


def clean_hostnames(text: pl.Series) -> pl.Series:
    """Bring host names to one form: lower case, A-labels, no dot at the end.

    A valid name has labels of 1-63 letters, digits, hyphens (not at a label's end) or underscores, at most 253 bytes
    (RFC 1123 section 2.1; underscores as the DNS has them, RFC 2181 section 11), and a last label that is no number:
    an address is not a name. Other alphabets become A-labels (RFC 3490), each distinct name once.

    Returns: n rows in the same order; null where there is no valid name.
    """
    lower = text.str.to_lowercase()
    lower = _where(lower, lower.str.len_bytes() != lower.str.len_chars(), _in_a_labels)
    name = lower.str.strip_suffix(".")
    size = name.str.len_bytes()
    wrong = name.str.contains(r"[^a-z0-9_.-]|^[.-]|[.-]$|\.[.-]|-\.|(?:^|\.)(?:[0-9]+|0x[0-9a-f]*)$")
    wrong |= (size == 0) | (size > 253)
    if (size > 63).any():
        wrong |= (size > 63) & name.str.contains(r"[^.]{64}")
    return name.to_frame("name").select(pl.when(~wrong).then("name")).to_series().rename(text.name)


def _in_a_labels(names: pl.Series) -> pl.Series:
    distinct = names.unique()
    written = pl.DataFrame({"name": distinct, "ascii": pl.Series(map(_a_labels, distinct), dtype=pl.String)})
    return names.to_frame("name").join(written, on="name", how="left", maintain_order="left")["ascii"]


def _a_labels(name: str) -> str | None:
    try:
        return name.encode("idna").decode().lower()
    except UnicodeError:
        return None


def registered_domains(hostnames: pl.Series) -> pl.Series:
    """The registered domain of each host: its public suffix and one label more.

    Matches by the public suffix list, ICANN and private sections alike, a suffix that is not listed being the last
    label (https://github.com/publicsuffix/list/wiki/Format). Agrees with ``publicsuffixlist.privatesuffix``.

    Args:
        hostnames: n rows as ``clean_hostnames`` gives them.

    Returns: n rows in the same order; null for nulls, for a bare public suffix and for a single label. 10^6 distinct
        names take about half a second; no Python object per row.
    """
    known = hostnames.drop_nulls()
    if known.is_empty():
        return pl.Series(hostnames.name, [None] * len(hostnames), dtype=pl.String)
    data = np.frombuffer((known.str.join("\n").item() + "\n").encode(), np.uint8)
    ends = np.cumsum(known.str.len_bytes().to_numpy().astype(np.int64) + 1) - 1
    cut = data == DOT
    cut[ends] = True
    cuts = np.flatnonzero(cut)
    last = np.searchsorted(cuts, ends)
    names = _Names(known.cast(pl.Binary), cuts, last)
    wanted = names.suffix_labels() + 1
    domains = names.tails(np.arange(len(known)), wanted).cast(pl.String)
    enough = pl.Series(names.labels >= wanted)
    domains = domains.to_frame("domain").select(pl.when(enough).then("domain")).to_series()
    if len(known) != len(hostnames):
        place = hostnames.is_not_null().cum_sum().cast(pl.Int64) - 1
        place = place.to_frame("place").select(pl.when(hostnames.is_not_null()).then("place")).to_series()
        domains = domains.gather(place)
    return domains.rename(hostnames.name)


class _Names:
    """A column of host names and where its labels are, for walking them from the right."""

    def __init__(self, names: pl.Series, cuts: Places, last: Places) -> None:
        self.names, self.cuts, self.last = names, cuts, last
        self.labels = np.diff(last, prepend=-1)

    def tails(self, rows: Places, labels: Places | int) -> pl.Series:
        """The last ``labels`` labels of the rows (the whole name where it has fewer)."""
        last = self.last[rows]
        before = last - np.minimum(labels, self.labels[rows])
        size = self.cuts[last] - np.where(before < 0, -1, self.cuts[before]) - 1
        some = self.names if len(rows) == len(self.names) else self.names.gather(rows)
        return pl.DataFrame({"name": some, "size": size}).select(pl.col("name").bin.tail(pl.col("size"))).to_series()

    def suffix_labels(self) -> Places:
        """Labels in the public suffix of every name: walk down the tree of rules while it goes on; the deepest wins."""
        found = np.ones(len(self.names), np.int64)
        rows, depth = np.arange(len(self.names)), 1
        while len(rows):
            tails = self.tails(rows, depth).to_frame("name")
            hit = tails.join(_rules(), on="name", how="left", maintain_order="left")
            verdict, more = hit["verdict"].fill_null(0).to_numpy(), hit["more"].fill_null(False).to_numpy()
            labels = self.labels[rows]
            length = np.where(
                verdict == EXCEPTION, depth - 1, np.where((verdict == WILD) & (labels > depth), depth + 1, depth)
            )
            found[rows[verdict > 0]] = length[verdict > 0]
            rows = rows[more & (labels > depth)]
            depth += 1
        return found


@cache
def _rules() -> pl.DataFrame:
    """The public suffix list as a tree: every node's name, what is said of it, and whether longer names follow."""
    from publicsuffixlist import PSLFILE

    verdict: dict[str, int] = {}
    with Path(PSLFILE).open(encoding="utf-8") as lines:
        for line in lines:
            rule = line.split(" ")[0].strip().lower()
            if rule and not rule.startswith("//"):
                kind = EXCEPTION if rule[0] == "!" else WILD if rule.startswith("*.") else EXACT
                name = rule.removeprefix("!").removeprefix("*.").encode("idna").decode()
                verdict[name] = max(kind, verdict.get(name, 0))
    inner = {name.split(".", depth)[-1] for name in verdict for depth in range(1, name.count(".") + 1)}
    names = sorted(verdict.keys() | inner)
    return pl.DataFrame(
        {
            "name": [name.encode() for name in names],
            "verdict": pl.Series([verdict.get(name, 0) for name in names], dtype=pl.Int8),
            "more": [name in inner for name in names],
        }
    )


DEFANGED = {"[.]": ".", "(.)": ".", "{.}": ".", "[dot]": ".", "(dot)": ".", "[:]": ":", "[://]": "://", "[/]": "/"}


def split_urls(urls: pl.Series) -> pl.DataFrame:
    """Take URLs apart as far as attribution needs.

    Tolerant of what reports hold: no scheme (``www.x.example/path``), ``hxxp``, defanged dots (``[.]``), user names,
    backslashes, ``[v6]`` with and without brackets.

    Returns: n rows in the same order, null where the URL says nothing of the kind: ``scheme`` (lower case), ``host``
        (a clean host name), ``address`` (canonical text, when the host is a literal IPv4 or IPv6 address), ``port``
        (UInt16, explicit ones only). 10^6 rows take about a second; no Python object per row.
    """
    url = _refanged(urls.rename("url").str.strip_chars())
    # Browsers take a backslash for a slash, and so do those who write such URLs.
    odd = url.str.contains("\\", literal=True)
    url = _where(url, odd, lambda some: some.str.replace(r"^([A-Za-z]+):[/\\]+", "$1://"))
    parts = pl.DataFrame({"url": url, "split": url.str.splitn("://", 2).struct.rename_fields(["scheme", "rest"])})
    parts = parts.unnest("split")
    has_scheme = pl.col("rest").is_not_null() & pl.col("scheme").str.contains(r"^[A-Za-z][A-Za-z0-9+.-]*$")
    parts = parts.select(
        scheme=pl.when(has_scheme).then(pl.col("scheme").str.to_lowercase().str.replace("^hxxp", "http")),
        rest=pl.when(has_scheme).then("rest").otherwise("url"),
    )
    authority = parts["rest"].str.extract(r"^[/\\]*([^/?#\\]*)")
    user = authority.str.contains("@", literal=True)
    authority = _where(authority, user, lambda some: some.str.extract("([^@]*)$"))
    host = _host_and_port(authority)
    address = parse_addresses(host["host"])["ip"]
    name = clean_hostnames(host["host"])
    return pl.DataFrame({"scheme": parts["scheme"], "host": name, "address": address, "port": host["port"]})


def _refanged(url: pl.Series) -> pl.Series:
    """Undo the brackets by which reports keep addresses from being followed."""
    return _where(
        url,
        url.str.contains(r"[\[({](?:[./]|:|://|[dD][oO][tT])[\])}]"),
        lambda some: some.str.replace_many(list(DEFANGED), list(DEFANGED.values()), ascii_case_insensitive=True),
    )


def _host_and_port(authority: pl.Series) -> pl.DataFrame:
    """``host``, ``[v6]`` or bare v6, with the port apart where there is one."""
    colon = authority.str.contains(":", literal=True).fill_null(False)
    frame = pl.DataFrame({"host": authority, "port": pl.Series([None] * len(authority), dtype=pl.String)})
    rows = np.flatnonzero(colon.to_numpy())
    if len(rows):
        pattern = r"^(?:\[([^\]]*)\](?::([^:]*))?|([^:\[]*):([^:]*)|(.*))$"
        taken = authority.gather(rows).str.extract_groups(pattern).struct.unnest()
        host, port = taken.select(host=pl.coalesce("1", "3", "5"), port=pl.coalesce("2", "4"))
        frame = pl.DataFrame([patched(frame["host"], rows, host), patched(frame["port"], rows, port)])
    digits = pl.col("port").str.contains("^[0-9]{1,5}$")
    return frame.select("host", port=pl.when(digits).then("port").cast(pl.UInt16, strict=False))


def _where(column: pl.Series, mask: pl.Series, change: Callable[[pl.Series], pl.Series]) -> pl.Series:
    """Change the rows under the mask; the others, as a rule nearly all, are not looked at."""
    rows = np.flatnonzero(mask.fill_null(False).to_numpy())
    if not len(rows):
        return column
    return patched(column, rows, change(column.gather(rows)))
