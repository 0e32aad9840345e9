"""Settings: from the environment only, each read once, with its allowed values said when it is wrong."""

from __future__ import annotations

import os
import secrets
from pathlib import Path
from urllib.parse import unquote, urlsplit

from tansiq.core.errors import N_, TansiqError
from tansiq.core.home import Home
from tansiq.core.language import LOCALES


class BadSetting(TansiqError):
    code = "settings.bad"
    message = N_("{name} is {value}, which is not {allowed}.")
    remedy = N_("Set {name} to {allowed}, or unset it.")
    exit_code = 2


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


def home() -> Home:
    named = text("TANSIQ_HOME", "~/.local/share/tansiq")
    try:
        path = Path(named).expanduser().absolute()
    except RuntimeError:  # a home folder of nobody, or of somebody who has none
        raise BadSetting(name="TANSIQ_HOME", value=named, allowed="/srv/tansiq") from None
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
                "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;",
            },
        }
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise no_postgresql(url) from None
    if parts.scheme not in ("postgresql", "postgres"):
        raise no_postgresql(url)
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": parts.path.lstrip("/"),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": parts.hostname or "",
        "PORT": str(port or ""),
    }


def no_postgresql(url: str) -> BadSetting:
    """Says no more than the scheme: the rest may hold a password."""
    scheme = url.partition(":")[0][:20]
    return BadSetting(
        name="TANSIQ_DATABASE_URL", value=f"{scheme}:…", allowed="postgresql://user:password@host:port/name"
    )


# How much of a report is worked on at once: memory grows with it, speed hardly does beyond the default.
BLOCK_BYTES = number("TANSIQ_BLOCK_BYTES", 16 << 20, 1 << 10, 1 << 30)


def secret_key(path: Path) -> str:
    """TANSIQ_SECRET_KEY, else the key that set-up drew into the node's folder; until then one of this process only."""
    if named := text("TANSIQ_SECRET_KEY", ""):
        return named
    drawn = path / "secrets" / "session.key"
    return drawn.read_text().strip() if drawn.exists() else secrets.token_urlsafe(48)


def address() -> str:
    """Where people reach the portal, as they type it: scheme, host, port if it is not the scheme's own."""
    value = text("TANSIQ_ADDRESS", f"http://localhost:{PORT}").rstrip("/")
    parts = urlsplit(value)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.path:
        raise BadSetting(name="TANSIQ_ADDRESS", value=value, allowed="https://portal.example")
    if parts.scheme == "http" and parts.hostname not in LOOPBACK:
        raise BadSetting(name="TANSIQ_ADDRESS", value=value, allowed="https://portal.example")
    return value


HOME = home()
LOOPBACK = ("localhost", "127.0.0.1", "::1")
PORT = number("TANSIQ_PORT", 8420, 1, 65535)
ADDRESS = address()
HOST = urlsplit(ADDRESS).hostname or "localhost"
ENCRYPTED = ADDRESS.startswith("https://")

# What Django wants, by its own names.
DATABASES = {"default": database(text("TANSIQ_DATABASE_URL", ""), home().database)}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
INSTALLED_APPS = [
    "django.contrib.contenttypes",
    "django.contrib.auth",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.forms",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.socialaccount",
    "allauth.socialaccount.providers.openid_connect",
    "allauth.usersessions",
    "tansiq.audit",
    "tansiq.members",
    "tansiq.feeds",
    "tansiq.web",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "allauth.usersessions.middleware.UserSessionsMiddleware",
    "tansiq.web.front_door.viewer",
    "tansiq.web.front_door.language",
    "tansiq.web.headers.headers",
]
ROOT_URLCONF = "tansiq.web.urls"
WSGI_APPLICATION = "tansiq.web.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.messages.context_processors.messages",
                "tansiq.web.front_door.page",
            ],
            "builtins": ["tansiq.web.templatetags.tansiq", "django.templatetags.i18n", "django.templatetags.static"],
        },
    }
]
FORM_RENDERER = "django.forms.renderers.TemplatesSetting"
CSRF_FAILURE_VIEW = "tansiq.web.errors.forged"
AUTH_USER_MODEL = "members.Person"
SECRET_KEY = secret_key(home().path)
ALLOWED_HOSTS = [HOST, *LOOPBACK] if HOST in LOOPBACK else [HOST]
CSRF_TRUSTED_ORIGINS = [ADDRESS]
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = ENCRYPTED
SESSION_COOKIE_NAME = "__Host-session" if ENCRYPTED else "session"
CSRF_COOKIE_NAME = "__Host-csrf" if ENCRYPTED else "csrf"
CSRF_COOKIE_HTTPONLY = True
SESSION_COOKIE_AGE = 12 * 3600  # a shift
SECURE_HSTS_SECONDS = 365 * 24 * 3600 if ENCRYPTED else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = ENCRYPTED
SECURE_SSL_REDIRECT = ENCRYPTED
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if ENCRYPTED else None
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]  # argon2id, RFC 9106
STATIC_URL = "/static/"
STATIC_ROOT = home().path / "static"
WHITENOISE_USE_FINDERS = True  # straight from the package: no step of collecting at installation
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
LANGUAGE_CODE = "en"
LANGUAGES = [("ar", "العربية"), ("en", "English"), ("fr", "Français")]
LOCALE_PATHS = [LOCALES]
USE_I18N = True
USE_TZ = True
TIME_ZONE = "UTC"
LOGGING_CONFIG = None
