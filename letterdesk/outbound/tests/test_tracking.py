"""Opens and clicks: put in once, before signing; counted by numbers alone; nowhere where it is switched off."""

import re
from datetime import timedelta

import pytest

from letterdesk.accounts.models import Role
from letterdesk.accounts.roles import NotAllowed
from letterdesk.events.models import Event
from letterdesk.lib import blobs
from letterdesk.mail.dkim import Published
from letterdesk.mail.parse import parse_letter, read_body
from letterdesk.mail.tests.test_dkim import proves
from letterdesk.mailboxes.models import BlobReference, Message
from letterdesk.mailboxes.tests.conftest import employ
from letterdesk.outbound import drafts, filing, signing, tracking
from letterdesk.outbound.deliver import LEASE, deliver
from letterdesk.outbound.forget_told import forget_told
from letterdesk.outbound.models import Delivery, Draft, Fetch, State, TrackedLetter, TrackedLink
from letterdesk.outbound.send import send, stop
from letterdesk.outbound.sweep import KEPT, sweep
from letterdesk.outbound.tests.sending import SOON, after
from letterdesk.outbound.tests.test_signing import stands
from letterdesk.outbound.tracked_address import is_ours, link_address, picture_address, target_of, untracked
from letterdesk.plans.models import Channel
from tests.rig.crashes import Point, dies, points_reached
from tests.rig.sink import Sink

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("allow_loopback", "blobs_folder")]

HTML = (
    '<p><a href="https://acme.example/offer?a=1&amp;b=2">Our offer</a> <a href="mailto:ines@acme.example">me</a> '
    '<a href="https://acme.example/terms">Terms</a> <a href="https://acme.example/unsubscribe">No more letters</a></p>'
)
TRACKS = re.compile(r"https?://[^\"<>\s]*/t/[a-z2-7]{16}[^\"<>\s]*")
HOUR = timedelta(hours=1)


@pytest.fixture
def administrator(account):
    return employ(account, "Maria", Role.ADMINISTRATOR)


@pytest.fixture
def counting(administrator):
    tracking.switch(by=administrator, on=True)


@pytest.fixture
def write(mailbox, ines, now):
    """A letter of Ines from CRM, as a draft."""

    def made(html=HTML, *, is_tracked=True, channel=Channel.CRM, text=""):
        begun = Draft(account=mailbox.account, mailbox=mailbox, channel=channel, about="deal:x", is_tracked=is_tracked)
        begun.to, begun.subject = [["Bo", "bo@client.example"], ["", "cy@client.example"]], "Offer"
        if html or text:
            drafts.write(begun, html, text)
        return drafts.begin(begun, by=ines, now=now)

    return made


@pytest.fixture
def sent(mailbox, write, counting, ines, now):
    """A tracked letter that has left at `now + SOON`."""
    with Sink() as sink:
        sink.reach(mailbox)
        yield after(send(write(), by=ines, seen=1, now=now), now)


def bodies(raw):
    found = read_body(raw)
    return found.html, found.text


def raw_of(delivery):
    return blobs.get(delivery.account_id, delivery.blob)


def fetch(letter, at, *, link=0, machine=""):
    return tracking.fetched(letter, link=link, machine=machine, now=at)


# What leaves


def test_links_lead_over_us_and_a_picture_is_fetched_in_html_alone(counting, write, ines, now):
    delivery = send(write(), by=ines, seen=1, now=now)
    html, text = bodies(raw_of(delivery))
    letter = TrackedLetter.objects.get()
    wanted = ["https://acme.example/offer?a=1&b=2", "https://acme.example/terms"]
    assert list(letter.links.order_by("position").values_list("address", flat=True)) == wanted
    name = letter.public_id + letter.account.public_id
    ours = [link_address(name, position, url) for position, url in enumerate(wanted, start=1)]
    assert TRACKS.findall(html) == [*ours, picture_address(name)]
    assert "mailto:ines@acme.example" in html and "https://acme.example/unsubscribe" in html
    assert not TRACKS.search(text) and "https://acme.example/offer" not in html
    assert (letter.delivery, letter.about, letter.by) == (delivery, "deal:x", ines)


def test_the_draft_the_copy_in_sent_and_the_head_have_it_as_it_was_written(sent):
    filed = Message.objects.get()
    assert not TRACKS.search(str(bodies(blobs.get(filed.account_id, filed.blob))))
    assert "https://acme.example/offer?a=1&amp;b=2" in bodies(blobs.get(filed.account_id, filed.blob))[0]
    assert (sent.filed, filed.message_id) == (filed, sent.message_id)


def test_each_attempt_sends_the_same_bytes(counting, mailbox, write, ines, now):
    """P6"""
    with Sink("dot:451 4.3.0 later#2") as sink:
        sink.reach(mailbox)
        delivery = send(write(), by=ines, seen=1, now=now)
        raw, links = raw_of(delivery), list(TrackedLink.objects.values_list("pk", flat=True))
        after(delivery, now, times=3)
    [taken] = sink.taken
    assert delivery.state == State.SENT and delivery.attempts == 3
    assert taken.raw.replace(b"\r\n..", b"\r\n.").rstrip() == raw.rstrip()
    assert list(TrackedLink.objects.values_list("pk", flat=True)) == links


@pytest.mark.case("E15")
def test_it_is_signed_as_it_travels(counting, mailbox, account, write, ines, now):
    key = signing.add(account, "acme.example", by=None, now=now)
    with stands(key) as (resolver, _):
        assert signing.check(key, now=now, resolver=resolver) == Published.YES
    with Sink() as sink:
        sink.reach(mailbox)
        after(send(write(), by=ines, seen=1, now=now), now)
    [taken] = sink.taken
    assert TRACKS.search(bodies(taken.raw)[0]) and proves(taken.raw.replace(b"\r\n..", b"\r\n."), key.key)


@pytest.mark.parametrize("how", ["the account", "the writer", "Webmail", "plain text"])
def test_nothing_is_counted_where_it_is_not_wanted(how, administrator, write, ines, now):
    tracking.switch(by=administrator, on=how != "the account")
    more = (
        {"channel": Channel.WEBMAIL} if how == "Webmail" else {"html": "", "text": "x"} if how == "plain text" else {}
    )
    delivery = send(write(is_tracked=how != "the writer", **more), by=ines, seen=1, now=now)
    assert not TRACKS.search(str(bodies(raw_of(delivery)))) and delivery.plain_blob == ""
    assert not TrackedLetter.objects.exists()


def test_a_letter_that_quotes_a_tracked_one_leads_where_that_led(counting, write, ines, now):
    ours = link_address("a" * 16, 1, "https://acme.example/?a=1&b=2")
    html = f'<p>x</p><blockquote><a href="{ours}">y</a></blockquote>'
    for is_tracked in (True, False):
        found = bodies(raw_of(send(write(html, is_tracked=is_tracked), by=ines, seen=1, now=now)))[0]
        assert "https://acme.example/?a=1&amp;b=2" in found and ours not in found
    text = raw_of(send(write("", text=f"> see {ours}"), by=ines, seen=1, now=now))
    assert bodies(text)[1].strip() == "> see https://acme.example/?a=1&b=2"


def test_what_is_switched_off_before_it_leaves_is_not_in_it(counting, administrator, mailbox, write, ines, now):
    delivery = send(write(), by=ines, seen=1, now=now, at=now + HOUR)
    tracking.switch(by=administrator, on=False)
    with Sink("dot:451 4.3.0 later#1") as sink:
        sink.reach(mailbox)
        after(delivery, now + HOUR)
        tracking.switch(by=administrator, on=True)
        raw = raw_of(delivery)
        after(delivery, now + HOUR)
    [taken] = sink.taken
    assert not TRACKS.search(str(bodies(taken.raw))) and not TrackedLetter.objects.exists()
    assert taken.raw.replace(b"\r\n..", b"\r\n.").rstrip() == raw.rstrip() and delivery.state == State.SENT


def test_dead_while_it_is_taken_out_it_leaves_once_and_counts_nothing(
    counting, administrator, mailbox, write, ines, now
):
    """P6, A13: it was tried by then, so it keeps its bytes."""
    with Sink() as sink:
        sink.reach(mailbox)
        delivery = send(write(), by=ines, seen=1, now=now)
        tracking.switch(by=administrator, on=False)
        dies(lambda: deliver(now=now + SOON, patience=1), Point("tracking.taken_out", 1))
        for tries in (1, 2):
            deliver(now=now + SOON + tries * LEASE, patience=1)
    assert len(sink.taken) == 1 and Delivery.objects.get(pk=delivery.pk).state == State.SENT
    assert not fetch(TrackedLetter.objects.get(), now + HOUR)


def test_what_was_tried_keeps_its_bytes(counting, administrator, mailbox, write, ines, now):
    """P6"""
    with Sink("dot:451 4.3.0 later#1") as sink:
        sink.reach(mailbox)
        delivery = after(send(write(), by=ines, seen=1, now=now), now)
        tracking.switch(by=administrator, on=False)
        raw = raw_of(delivery)
        after(delivery, now)
    assert sink.taken[0].raw.replace(b"\r\n..", b"\r\n.").rstrip() == raw.rstrip()
    assert not fetch(TrackedLetter.objects.get(), now + HOUR)


def test_only_administrators_switch_it_and_it_is_on_record(account, ines, administrator):
    with pytest.raises(NotAllowed):
        tracking.switch(by=ines, on=True)
    assert not tracking.is_on(account.pk)
    tracking.switch(by=administrator, on=True)
    tracking.switch(by=administrator, on=False)
    told = Event.objects.filter(kind="tracking.changed").order_by("pk")
    assert [each.facts for each in told] == [{"is_on": 1}, {"is_on": 0}] and not tracking.is_on(account.pk)


# Addresses


def test_an_address_that_we_did_not_make_leads_nowhere(settings):
    url = "https://acme.example/x"
    _front, letter, token, packed = link_address("a" * 16, 3, url).rsplit("/", 3)
    assert target_of(letter, token, packed) == (3, url)
    other = link_address("a" * 16, 3, "https://evil.example/").rsplit("/", 1)[1]
    tampered = [
        (letter, token, other), (letter, token, packed[:-2]), (letter, token.replace("3-", "4-"), packed),
        ("b" * 16, token, packed), (letter, token[:-1] + ("a" if token[-1] != "a" else "b"), packed),
        (letter, token, "%00"), (letter, "", ""), (letter, token, "ü"),
    ]  # fmt: skip
    assert [target_of(*each) for each in tampered] == [None] * len(tampered)
    settings.SECRET_KEY = "another one of another installation, long enough to be one"
    assert target_of(letter, token, packed) is None


@pytest.mark.parametrize(
    "url", ["javascript:alert(1)", "https://a.example/\r\nX: y", "//evil.example", "data:text/html,x"]
)
def test_even_a_signed_address_leads_to_the_web_alone(url):
    assert target_of(*link_address("a" * 16, 1, url).rsplit("/", 3)[1:]) is None


def test_only_our_own_addresses_are_made_what_they_were():
    ours = link_address("a" * 16, 1, "https://acme.example/")
    assert untracked(f"{ours} x", is_html=False) == "https://acme.example/ x"
    forged = ours.replace("/t/aaaa", "/t/bbbb")
    assert untracked(forged, is_html=False) == forged and is_ours(forged) and is_ours(ours)
    assert is_ours(picture_address("a" * 16)) and not is_ours("https://elsewhere.example/t/x.gif")


# Counting


def test_people_and_machines_are_counted_apart_and_told_of_people_alone(sent, ines, now):
    letter = TrackedLetter.objects.get()
    at = now + SOON
    fetch(letter, at + timedelta(seconds=3))
    fetch(letter, at + HOUR, machine="gmail")
    fetch(letter, at + 2 * HOUR)
    fetch(letter, at + 2 * HOUR + timedelta(minutes=2), link=1)
    fetch(letter, at + 3 * HOUR, link=2, machine="scanner")
    assert tracking.judge_due(now=at + 3 * HOUR + timedelta(seconds=14)) == 1  # some lie there for long
    assert tracking.judge_due(now=at + 4 * HOUR) == 0
    letter.refresh_from_db()
    assert (letter.opens, letter.opened_at) == (1, at + 2 * HOUR)
    assert letter.machines == {"at_delivery": 1, "gmail": 1}
    links = letter.links.order_by("position").values_list("clicks", "by_machines", "clicked_at")
    assert list(links) == [(1, 0, at + 2 * HOUR + timedelta(minutes=2)), (0, 1, None)]
    told = Event.objects.filter(kind__in=["letter.opened", "letter.clicked"]).order_by("pk")
    assert [(each.kind, each.facts["times"], each.facts["link"]) for each in told] == [
        ("letter.opened", 1, 0), ("letter.clicked", 1, 1),
    ]  # fmt: skip
    assert {(each.topic, each.subject) for each in told} == {(ines.topic, "deal:x")}
    assert not Fetch.objects.exists()  # nothing of whoever read is left but the numbers


def test_the_record_of_what_happened_keeps_no_readers_hours(sent, now):
    letter, at = TrackedLetter.objects.get(), now + HOUR
    fetch(letter, at, link=1)
    tracking.judge_due(now=at + HOUR)
    told = Event.objects.filter(kind="letter.clicked")
    told.update(at=at, dispatched_at=None)
    forget_told(now=at + 2 * timedelta(days=1))
    assert told.exists()  # nobody was told yet
    told.update(dispatched_at=at)
    forget_told(now=at + timedelta(hours=23))
    assert told.exists()
    assert forget_told(now=at + timedelta(hours=25)) is None
    assert not told.exists()


def test_a_link_that_would_become_too_long_stays_as_it_is():
    assert len(link_address("a" * 32, 1, "https://acme.example/" + "x" * 1400)) < tracking.LONGEST_ADDRESS
    assert len(link_address("a" * 16, 1, "https://acme.example/" + "x" * 1600)) > tracking.LONGEST_ADDRESS


def test_what_is_fetched_waits_until_what_is_beside_it_is_known(sent, now):
    letter, at = TrackedLetter.objects.get(), now + HOUR
    fetch(letter, at, link=1)
    assert tracking.judge_due(now=at + timedelta(seconds=10)) == 0
    fetch(letter, at + timedelta(seconds=4), link=2)
    assert tracking.judge_due(now=at + timedelta(seconds=16)) == 0
    assert tracking.judge_due(now=at + timedelta(seconds=20)) == 1
    assert list(letter.links.values_list("clicks", "by_machines")) == [(0, 1), (0, 1)]
    assert not Event.objects.filter(kind="letter.clicked").exists()


def test_dead_at_any_point_each_is_counted_once(sent, now):
    letter, at = TrackedLetter.objects.get(), now + HOUR
    fetch(letter, at)
    points = points_reached(lambda: tracking.judge_due(now=at + HOUR))
    assert {each.name for each in points} == {"tracking.before_commit"}
    for times, point in enumerate(points, start=2):
        fetch(letter, at + times * HOUR)
        dies(lambda at=at, times=times: tracking.judge_due(now=at + (times + 1) * HOUR), point)
        tracking.judge_due(now=at + (times + 1) * HOUR)
        letter.refresh_from_db()
        assert letter.opens == times


def test_nothing_is_counted_any_more_once_it_is_switched_off(sent, administrator, now):
    letter = TrackedLetter.objects.get()
    tracking.switch(by=administrator, on=False)
    assert not fetch(letter, now + HOUR) and not Fetch.objects.exists()


def test_nothing_is_counted_in_a_closed_company(sent, account, now):
    account.closed_at = now
    account.save(update_fields=["closed_at"])
    assert not fetch(TrackedLetter.objects.get(), now + HOUR)


def test_nobody_counts_without_end(sent, now, monkeypatch):
    monkeypatch.setattr(tracking, "MOST_PER_HOUR", 2)
    letter = TrackedLetter.objects.get()
    assert [fetch(letter, now + HOUR) for _ in range(4)] == [True, True, False, False]


def test_a_letter_that_was_perhaps_sent_is_judged_by_when_it_was_tried(counting, mailbox, write, ines, now):
    with Sink("dot:cut") as sink:
        sink.reach(mailbox)
        delivery = after(send(write(), by=ines, seen=1, now=now), now)
    assert delivery.state == State.UNKNOWN
    fetch(TrackedLetter.objects.get(), now + HOUR)
    tracking.judge_due(now=now + 2 * HOUR)
    assert TrackedLetter.objects.get().opens == 1


# How long


def test_a_stopped_letter_leaves_no_numbers(counting, write, ines, now):
    delivery = send(write(), by=ines, seen=1, now=now)
    draft = stop(delivery, by=ines, now=now)
    assert draft.is_tracked and not TRACKS.search(draft.body_html)
    tracking.forget_unheld()
    assert not TrackedLetter.objects.exists() and not TrackedLink.objects.exists()


def test_numbers_stay_as_long_as_somebody_keeps_the_letter(sent, now):
    tracking.hold(sent, "activity:7")
    filing.kept(sent, now=now)
    while sweep(now=now + 2 * KEPT):
        pass
    letter = TrackedLetter.objects.get()
    assert not Delivery.objects.exists() and letter.delivery is None and letter.left_at == now + SOON
    assert tracking.tracked_of(letter.account_id, ["activity:7"]) == {"activity:7": letter}
    fetch(letter, now + 2 * KEPT)
    tracking.judge_due(now=now + 2 * KEPT + HOUR)
    letter.refresh_from_db()
    assert letter.opens == 1
    tracking.let_go(letter.account_id, ["", "activity:8"])
    assert TrackedLetter.objects.exists()
    tracking.let_go(letter.account_id, ["activity:7"])
    assert not TrackedLetter.objects.exists()


def test_numbers_of_a_letter_that_nobody_keeps_go_with_its_delivery(sent, now):
    assert tracking.forget_unheld() == 0
    filing.kept(sent, now=now)
    while sweep(now=now + 2 * KEPT):
        pass
    assert not TrackedLetter.objects.exists()


def test_both_forms_of_the_letter_are_given_back_with_it(sent, now):
    """R9: nobody holds its bytes any more but the copy in Sent."""
    filing.kept(sent, now=now)
    held = set(BlobReference.objects.filter(account_id=sent.account_id).values_list("blob", flat=True))
    assert sent.blob not in held and parse_letter(raw_of(sent)).message_id == sent.message_id
