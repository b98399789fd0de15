"""Legal holds, placed and released by an administrator, who is told counts alone (F05, F08)."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from letterdesk.accounts.models import Role
from letterdesk.events.models import Event
from letterdesk.mailboxes.models import LegalHold, Message
from letterdesk.mailboxes.retention import legal
from letterdesk.mailboxes.tests.arriving import another_mailbox
from letterdesk.mailboxes.tests.conftest import employ
from letterdesk.mailboxes.tests.letters import folder_of, letter

from .test_plan import text_of

PAGE = "/settings/holds"


@pytest.fixture
def maria(account):
    return employ(account, "Maria", Role.ADMINISTRATOR)


@pytest.fixture
def office(sign_in, maria):
    return sign_in(maria)


@pytest.mark.parametrize(("scope", "count"), [("account", 3), ("mailbox", 2), ("conversation", 1), ("address", 1)])
def test_it_is_placed_with_a_reason_and_listed_in_counts(office, maria, account, mailbox, inbox, now, scope, count):
    mine = letter(inbox, received_at=now, subject="Secret", sender=("", "a@x.example"), to=())
    letter(inbox, received_at=now, sender=("", "amara@okafor.example"), to=())
    letter(
        folder_of(another_mailbox(account, "other@acme.example")), received_at=now, sender=("", "a@x.example"), to=()
    )
    form = {
        "scope": scope, "mailbox": mailbox.public_id, "address": "Amara@okafor.example", "reason": "Case 7",
        "conversation": f"https://mail.acme.example/mail/{inbox.public_id}/{mine.conversation.public_id}?x=1",
    }  # fmt: skip
    assert office.post(PAGE, form).status_code == 302
    hold = LegalHold.objects.get()
    assert (hold.scope, hold.by, hold.reason) == (scope, maria, "Case 7")
    assert Message.objects.filter(is_held=True).count() == count
    page = text_of(office.get(PAGE))
    assert "Case 7" in page and "by Maria" in page and f"{count} letter" in page
    assert "Secret" not in page
    assert Event.objects.get(kind="hold.placed").by == maria


@pytest.mark.parametrize(
    "form",
    [
        {"scope": "account", "reason": " "},
        {"scope": "", "reason": "Case 7"},
        {"scope": "mailbox", "reason": "Case 7"},
        {"scope": "mailbox", "mailbox": "foreign", "reason": "Case 7"},
        {"scope": "conversation", "conversation": "https://x.example/mail/a/b", "reason": "Case 7"},
        {"scope": "address", "address": "no address", "reason": "Case 7"},
    ],
)
def test_what_names_nothing_holds_nothing(office, inbox, stranger, now, form):
    """F10, F22: never wider than asked, and nothing of another account."""
    letter(inbox, received_at=now)
    foreign = another_mailbox(stranger.account, "them@other.example")
    form = {key: foreign.public_id if value == "foreign" else value for key, value in form.items()}
    answer = office.post(PAGE, form)
    assert answer.status_code == 422 and 'role="alert"' in answer.content.decode()
    assert not LegalHold.objects.exists()


def test_a_release_tells_the_thirty_days_and_is_done_once(office, account, inbox, now):
    letter(inbox, received_at=now)
    hold = legal.place(account, reason="Case 7", by=None, now=now)
    assert "by command line" in text_of(office.get(PAGE))
    page = text_of(office.post(f"{PAGE}/{hold.public_id}/release", follow=True))
    assert "30 days more" in page and "released: lets go on" in page
    office.post(f"{PAGE}/{hold.public_id}/release")
    assert Event.objects.filter(kind="hold.released").count() == 1
    assert Message.objects.get().is_held
    legal.free(now=now + timedelta(days=31))
    assert "Nothing is on hold" in text_of(office.get(PAGE))
    assert office.post(f"{PAGE}/{hold.public_id}/release").status_code == 404


def test_the_list_asks_as_much_for_many_as_for_one(office, account, mailbox, inbox, now):
    mine = letter(inbox, received_at=now)

    def look():
        with CaptureQueriesContext(connection) as queries:
            office.get(PAGE)
        return len(queries)

    legal.place(account, conversation=mine.conversation, reason="Case 0", by=None, now=now)
    few = look()
    for number in range(1, 4):
        legal.place(account, conversation=mine.conversation, reason=f"Case {number}", by=None, now=now)
    assert look() == few <= 8
