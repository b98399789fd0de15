"""Letters without a mailbox: through a verified sender, once, or somebody is asked (R22–R24, P6)."""

from datetime import timedelta

import pytest
from django.core import mail

from letterdesk.accounts.models import Role
from letterdesk.accounts.pace import TooFast
from letterdesk.accounts.roles import NotAllowed
from letterdesk.lib import blobs
from letterdesk.mail.errors import AuthFailed
from letterdesk.mail.imap_types import Login
from letterdesk.mailboxes.models import BlobReference, Message
from letterdesk.mailboxes.tests.conftest import employ
from letterdesk.outbound import drafts, filing, resolve, senders
from letterdesk.outbound.again import send_again
from letterdesk.outbound.bounces import believe
from letterdesk.outbound.composing import CannotSend
from letterdesk.outbound.deliver import LEASE, deliver
from letterdesk.outbound.identities import identities_for, identities_of
from letterdesk.outbound.models import Delivery, Draft, State, Suppressed, VerifiedSender
from letterdesk.outbound.send import Remind, send, stop
from letterdesk.outbound.sweep import sweep
from letterdesk.outbound.tests.sending import SOON, TO, after, states
from letterdesk.outbound.tests.test_send import used
from letterdesk.plans.limits import LimitReached, NotInPlan
from letterdesk.plans.models import Channel, Subscription, Usage
from letterdesk.plans.usage import meter
from tests.rig.crashes import dies, points_reached
from tests.rig.sink import Sink

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("allow_loopback", "blobs_folder")]


@pytest.fixture
def admin(account):
    return employ(account, "Admin", Role.ADMINISTRATOR)


@pytest.fixture
def free(account):
    """The account is on Free, and nobody in it has a mailbox."""
    Subscription.objects.filter(account=account).update(plan="free")
    return account


def server_of(sink, password="secret"):
    return Login(sink.host, sink.port, "none", "acme", password)


def link_sent():
    return mail.outbox[-1].body.partition("/senders/")[2].split()[0]


def added(sink, admin, now, address="sales@acme.example", **fields):
    """A sender of the account that its owner has proved; everyone may write from it."""
    users = fields.pop("users", senders.Users(is_everyones=True))
    made = senders.add(address, server_of(sink), name="Acme", users=users, by=admin, now=now)
    senders.send_link(made, by=admin, now=now)
    return senders.verify(link_sent(), now=now)


def written(sender, by, now, to=TO):
    draft = Draft(verified_sender=sender, channel=Channel.CRM, about="contact:x", to=drafts.people(to), subject="Hi")
    drafts.write(draft, "", "Hello\n.\nBye")
    return drafts.begin(draft, by=by, now=now)


@pytest.fixture
def queued(free, admin, ines, now):
    """Queue a letter of Ines from a verified sender whose server is this sink."""

    def made(sink, **fields):
        VerifiedSender.objects.update(removed_at=now)
        sender = added(sink, admin, now + timedelta(hours=next(hours)), **fields)
        return send(written(sender, ines, now), by=ines, seen=1, now=now)

    hours = iter(range(1000))
    return made


def test_on_free_a_letter_leaves_without_any_mailbox(queued, free, ines, now):
    """R22, R23, R24: with its bytes kept until CRM has its copy (R6), and one unit in the channel CRM."""
    with Sink() as sink:
        delivery = after(queued(sink), now)
    [taken] = sink.taken
    assert delivery.state == State.SENT and states(delivery) == ["accepted"] * 3 and delivery.mailbox is None
    assert taken.sender == "sales@acme.example" and taken.header("From") == "Acme <sales@acme.example>"
    assert taken.header("Message-ID").endswith("@acme.example>") and b"\r\n..\r\n" in taken.raw
    assert meter(free, now=now).by_channel == {"crm": 1}
    assert not Message.objects.exists() and not Draft.objects.exists()
    assert list(filing.to_keep()) == [delivery] and blobs.get(free.pk, delivery.blob) == taken.raw.replace(
        b"\r\n..", b"\r\n."
    )
    assert sweep(now=now + timedelta(days=40)) == 0
    filing.kept(delivery, now=now)
    assert not filing.to_keep().exists() and not BlobReference.objects.filter(holder=delivery.holder).exists()
    assert sweep(now=now + timedelta(days=40)) == 1 and not Delivery.objects.exists()


@pytest.mark.parametrize(
    ("mode", "state"),
    [
        ("mail:451 later#1", State.DEFERRED),
        ("data:cut#1", State.DEFERRED),
        ("dot:554 spam", State.FAILED),
        ("auth:535 wrong password", State.FAILED),
        ("dot:take+cut", State.UNKNOWN),
    ],
)
def test_every_phase_ends_as_from_a_mailbox(queued, free, ines, now, mode, state):
    """E02, E05, R23. There is no Sent folder to look in: what is unknown stays so until a person decides."""
    with Sink() as sink:
        delivery = queued(sink)
        sink.modes = [mode]
        delivery = after(delivery, now)
        assert delivery.state == state, delivery.error
        assert used(free) == (0 if state == State.FAILED else 1)
        if state == State.DEFERRED:
            assert after(delivery, now).state == State.SENT and len(sink.taken) == 1
        if state == State.UNKNOWN:
            deliver(now=now + timedelta(days=9), patience=1)
            assert resolve.look_for(now=now + timedelta(days=9)) == 0 and len(sink.taken) == 1
            assert Delivery.objects.editable_by(ines).in_trouble().get().state == State.UNKNOWN
            resolve.as_sent(delivery, by=ines, now=now)
            assert list(filing.to_keep()) == [delivery] and not Message.objects.exists()


def test_dead_at_any_point_it_leaves_once_or_asks(queued, ines, now):
    """P6, E01, E02, E03: killed at every step of handing over, then resumed."""
    reached = []
    with Sink() as sink:
        queued(sink)
        points = points_reached(lambda: deliver(now=now + SOON, patience=1))
    assert {"deliver.claimed", "deliver.before_journal", "deliver.journalled", "deliver.before_commit"} <= {
        point.name for point in points
    }
    for point in points:
        Delivery.objects.all().delete()
        with Sink() as sink:
            delivery = queued(sink)
            assert dies(lambda: deliver(now=now + SOON, patience=1), point)
            deliver(now=now + SOON + LEASE + timedelta(minutes=1), patience=1)
            delivery.refresh_from_db()
            if delivery.state == State.UNKNOWN:
                assert len(sink.taken) <= 1
                assert point.name in {"deliver.journalled", "deliver.attempted", "deliver.before_commit"}
                send_again(delivery, by=ines, now=now)  # a person: perhaps twice
                assert after(delivery, now).state == State.SENT
            else:
                assert delivery.state == State.SENT and len(sink.taken) == 1, point
            reached.append(delivery.may_have_left)
    assert set(reached) == {True, False}


def test_who_may_write_from_it(account, admin, ines, jonas, stranger, now):
    """Everyone, or who is named; without its owner's word nobody. In CRM alone: there its copy is kept."""
    with Sink() as sink:
        made = added(sink, admin, now, users=senders.Users(named=(ines,)))
        unproved = senders.add(
            "info@acme.example", server_of(sink), users=senders.Users(is_everyones=True), by=admin, now=now
        )

    def usable(person):
        return set(VerifiedSender.objects.usable_by(person))

    assert [usable(each) for each in (ines, jonas, admin, stranger)] == [{made}, set(), set(), set()]
    assert set(VerifiedSender.objects.visible_to(admin)) == {made, unproved}
    assert set(VerifiedSender.objects.visible_to(ines)) == {made}
    assert not VerifiedSender.objects.editable_by(ines) and not VerifiedSender.objects.visible_to(stranger)
    senders.change_use(made, name="", users=senders.Users(is_everyones=True), daily_most=5, by=admin)
    assert [usable(each) for each in (ines, jonas, admin, stranger)] == [{made}, {made}, {made}, set()]
    assert identities_of(jonas) == []
    [identity] = identities_for(Draft(verified_sender=made, channel=Channel.CRM), jonas)
    assert str(identity.address.name) == jonas.name and identity.email == "sales@acme.example"
    assert identities_for(Draft(verified_sender=made), jonas) == []  # Webmail's door
    with pytest.raises(drafts.NotYours):
        written(unproved, ines, now)
    with pytest.raises(NotAllowed):
        senders.remove(made, by=ines, now=now)
    with pytest.raises(ValueError, match="another account"):
        senders.change_use(made, name="", users=senders.Users(named=(stranger,)), daily_most=None, by=admin)


def test_a_letter_is_its_writer_s_alone_and_of_who_left_an_administrator_s(queued, admin, ines, jonas, now):
    """Nobody reads by role; yet what was perhaps sent must find somebody who decides."""
    with Sink() as sink:
        delivery = queued(sink)
        assert Draft.objects.visible_to(ines).exists() and not Draft.objects.visible_to(admin).exists()
        seen = [Delivery.objects.visible_to(each).exists() for each in (ines, jonas, admin)]
        assert seen == [True, False, False]
        type(ines).objects.filter(pk=ines.pk).update(is_active=False, dismissed_at=now)
        seen = [Delivery.objects.editable_by(each).exists() for each in (ines, jonas, admin)]
        assert seen == [False, False, True] and not Draft.objects.visible_to(ines).exists()
        assert after(delivery, now).error_code == "withheld" and sink.taken == []


def test_a_removed_sender_lets_nothing_out_and_keeps_the_draft(queued, free, admin, ines, now):
    with Sink() as sink:
        delivery = queued(sink)
        sender = delivery.verified_sender
        senders.remove(sender, by=admin, now=now)
        sender.refresh_from_db()
        assert sender.secret is None
        assert after(delivery, now).error_code == "withheld" and sink.taken == []
    draft = stop(delivery, by=ines, now=now)
    assert used(free) == 0 and Draft.objects.editable_by(ines).get() == draft
    with pytest.raises(CannotSend) as caught:
        send(draft, by=ines, seen=draft.version, now=now)
    assert [each.code for each in caught.value.problems] == ["sender_not_yours"]


def test_not_in_the_plan_and_used_up_are_two_errors(free, admin, ines, now):
    """R24: the door says the channel; a draft that was not begun in CRM does not leave on Free."""
    with Sink() as sink:
        sender = added(sink, admin, now)
    draft = written(sender, ines, now)
    Usage.objects.create(account=free, month=now.date().replace(day=1), used=1000)
    with pytest.raises(LimitReached, match="1,000"):
        send(draft, by=ines, seen=1, now=now)
    Usage.objects.update(used=999)
    send(draft, by=ines, seen=1, now=now)
    assert used(free) == 1000 or Usage.objects.get().used == 1000
    with pytest.raises(CannotSend, match="needs a mailbox"):
        send(written(sender, ines, now), by=ines, seen=1, now=now, remind=Remind(days=2))
    Draft.objects.open().delete()
    other = written(sender, ines, now)
    Draft.objects.filter(pk=other.pk).update(channel=Channel.WEBMAIL)
    with pytest.raises((NotInPlan, CannotSend)):
        send(other, by=ines, seen=1, now=now)
    assert Draft.objects.open().count() == 1


def test_so_many_a_day_and_no_letter_to_who_does_not_exist(free, admin, ines, mailbox, now):
    """E12. A report that reaches the mailbox of the same address is believed."""
    from letterdesk.mail.reports import Fate, Report, Told

    with Sink() as sink:
        sender = added(sink, admin, now, address=mailbox.address)
        senders.change_use(sender, name="Acme", users=senders.Users(is_everyones=True), daily_most=1, by=admin)
        first, second = (send(written(sender, ines, now), by=ines, seen=1, now=now) for _ in range(2))
        deliver(now=now + SOON, patience=1)
        second.refresh_from_db()
        assert len(sink.taken) == 1 and second.error_code == "daily_limit"
    told = Told("bo@client.example", Fate.HARD, "no such user")
    assert believe(mailbox, Report((first.message_id,), (told,)), now=now) == 1
    assert Suppressed.objects.get().address == "bo@client.example"
    with pytest.raises(CannotSend, match="came back"):
        send(written(sender, ines, now), by=ines, seen=1, now=now)


def test_only_who_reads_the_address_proves_it(free, admin, ines, now):
    """C20, C26: not through the sender's own server; one link, once, for a day; a later one ends it."""
    with Sink() as sink:
        with pytest.raises(senders.BadSender, match="no e-mail address"):
            senders.add("a@b\r\nBcc: x@y.example", server_of(sink), by=admin, now=now)
        with pytest.raises(senders.BadSender, match="name contains"):
            senders.add("a@acme.example", server_of(sink), name="a\nb", by=admin, now=now)
        with pytest.raises(NotAllowed):
            senders.add("a@acme.example", server_of(sink), by=ines, now=now)
        made = senders.add("a@acme.example", server_of(sink), by=admin, now=now)
        with pytest.raises(senders.BadSender, match="here already"):
            senders.add("A@acme.example", server_of(sink), by=admin, now=now)
        senders.send_link(made, by=admin, now=now)
        first, [letter] = link_sent(), mail.outbox
        assert letter.to == ["a@acme.example"] and sink.taken == []
        senders.send_link(made, by=admin, now=now)
        second = link_sent()
        assert second not in str(VerifiedSender.objects.values_list("link_hash", flat=True))
        for token, at in ((first, now), ("", now), (second, now + timedelta(hours=24))):
            with pytest.raises(senders.LinkInvalid):
                senders.verify(token, now=at)
        assert senders.pending(second, now=now) == made and not senders.pending(second, now=now).verified_at
        assert senders.verify(second, now=now).verified_at == now
        with pytest.raises(senders.LinkInvalid):
            senders.verify(second, now=now)
        senders.send_link(made, by=admin, now=now)
        with pytest.raises(TooFast):
            senders.send_link(made, by=admin, now=now)
        sink.modes = ["auth:535 wrong password"]
        with pytest.raises(AuthFailed):
            senders.change_server(made, server_of(sink, "other"), by=admin, now=now)
        made.refresh_from_db()
        assert made.secret == {"password": "secret"} and "secret" not in repr(server_of(sink))


def test_a_removed_sender_gets_no_password_again(free, admin, now, monkeypatch):
    """An old form, or a removal while the server was tried."""
    monkeypatch.setattr(senders, "_try", lambda server, *, by, now: None)
    server = Login("smtp.acme.example", 465, "tls", "acme", "secret")
    made = senders.add("sales@acme.example", server, by=admin, now=now)
    senders.remove(VerifiedSender.objects.get(), by=admin, now=now)
    with pytest.raises(senders.BadSender, match="is removed"):
        senders.change_server(made, server, by=admin, now=now)
    with pytest.raises(senders.BadSender, match="is removed"):
        senders.change_use(made, name="Acme", users=senders.Users(), daily_most=None, by=admin)
    assert VerifiedSender.objects.get().secret is None


def test_an_installation_without_mail_says_so(free, admin, now, settings):
    with Sink() as sink:
        made = senders.add("a@acme.example", server_of(sink), by=admin, now=now)
    settings.EMAIL_BACKEND = "django.core.mail.backends.dummy.EmailBackend"
    with pytest.raises(senders.NoMail, match="EMAIL_URL"):
        senders.send_link(made, by=admin, now=now)
