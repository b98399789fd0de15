"""The letters that lie on the demo server: told stories, and the daily post around them."""

import random
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, parseaddr
from importlib.resources import files
from typing import Any

from . import post
from .attach import attach
from .company import DOMAIN, PEOPLE, SHARED
from .server import Seeded

NAMES = {person.key: (person.name, person.address) for person in PEOPLE}
NAMES |= {box.key: (f"Nordlicht {box.name}", box.address) for box in SHARED}


@dataclass(frozen=True, slots=True)
class Placed:
    """A letter and the address in whose mailbox it lies."""

    address: str
    letter: Seeded


def seeded(now: datetime) -> list[Placed]:
    """All letters of the demo, the same ones for the same `now` (UTC)."""
    told = [placed for number, story in enumerate(_stories()) for placed in _tell(story, number, now)]
    return told + [
        Placed(one.address, Seeded(one.folder, post.raw(one.message), one.at, one.flags))
        for one in post.daily(now, random.Random(14))  # noqa: S311  variety, not secrecy
    ]


def _stories() -> list[dict[str, Any]]:
    text = files(__package__).joinpath("stories.toml").read_text("utf-8")
    stories: list[dict[str, Any]] = tomllib.loads(text)["story"]
    return stories


def _tell(story: dict[str, Any], number: int, now: datetime) -> Iterator[Placed]:
    """The letters of one story, each in the mailboxes of all who wrote or got it."""
    references: list[str] = []
    before = ""
    for turn, told in enumerate(story["letters"]):
        at = now - timedelta(hours=told["ago"])
        message = _message(story["subject"], told, at, references=references, before=before)
        message["Message-ID"] = f"<story-{number}-{turn}@{DOMAIN}>"
        references.append(str(message["Message-ID"]))
        before = told["text"]
        yield from _places(told, message, at)


def _message(subject: str, told: dict[str, Any], at: datetime, *, references: list[str], before: str) -> EmailMessage:
    message = EmailMessage(policy=SMTP)
    message["From"] = _address(told.get("via") or told["from"])
    message["To"] = _address(told["to"])
    if "cc" in told:
        message["Cc"] = _address(told["cc"])
    message["Subject"] = f"Re: {subject}" if references else subject
    message["Date"] = format_datetime(at)
    if references:
        message["In-Reply-To"] = references[-1]
        message["References"] = " ".join(references)
    text = told["text"]
    if told.get("quote"):
        text += "\n\nOn an earlier day somebody wrote:\n" + "\n".join(f"> {line}" for line in before.splitlines())
    message.set_content(text + "\n")
    if told.get("html"):
        message.add_alternative(post.as_html(told["text"]), subtype="html")
    if told.get("hostile"):
        message.add_alternative(post.html("hostile.html"), subtype="html")
    if "attach" in told:
        attach(message, told["attach"], at)
    return message


def _places(told: dict[str, Any], message: EmailMessage, at: datetime) -> Iterator[Placed]:
    sender = (told.get("via") or told["from"]).removeprefix("@")
    if sender in NAMES:
        yield Placed(NAMES[sender][1], Seeded("Sent", post.raw(message), at, frozenset({"\\Seen"})))
    flags = frozenset({"\\Seen"}) if told["ago"] > 10 else frozenset()
    for receiver in (told["to"], told.get("cc", "")):
        if receiver.startswith("@"):
            yield Placed(NAMES[receiver[1:]][1], Seeded("INBOX", post.raw(message), at, flags))


def _address(written: str) -> Address:
    name, address = NAMES[written[1:]] if written.startswith("@") else parseaddr(written)
    return Address(display_name=name, addr_spec=address)
