from django.apps import AppConfig


class IntakeConfig(AppConfig):
    name = "letterdesk.intake"
    default_auto_field = "django.db.models.BigAutoField"
