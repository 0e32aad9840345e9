"""The reports of the sample: one function a kind, from hosts and a day to the columns that its publisher uses."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime

import numpy as np
import polars as pl

c = pl.col

TAG = "sample"
MALWARE = ("mirai", "mozi", "qakbot", "lokibot", "formbook", "andromeda", "vo1d", "sality")
SERVICES = ("ssh", "telnet", "rdp", "ftp", "mysql")
PORTS = (22, 23, 3389, 21, 3306)


@dataclass(frozen=True, slots=True)
class Draw:
    """What the rows of one report are made from: randomness, the day, and a host a row (``ip``, ``asn``, ``geo``)."""

    rng: np.random.Generator
    day: date
    hosts: pl.DataFrame

    @property
    def rows(self) -> int:
        return self.hosts.height

    def times(self, form: str = "%Y-%m-%d %H:%M:%S") -> pl.Series:
        """Ascending moments of the day, as a scan or a sinkhole writes them."""
        seconds = np.sort(self.rng.integers(0, 86_400, self.rows))
        midnight = datetime.combine(self.day, datetime.min.time())
        return (
            pl.select(pl.lit(midnight) + pl.Series(seconds * 1_000_000).cast(pl.Duration("us")))
            .to_series()
            .dt.strftime(form)
        )

    def some(self, values: Sequence[object], weights: Sequence[float] = ()) -> pl.Series:
        p = np.array(weights) / sum(weights) if weights else None
        return pl.Series(values)[self.rng.choice(len(values), self.rows, p=p)]

    def numbers(self, low: int, high: int) -> pl.Series:
        return pl.Series(self.rng.integers(low, high, self.rows))

    def all(self, value: object, kind: pl.DataType | None = None) -> pl.Series:
        return pl.Series([value], dtype=kind).new_from_index(0, self.rows)

    def names(self) -> pl.Series:
        """A host name below the documentation domain for about two thirds of the hosts."""
        dashed = c("ip").str.replace_all(r"[.:]+", "-")
        name = pl.format("host-{}.{}.sample.example", dashed, c("geo").str.to_lowercase())
        return self.hosts.select(pl.when(pl.Series(self.rng.random(self.rows) < 0.65)).then(name)).to_series()


def scan(draw: Draw, *, severity: str, protocol: str, port: int, **more: object) -> pl.DataFrame:
    """The columns that all scan reports share, then ``more``."""
    hosts = draw.hosts
    return pl.DataFrame(
        {
            "timestamp": draw.times(),
            "severity": draw.all(severity),
            "ip": hosts["ip"],
            "protocol": draw.all(protocol),
            "port": draw.all(port),
            "hostname": draw.names(),
            "tag": draw.all(TAG),
            "asn": hosts["asn"],
            "geo": hosts["geo"],
            **more,
        }
    )


def scan_telnet(draw: Draw) -> pl.DataFrame:
    banner = draw.some(["login:", "|MikroTik v6.49|Login:", 'Welcome, "user"|Password:', "BusyBox v1.30, login:"])
    return scan(draw, severity="medium", protocol="tcp", port=23, banner=banner)


def scan_ntp(draw: Draw) -> pl.DataFrame:
    size = draw.numbers(200, 4000)
    return scan(
        draw,
        severity="medium",
        protocol="udp",
        port=123,
        version=draw.numbers(3, 5),
        system=draw.some(["UNIX", "Linux/5.10", ""]),
        response_size=size,
        amplification=(size / 12).round(2),
    )


def event(draw: Draw, *, severity: str, family: pl.Series, dst_port: pl.Series, **more: object) -> pl.DataFrame:
    """The columns that all event reports share: a host of ours talked to a sensor (documentation addresses)."""
    hosts = draw.hosts
    sensor = pl.select(pl.format("198.51.100.{}", draw.numbers(1, 20))).to_series()
    return pl.DataFrame(
        {
            "timestamp": draw.times(),
            "protocol": draw.all("tcp"),
            "src_ip": hosts["ip"],
            "src_port": draw.numbers(1024, 1200),
            "src_asn": hosts["asn"],
            "src_geo": hosts["geo"],
            "src_hostname": draw.names(),
            "severity": draw.all(severity),
            "dst_ip": sensor,
            "dst_port": dst_port,
            "public_source": draw.all(TAG),
            "infection": family,
            "family": family,
            "tag": draw.all(TAG),
            **more,
        }
    )


def sinkhole_http(draw: Draw) -> pl.DataFrame:
    family = draw.some(MALWARE, [30, 18, 12, 11, 10, 9, 6, 4])
    url = draw.some(["/gate.php", "/index.php?id=1,2", "/a/b", "/locator.php"])
    return event(
        draw, severity="critical", family=family, dst_port=draw.some([80, 8080]), http_url=url,
        http_agent=draw.some(["Mozilla/4.0 (compatible, \"MSIE\")", "curl/7.88", ""]),
    )  # fmt: skip


def sinkhole(draw: Draw) -> pl.DataFrame:
    return event(draw, severity="critical", family=draw.some(MALWARE[:3]), dst_port=draw.some([443, 8443]))


def brute_force(draw: Draw) -> pl.DataFrame:
    place = draw.rng.choice(len(SERVICES), draw.rows, p=[0.5, 0.25, 0.12, 0.08, 0.05])
    service = pl.Series(SERVICES)[place]
    return event(
        draw, severity="high", family=draw.all(None, pl.String()),
        dst_port=pl.Series(PORTS)[place], service=service, username=draw.some(["root", "admin", "oracle", "user"]),
        password=draw.some(["1234", 'a"b', "admin,1", ""]),
    )  # fmt: skip


def malware_url(draw: Draw) -> pl.DataFrame:
    path = draw.some(["/bin.sh", "/i", "/Mozi.m", "/arm7", "/update.exe"])
    port = draw.numbers(30_000, 30_050)
    return pl.DataFrame(
        {
            "timestamp": draw.times(),
            "url": pl.select(pl.format("http://{}:{}{}", draw.hosts["ip"], port, path)).to_series(),
            "ip": draw.hosts["ip"],
            "asn": draw.hosts["asn"],
            "geo": draw.hosts["geo"],
            "severity": draw.all("critical"),
            "tag": draw.all(TAG),
            "application": draw.all("http"),
        }
    )


def blocklist(draw: Draw) -> pl.DataFrame:
    return pl.DataFrame(
        {
            "timestamp": draw.times(),
            "ip": draw.hosts["ip"],
            "hostname": draw.names(),
            "source": draw.some(["List one", "List two"]),
            "reason": draw.some(["Malicious host", "Spam source"]),
            "asn": draw.hosts["asn"],
            "geo": draw.hosts["geo"],
            "tag": draw.all(TAG),
        }
    )


def as_csv(rows: pl.DataFrame) -> list[str]:
    """The header and the rows, quoted as Shadowserver does: text always, numbers never."""
    return rows.write_csv(quote_style="non_numeric").splitlines()


def as_list(draw: Draw) -> list[str]:
    """A plain list: a comment, then an address a line, some with a note."""
    note = draw.some(["", f" # {TAG}"])
    return [f"# {TAG}: addresses seen attacking", *pl.select(pl.concat_str(draw.hosts["ip"], note)).to_series()]


def as_intelmq(draw: Draw) -> list[str]:
    """IntelMQ's JSON lines: phishing pages."""
    page = draw.some(["/login", "/secure/update", "/webmail/"])
    host = draw.hosts.select(pl.format("www-{}.sample.example", c("ip").str.replace_all(r"[.:]+", "-"))).to_series()
    rows = pl.DataFrame(
        {
            "time.source": draw.times("%Y-%m-%dT%H:%M:%S+00:00"),
            "feed.name": draw.all(TAG),
            "classification.taxonomy": draw.all("fraud"),
            "classification.type": draw.all("phishing"),
            "classification.identifier": draw.all(TAG),
            "source.ip": draw.hosts["ip"],
            "source.asn": draw.hosts["asn"],
            "source.url": pl.select(pl.format("https://{}{}", host, page)).to_series(),
            "event_description.severity": draw.all("high"),
        }
    )
    return rows.write_ndjson().splitlines()


@dataclass(frozen=True, slots=True)
class Kind:
    """A report of the sample: its file's name after the date, its part of all lines, how it is written.

    Attributes:
        daily: one file a day of the week; else one file, of the last day.
        version: which hosts it is about.
    """

    name: str
    share: float
    write: Callable[[Draw], list[str]]
    daily: bool = True
    version: int = 4


def csv_of(columns: Callable[[Draw], pl.DataFrame]) -> Callable[[Draw], list[str]]:
    return lambda draw: as_csv(columns(draw))


KINDS = (
    Kind("event4_sinkhole_http-sample.csv", 0.27, csv_of(sinkhole_http)),
    Kind("scan_telnet-sample.csv", 0.23, csv_of(scan_telnet)),
    Kind("event4_honeypot_brute_force-sample.csv", 0.15, csv_of(brute_force)),
    Kind("scan_ntp-sample.csv", 0.10, csv_of(scan_ntp)),
    Kind("malware_url-sample.csv", 0.06, csv_of(malware_url)),
    Kind("blocklist-sample.csv", 0.05, csv_of(blocklist)),
    Kind("event6_sinkhole-sample.csv", 0.05, csv_of(sinkhole), version=6),
    Kind("phishing-sample.jsonl", 0.05, as_intelmq, daily=False),
    Kind("attackers-sample.txt", 0.04, as_list, daily=False),
)
