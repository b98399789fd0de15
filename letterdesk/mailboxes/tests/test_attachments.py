"""B19: what was received is what is handed out, to the byte."""

import pytest

from letterdesk.lib import blobs
from letterdesk.mail.parse import NoSuchPart
from letterdesk.mailboxes.attachments import NotStored, open_attachment, raw
from letterdesk.mailboxes.models import Attachment, Message, Quarantined

from .letters import letter

pytestmark = pytest.mark.django_db

LETTER = (
    b'From: a@x.example\r\nSubject: Files\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary="b"\r\n\r\n'
    b"--b\r\nContent-Type: text/plain\r\n\r\nSee there.\r\n"
    b'--b\r\nContent-Type: application/pdf; name="a.pdf"\r\nContent-Disposition: attachment; filename="a.pdf"\r\n'
    b"Content-Transfer-Encoding: base64\r\n\r\nAAEC/w==\r\n--b--\r\n"
)


@pytest.fixture(autouse=True)
def storage(settings, tmp_path):
    blobs_in = {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": {"location": str(tmp_path)}}
    settings.STORAGES = settings.STORAGES | {"blobs": blobs_in}


def stored(inbox, now, content):
    message = letter(inbox, received_at=now, files=["a.pdf"])
    (blob,) = blobs.put_many(message.account_id, [content])
    Message.objects.filter(pk=message.pk).update(blob=blob)
    return Message.objects.get(pk=message.pk)


@pytest.mark.case("B19")
@pytest.mark.parametrize(
    "content", [LETTER, LETTER.replace(b"\r\n", b"\n"), b"\x00\xff\r\r\n\n", b"", b"x" * 3_000_000], ids=range(5)
)
def test_the_bytes_are_exactly_those_received(inbox, now, content):
    assert raw(stored(inbox, now, content)) == content


def test_a_file_is_read_from_the_letter_and_decoded(inbox, now):
    attachment = stored(inbox, now, LETTER).attachments.get()
    from letterdesk.mail.parse import parse_many

    (part,) = parse_many([LETTER])[0].parts
    Attachment.objects.filter(pk=attachment.pk).update(index=part.index)
    attachment.refresh_from_db()
    assert open_attachment(attachment) == b"\x00\x01\x02\xff"


def test_a_part_that_is_not_there_and_a_letter_never_handed_out_are_named(inbox, now):
    message = stored(inbox, now, LETTER)
    attachment = message.attachments.get()
    attachment.index = 99
    with pytest.raises(NoSuchPart):
        open_attachment(attachment)
    never = Quarantined(account=message.account, folder=inbox, uidvalidity=1, uid=7, reason="empty")
    with pytest.raises(NotStored, match="7"):
        raw(never)
    message.blob = "0" * 64
    with pytest.raises(blobs.BlobMissing):
        raw(message)
