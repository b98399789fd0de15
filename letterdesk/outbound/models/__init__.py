"""Drafts and letters on their way."""

from .deliveries import OPEN, Delivery, DeliveryRecipient, Phase, RecipientState, State
from .drafts import Draft, DraftFile, Kind, Signature

__all__ = [
    "OPEN", "Delivery", "DeliveryRecipient", "Draft", "DraftFile", "Kind", "Phase", "RecipientState", "Signature",
    "State",
]  # fmt: skip
