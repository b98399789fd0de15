"""What people hear of letters that did not arrive: beside the outbox, at the letter, while writing."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from letterdesk.mailboxes.models import Message
from letterdesk.outbound.answering import reply
from letterdesk.outbound.drafts import start
from letterdesk.outbound.models import Bounce, DailyLimit, Delivery, RecipientState, State, Suppressed
from letterdesk.outbound.send import send
from letterdesk.plans.usage import Meter
from letterdesk.web.tests.conftest import raw_letter
from letterdesk.web.writing.quota import metered


@pytest.fixture(autouse=True)
def sends(mailbox):
    mailbox.smtp_host = "smtp.acme.example"
    mailbox.save(update_fields=["smtp_host"])


@pytest.fixture
def answered(deliver, ines, now):
    """A letter that Ines has answered; the answer lies in Sent. `fare` says what became of it."""
    [letter] = deliver(raw_letter("Offer", Message_ID="<offer@okafor.example>"))
    draft = reply(letter, by=ines, now=now)
    delivery = send(draft, by=ines, seen=draft.version, now=now)
    [copy] = deliver(
        raw_letter("Re: Offer", In_Reply_To="<offer@okafor.example>", Message_ID=f"<{delivery.message_id}>")
    )
    Delivery.objects.filter(pk=delivery.pk).update(state=State.SENT, sent_at=now, filed=copy, is_filed=True)
    delivery.recipients.update(state=RecipientState.ACCEPTED)
    return letter, delivery


def fare(delivery, now, *, state=State.SENT, recipient=(), **more):
    Delivery.objects.filter(pk=delivery.pk).update(state=state, trouble_at=now, **more)
    delivery.recipients.update(**dict(recipient))


def refuse(delivery, address):
    delivery.recipients.create(account=delivery.account, field="to", address=address, state="refused", text="no")


def page_of(browser, letter, inbox):
    return browser.get(f"/mail/{inbox.public_id}/{letter.conversation.public_id}").content.decode()


def words(page):
    import re
    from html import unescape

    return " ".join(unescape(re.sub(r"<[^>]*>", " ", page)).split())


@pytest.mark.parametrize(
    ("recipient", "said"),
    [
        ({"state": RecipientState.REFUSED, "code": 550, "text": "5.1.1 unknown"},
         "Sent, but not to amara@okafor.example: the server says “5.1.1 unknown”."),
        ({"bounce": Bounce.HARD, "bounce_text": "550 nobody"},
         "Sent, but there is no such address as amara@okafor.example: its server says “550 nobody”."),
        ({"bounce": Bounce.SOFT, "bounce_text": "552 <b>full</b>"},
         "Sent, but it came back from amara@okafor.example: its server says “552 <b>full</b>”."),
    ],
    ids=["refused", "no such address", "came back"],
)  # fmt: skip
def test_it_is_told_in_the_conversation_and_at_the_letter_until_somebody_knows(
    browser, answered, inbox, now, recipient, said
):
    letter, delivery = answered
    assert "Sent, but" not in page_of(browser, letter, inbox)
    fare(delivery, now, recipient=recipient)
    page = page_of(browser, letter, inbox)
    assert words(page).count(said) == 2 and "<b>full" not in page
    assert "did not arrive as they should" in page
    assert browser.post(f"/outbox/{delivery.public_id}/dismissal", {"next": "/mail"})["Location"] == "/mail"
    page = page_of(browser, letter, inbox)
    assert words(page).count(said) == 1  # still at the letter, quietly
    assert "did not arrive as they should" not in page


def test_an_answer_that_failed_is_told_where_it_belongs(browser, answered, inbox, now):
    letter, delivery = answered
    fare(delivery, now, state=State.FAILED, error="554 No.", filed=None, is_filed=False, sent_at=None)
    assert "Not sent. 554 No." in words(page_of(browser, letter, inbox))
    fare(delivery, now, state=State.UNKNOWN)
    assert "Perhaps sent: the connection was lost" in words(page_of(browser, letter, inbox))


def test_a_letter_that_is_late_is_told_at_the_letter_alone(browser, answered, inbox):
    letter, delivery = answered
    delivery.recipients.update(bounce=Bounce.DELAYED, bounce_text="4.4.1 busy")
    page = page_of(browser, letter, inbox)
    assert words(page).count("Still on its way to amara@okafor.example") == 1
    assert "did not arrive" not in page


def test_many_recipients_are_told_in_a_few_lines(browser, answered, inbox, now):
    letter, delivery = answered
    for n in range(20):
        refuse(delivery, f"a{n}@x.example")
    fare(delivery, now)
    assert "and 15 more: see the outbox" in words(page_of(browser, letter, inbox))


def test_who_only_reads_is_told_and_is_not_asked(sign_in, people, answered, inbox, now):
    letter, delivery = answered
    fare(delivery, now, recipient={"bounce": Bounce.HARD})
    reader = sign_in(people["reader"])
    page = page_of(reader, letter, inbox)
    assert "no such address" in page and "/dismissal" not in page and "did not arrive as they should" not in page
    for actor in ("mate", "administrator", "stranger"):
        other = sign_in(people[actor]).get("/outbox").content.decode()
        assert "Re: Offer" not in other and "did not arrive as they should" not in other


def test_the_page_asks_the_same_whatever_the_number_of_recipients(browser, answered, inbox, now):
    letter, delivery = answered
    fare(delivery, now)
    page_of(browser, letter, inbox)
    asked = []
    for n in range(2):
        with CaptureQueriesContext(
            connection,
        ) as queries:
            page_of(browser, letter, inbox)
        asked.append(len(queries))
        for m in range(10):
            refuse(delivery, f"a{n}{m}@x.example")
    assert asked[0] == asked[1]


def test_what_was_partly_refused_stands_in_the_outbox_until_somebody_knows(browser, answered, now):
    _letter, delivery = answered
    assert "Re: Offer" not in browser.get("/outbox").content.decode()
    fare(delivery, now, recipient={"bounce": Bounce.SOFT, "bounce_text": "552 full"})
    page = words(browser.get("/outbox").content.decode())
    assert "Re: Offer" in page and "Came back. 552 full" in page and "I know" in page
    browser.post(f"/outbox/{delivery.public_id}/dismissal")
    assert "Re: Offer" not in browser.get("/outbox").content.decode()


def test_a_letter_that_is_put_off_can_be_stopped(browser, answered, now):
    _letter, delivery = answered
    fare(delivery, now, state=State.DEFERRED, sent_at=None, filed=None, is_filed=False, attempts=2, error="450 later")
    assert f"/outbox/{delivery.public_id}/stopping" in browser.get("/outbox").content.decode()
    assert browser.post(f"/outbox/{delivery.public_id}/stopping")["Location"].startswith("/drafts/")
    delivery.refresh_from_db()
    assert delivery.state == State.CANCELLED


def test_the_rest_of_a_letter_is_given_up(browser, answered, now):
    _letter, delivery = answered
    fare(delivery, now, state=State.DEFERRED, recipient={"state": RecipientState.DEFERRED})
    assert "Ask nobody again" in browser.get("/outbox").content.decode()
    browser.post(f"/outbox/{delivery.public_id}/resolution", {"as": "rest"})
    delivery.refresh_from_db()
    assert delivery.state == State.SENT
    again = browser.post(f"/outbox/{delivery.public_id}/resolution", {"as": "rest"}, follow=True)
    assert "has moved on meanwhile" in words(again.content.decode())


def test_an_automatic_reply_is_marked(browser, deliver, inbox):
    [away] = deliver(raw_letter("Away", Auto_Submitted="auto-replied"))
    assert Message.objects.get(pk=away.pk).is_auto_reply
    assert "Automatic reply" in page_of(browser, away, inbox)


# While writing


def test_an_address_on_the_list_is_told_before_and_refused_at_sending(browser, mailbox, ines, now):
    Suppressed.objects.create(
        account=mailbox.account, mailbox=mailbox, address="bo@client.example", reason="550 nobody"
    )
    draft = start(mailbox, by=ines, now=now, to=[("", "bo@client.example")], subject="Hi", body_text="Hello")
    page = browser.get(f"/drafts/{draft.public_id}").content.decode()
    assert "550 nobody" in page and 'value="bo@client.example" formaction' in page
    form = {"seen": draft.version, "to": "bo@client.example", "subject": "Hi", "format": "plain", "text": "Hello you"}
    refused = browser.post(f"/drafts/{draft.public_id}/sending", form)
    assert refused.status_code == 422 and "550 nobody" in words(refused.content.decode())
    draft.refresh_from_db()
    browser.post(
        f"/drafts/{draft.public_id}/release",
        {**form, "seen": draft.version, "text": "New", "release": "bo@client.example"},
    )
    draft.refresh_from_db()
    assert draft.body_text == "New" and not Suppressed.objects.exists()  # what was written is not lost for it
    assert browser.post(f"/drafts/{draft.public_id}/sending", {**form, "seen": draft.version}).status_code == 302


def test_the_list_is_seen_by_whom_it_concerns_and_administrators(sign_in, people, mailbox):
    row = Suppressed.objects.create(account=mailbox.account, mailbox=mailbox, address="bo@client.example")
    seen = {
        name: "bo@client.example" in sign_in(person).get("/settings/undeliverable").content.decode()
        for name, person in people.items()
        if person
    }
    assert seen == {"owner": True, "reader": True, "mate": False, "administrator": True, "stranger": False}
    address = f"/settings/undeliverable/{row.public_id}"
    assert [sign_in(people[who]).post(address).status_code for who in ("reader", "mate", "administrator")] == [
        404,
        404,
        302,
    ]


@pytest.mark.parametrize(
    ("used", "tone", "said"),
    [(799, None, ""), (800, "", "800 of 1,000"), (949, "", "51 are left"), (950, "warn", "50 are left"),
     (999, "warn", "1 is left"), (1000, "danger", "are used up")],
)  # fmt: skip
def test_the_quota_is_told_from_80_percent_on(now, used, tone, said):
    """R22, R25"""
    state = metered(Meter(now.date(), used, 1000, {}, now + timedelta(days=3)))
    assert (state.tone if state else None) == tone
    assert said in (state.text if state else "")


def test_where_a_plan_sends_nothing_it_is_another_text(browser, mailbox, ines, now, sold_plans):
    """R24: "not in your plan" is not "used up"."""
    from letterdesk.plans.models import Channel, Subscription
    from letterdesk.web.writing.quota import quota_state

    draft = start(mailbox, by=ines, now=now)
    assert "e-mails of this month" not in browser.get(f"/drafts/{draft.public_id}").content.decode()
    Subscription.objects.filter(account=mailbox.account).update(plan="free")
    mailbox.account.refresh_from_db()
    told = quota_state(mailbox.account, Channel.WEBMAIL, now=now)
    assert told.tone == "danger" and "not in your plan" in told.text


def test_a_mailbox_gets_a_daily_limit(browser, mailbox):
    page = f"/mailboxes/{mailbox.public_id}"
    assert "Letters a day" in browser.get(page).content.decode()
    browser.post(f"{page}/daily-limit", {"most": "500"})
    assert DailyLimit.objects.get().most == 500 and 'value="500"' in browser.get(page).content.decode()
    for wrong in ("0", "-1", "many", "²", "10000000000"):
        assert browser.post(f"{page}/daily-limit", {"most": wrong}).status_code == 422
    browser.post(f"{page}/daily-limit", {"most": ""})
    assert not DailyLimit.objects.exists()
