"""The tables of CRM: records, what was written to and by them, and what is saved by itself."""

from .activities import (
    Activity,
    ActivityKey,
    Binding,
    CardsToRead,
    Correction,
    Direction,
    LetterCopy,
    Reason,
    Thread,
    Unlinked,
)
from .imports import ImportRefusal, RecordImport
from .in_text import InText
from .labels import Label, Labelled
from .many import ChangeOfMany, OneOfMany
from .notes import Note
from .own import OwnField, OwnOption, OwnType, OwnValue
from .polled import PolledFolder, PolledLetter, PolledMailbox, PolledState
from .records import EmailAddress, Kind, NotTheSame, Phone, Pipeline, PipelineGrant, Record, Source, Stage
from .search import FoundText
from .sendsave import SendSaveAddress
from .set_aside import SetAside
from .settings import Exclusion, MailboxSaving, Making, Returning, Scope, Sight, Turn, Unknown, Writing
from .views import ListView

__all__ = [
    "Activity",
    "ActivityKey",
    "Binding",
    "CardsToRead",
    "ChangeOfMany",
    "Correction",
    "Direction",
    "EmailAddress",
    "Exclusion",
    "FoundText",
    "ImportRefusal",
    "InText",
    "Kind",
    "Label",
    "Labelled",
    "LetterCopy",
    "ListView",
    "MailboxSaving",
    "Making",
    "NotTheSame",
    "Note",
    "OneOfMany",
    "OwnField",
    "OwnOption",
    "OwnType",
    "OwnValue",
    "Phone",
    "Pipeline",
    "PipelineGrant",
    "PolledFolder",
    "PolledLetter",
    "PolledMailbox",
    "PolledState",
    "Reason",
    "Record",
    "RecordImport",
    "Returning",
    "Scope",
    "SendSaveAddress",
    "SetAside",
    "Sight",
    "Source",
    "Stage",
    "Thread",
    "Turn",
    "Unknown",
    "Unlinked",
    "Writing",
]
