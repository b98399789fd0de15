from django.apps import AppConfig


class CrmConfig(AppConfig):
    name = "letterdesk.crm"
    default_auto_field = "django.db.models.BigAutoField"
