"""Secret addresses of the demo company, and a forward that nobody can tell: it asks."""

from datetime import datetime
from email.message import EmailMessage
from email.policy import SMTP

from letterdesk.accounts.models import Employee
from letterdesk.crm.sendsave import addresses as sendsave
from letterdesk.intake.keep import keep
from letterdesk.mail.smtpd import Handed

from .company import PEOPLE

TEXT = """Can you take care of this one?

From: Brandt, Sophie
Sent: Monday, 9:41
To: Ines
Subject: Chairs for the new office

Dear Ines, could you make us an offer for 24 chairs?
"""


def furnish_sendsave(now: datetime) -> None:
    """The first person and the company have an address each; a letter for hers came in."""
    first = Employee.objects.get(email=PEOPLE[0].address)
    mine = sendsave.make(by=first, of_account=False, now=now)
    sendsave.make(by=first, of_account=True, now=now)
    letter = EmailMessage()
    letter["From"], letter["To"] = f"{first.name} <{first.email}>", mine.address
    letter["Subject"], letter["Message-ID"] = "Fwd: Chairs for the new office", "<chairs@nordlicht.example>"
    letter.set_content(TEXT)
    keep([Handed(first.email, (mine.address,), letter.as_bytes(policy=SMTP), "127.0.0.1")], now=now)
