"""Whose remote images an employee lets in: nobody's at first, then senders and domains of their choice (C10).

A choice is the employee's own and can be taken back. It counts for nothing where a letter lies in a spam folder: there
a sender's name is worth least.
"""

from collections.abc import Iterable
from datetime import datetime

from letterdesk.accounts.models import Employee

from .models import FolderRole, ImageConsent, Message, Placement


class NoSender(ValueError):
    """The letter names no sender whose images could be shown from now on."""


def sender_of(letter: Message) -> str:
    """The letter's sender as consents name it; empty: it has none."""
    address = letter.from_address.strip().lower()
    local, at, domain = address.rpartition("@")
    return address if local and at and domain and len(address) <= 320 else ""


def domain_of(letter: Message) -> str:
    """The sender's domain as consents name it: "@okafor.example"; empty: it has none."""
    _local, at, domain = sender_of(letter).rpartition("@")
    return at + domain


def is_spam(places: Iterable[Placement]) -> bool:
    """Whether a letter lies in a spam folder; `places` with their folders."""
    return any(place.folder.role == FolderRole.SPAM for place in places)


def shows_images(letter: Message, employee: Employee) -> bool:
    """Whether this employee has said that images of this sender or domain are shown, and the letter is not in spam."""
    names = [name for name in (sender_of(letter), domain_of(letter)) if name]
    if not names or not ImageConsent.objects.visible_to(employee).filter(sender__in=names).exists():
        return False
    return not is_spam(letter.placements.shown().select_related("folder"))


def show_always(letter: Message, *, whole_domain: bool, by: Employee, now: datetime) -> str:
    """Show the images of this letter's sender (or domain) from now on. Returns whose. Raises NoSender; twice is once.

    A letter in a spam folder is no ground for it: NoSender.
    """
    sender = domain_of(letter) if whole_domain else sender_of(letter)
    if not sender or is_spam(letter.placements.shown().select_related("folder")):
        raise NoSender("this letter's sender cannot be trusted with images")
    consent = ImageConsent(account_id=by.account_id, employee=by, sender=sender, given_at=now)
    ImageConsent.objects.bulk_create([consent], ignore_conflicts=True)
    return sender
