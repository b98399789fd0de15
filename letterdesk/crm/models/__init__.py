"""The tables of CRM: records, what was written to and by them, and what is saved by itself."""

from .activities import Activity, ActivityKey, Binding, Direction, LetterCopy, Reason, Thread, Unlinked
from .records import EmailAddress, Kind, Phone, Pipeline, Record, Source, Stage
from .settings import Exclusion, MailboxSaving, Scope, Sight, Unknown

__all__ = [
    "Activity",
    "ActivityKey",
    "Binding",
    "Direction",
    "EmailAddress",
    "Exclusion",
    "Kind",
    "LetterCopy",
    "MailboxSaving",
    "Phone",
    "Pipeline",
    "Reason",
    "Record",
    "Scope",
    "Sight",
    "Source",
    "Stage",
    "Thread",
    "Unknown",
    "Unlinked",
]
