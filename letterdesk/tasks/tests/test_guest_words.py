"""What a guest's letter says is never lost: what no comment shows stands beside it, and its bytes stay."""

import pytest

from letterdesk.intake.models import State
from letterdesk.lib import blobs
from letterdesk.mailboxes.collect import collect
from letterdesk.tasks import guest_letters, guests
from letterdesk.tasks.create import BadTask
from letterdesk.tasks.files import detach
from letterdesk.tasks.guest_letters import Why
from letterdesk.tasks.models import Comment, TaskFile

from .test_guests import answer, arrive, guest, house, identity, sink, task  # noqa: F401  fixtures

OUTLOOK = (
    "See my answers below.\n\n-----Original Message-----\nFrom: Ines\nSent: Monday\nTo: Bo\nSubject: Contract\n\n"
    "Do you agree to the price?\nYES I AGREE, price 100\n"
)
GMAIL = '<div class="gmail_quote"><div>On Monday Ines wrote:</div><blockquote>Do you?</blockquote></div>'


def with_html(letter, html, logo=b""):
    letter.add_alternative(html, subtype="html")
    if logo:
        letter.get_payload()[-1].add_related(logo, "image", "png", cid="<logo@x>", filename="logo.png")
    return letter


@pytest.mark.parametrize(
    ("plain", "html", "text", "rest"),
    [
        (OUTLOOK, "", "See my answers below.", "YES I AGREE, price 100"),
        ("Please view as HTML", "<p>The price is <b>100</b></p>", "Please view as HTML", "The price is 100"),
        ("", f"<p>Agreed</p>{GMAIL}", "Agreed", "Do you?"),
        ("Agreed", "<p>Agreed</p>", "Agreed", ""),
        ("", "", "", ""),
    ],
)
def test_what_is_folded_away_or_stands_in_the_other_form_is_kept(guest, arrive, now, plain, html, text, rest):  # noqa: F811
    letter = answer(guest, plain)
    raw = bytes(with_html(letter, html) if html else letter)
    assert arrive(raw).state == State.DONE
    made = Comment.objects.get()
    assert made.text == text
    assert rest in made.rest
    assert bool(rest) == bool(made.rest)
    while collect(now=now.replace(year=now.year + 1)):
        pass
    assert blobs.get(guest.account_id, made.letter) == raw


def test_the_logo_of_a_signature_and_files_that_are_here_already_are_no_files_of_the_task(guest, arrive, now):  # noqa: F811
    for name in ("one", "two"):
        letter = with_html(answer(guest, "Yes " + name, name=name), '<p>Yes</p><img src="cid:logo@x">', b"logo")
        letter.add_attachment(b"%PDF", "application", "pdf", filename="plan.pdf")
        arrive(letter)
    assert Comment.objects.count() == 2
    assert TaskFile.objects.get().filename == "plan.pdf"
    detach(TaskFile.objects.get(), now=now)
    assert all(blobs.get(guest.account_id, each.letter) for each in Comment.objects.all())


def test_a_mailbox_is_no_guest_however_its_address_was_typed(task, identity, mailbox, ines, now):  # noqa: F811
    type(mailbox).objects.filter(pk=mailbox.pk).update(address="Office@Acme.example")
    with pytest.raises(BadTask, match="of your own"):
        guests.invite(task, "office@acme.example", identity=identity, by=ines, now=now)


def test_another_letter_with_the_same_name_waits(guest, arrive, ines, now):  # noqa: F811
    arrive(answer(guest, "Yes"))
    row = arrive(answer(guest, "No"))
    assert (row.state, row.why) == (State.ASKED, Why.TWICE)
    assert guest_letters.accept(row, by=ines, now=now)
    assert list(Comment.objects.order_by("pk").values_list("text", flat=True)) == ["Yes", "No"]
    assert arrive(answer(guest, "No", X_Passed="by another server")).state == State.DONE
    assert Comment.objects.count() == 2
