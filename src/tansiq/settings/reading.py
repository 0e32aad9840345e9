"""Reading the environment: a value and what is allowed of it, or an error that says both."""

from __future__ import annotations

import os
from pathlib import Path
from urllib.parse import unquote, urlsplit

from tansiq.core.errors import N_, TansiqError
from tansiq.core.home import Home

POSTGRESQL = "postgresql://user:password@host:port/name"
LOOPBACK = ("localhost", "127.0.0.1", "::1")


class BadSetting(TansiqError):
    code = "settings.bad"
    message = N_("{name} is {value}, which is not {allowed}.")
    remedy = N_("Set {name} to {allowed}, or unset it.")
    exit_code = 2


class BadForm(BadSetting):
    """``example``: one of many values that it could have."""

    message = N_("{name} is {value}, which is not of a form such as {example}.")
    remedy = N_("Give {name} that form, or unset it.")


def text(name: str, default: str) -> str:
    """The variable, or the content of the file that NAME_FILE names (secrets)."""
    if file := os.environ.get(f"{name}_FILE"):
        return Path(file).read_text().strip()
    return os.environ.get(name) or default


def number(name: str, default: int, low: int, high: int) -> int:
    value = text(name, str(default))
    if not value.isdecimal() or not low <= int(value) <= high:
        raise BadSetting(name=name, value=value, allowed=f"{low}..{high}")
    return int(value)


def one_of(name: str, default: str, allowed: tuple[str, ...]) -> str:
    value = text(name, default)
    if value not in allowed:
        raise BadSetting(name=name, value=value, allowed=" | ".join(allowed))
    return value


def home() -> Home:
    named = text("TANSIQ_HOME", "~/.local/share/tansiq")
    try:
        path = Path(named).expanduser().absolute()
    except RuntimeError:  # a home folder of nobody, or of somebody who has none
        raise BadForm(name="TANSIQ_HOME", value=named, example="/srv/tansiq") from None
    lake = Path(text("TANSIQ_LAKE", str(path / "lake"))).absolute()
    database = text("TANSIQ_DATABASE_URL", "")
    beside = database if database.startswith("postgres") else str(path / "lake.catalogue.sqlite")
    catalogue = text("TANSIQ_LAKE_CATALOGUE", beside)
    return Home(path=path, lake=lake, lake_catalogue=catalogue)


def database(url: str, path: Path) -> dict[str, object]:
    """Django's DATABASES entry for a ``postgresql://user:password@host:port/name``, else for SQLite at ``path``."""
    if not url:
        return {
            "ENGINE": "django.db.backends.sqlite3",
            "NAME": path,
            "OPTIONS": {
                "transaction_mode": "IMMEDIATE",
                "timeout": 30,
                # What a recall deletes is overwritten in the file, whatever the library was built to do.
                "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA secure_delete=ON;",
            },
        }
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise no_url("TANSIQ_DATABASE_URL", url, POSTGRESQL) from None
    if parts.scheme not in ("postgresql", "postgres"):
        raise no_url("TANSIQ_DATABASE_URL", url, POSTGRESQL)
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": parts.path.lstrip("/"),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": parts.hostname or "",
        "PORT": str(port or ""),
    }


def no_url(name: str, value: str, example: str) -> BadForm:
    """Says no more than the scheme: the rest may hold a password."""
    scheme = value.partition(":")[0][:20]
    return BadForm(name=name, value=f"{scheme}:…", example=example)
