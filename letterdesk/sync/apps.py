from django.apps import AppConfig


class SyncConfig(AppConfig):
    name = "letterdesk.sync"
    default_auto_field = "django.db.models.BigAutoField"
