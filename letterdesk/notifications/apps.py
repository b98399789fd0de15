from django.apps import AppConfig

from letterdesk.mailboxes.attached import Attached, attach


class NotificationsConfig(AppConfig):
    name = "letterdesk.notifications"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        attach(Attached("notifications_notification"))
