"""Pages of reactions for tests, found through the setting REACTIONS."""

import os
from pathlib import Path

from letterdesk.accounts.models import Department
from letterdesk.events.models import Event


def note(event: Event) -> None:
    Department.objects.create(account=event.account, name=f"note {event.subject}")


def note_again(event: Event) -> None:
    Department.objects.create(account=event.account, name=f"again {event.subject}")


def fail_on_poison(event: Event) -> None:
    Department.objects.create(account=event.account, name=f"half {event.subject}")
    if event.subject == "poison":
        raise ValueError("the text of a letter")


def fail_while_broken(event: Event) -> None:
    if not Department.objects.filter(name="repaired").exists():
        raise ConnectionError("the text of a letter")


def kill_on_poison(event: Event) -> None:
    if event.subject == "poison":
        with Path(os.environ["DEATHS"]).open("a") as deaths:
            deaths.write("x")
        os._exit(9)


NOTING = {"message.received": (note, note_again)}
POISONED = {"message.received": (note, fail_on_poison, note_again)}
BROKEN = {"message.received": (fail_while_broken, note)}
DEADLY = {"message.received": (note, kill_on_poison)}
