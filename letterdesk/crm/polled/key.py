"""What tells one letter of a polled mailbox, whatever folder, UID or UIDVALIDITY it has later (R30)."""

import hashlib

from letterdesk.mail.headers import read_head

NAMED = ("message-id", "from", "date", "subject")


def key_of(raw: bytes) -> str:
    """The same for the same letter after a move, a copy, a migration: its name, who wrote it when, and its text.

    Not the whole bytes: servers add lines on top, and change the ends of lines. Never the Message-ID alone: whoever
    knows one could keep a letter out.
    """
    head = read_head(raw)
    told = hashlib.sha256()
    for name in NAMED:
        told.update(b" ".join(head.first(name).split()) + b"\0")
    told.update(raw[head.body :].replace(b"\r\n", b"\n").rstrip(b"\n"))
    return told.hexdigest()


def key_of_place(folder_id: int, uidvalidity: int, uid: int) -> str:
    """Of a letter that the server did not hand over: where it lies."""
    return hashlib.sha256(f"{folder_id} {uidvalidity} {uid}".encode()).hexdigest()
