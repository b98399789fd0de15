from django.apps import AppConfig

from letterdesk.accounts.history import told_by


class EventsConfig(AppConfig):
    name = "letterdesk.events"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from .record import record  # noqa: PLC0415  models can be imported only from now on

        told_by(record)
