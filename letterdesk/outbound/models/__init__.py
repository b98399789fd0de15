"""Drafts and letters on their way."""

from .deliveries import OPEN, Bounce, Delivery, DeliveryRecipient, Phase, RecipientState, State
from .drafts import Draft, DraftCopy, DraftFile, Kind, Signature
from .reach import DailyLimit, ReportsRead, SentOnDay, Suppressed
from .senders import SenderUser, VerifiedSender
from .signing import SigningKey
from .templates import Template, TemplateFile
from .tracking import Fetch, TrackedLetter, TrackedLink, Tracking

__all__ = [
    "OPEN", "Bounce", "DailyLimit", "Delivery", "DeliveryRecipient", "Draft", "DraftCopy", "DraftFile", "Fetch", "Kind",
    "Phase", "RecipientState", "ReportsRead", "SenderUser", "SentOnDay", "Signature", "SigningKey", "State",
    "Suppressed", "Template", "TemplateFile", "TrackedLetter", "TrackedLink", "Tracking", "VerifiedSender",
]  # fmt: skip
