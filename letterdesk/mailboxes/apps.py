from django.apps import AppConfig


class MailboxesConfig(AppConfig):
    name = "letterdesk.mailboxes"
    default_auto_field = "django.db.models.BigAutoField"
