"""Settings: from the environment only, each read once, with its allowed values said when it is wrong."""

from __future__ import annotations

import secrets
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import urlsplit

from tansiq.core.language import LOCALES
from tansiq.settings import backbone
from tansiq.settings.mail import exchange_mail, imap, mail_from, smtp
from tansiq.settings.reading import LOOPBACK, BadForm, BadSetting, database, home, number, one_of, text
from tansiq.web.signin import proxies
from tansiq.web.signin.provider_setting import BadProvider, Provider

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
        raise BadForm(name="TANSIQ_ADDRESS", value=value, example="https://portal.example")
    if parts.scheme == "http" and parts.hostname not in LOOPBACK:
        raise BadForm(name="TANSIQ_ADDRESS", value=value, example="https://portal.example")
    return value


HOME = home()


def networks(name: str) -> tuple[proxies.Network, ...]:
    """Networks, separated by commas: the proxies whose X-Forwarded-For is believed."""
    value = text(name, "")
    try:
        return proxies.read(value)
    except ValueError:
        raise BadForm(name=name, value=value, example="10.0.0.0/8, 2001:db8::1") from None


def provider(**said: str) -> Provider | None:
    """The identity provider, or None where no issuer is named."""
    try:
        return Provider.read(**said)
    except BadProvider as error:
        raise BadSetting(**error.values) from None


BIND = bind()
PORT = number("TANSIQ_PORT", 8420, 1, 65535)
WEB_THREADS = number("TANSIQ_WEB_THREADS", 4, 1, 64)
BACKBONE_URL = backbone.url()
BACKBONE_AUTHORITY = backbone.authority()
BACKBONE_LISTEN = backbone.listen()
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
MAIL_FROM = DEFAULT_FROM_EMAIL = SERVER_EMAIL = mail_from(HOST)
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
