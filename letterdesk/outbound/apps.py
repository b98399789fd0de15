from django.apps import AppConfig


class OutboundConfig(AppConfig):
    name = "letterdesk.outbound"
    default_auto_field = "django.db.models.BigAutoField"
