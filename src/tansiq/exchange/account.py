"""Where a node's mails of the exchange are fetched, and what its address looks like."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from enum import Enum

ADDRESS = re.compile(r"[!#-'*+\-/-9=?A-Z^-~.]{1,64}@[A-Za-z0-9.-]{1,253}")
"""A plain address in ASCII (RFC 5321), without quotes."""


class Encryption(Enum):
    FROM_THE_START = "imaps"
    STARTTLS = "starttls"
    NONE = "none"  # to this machine itself only


@dataclass(frozen=True, slots=True)
class Account:
    """Where mails are fetched.

    Attributes:
        folder: as people see its name, in whatever script.
        done_folder: where mails are moved whose content was stored; empty: they are deleted.
    """

    host: str
    port: int
    encryption: Encryption
    user: str
    password: str = field(repr=False)
    folder: str = "INBOX"
    done_folder: str = ""
