from django.apps import AppConfig

from .attached import Attached, attach


class MailboxesConfig(AppConfig):
    name = "letterdesk.mailboxes"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        attach(Attached("mailboxes_muted", once_for="employee_id"))
