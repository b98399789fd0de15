"""The entrance for ASGI servers."""

import os

from django.conf import settings
from django.core.asgi import get_asgi_application

from .environment import pooled

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "letterdesk.config.settings")
settings.DATABASES["default"] = pooled(settings.DATABASES["default"])  # docs/decisions/0005
application = get_asgi_application()
