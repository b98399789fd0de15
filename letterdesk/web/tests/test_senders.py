"""A sender of the account in the browser: added, confirmed by who reads the address, written from at a record – also on
Free, on Demo, and when a trial has ended (R22–R24)."""

import re
from datetime import timedelta

import pytest
from django.core import mail
from django.utils import timezone

from letterdesk.crm.models import Activity, EmailAddress, Reason
from letterdesk.crm.tests.seeding import activity_at, record_of
from letterdesk.crm.writing.written import keep_written
from letterdesk.mail.inbound import Inbound
from letterdesk.outbound.deliver import deliver
from letterdesk.outbound.models import Delivery, Draft, VerifiedSender
from letterdesk.outbound.templates import keep as keep_template
from letterdesk.outbound.tests.sending import verified
from letterdesk.plans.models import Subscription, Usage
from letterdesk.plans.usage import month_of
from letterdesk.web.tests.conftest import raw_letter
from tests.rig.sink import Sink

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("allow_loopback", "blobs_folder")]
DAY = timedelta(days=1)
PLANS = {
    "free": {"plan": "free"},
    "demo": {"plan": "demo", "trial_started_at": 1},
    "trial that ended": {"plan": "demo", "trial_started_at": 31},
}


def text_of(answer):
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", answer.content.decode()))


@pytest.fixture
def administrator(people, sign_in):
    return sign_in(people["administrator"])


@pytest.fixture
def on_plan(account):
    """Put the account on one of PLANS; days since the trial began."""

    def put(name):
        said = dict(PLANS[name])
        if "trial_started_at" in said:
            said["trial_started_at"] = timezone.now() - said["trial_started_at"] * DAY
        Subscription.objects.filter(account=account).update(**said)

    return put


@pytest.fixture
def contact(ines):
    return record_of(ines, "Amara Okafor", "amara@okafor.example")


def begun(browser, address, **form):
    """The draft that this button begins."""
    answer = browser.post(address, form)
    return Draft.objects.get(public_id=answer["Location"].rpartition("/")[2])


def form_of(draft, **fields):
    people = ", ".join(address for _name, address in draft.to)
    return {"seen": draft.version, "to": people, "subject": "Hi", "format": "plain", "text": "Hello", **fields}


@pytest.mark.parametrize("plan", PLANS)
def test_from_adding_it_to_the_letter_at_the_record(administrator, sign_in, on_plan, contact, ines, plan):
    """R24: without any mailbox; R6: the copy is the record's own; R23: the channel follows from the door."""
    on_plan(plan)
    with Sink() as sink:
        form = {"address": "sales@acme.example", "name": "Acme", "host": sink.host, "port": sink.port, "user": "acme"}
        form |= {"password": "pa55", "security": "none", "who": "everyone"}
        answer = administrator.post("/settings/senders", form, follow=True)
        assert "Waits to be confirmed" in text_of(answer) and "pa55" not in answer.content.decode()
        link = re.search(r"/senders/\S+", mail.outbox[-1].body)[0]
        owner = sign_in(None)
        assert "would like to send letters from sales@acme.example" in text_of(owner.get(link))
        assert VerifiedSender.objects.get().verified_at is None  # a scanner of links says nothing
        assert "may send letters" in text_of(owner.post(link)) and owner.post(link).status_code == 404
        assert "Confirmed" in text_of(administrator.get("/settings/senders"))

        browser = sign_in(ines)
        record = f"/crm/records/{contact.public_id}"
        assert "Write" in text_of(browser.get(record))
        draft = begun(browser, f"{record}/letters")
        page = text_of(browser.get(f"/drafts/{draft.public_id}"))
        assert "Acme &lt;sales@acme.example&gt;" in page and "Written at Amara Okafor" in page
        answer = browser.post(f"/drafts/{draft.public_id}/sending", form_of(draft))
        assert answer["Location"] == record
        assert "Waiting" in text_of(browser.get(record))
        deliver(now=timezone.now() + timedelta(minutes=1), patience=1)
        keep_written(now=timezone.now())
    [taken] = sink.taken
    assert taken.recipients == ("amara@okafor.example",) and taken.header("From") == "Acme <sales@acme.example>"
    assert Delivery.objects.get().channel == "crm"
    activity = Activity.objects.get()
    assert activity.bindings.get().reason == Reason.WRITTEN
    assert "Hello" in text_of(browser.get(record))
    assert "Hello" in browser.get(f"/crm/activities/{activity.public_id}/body").content.decode()
    Delivery.objects.update(trouble_at=timezone.now())
    assert "did not reach everybody" in text_of(browser.get(record))


def test_what_is_wrong_with_a_sender_is_named_and_what_was_typed_stays(administrator, account):
    with Sink("auth:535 wrong password") as sink:
        form = {"address": "sales@acme.example", "host": sink.host, "port": sink.port, "security": "none"}
        form |= {"user": "acme", "password": "pa55", "who": "everyone"}
        for change, said in (
            ({}, "password"),
            ({"port": "x"}, "Name the server"),
            ({"address": "nobody"}, "nobody is no e-mail address"),
            ({"password": ""}, "Name the user and the password"),
        ):
            answer = administrator.post("/settings/senders", {**form, **change})
            told = text_of(answer)
            assert answer.status_code == 422 and "Not added." in told and said in told
            assert f'value="{sink.host}"' in answer.content.decode() and "pa55" not in answer.content.decode()
        made = verified(sink, account, timezone.now())
        address = f"/settings/senders/{made.public_id}"
        assert "is no number" in text_of(administrator.post(address, {"who": "some", "daily_most": "x"}, follow=True))
        told = text_of(administrator.post(f"{address}/server", form | {"port": sink.port}, follow=True))
        assert "Not saved." in told
    made.refresh_from_db()
    assert made.secret == {"password": "secret"}
    administrator.post(f"{address}/removal")
    assert not VerifiedSender.objects.present().exists()


def test_who_has_no_address_to_write_from_is_told_who_adds_one(browser, contact, on_plan):
    on_plan("free")
    answer = browser.post(f"/crm/records/{contact.public_id}/letters", follow=True)
    assert "An administrator adds one" in text_of(answer)


def test_refusals_are_named_and_keep_the_draft(administrator, browser, on_plan, account, contact, ines):
    """R24: not in the plan, used up, a stranger's address, a placeholder: four errors, and the draft is kept."""
    on_plan("free")
    with Sink() as sink:
        verified(sink, account, timezone.now())
    draft = begun(browser, f"/crm/records/{contact.public_id}/letters")
    sending = f"/drafts/{draft.public_id}/sending"

    def told(**fields):
        draft.refresh_from_db()
        answer = browser.post(sending, form_of(draft, **fields))
        assert answer.status_code == 422 and Draft.objects.open().filter(pk=draft.pk).exists()
        return text_of(answer)

    assert "bo@else.example is no address of" in told(to="bo@else.example")
    administrator.post("/settings/crm/writing", {"to": "anybody"})
    assert "filled in {{ contact.phone }}" in told(to="bo@else.example", text="Call {{contact.phone}}")
    month = month_of(account, timezone.now())
    Usage.objects.create(account=account, month=month, used=1000)
    assert "1,000 e-mails" in told(to="bo@else.example", text="Hello") and not Delivery.objects.exists()
    Usage.objects.update(used=0)
    draft.refresh_from_db()
    Draft.objects.filter(pk=draft.pk).update(channel="webmail", about="")  # as if begun at another door
    assert "may not send" in told(to="bo@else.example")


def test_a_template_is_filled_in_from_the_record_or_says_what_is_missing(browser, on_plan, account, contact, ines):
    on_plan("free")
    with Sink() as sink:
        verified(sink, account, timezone.now())
    good = keep_template(ines, name="Hi", subject="", text="Dear {{ contact.name }}", share="")
    bad = keep_template(ines, name="Call", subject="", text="At {{ contact.phone }}?", share="")
    draft = begun(browser, f"/crm/records/{contact.public_id}/letters")
    using = f"/drafts/{draft.public_id}/template"
    answer = browser.post(using, form_of(draft, template=bad.public_id))
    assert answer.status_code == 409 and "Nothing is known for {{ contact.phone }}" in text_of(answer)
    draft.refresh_from_db()
    assert draft.body_text == "Hello"  # what was typed is kept
    browser.post(using, form_of(draft, template=good.public_id))
    draft.refresh_from_db()
    assert draft.body_text.startswith("Dear Amara Okafor")
    answer = browser.post(
        "/settings/templates", {"name": "X", "subject": "", "text": "{{ contact.nam }} mine", "share": ""}
    )
    assert answer.status_code == 422 and "Nothing is called {{ contact.nam }}" in text_of(answer)
    assert "{{ contact.nam }} mine" in answer.content.decode()


def test_an_answer_from_the_timeline_and_who_lost_the_record(
    browser, sign_in, on_plan, account, deliver, contact, ines, jonas
):
    """R8: what it quotes is the activity's own copy; who does not see the record sees no draft of it."""
    [letter] = deliver(raw_letter(text="By May?", Message_ID="<may@okafor.example>"))
    activity = activity_at(contact, letter=letter)
    on_plan("free")
    with Sink() as sink:
        verified(sink, account, timezone.now())
    page = browser.get(f"/crm/activities/{activity.public_id}?at={contact.public_id}", headers={"HX-Request": "true"})
    assert f'value="{contact.public_id}"' in page.content.decode() and "Answer" in text_of(page)
    draft = begun(browser, f"/crm/activities/{activity.public_id}/answers", record=contact.public_id)
    assert "> By May?" in draft.body_text and draft.in_reply_to == "may@okafor.example"
    EmailAddress.objects.all().delete()  # to whom one answers is known by the letter
    address = f"/drafts/{draft.public_id}"
    assert browser.post(f"{address}/sending", form_of(draft, subject="Re: Offer"))["Location"].startswith(
        "/crm/records/"
    )
    other = begun(browser, f"/crm/activities/{activity.public_id}/answers")
    type(contact).objects.update(responsible=jonas)
    assert browser.get(f"/drafts/{other.public_id}").status_code == 404
    assert sign_in(jonas).get(f"/drafts/{other.public_id}").status_code == 404


def test_its_signature_stands_below_what_is_written_from_it(administrator, sign_in, account, contact, ines):
    made = VerifiedSender.objects.create(
        account=account, address="sales@acme.example", key="sales@acme.example", smtp_host="smtp.acme.example",
        smtp_port=25, smtp_security="none", smtp_user="acme", is_everyones=True, verified_at=timezone.now(),
    )  # fmt: skip
    address = f"/settings/senders/{made.public_id}"
    administrator.post(address, {"name": "Acme", "who": "everyone", "signature": "Acme <Sales>\r\nBerlin"})
    assert "Acme &lt;Sales&gt;\nBerlin</textarea>" in administrator.get("/settings/senders").content.decode()
    browser = sign_in(ines)
    draft = begun(browser, f"/crm/records/{contact.public_id}/letters")
    assert "<div>-- <br>Acme &lt;Sales&gt;<br>" in draft.body_html and "--\nAcme <Sales>\nBerlin" in draft.body_text
    page = browser.get(f"/drafts/{draft.public_id}").content.decode()
    assert 'data-text="-- \nAcme &lt;Sales&gt;\nBerlin"' in page  # for who chooses another From
    administrator.post(address, {"name": "Acme", "who": "everyone", "signature": ""})
    made.refresh_from_db()
    assert (made.signature_html, made.signature_text) == ("", "")


def test_reports_come_here_where_letters_are_taken_in_and_the_box_says_so(account, administrator, settings):
    sender = VerifiedSender.objects.create(
        account=account, address="sales@acme.example", key="sales@acme.example", smtp_host="smtp.acme.example",
        smtp_port=465, smtp_security="tls", smtp_user="acme", is_everyones=True,
    )  # fmt: skip
    boss, address = administrator, f"/settings/senders/{sender.public_id}"
    assert b"returns_here" not in boss.get("/settings/senders").content
    settings.INBOUND = Inbound("in.acme.example", "127.0.0.1", 0)
    page = boss.get("/settings/senders").content.decode()
    assert 'name="returns_here"' in page and "an address at in.acme.example" in page
    for form, expected in (
        ({"reports": "asked", "returns_here": "yes"}, True), ({}, True), ({"reports": "asked"}, False),
    ):  # fmt: skip
        assert boss.post(address, {"who": "everyone", **form}).status_code == 302
        sender.refresh_from_db()
        assert sender.returns_here is expected
