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
DOORS = "letterdesk.config.doors.DOORS"  # who takes letters that come in by SMTP
WANTED = "letterdesk.config.wanted.WANTED"  # who says whether a letter that waits is still to leave
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.InMemoryStorage"},
    "blobs": env.blobs(env.text("BLOBS_URL", f"file://{DATA_DIR}/blobs")),
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}

# The address under which people reach Letterdesk: links are built from it alone, never from a Host header (C28).
BASE_URL = env.text("LETTERDESK_URL", "http://127.0.0.1:8000").rstrip("/")
DEBUG = env.flag("LETTERDESK_DEBUG")
ALLOWED_HOSTS = [*env.words("LETTERDESK_HOSTS", "127.0.0.1,localhost,[::1]"), env.host(BASE_URL)]
CSRF_TRUSTED_ORIGINS = [BASE_URL]
IS_HTTPS = BASE_URL.startswith("https://")

# Plans: which catalogue file, and how `unspecified` is read (rules.md).
CATALOGUE = env.text("LETTERDESK_CATALOGUE", "self-hosted")
UNSPECIFIED = env.text("LETTERDESK_UNSPECIFIED")
# Days of 24 hours between the end of Webmail and the purge of what it held (R12).
PURGE_GRACE_DAYS = env.number("LETTERDESK_PURGE_GRACE_DAYS", 0)

# Networks that mail servers may lie in although they are private: "127.0.0.0/8,10.1.0.0/16" (D01).
ALLOWED_NETWORKS = env.words("LETTERDESK_ALLOWED_NETWORKS")
# Providers at which Letterdesk is registered, so that mailboxes sign in there by OAuth 2.0; by key.
OAUTH_PROVIDERS = env.oauth_providers()
# The same for the servers of images in letters: apart, because whoever writes a letter chooses those addresses.
IMAGE_NETWORKS = env.words("LETTERDESK_IMAGE_NETWORKS")
# The same for push services, whose addresses browsers name; public ones need nothing.
PUSH_NETWORKS = env.words("LETTERDESK_PUSH_NETWORKS")
# What pushes are signed with: browsers subscribe to the key that is made of it, and to no other.
VAPID_SECRET = env.kept_secret("LETTERDESK_VAPID_SECRET", DATA_DIR / "vapid.secret")
# Connections that one process keeps open to one mail server at the most.
HOST_CONNECTIONS = int(env.text("LETTERDESK_HOST_CONNECTIONS", "1000"))

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "django_htmx",
    "letterdesk.web",  # before allauth: its templates are drawn by ours
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.usersessions",
    "letterdesk.accounts",
    "letterdesk.events",
    "letterdesk.plans",
    "letterdesk.mailboxes",
    "letterdesk.intake",
    "letterdesk.sync",
    "letterdesk.outbound",
    "letterdesk.team",
    "letterdesk.crm",
    "letterdesk.tasks",
    "letterdesk.notifications",
    "letterdesk.tenancy",
]

MIDDLEWARE = [
    "letterdesk.web.request.room_for_frames",
    "letterdesk.web.request.without_nul",
    "letterdesk.web.security.strict_headers",
    "django.middleware.security.SecurityMiddleware",
    "letterdesk.web.statics.StaticFiles",
    "django.middleware.gzip.GZipMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.auth.middleware.LoginRequiredMiddleware",
    "letterdesk.web.request.local_employee",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "letterdesk.web.account.company.ClosedCompany",
    "letterdesk.web.account.plans.RefusedByPlan",
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
                "letterdesk.web.context.appearance",
                "letterdesk.web.context.crm_asked",
                "letterdesk.web.account.plan_notice.plan_notice",
                "letterdesk.web.account.notice.account_notice",
                "letterdesk.web.me.notifications.unseen",
            ],
        },
    }
]

AUTH_USER_MODEL = "accounts.Employee"
AUTHENTICATION_BACKENDS = ["letterdesk.web.backend.EmployeeBackend"]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "home"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
]

# Sign-in: by address and password, second factors, passkeys. People come by invitation alone.
ACCOUNT_ADAPTER = "letterdesk.accounts.adapter.AccountAdapter"
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_EMAIL_VERIFICATION = "none"  # an address is bound by its invitation
ACCOUNT_EMAIL_UNKNOWN_ACCOUNTS = False
ACCOUNT_EMAIL_NOTIFICATIONS = True  # password changed, second factor added or removed
ACCOUNT_EMAIL_SUBJECT_PREFIX = ""
ACCOUNT_LOGOUT_REDIRECT_URL = "account_login"
ACCOUNT_REAUTHENTICATION_REQUIRED = True
ACCOUNT_RATE_LIMITS = {"login": "30/m/ip", "login_failed": "20/m/ip,5/5m/key", "reset_password": "10/m/ip,3/m/key"}
MFA_ADAPTER = "letterdesk.accounts.adapter.SecondFactorAdapter"
MFA_SUPPORTED_TYPES = ["totp", "recovery_codes", "webauthn"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = not IS_HTTPS  # browsers allow it on localhost alone
MFA_TOTP_ISSUER = "Letterdesk"
MFA_RECOVERY_CODES_SHOW_ONCE = True
ALLAUTH_TRUSTED_PROXY_COUNT = env.number("LETTERDESK_PROXIES", 0)

# Counters of sign-in attempts, shared by all processes. Not in Redis: clearing a cache there flushes the jobs as well.
CACHES = {"default": {"BACKEND": "django.core.cache.backends.db.DatabaseCache", "LOCATION": "cache"}}

# Letterdesk's own mails (invitations, passwords): console:// prints them, none:// drops them, smtp://… sends them.
MAILER = env.mailer(env.text("EMAIL_URL", "console://"))
EMAIL_BACKEND, EMAIL_HOST, EMAIL_PORT = MAILER.backend, MAILER.host, MAILER.port
EMAIL_HOST_USER, EMAIL_HOST_PASSWORD = MAILER.user, MAILER.password
EMAIL_USE_TLS, EMAIL_USE_SSL, EMAIL_TIMEOUT = MAILER.starttls, MAILER.tls, 20
DEFAULT_FROM_EMAIL = SERVER_EMAIL = env.text("EMAIL_FROM", f"Letterdesk <letterdesk@{env.host(BASE_URL)}>")

INBOUND = env.inbound()  # letters that come in by SMTP (R30)

SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = IS_HTTPS
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SECURE_HSTS_SECONDS = 31_536_000 if IS_HTTPS else 0
X_FRAME_OPTIONS = "DENY"
if ALLAUTH_TRUSTED_PROXY_COUNT:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
SILENCED_SYSTEM_CHECKS = [
    "security.W008",  # TLS ends at the proxy, which redirects; we would send a proxy that says nothing in circles
    "security.W005",  # what the company's other host names do is not ours to promise (HSTS for subdomains, preload)
    "security.W021",
]
CSRF_FAILURE_VIEW = "letterdesk.web.errors.forbidden"

LANGUAGE_CODE = "en"
LOCALE_PATHS = [PACKAGE / "locale"]
LANGUAGES = env.languages(LOCALE_PATHS[0])  # English, and each that has been translated (`make messages`)
USE_TZ = True
TIME_ZONE = "UTC"
STATIC_URL = "/static/"
WHITENOISE_USE_FINDERS = True
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# What goes wrong is told on standard error, where the supervisor collects it; never the content of a letter.
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "{asctime} {levelname} {name}: {message}", "style": "{"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["stderr"], "level": "WARNING"},
}
