"""The daily post of the demo company: orders, invoices, questions, newsletters, notices."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from html import escape
from importlib.resources import files
from random import Random
from string import Template

from .attach import attach
from .company import ADDRESSES, DOMAIN

CLIENTS = (
    ("Marta Nowak", "Bürowelt Szczecin", "burowelt.example"),
    ("Sven Aalto", "Aalto & Partners", "aalto.example"),
    ("Chiara Rossi", "Studio Rossi", "studiorossi.example"),
    ("Daniel Brandt", "Brandt Steuerberatung", "brandt.example"),
    ("Ewa Lis", "Lis Consulting", "lis.example"),
    ("Oliver Grant", "Grant & Sons", "grant.example"),
    ("Fatima Zahra", "Atlas Cowork", "atlascowork.example"),
    ("Jürgen Hölzl", "Hölzl GmbH", "hoelzl.example"),
    ("Nina Petrova", "Petrova Design", "petrova.example"),
    ("Lucas Moreau", "Moreau Conseil", "moreau.example"),
    ("Sofia Lindqvist", "Lindqvist Arkitekter", "lindqvist.example"),
    ("Ben Carter", "Carter Labs", "carterlabs.example"),
    ("Anna Schulz", "Praxis Dr. Schulz", "praxis-schulz.example"),
    ("Tomás Silva", "Porto Hub", "portohub.example"),
)
PRODUCTS = ("Fjord 160", "Fjord 180", "Strand chair", "Düne lounge", "Kliff shelf", "Mole table", "Brise screen")
QUESTIONS = (
    ("Delivery time for the {product}", "how long does the delivery of {n} × {product} take at the moment?"),
    ("Colour samples", "could you send us colour samples of the {product}? Our address is in the signature."),
    (
        "Invoice {number}: wrong cost centre",
        "invoice {number} names the old cost centre. Could you correct it to 4{n}10?",
    ),
    ("Return of one {product}", "one {product} of order {number} has a scratch on the top. How do we return it?"),
    ("Assembly of {n} desks", "can your people assemble {n} desks on a Saturday? The office must be ready on Monday."),
    ("Spare parts for the {product}", "we need two glides and a hex key for the {product}. What do they cost?"),
    ("Discount for {n} pieces", "is there a better price if we take {n} × {product} at once?"),
)
NEWSLETTERS = (
    ("Office Trends Weekly", "news@office-trends.example", "Five ideas for calmer open offices"),
    ("Wood Market Report", "report@woodmarket.example", "Oak prices ease for the third week"),
    ("The Logistics Letter", "letter@logistics-today.example", "What the new tolls mean for you"),
    ("Design Notes", "hello@designnotes.example", "Rounded corners, and when to stop"),
)


@dataclass(frozen=True, slots=True)
class Posted:
    """A letter of the daily post in one mailbox."""

    address: str
    folder: str
    message: EmailMessage
    at: datetime
    flags: frozenset[str]


def daily(now: datetime, chance: Random) -> Iterator[Posted]:
    """Some hundred letters of the last 40 days."""
    for day in range(40):
        morning = now - timedelta(days=day, hours=chance.uniform(1, 6))
        for number in range(chance.randint(4, 7)):
            yield from _question(morning - timedelta(minutes=37 * number), chance, day)
        yield _order(morning - timedelta(minutes=11), chance, day)
        if day % 2 == 0:
            yield _newsletter(morning - timedelta(minutes=90), chance, day)


def _question(at: datetime, chance: Random, day: int) -> Iterator[Posted]:
    name, company, domain = chance.choice(CLIENTS)
    words = {"product": chance.choice(PRODUCTS), "n": chance.randint(3, 60), "number": 20000 + chance.randint(0, 999)}
    subject, ask = (part.format(**words) for part in chance.choice(QUESTIONS))
    box = chance.choice(ADDRESSES)
    local = name.split(maxsplit=1)[0].lower().replace("ü", "ue").replace("á", "a")
    key = f"{at:%Y%m%d%H%M%S}.{chance.randint(1000, 9999)}"
    asked = _letter((name, f"{local}@{domain}"), box, subject, at=at, message_id=f"<{key}@{domain}>")
    asked.set_content(f"Hello,\n\n{ask}\n\nKind regards\n{name}\n{company}\n")
    yield Posted(box, "INBOX", asked, at, _flags(day, chance))
    if day > 0 and chance.random() < 0.4:
        later = at + timedelta(hours=chance.uniform(0.5, 4))
        answer = _letter(
            ("Nordlicht", box), f"{local}@{domain}", f"Re: {subject}", at=later, message_id=f"<{key}.answer@{DOMAIN}>"
        )
        answer["In-Reply-To"] = answer["References"] = str(asked["Message-ID"])
        answer.set_content(
            f"Dear {name},\n\nthank you for your message. I have looked into it and will call you today.\n"
        )
        yield Posted(box, "Sent", answer, later, frozenset({"\\Seen"}))


def _order(at: datetime, chance: Random, day: int) -> Posted:
    number, product = 20700 - day * 3, chance.choice(PRODUCTS)
    message = _letter(("Nordlicht Shop", "shop@nordlicht-shop.example"), ADDRESSES[3], f"Order {number}", at=at)
    message.set_content(f"New order {number}: {chance.randint(1, 30)} × {product}.\n")
    message.add_alternative(as_html(f"New order {number}\n\n{product}\n\nThe order form is attached."), subtype="html")
    attach(message, f"Order-{number}.pdf", at)
    message["Auto-Submitted"] = "auto-generated"
    return Posted(ADDRESSES[3], "INBOX", message, at, _flags(day, chance))


def _newsletter(at: datetime, chance: Random, day: int) -> Posted:
    name, sender, title = NEWSLETTERS[day // 2 % len(NEWSLETTERS)]
    box = ADDRESSES[day // 2 % 3]
    message = _letter((name, sender), box, title, at=at)
    domain = sender.partition("@")[2]
    message["List-Id"] = f"{name} <list.{domain}>"
    message["List-Unsubscribe"] = f"<https://{domain}/unsubscribe/{chance.randint(10**6, 10**7)}>"
    message.set_content(f"{title}\n\nRead it in your browser: https://{domain}/latest\n")
    message.add_alternative(html("newsletter.html", name=name, title=title, domain=domain), subtype="html")
    return Posted(box, "INBOX", message, at, _flags(day, chance))


def _letter(sender: tuple[str, str], to: str, subject: str, *, at: datetime, message_id: str = "") -> EmailMessage:
    message = EmailMessage(policy=SMTP)
    message["From"] = Address(display_name=sender[0], addr_spec=sender[1])
    message["To"] = Address(addr_spec=to)
    message["Subject"] = subject
    message["Date"] = format_datetime(at)
    message["Message-ID"] = message_id or f"<{at:%Y%m%d%H%M%S}.{sender[1]}>"
    return message


def _flags(day: int, chance: Random) -> frozenset[str]:
    flags = {"\\Seen"} if day > 1 or chance.random() < 0.5 else set()
    return frozenset(flags | ({"\\Flagged"} if chance.random() < 0.05 else set()))


def as_html(text: str) -> str:
    """The text as a plain HTML letter."""
    paragraphs = "".join(f"<p>{escape(part)}</p>" for part in text.split("\n\n"))
    return f'<div style="font-family:Georgia,serif;color:#192026">{paragraphs}</div>'


def html(file: str, **words: str) -> str:
    """This HTML file of the folder, with its `$words` filled in."""
    return Template(files(__package__).joinpath(file).read_text("utf-8")).substitute(words)


def raw(message: EmailMessage) -> bytes:
    """The letter as bytes, the same ones each time: boundaries would be random."""
    for number, part in enumerate(message.walk()):
        if part.is_multipart():
            part.set_boundary(f"=_nordlicht_{number}")
    return message.as_bytes()
