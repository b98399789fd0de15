from django.apps import AppConfig


class EventsConfig(AppConfig):
    name = "letterdesk.events"
    default_auto_field = "django.db.models.BigAutoField"
