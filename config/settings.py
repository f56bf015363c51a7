"""Settings: one file, from the environment, with defaults that suit a laptop and are safe in an office."""

import os
import secrets
import sys
import tempfile
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from psycopg.conninfo import conninfo_to_dict

from weilu.lib.embedded_postgres import socket_folder

BASE_DIR = Path(__file__).resolve().parent.parent
TESTING = "pytest" in sys.modules


def env_bool(name: str, default: bool = False) -> bool:
    return os.environ.get(name, str(int(default))).lower() in {"1", "true", "yes", "on"}


def env_list(name: str, default: str) -> list[str]:
    return [item.strip() for item in os.environ.get(name, default).split(",") if item.strip()]


# Everything that must be kept lies in one folder; tests get one of their own, shared by their parallel workers.
if TESTING:
    DATA = Path(os.environ.setdefault("WEILU_TEST_DATA", tempfile.mkdtemp(prefix="weilu-test-")))
else:
    DATA = Path(os.environ.get("WEILU_DATA") or BASE_DIR / ".data").resolve()


def tile_origins(address: str) -> list[str]:
    """Return the origins that browsers may fetch tiles from: of ``https://{s}.tiles.example/…``, any ``{s}``."""
    found = urlsplit(address)
    return [f"{found.scheme}://{found.netloc.replace('{s}', '*')}"] if found.scheme in ("http", "https") else []


def secret(name: str) -> str:
    """Return a key from the environment, else from a file in the data folder, made on first use."""
    if value := os.environ.get(f"WEILU_{name.upper()}"):
        return value
    file = DATA / f"{name}.txt"
    DATA.mkdir(parents=True, exist_ok=True, mode=0o700)
    try:
        with open(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as handle:
            handle.write(secrets.token_urlsafe(48))
    except FileExistsError:
        pass
    return file.read_text()


SECRET_KEY = secret("secret_key")
# Encrypts ID numbers and telephone numbers; its loss loses them. `weilu backup` takes it along.
DATA_KEY = secret("data_key")

DEBUG = env_bool("WEILU_DEBUG")
HTTPS = env_bool("WEILU_HTTPS")
ALLOWED_HOSTS = env_list("WEILU_HOSTS", "localhost,127.0.0.1,[::1]")
CSRF_TRUSTED_ORIGINS = [f"https://{host}" for host in ALLOWED_HOSTS if host != "*"] if HTTPS else []
# How many reverse proxies of our own stand before us; their X-Forwarded-For is believed, nobody else's.
TRUSTED_PROXIES = int(os.environ.get("WEILU_TRUSTED_PROXIES", "0"))

INSTALLED_APPS = [
    "django.contrib.contenttypes",
    "django.contrib.auth",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "procrastinate.contrib.django",
    "axes",
    "csp",
    "weilu.orgs.apps.OrgsConfig",
    "weilu.records",
    "weilu.people",
    "weilu.matters.apps.MattersConfig",
    "weilu.venues",
    "weilu.indicators",
    "weilu.portal",
    "weilu.api",
    "weilu.accounts.apps.AccountsConfig",
    "allauth",  # it brings the translations of the others
    "allauth.account",
    "allauth.socialaccount",
    "allauth.socialaccount.providers.openid_connect",
    "allauth.mfa",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "weilu.lib.middleware.LanguageMiddleware",
    "weilu.lib.middleware.FormAddressMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "weilu.lib.middleware.TextMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "weilu.orgs.access.AccessMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "axes.middleware.AxesMiddleware",
]
ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "weilu" / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "weilu.records.context.page",
            ],
            "builtins": ["weilu.records.templatetags.weilu", "django.templatetags.i18n", "django.templatetags.static"],
        },
    }
]

# --- database -------------------------------------------------------------------------------------------------------
EMBEDDED = TESTING or not os.environ.get("DATABASE_URL")
# The owner of the tables migrates; the app connects as a role that may not change or delete events.
AS_OWNER = env_bool("WEILU_AS_OWNER")
APP_ROLE = "weilu_app"


def database() -> dict[str, Any]:
    """Return Django's settings for the one database, as the app or as the owner of the tables."""
    if EMBEDDED:
        user = "postgres" if TESTING else "weilu" if AS_OWNER else APP_ROLE
        found: dict[str, Any] = {"host": str(socket_folder(DATA)), "port": "5432", "user": user, "dbname": "weilu"}
    else:
        url = os.environ["DATABASE_URL"]
        found = dict(conninfo_to_dict(os.environ.get("DATABASE_OWNER_URL") or url if AS_OWNER else url))
    return {
        "ENGINE": "weilu.lib.postgres",
        "NAME": found.pop("dbname", "weilu"),
        "USER": found.pop("user", ""),
        "PASSWORD": found.pop("password", ""),
        "HOST": found.pop("host", ""),
        "PORT": str(found.pop("port", "") or ""),
        "CONN_MAX_AGE": None,
        "CONN_HEALTH_CHECKS": True,
        # Statements are planned once for a connection: planning costs more than most of our queries.
        "OPTIONS": {**found, "server_side_binding": True, "prepare_threshold": 3},
        "TEST": {"NAME": "test_weilu"},
    }


DATABASES = {"default": database()}
# Tables are divided among machines (`weilu distribute`): joins then name the jurisdiction, which says where rows lie.
SHARDED = env_bool("WEILU_SHARDED")
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# --- accounts -------------------------------------------------------------------------------------------------------
AUTH_USER_MODEL = "orgs.User"
SILENCED_SYSTEM_CHECKS = ["auth.W004"]  # account names are unique without regard to case, by a constraint
AUTHENTICATION_BACKENDS = ["axes.backends.AxesStandaloneBackend", "weilu.orgs.backends.AccountBackend"]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "login"
LOGIN_REDIRECT_URL = "workbench"
LOGOUT_REDIRECT_URL = "home"
AXES_FAILURE_LIMIT = 5
AXES_COOLOFF_TIME = 0.25  # hours
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_RESET_ON_SUCCESS = True
AXES_CLIENT_IP_CALLABLE = "weilu.lib.client.ip_address"
AXES_LOCKOUT_CALLABLE = "weilu.orgs.views.locked_out"
AXES_USERNAME_CALLABLE = "weilu.orgs.backends.account_name"
AXES_VERBOSE = False
SESSION_ENGINE = "weilu.accounts.sessions"
SESSION_COOKIE_AGE = 60 * 60 * 12
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = HTTPS
SESSION_COOKIE_HTTPONLY = CSRF_COOKIE_HTTPONLY = True
# The second factor, and log-in through an office's own identity provider, by django-allauth. Its own limits count in
# one process: ours, in the database, stand before them (weilu.accounts.second_factor, weilu.orgs.rate_limit).
ACCOUNT_ADAPTER = "weilu.accounts.adapters.AccountAdapter"
ACCOUNT_LOGIN_METHODS = {"username"}
ACCOUNT_SIGNUP_FIELDS = ["username*", "password1*"]
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_RATE_LIMITS = MFA_RATE_LIMITS = False
MFA_ADAPTER = "weilu.accounts.adapters.FactorAdapter"
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_TOTP_TOLERANCE = 1
MFA_RECOVERY_CODES_SHOW_ONCE = True
SOCIALACCOUNT_ADAPTER = "weilu.accounts.oidc.OfficeAdapter"
OIDC = {
    "name": os.environ.get("WEILU_OIDC_NAME", ""),
    "issuer": os.environ.get("WEILU_OIDC_ISSUER", ""),
    "client_id": os.environ.get("WEILU_OIDC_CLIENT_ID", ""),
    "secret": os.environ.get("WEILU_OIDC_SECRET", ""),
    # By which of the provider's claims an account is found the first time.
    "claim": os.environ.get("WEILU_OIDC_CLAIM", "preferred_username"),
}
CSRF_FAILURE_VIEW = "weilu.portal.errors.csrf_failure"

# --- language and time ----------------------------------------------------------------------------------------------
LANGUAGE_CODE = "zh-hans"
LANGUAGES = [("zh-hans", "中文"), ("en", "English")]
LOCALE_PATHS = [BASE_DIR / "weilu" / "locale"]
USE_I18N = USE_TZ = True
TIME_ZONE = "Asia/Shanghai"

# --- files ----------------------------------------------------------------------------------------------------------
STATIC_URL = "/static/"
STATIC_ROOT = BASE_DIR / "static"
STATICFILES_DIRS = [BASE_DIR / "weilu" / "static"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}
FILES = DATA / "files"
DATA_UPLOAD_MAX_MEMORY_SIZE = 2_500_000
DATA_UPLOAD_MAX_NUMBER_FIELDS = 1_000
FILE_UPLOAD_MAX_MEMORY_SIZE = 2_500_000
WHITENOISE_MAX_AGE = 60 * 60

# --- security -------------------------------------------------------------------------------------------------------
# Maps draw outlines of our own. A tile address, https://tiles.example/{z}/{x}/{y}.png, puts pictures below them.
TILES = os.environ.get("WEILU_TILES", "")
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'self'"],
        "img-src": ["'self'", "data:", *tile_origins(TILES)],
        "frame-ancestors": ["'none'"],
        "form-action": ["'self'"],
        "base-uri": ["'none'"],
        "object-src": ["'none'"],
    }
}
X_FRAME_OPTIONS = "DENY"
SECURE_REFERRER_POLICY = "same-origin"
if HTTPS:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    SECURE_HSTS_SECONDS = 31_536_000
# What one address may do without an account, each in a window of ten minutes; see weilu.orgs.rate_limit.
RATE_LIMITS = {
    "file": int(os.environ.get("WEILU_RATE_FILE", "60")),
    "follow": int(os.environ.get("WEILU_RATE_FOLLOW", "60")),
    "read": int(os.environ.get("WEILU_RATE_READ", "1200")),
    "api": int(os.environ.get("WEILU_RATE_API", "600")),  # of one account
    "print": int(os.environ.get("WEILU_RATE_PRINT", "30")),
}

# --- mail -----------------------------------------------------------------------------------------------------------
EMAIL_HOST = os.environ.get("WEILU_SMTP_HOST", "")
EMAIL_PORT = int(os.environ.get("WEILU_SMTP_PORT", "25"))
EMAIL_HOST_USER = os.environ.get("WEILU_SMTP_USER", "")
EMAIL_HOST_PASSWORD = os.environ.get("WEILU_SMTP_PASSWORD", "")
EMAIL_USE_TLS = env_bool("WEILU_SMTP_TLS")
EMAIL_TIMEOUT = 20
DEFAULT_FROM_EMAIL = os.environ.get("WEILU_MAIL_FROM", "weilu@localhost")
# Without a mail server, mail becomes files in the data folder, to be looked at.
EMAIL_BACKEND = f"django.core.mail.backends.{'smtp' if EMAIL_HOST else 'filebased'}.EmailBackend"
EMAIL_FILE_PATH = DATA / "mail"
# The address that residents reach us by; empty when nobody has set it, and then the one a clerk uses is taken.
PUBLIC_URL = os.environ.get("WEILU_SITE_URL", "").rstrip("/")
SITE_URL = os.environ.get("WEILU_SITE_URL", f"http://127.0.0.1:{os.environ.get('PORT', '8000')}")

# In each web process: how often each address has read, and figures for a minute. Django's own 300 entries would forget
# the counts as soon as a few hundred people read; ten thousand counts take about 2 MB.
CACHES = {
    "default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache", "OPTIONS": {"MAX_ENTRIES": 10_000}},
}
MESSAGE_STORAGE = "django.contrib.messages.storage.cookie.CookieStorage"

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"plain": {"format": "%(asctime)s %(levelname)s %(name)s: %(message)s"}},
    "filters": {"brief": {"()": "weilu.lib.logs.Brief"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "plain", "filters": ["brief"]}},
    "root": {"handlers": ["console"], "level": os.environ.get("WEILU_LOG_LEVEL", "WARNING")},
}
if TESTING:
    PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    STORAGES["staticfiles"] = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    WHITENOISE_USE_FINDERS = True
    STATIC_ROOT = DATA / "static"
    STATIC_ROOT.mkdir(parents=True, exist_ok=True)
    DATABASES["default"]["CONN_MAX_AGE"] = 0
