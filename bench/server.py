"""The mail server of a round: a private Dovecot on loopback whose mailbox holds the corpus."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.rig.certificates import Authority
from tests.rig.dovecot import Dovecot, User

from .corpus import Corpus


@dataclass(frozen=True)
class Served:
    """A Dovecot with one user whose INBOX holds the corpus."""

    dovecot: Dovecot
    user: User
    letters: int
    total_bytes: int

    @property
    def maildir(self) -> Path:
        """The folder of the user's inbox, with `cur` inside."""
        return self.dovecot.maildir(self.user)


@contextmanager
def serve(corpus: Corpus) -> Iterator[Served]:
    """Start Dovecot and put the corpus into an inbox, as files of a Maildir (quicker than APPEND)."""
    keys = Path(tempfile.mkdtemp(prefix="bench-keys-"))
    keys.chmod(0o755)
    dovecot = Dovecot(Authority(keys))
    try:
        user = quiet_user(dovecot)
        total = fill(dovecot, user, corpus)
        yield Served(dovecot, user, corpus.count, total)
    finally:
        dovecot.stop()
        shutil.rmtree(keys, ignore_errors=True)


def quiet_user(dovecot: Dovecot) -> User:
    """A fresh user whose sessions are not written down: the server's log of the wire would be measured too."""
    user = dovecot.add_user("bench")
    shutil.rmtree(dovecot.folder / "raw" / user.name)
    with dovecot.client(user) as client:
        client.enter("INBOX")
    return user


def fill(dovecot: Dovecot, user: User, corpus: Corpus) -> int:
    """Write the corpus into the user's inbox; returns the bytes. The server indexes it before anybody measures."""
    folder = dovecot.maildir(user) / "cur"
    owner = folder.stat()
    total = 0
    for number, (at, raw) in enumerate(corpus):
        stored = raw.replace(b"\r\n", b"\n")
        file = folder / f"{int(at.timestamp())}.{number:06d}.bench,S={len(stored)},W={len(raw)}:2,"
        file.write_bytes(stored)
        os.utime(file, (at.timestamp(), at.timestamp()))
        os.chown(file, owner.st_uid, owner.st_gid)
        total += len(raw)
    with dovecot.client(user) as client:
        client.enter("INBOX")
        client.uid("FETCH", "1:*", "(UID RFC822.SIZE INTERNALDATE)")
    return total
