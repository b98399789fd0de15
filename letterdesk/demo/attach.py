"""Attachments by file name."""

from datetime import datetime, timedelta
from email.message import EmailMessage

from . import files
from .company import ADDRESSES


def attach(message: EmailMessage, filename: str, at: datetime) -> None:
    """Attach a small real file whose kind follows from its name: .pdf, .png or .ics."""
    kind = filename.rpartition(".")[2]
    if kind == "pdf":
        message.add_attachment(files.pdf(filename), maintype="application", subtype="pdf", filename=filename)
    elif kind == "png":
        message.add_attachment(files.png(), maintype="image", subtype="png", filename=filename)
    elif kind == "ics":
        content = files.invitation(str(message["Subject"]), ADDRESSES[0], at + timedelta(days=3))
        message.add_attachment(content, maintype="text", subtype="calendar", filename=filename)
    else:
        raise ValueError(f"The demo has no file of the kind .{kind}")
