from django.apps import AppConfig

from letterdesk.mailboxes.attached import Attached, attach


class TeamConfig(AppConfig):
    name = "letterdesk.team"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        attach(
            Attached("team_comment"),
            Attached("team_presence", once_for="employee_id"),
            Attached("team_follower", once_for="employee_id"),
            Attached("team_share", once_for="employee_id", ends_at_merge=True),  # it was shared without the others
            Attached("team_opening", once_for="employee_id, hour"),
        )
