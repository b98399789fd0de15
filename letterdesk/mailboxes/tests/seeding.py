"""A large mailbox in the database, for measuring: real words in their real frequencies, no mail server, no bytes."""

import hashlib
import random
import re
import sysconfig
from collections import Counter
from datetime import timedelta
from itertools import accumulate
from pathlib import Path

from django.db import transaction

from letterdesk.mailboxes import listing
from letterdesk.mailboxes.models import Conversation, Message, Placement
from letterdesk.mailboxes.search import letters as search
from letterdesk.mailboxes.search.text import prepare

AT_ONCE = 1000


class Vocabulary:
    """The words of Python's own library, as frequent as they are there, and the same for every seed."""

    def __init__(self, seed=7):
        self.random = random.Random(seed)
        files = sorted(Path(sysconfig.get_path("stdlib")).glob("*.py"))
        counted = Counter(
            word for file in files for word in re.findall(r"[A-Za-z]{2,}", file.read_text(errors="ignore"))
        )
        self.words = [word for word, _ in counted.most_common()]
        self.weights = list(accumulate(counted[word] for word in self.words))

    def text(self, count):
        return " ".join(self.random.choices(self.words, cum_weights=self.weights, k=count))


def seed_folder(folder, *, count, now, unread=0.1, per_conversation=1, words=(40, 500), say=None):
    """Fill a folder with `count` letters, a minute apart, newest first; `unread` is their share."""
    vocabulary = Vocabulary()
    chance = vocabulary.random
    for start in range(0, count, AT_ONCE):
        with transaction.atomic():
            _batch(folder, range(start, min(start + AT_ONCE, count)), vocabulary, now=now, unread=unread,
                   per_conversation=per_conversation, words=lambda: chance.randint(*words))  # fmt: skip
        if say:
            say(start)


def _batch(folder, numbers, vocabulary, *, now, unread, per_conversation, words):
    account, mailbox, chance = folder.account, folder.mailbox, vocabulary.random
    conversations = Conversation.objects.bulk_create(
        Conversation(account=account, mailbox=mailbox, subject=vocabulary.text(5)) for _ in numbers[::per_conversation]
    )
    messages = [
        Message(
            account=account, mailbox=mailbox, conversation=conversations[index // per_conversation], size=35_000,
            blob=hashlib.sha256(f"{folder.pk} {number}".encode()).hexdigest(), subject=vocabulary.text(5),
            from_name=(name := vocabulary.text(2)), from_address=f"{name.replace(' ', '.').lower()}@example.org",
            recipients={"to": [["Ines", "ines@acme.example"]]}, received_at=now - timedelta(minutes=number),
            snippet=vocabulary.text(15), has_attachments=chance.random() < 0.15,
        )
        for index, number in enumerate(numbers)
    ]  # fmt: skip
    Message.objects.bulk_create(messages)
    Placement.objects.bulk_create(
        Placement(account=account, folder=folder, message=message, conversation=message.conversation, uidvalidity=1,
                  uid=1_000_000 - number, received_at=message.received_at, is_seen=chance.random() >= unread,
                  is_flagged=chance.random() < 0.01)
        for number, message in zip(numbers, messages, strict=True)
    )  # fmt: skip
    listing.refresh([conversation.pk for conversation in conversations])
    search.index(search.Indexed.of(message, body=prepare(vocabulary.text(words())), files=[]) for message in messages)
