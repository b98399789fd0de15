from django.apps import AppConfig


class TasksConfig(AppConfig):
    name = "letterdesk.tasks"
    default_auto_field = "django.db.models.BigAutoField"
