"""Settings: from the environment only, each read once, with its allowed values said when it is wrong."""

from __future__ import annotations

import os
import secrets
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import unquote, urlsplit

from tansiq.core.errors import N_, TansiqError
from tansiq.core.home import Home
from tansiq.core.language import LOCALES
from tansiq.exchange.account import ADDRESS as MAIL_ADDRESS
from tansiq.exchange.account import Account
from tansiq.exchange.account import Encryption as Fetching
from tansiq.notices.submission import Encryption, Server
from tansiq.web.signin import proxies
from tansiq.web.signin.provider_setting import BadProvider, Provider


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
                # What a recall deletes is overwritten in the file, whatever the library was built to do.
                "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA secure_delete=ON;",
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


def bind() -> str:
    """The address of this machine that the portal listens at."""
    value = text("TANSIQ_BIND", "127.0.0.1")
    try:
        return str(ip_address(value))
    except ValueError:
        raise BadSetting(name="TANSIQ_BIND", value=value, allowed="127.0.0.1, 0.0.0.0, ::1, ::") from None


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


def one_of(name: str, default: str, allowed: tuple[str, ...]) -> str:
    value = text(name, default)
    if value not in allowed:
        raise BadSetting(name=name, value=value, allowed=" | ".join(allowed))
    return value


def networks(name: str) -> tuple[proxies.Network, ...]:
    """Networks, separated by commas: the proxies whose X-Forwarded-For is believed."""
    value = text(name, "")
    try:
        return proxies.read(value)
    except ValueError:
        raise BadSetting(name=name, value=value, allowed="10.0.0.0/8, 2001:db8::1") from None


def provider(**said: str) -> Provider | None:
    """The identity provider, or None where no issuer is named."""
    try:
        return Provider.read(**said)
    except BadProvider as error:
        raise BadSetting(**error.values) from None


def smtp() -> Server | None:
    """Where mails are handed in: ``smtp://user:password@host:port`` with STARTTLS, or ``smtps://…``; None: nowhere."""
    value = text("TANSIQ_SMTP_URL", "")
    if not value:
        return None
    try:
        parts = urlsplit(value)
        host, port = parts.hostname, parts.port
    except ValueError:
        raise no_smtp(value) from None
    if parts.scheme not in ("smtp", "smtps") or not host or parts.path.strip("/"):
        raise no_smtp(value)
    if parts.scheme == "smtps":
        encryption = Encryption.FROM_THE_START
    else:
        encryption = Encryption.NONE if host in LOOPBACK else Encryption.STARTTLS
    usual = 465 if parts.scheme == "smtps" else 587  # RFC 8314
    return Server(host, port or usual, encryption, unquote(parts.username or ""), unquote(parts.password or ""))


def no_smtp(value: str) -> BadSetting:
    """Says no more than the scheme: the rest may hold a password."""
    scheme = value.partition(":")[0][:20]
    return BadSetting(
        name="TANSIQ_SMTP_URL", value=f"{scheme}:…", allowed="smtp://user:password@host:587, smtps://user:password@host"
    )


def mail_from() -> str:
    value = text("TANSIQ_MAIL_FROM", f"tansiq@{HOST}")
    if value.count("@") != 1 or not value.isascii() or any(sign.isspace() or sign in "<>" for sign in value):
        raise BadSetting(name="TANSIQ_MAIL_FROM", value=value, allowed="tansiq@cert.example")
    return value


def exchange_mail() -> str:
    """The address that other nodes send the exchange's mails to; empty: none."""
    value = text("TANSIQ_EXCHANGE_MAIL", "")
    if value and not MAIL_ADDRESS.fullmatch(value):
        raise BadSetting(name="TANSIQ_EXCHANGE_MAIL", value=value, allowed="exchange@cert.example")
    return value


def imap() -> Account | None:
    """Where mails of the exchange are fetched: ``imaps://user:password@host:port/FOLDER``, or ``imap://…`` (STARTTLS).

    None: nowhere. A URL without a user means the one who is called as TANSIQ_EXCHANGE_MAIL.
    """
    value = text("TANSIQ_EXCHANGE_IMAP_URL", "")
    if not value:
        return None
    try:
        parts = urlsplit(value)
        host, port = parts.hostname, parts.port
    except ValueError:
        raise no_imap(value) from None
    user, password, folder = map(unquote, (parts.username or "", parts.password or "", parts.path.removeprefix("/")))
    if parts.scheme not in ("imap", "imaps") or not host or not f"{user}{password}{folder}".isprintable():
        raise no_imap(value)
    if parts.scheme == "imaps":
        encryption = Fetching.FROM_THE_START
    else:
        encryption = Fetching.NONE if host in LOOPBACK else Fetching.STARTTLS
    usual = 993 if parts.scheme == "imaps" else 143  # RFC 8314
    return Account(host, port or usual, encryption, user or exchange_mail(), password, folder or "INBOX", imap_done())


def imap_done() -> str:
    """The folder to which mails are moved whose content was stored; empty: they are deleted."""
    value = text("TANSIQ_EXCHANGE_IMAP_DONE", "")
    if not value.isprintable():
        raise BadSetting(name="TANSIQ_EXCHANGE_IMAP_DONE", value=repr(value), allowed="Done")
    return value


def no_imap(value: str) -> BadSetting:
    """Says no more than the scheme: the rest may hold a password."""
    scheme = value.partition(":")[0][:20]
    return BadSetting(
        name="TANSIQ_EXCHANGE_IMAP_URL",
        value=f"{scheme}:…",
        allowed="imaps://user:password@host/INBOX, imap://user:password@host:143/INBOX",
    )


LOOPBACK = ("localhost", "127.0.0.1", "::1")
BIND = bind()
PORT = number("TANSIQ_PORT", 8420, 1, 65535)
WEB_THREADS = number("TANSIQ_WEB_THREADS", 4, 1, 64)
BACKBONE_URL = text("TANSIQ_BACKBONE_URL", "")  # of a federation's message server; without one, up starts its own
BACKBONE_AUTHORITY = text(
    "TANSIQ_BACKBONE_AUTHORITY", ""
)  # who signed its certificate, if not the system's authorities
BACKBONE_LISTEN = text("TANSIQ_BACKBONE_LISTEN", "")  # this node is its federation's backbone, here: address:port
BACKBONE_CERTIFICATE = text("TANSIQ_BACKBONE_CERTIFICATE", "")
BACKBONE_KEY = text("TANSIQ_BACKBONE_KEY", "")
BACKBONE_BYTES = number("TANSIQ_BACKBONE_BYTES", 20 << 30, 1 << 30, 1 << 50)  # of disk
NATS_SERVER = text("TANSIQ_NATS_SERVER", "")  # a file in place of the bundled one
ADDRESS = address()
HOST = urlsplit(ADDRESS).hostname or "localhost"
ENCRYPTED = ADDRESS.startswith("https://")
SMTP = smtp()
EXCHANGE_MAIL = exchange_mail()
EXCHANGE_IMAP = imap()
MAIL_FROM = DEFAULT_FROM_EMAIL = SERVER_EMAIL = mail_from()
EMAIL_BACKEND = "tansiq.notices.mail_backend.QueueBackend"

# What Django wants, by its own names.
DATABASES = {"default": database(text("TANSIQ_DATABASE_URL", ""), home().database)}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
INSTALLED_APPS = [
    "tansiq.web",  # first: its templates go before those of the others
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
    "tansiq.sharing",
    "tansiq.exchange",
    "tansiq.feeds",
    "tansiq.notices",
    "tansiq.web.signin",
]
WITHOUT_PAGES = [  # what a process needs that only works on the tables of the desks
    "django.contrib.contenttypes",
    "django.contrib.auth",
    "tansiq.audit",
    "tansiq.members",
    "tansiq.sharing",
    "tansiq.exchange",
    "tansiq.feeds",
    "tansiq.notices",
]
MIDDLEWARE = [
    "tansiq.web.headers.headers",  # outermost: what is refused or sent elsewhere on the way in has them, too
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.middleware.gzip.GZipMiddleware",  # random padding against guessing secrets by length (BREACH)
    "tansiq.web.front_door.without_nul",
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
    "tansiq.web.signin.gate.gate",
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
            "builtins": [
                "tansiq.web.templatetags.tansiq",
                "tansiq.web.templatetags.directory",
                "django.templatetags.i18n",
                "django.templatetags.static",
            ],
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
FILE_UPLOAD_HANDLERS = [
    "tansiq.web.desk.uploads.Bounded",
    "django.core.files.uploadhandler.MemoryFileUploadHandler",
    "django.core.files.uploadhandler.TemporaryFileUploadHandler",
]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]  # argon2id, RFC 9106
STATIC_URL = "/static/"
STATIC_ROOT = home().static if home().static.is_dir() else None  # what `tansiq up` collected
WHITENOISE_USE_FINDERS = True  # straight from the package: no step of collecting at installation
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "tansiq.web.statics.Collected"},
}
# Signing in: django-allauth by its own names, and what we put in its place (src/tansiq/web/signin).
SECOND_FACTOR_REQUIRED = one_of("TANSIQ_SECOND_FACTOR", "required", ("required", "optional")) == "required"
PROXIES = networks("TANSIQ_PROXIES")
OIDC = provider(
    issuer=text("TANSIQ_OIDC_ISSUER", ""),
    client_id=text("TANSIQ_OIDC_CLIENT_ID", ""),
    secret=text("TANSIQ_OIDC_SECRET", ""),
    name=text("TANSIQ_OIDC_NAME", ""),
    team=text("TANSIQ_OIDC_TEAM", ""),
    groups=text("TANSIQ_OIDC_GROUPS", ""),
    factors=text("TANSIQ_OIDC_FACTORS", ""),
)
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {
        "NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator",
        "OPTIONS": {"user_attributes": ("email", "name")},
    },
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]
PASSWORD_RESET_TIMEOUT = 3600
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "/"
ACCOUNT_ADAPTER = "tansiq.web.signin.adapter.AccountAdapter"
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_USER_MODEL_EMAIL_FIELD = "email"
ACCOUNT_EMAIL_VERIFICATION = "none"  # an invitation reached the mailbox, which verifies it
ACCOUNT_EMAIL_UNKNOWN_ACCOUNTS = False
ACCOUNT_EMAIL_NOTIFICATIONS = True
ACCOUNT_EMAIL_SUBJECT_PREFIX = ""
ACCOUNT_RATE_LIMITS = False  # by login name, which locks people out: src/tansiq/web/signin/limits.py instead
ACCOUNT_REAUTHENTICATION_REQUIRED = True
ACCOUNT_REAUTHENTICATION_TIMEOUT = 300
ACCOUNT_SESSION_REMEMBER = False
ACCOUNT_LOGOUT_REDIRECT_URL = "account_login"
ACCOUNT_DEFAULT_HTTP_PROTOCOL = "https" if ENCRYPTED else "http"
ACCOUNT_FORMS = {"login": "tansiq.web.signin.forms.LoginForm"}
MFA_ADAPTER = "tansiq.web.signin.adapter.FactorAdapter"
MFA_SUPPORTED_TYPES = ["webauthn", "totp", "recovery_codes"]
MFA_TOTP_ISSUER = "Tansiq"
MFA_TOTP_TOLERANCE = 1
MFA_RATE_LIMITS = False
MFA_RECOVERY_CODES_SHOW_ONCE = True
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_WEBAUTHN_USER_VERIFICATION = "required"
MFA_FORMS = {
    "authenticate": "tansiq.web.signin.forms.AuthenticateForm",
    "reauthenticate": "tansiq.web.signin.forms.ReauthenticateForm",
    "activate_totp": "tansiq.web.signin.forms.ActivateTOTPForm",
    "add_webauthn": "tansiq.web.signin.forms.AddPasskeyForm",
}
SOCIALACCOUNT_ADAPTER = "tansiq.web.signin.provider.ProviderAdapter"
SOCIALACCOUNT_STORE_TOKENS = False
SOCIALACCOUNT_LOGIN_ON_GET = True  # a form may not lead to another host (Content-Security-Policy); `state` guards it
SOCIALACCOUNT_PROVIDERS = {"openid_connect": {"OAUTH_PKCE_ENABLED": True, "APPS": [OIDC.app] if OIDC else []}}

LANGUAGE_CODE = "en"
LANGUAGES = [("ar", "العربية"), ("en", "English"), ("fr", "Français")]
LOCALE_PATHS = [LOCALES]
USE_I18N = True
USE_TZ = True
TIME_ZONE = "UTC"
LOGGING_CONFIG = None
