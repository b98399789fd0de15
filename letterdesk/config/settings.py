"""Django's settings, from the environment alone. Every setting is explained in docs/settings.md."""

from pathlib import Path

from . import environment as env

PACKAGE = Path(__file__).resolve().parent.parent
DATA_DIR = env.data_dir()

SECRET_KEY = env.kept_secret("LETTERDESK_SECRET_KEY", DATA_DIR / "secret.key")
ENCRYPTION_KEYS = env.kept_secret("LETTERDESK_ENCRYPTION_KEYS", DATA_DIR / "encryption.keys").split(",")

DATABASES = {"default": env.database(env.text("DATABASE_URL", f"sqlite:///{DATA_DIR}/letterdesk.sqlite3"))}
JOBS_URL = env.text("JOBS_URL", f"sqlite:///{DATA_DIR}/jobs.sqlite3")
REACTIONS = "letterdesk.config.reactions.REACTIONS"  # who reacts to which event
SCHEDULE = "letterdesk.config.schedule.SCHEDULE"  # what is woken when
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.InMemoryStorage"},
    "blobs": env.blobs(env.text("BLOBS_URL", f"file://{DATA_DIR}/blobs")),
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}

# The address under which people reach Letterdesk: links are built from it alone, never from a Host header (C28).
BASE_URL = env.text("LETTERDESK_URL", "http://127.0.0.1:8000").rstrip("/")
DEBUG = env.flag("LETTERDESK_DEBUG")
ALLOWED_HOSTS = env.words("LETTERDESK_HOSTS", "127.0.0.1,localhost,[::1],testserver")
CSRF_TRUSTED_ORIGINS = [BASE_URL]
IS_HTTPS = BASE_URL.startswith("https://")

# Plans: which catalogue file, and how `unspecified` is read (rules.md).
CATALOGUE = env.text("LETTERDESK_CATALOGUE", "self-hosted")
UNSPECIFIED = env.text("LETTERDESK_UNSPECIFIED")

# Networks that mail servers may lie in although they are private: "127.0.0.0/8,10.1.0.0/16" (D01).
ALLOWED_NETWORKS = env.words("LETTERDESK_ALLOWED_NETWORKS")
# Connections that one process keeps open to one mail server at the most.
HOST_CONNECTIONS = int(env.text("LETTERDESK_HOST_CONNECTIONS", "1000"))

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django_htmx",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "letterdesk.accounts",
    "letterdesk.events",
    "letterdesk.plans",
    "letterdesk.mailboxes",
    "letterdesk.sync",
    "letterdesk.web",
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
    "django_htmx.middleware.HtmxMiddleware",
    "allauth.account.middleware.AccountMiddleware",
]

ROOT_URLCONF = "letterdesk.config.urls"
ASGI_APPLICATION = "letterdesk.config.asgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    }
]

AUTH_USER_MODEL = "accounts.Employee"
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
]

SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = IS_HTTPS
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SECURE_HSTS_SECONDS = 31_536_000 if IS_HTTPS else 0
X_FRAME_OPTIONS = "DENY"

LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English")]
USE_TZ = True
TIME_ZONE = "UTC"
STATIC_URL = "/static/"
STATIC_ROOT = DATA_DIR / "static"
WHITENOISE_USE_FINDERS = True
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
