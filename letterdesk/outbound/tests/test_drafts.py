"""Drafts: who may see and write them, and that nothing a colleague wrote is lost."""

from datetime import timedelta

import pytest

from letterdesk.mailboxes.models import BlobReference, Grant, Mailbox, MailboxState
from letterdesk.mailboxes.tests.arriving import fetched, receive
from letterdesk.outbound import drafts, files
from letterdesk.outbound.answering import forward, reply, reply_all
from letterdesk.outbound.composing import letter_of
from letterdesk.outbound.identities import identities_of, sign
from letterdesk.outbound.models import Delivery, Draft, DraftFile, Signature
from letterdesk.outbound.tests.sending import throw_away

pytestmark = pytest.mark.django_db

LETTER = b"""From: Bo <bo@client.example>
To: Ines <ines@acme.example>, Cy <cy@client.example>
Cc: di@client.example, INES@acme.example
Subject: Quote
Message-ID: <two@client.example>
References: <one@client.example>
MIME-Version: 1.0
Content-Type: text/html

<table><tr><td>40 chairs</td></tr></table><img src="https://spy.example/x.gif">
""".replace(b"\n", b"\r\n")


@pytest.fixture
def letter(mailbox, inbox, now):
    [message] = receive(inbox, fetched(1, LETTER, at=now), now=now).stored
    return message


def test_a_new_draft_is_its_authors_alone_and_an_answer_is_the_teams(letter, draft, ines, colleague, stranger, now):
    """P9: owner, colleague with the right, without it, stranger."""
    answer = reply(letter, by=ines, now=now)
    assert set(Draft.objects.editable_by(ines)) == {draft, answer}
    assert set(Draft.objects.editable_by(colleague)) == {answer}
    answer.mailbox.grants.update(may_reply=False)
    assert set(Draft.objects.visible_to(colleague)) == {answer} and not Draft.objects.editable_by(colleague).exists()
    answer.mailbox.grants.all().delete()
    for nobody in (colleague, stranger):
        for rows in (Draft, DraftFile, Delivery, Signature):
            assert not rows.objects.visible_to(nobody).exists()


def test_an_answer_from_another_mailbox_is_its_authors_alone(letter, ines, jonas, now):
    """P9: it quotes a letter that the other mailbox's team may not read."""
    other = Mailbox.objects.get(pk=letter.mailbox_id)
    other.pk, other.public_id, other.imap_user = None, "supportsupport12", "support"
    other.address = "support@acme.example"
    other.save(force_insert=True)
    Grant.objects.create(account=other.account, mailbox=other, employee=jonas, may_reply=True)
    moved = drafts.save(reply(letter, by=ines, now=now), by=ines, seen=1, now=now, mailbox=other)
    DraftFile.objects.create(account=other.account, draft=moved, blob="0" * 64, filename="a", content_type="", size=1)
    for rows in (Draft, DraftFile):
        assert not rows.objects.visible_to(jonas).exists() and rows.objects.editable_by(ines).exists()


def test_nobody_writes_in_a_suspended_mailbox(draft, ines):
    """R13."""
    draft.mailbox.state = MailboxState.SUSPENDED
    draft.mailbox.save(update_fields=["state"])
    assert Draft.objects.visible_to(ines).exists() and not Draft.objects.editable_by(ines).exists()


def test_an_answer_has_its_recipients_its_thread_and_the_quote(letter, ines, now):
    one, everybody = reply(letter, by=ines, now=now), reply_all(letter, by=ines, now=now)
    assert one.to == [["Bo", "bo@client.example"]] and one.cc == []
    assert everybody.cc == [["Cy", "cy@client.example"], ["", "di@client.example"]]  # without Ines herself
    assert one.in_reply_to == "two@client.example" and one.references == ["one@client.example", "two@client.example"]
    assert one.subject == "Re: Quote"
    assert "<td>40 chairs</td>" in one.body_html and "spy" not in one.body_html
    assert "> 40 chairs" in one.body_text


def test_a_forward_takes_the_files_along_in_its_text_or_as_one_file(letter, ines, now):
    draft = forward(letter, by=ines, now=now)
    assert draft.subject == "Fwd: Quote" and draft.in_reply_to == "" and draft.to == []
    assert "Forwarded message" in draft.body_text
    [file] = forward(letter, by=ines, now=now, attached=True).files.all()
    assert files.read(file) == LETTER and file.filename == "Quote.eml"


def test_what_a_colleague_saved_is_not_overwritten(letter, ines, colleague, now):
    draft = reply(letter, by=ines, now=now)
    with pytest.raises(drafts.BeingWritten, match="Ines"):
        drafts.save(draft, by=colleague, seen=1, now=now, subject="Mine")
    later = now + timedelta(minutes=3)
    saved = drafts.save(draft, by=colleague, seen=1, now=later, subject="Mine")
    with pytest.raises(drafts.BeingWritten):
        drafts.save(draft, by=ines, seen=1, now=later, subject="No, mine")
    drafts.take(draft, by=ines, now=later, over=True)
    with pytest.raises(drafts.DraftChanged) as told:
        drafts.save(draft, by=ines, seen=1, now=later, subject="No, mine")
    assert told.value.draft.subject == "Mine" and saved.version == 2


def test_the_pictures_of_a_quoted_letter_come_along_and_go_with_the_quotation(mailbox, inbox, ines, now):
    html = b'<p>See <img src="cid:logo@client.example"></p>'
    part = b"--b\r\nContent-Type: %b\r\nContent-ID: <%b@client.example>\r\nContent-Disposition: inline\r\n\r\n%b\r\n"
    parts = [part % (b"text/html", b"text", html), part % (b"image/png", b"logo", b"\x89PNG")]
    parts += [part % (b"image/png", b"unseen", b"\x89PNG2"), b"--b--\r\n"]
    head = LETTER.split(b"Content-Type")[0] + b'Content-Type: multipart/related; boundary="b"\r\n\r\n'
    [shown] = receive(inbox, fetched(2, head + b"".join(parts), at=now), now=now).stored
    answer = reply(shown, by=ines, now=now)
    [picture] = answer.files.all()
    assert (picture.content_id, files.read(picture)) == ("logo@client.example", b"\x89PNG")
    assert 'src="cid:logo@client.example"' in answer.body_html
    identity = identities_of(ines)[0]
    sent = letter_of(answer, identity, message_id="a@acme.example", date=now)
    assert b"Content-ID: <logo@client.example>" in sent
    answer.body_html = "<p>Without</p>"
    assert b"logo@client.example" not in letter_of(answer, identity, message_id="a@acme.example", date=now)


def test_discarding_gives_back_the_bytes_of_its_files(draft, ines, now):
    files.attach(draft, b"x", filename="a", content_type="text/plain", by=ines, now=now)
    assert BlobReference.objects.filter(holder=draft.holder).count() == 1
    throw_away(draft, by=ines, now=now)
    assert not Draft.objects.exists() and not BlobReference.objects.filter(holder=draft.holder).exists()


def test_a_draft_outlives_the_letter_that_it_answers(letter, ines, now):
    """R9: what has no original on a server is not touched."""
    from letterdesk.mailboxes.remove import remove_messages

    draft = reply(letter, by=ines, now=now)
    remove_messages(letter.mailbox, [letter.pk], now=now)
    found = Draft.objects.editable_by(ines).get(pk=draft.pk)
    assert drafts.save(found, by=ines, seen=1, now=now, subject="Still here").subject == "Still here"


def test_a_shared_mailbox_signs_with_its_own_name(mailbox, ines, colleague):
    mailbox.name = "Sales"
    mailbox.save(update_fields=["name"])
    assert [each.name for each in identities_of(ines)] == ["Ines"]
    assert [each.name for each in identities_of(colleague)] == ["Sales"]
    sign(mailbox, colleague, from_name="Jonas of Acme", text="-- \nJonas")
    assert [each.address.name for each in identities_of(colleague)] == ["Jonas of Acme"]


@pytest.mark.parametrize("size", [files.LARGEST + 1])
def test_files_have_a_limit(draft, ines, now, size):
    with pytest.raises(drafts.BadDraft, match="25 MB"):
        files.attach(draft, b"\0" * size, filename="a", content_type="text/plain", by=ines, now=now)


def test_a_signature_keeps_no_control_characters(mailbox, ines):
    signed = sign(mailbox, ines, from_name="In\0es\r\n", html="<p>I\0</p>", text="I\0\nAcme")
    assert (signed.from_name, signed.html, signed.text) == ("Ines", "<p>I</p>", "I\nAcme")
