"""Words of many feeds for what happened, and the RSIT type each means."""

from __future__ import annotations

from functools import cache

import polars as pl

from tansiq.core.rsit import CLASS_OF_TYPE
from tansiq.feeds.parsers.shadowserver_reports import types_of_tags

c = pl.col

WORDS = {
    # IntelMQ's harmonisation before its version 3, and what others write.
    "backdoor": "system-compromise",
    "blacklist": "other",
    "blocklist": "other",
    "bot": "infected-system",
    "botnet": "infected-system",
    "botnet drone": "infected-system",
    "bruteforce": "brute-force",
    "c2": "c2-server",
    "c&c": "c2-server",
    "c2server": "c2-server",
    "command and control": "c2-server",
    "compromised": "system-compromise",
    "compromised server": "system-compromise",
    "copyright infringement": "copyright",
    "darknet": "scanner",
    "ddos attack": "ddos",
    "defacement": "unauthorised-information-modification",
    "dga domain": "c2-server",
    "dga-domain": "c2-server",
    "exploit url": "exploit",
    "ids alert": "ids-alert",
    "infected system": "infected-system",
    "leak": "data-leak",
    "malware": "malware-distribution",
    "malware configuration": "malware-configuration",
    "malware distribution": "malware-distribution",
    "malware url": "malware-distribution",
    "malware-url": "malware-distribution",
    "phishing url": "phishing",
    "port scan": "scanner",
    "proxy": "potentially-unwanted-accessible",
    "ransomware": "infected-system",
    "scanning": "scanner",
    "sinkhole": "infected-system",
    "spam infrastructure": "spam",
    "tor": "other",
    "unauthorized-command": "system-compromise",
    "unauthorized-login": "unprivileged-account-compromise",
    "unauthorized-information-access": "unauthorised-information-access",
    "unauthorized-information-modification": "unauthorised-information-modification",
    "unauthorized-use-of-resources": "unauthorised-use-of-resources",
    "unknown": "undetermined",
    "violation": "other",
    "vulnerable client": "vulnerable-system",
    "vulnerable service": "vulnerable-system",
    "weak crypto": "weak-crypto",
}


@cache
def vocabulary() -> dict[str, str]:
    return types_of_tags() | WORDS | {name: name for name in CLASS_OF_TYPE}


def types_of_words(words: pl.Series) -> pl.Series:
    """RSIT type of each word or phrase; null where none is known. Worked out once a distinct value."""
    distinct = words.unique().drop_nulls().to_list()
    known = vocabulary()
    return words.replace_strict(
        distinct, [known.get(word.strip().lower()) for word in distinct], default=None, return_dtype=pl.String
    )
