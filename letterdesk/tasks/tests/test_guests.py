"""People outside take part in a task by e-mail: invited, written to, answering over the real inbound server."""

from email.message import EmailMessage
from email.policy import SMTP
from threading import Thread

import pytest
from django.db import connection
from django.utils import timezone

from letterdesk.events.dispatch import dispatch
from letterdesk.events.models import Event
from letterdesk.intake import jobs
from letterdesk.intake.keep import keep
from letterdesk.intake.models import Arrived, State
from letterdesk.intake.serve import server_of
from letterdesk.lib import crashpoint
from letterdesk.mail.authentic import Evidence, Proof
from letterdesk.mail.inbound import Inbound
from letterdesk.mail.letters import Unreadable
from letterdesk.mail.smtpd import Handed
from letterdesk.mailboxes.models import BlobReference
from letterdesk.outbound.composing import CannotSend
from letterdesk.outbound.deliver import deliver
from letterdesk.outbound.identities import identities_with_senders
from letterdesk.outbound.models import Delivery, Suppressed, VerifiedSender
from letterdesk.outbound.models import State as Sent
from letterdesk.plans.models import Reservation
from letterdesk.tasks import bin as tasks_bin
from letterdesk.tasks import guest_letters, guests
from letterdesk.tasks.change import comment
from letterdesk.tasks.create import BadTask
from letterdesk.tasks.guest_letters import Seen, Why, decide
from letterdesk.tasks.models import Comment, Guest, TaskFile
from tests.rig.sink import Sink
from tests.rig.together import at_once
from tests.rig.wire import hand_over

BO = "bo@client.example"


@pytest.fixture(autouse=True)
def house(settings, monkeypatch, allow_loopback):
    """Guests can answer; what DNS would say of senders is said here."""
    settings.INBOUND = Inbound("in.acme.example", "127.0.0.1", 0)
    said = {"proof": Proof.GIVEN}
    monkeypatch.setattr(jobs, "evidence_of", lambda _raw, **_: Evidence(said["proof"], "dkim", "client.example"))
    return said


@pytest.fixture
def sink(mailbox):
    with Sink() as running:
        running.reach(mailbox)
        yield running


@pytest.fixture
def identity(sink, ines):
    return identities_with_senders(ines)[0]


@pytest.fixture
def task(make):
    return make(title="Renew contract")


@pytest.fixture
def guest(task, identity, ines, now):
    return guests.invite(task, BO, identity=identity, by=ines, now=now, name="Bo", words="Please look at page 3.")


def answer(guest, text="Page 3 is fine.", *, sender=BO, name="one", files=(), **fields):
    made = EmailMessage()
    made["From"], made["To"], made["Subject"] = f"Bo <{sender}>", guests.reply_address(guest), "Re: Renew contract"
    made["Message-ID"] = f"<{name}@client.example>"
    for field, value in fields.items():
        made[field.replace("_", "-")] = value
    made.set_content(text)
    for filename, content in files:
        made.add_attachment(content, "application", "pdf", filename=filename)
    return made


@pytest.fixture
def arrive(guest, now):
    """It comes over the wire of `keep`, and is looked at; the row as it is then."""

    def arrived(letter, *, envelope=BO):
        raw = letter if isinstance(letter, bytes) else bytes(letter)
        assert keep([Handed(envelope, (guests.reply_address(guest),), raw, "192.0.2.1")], now=now) == [True]
        row = Arrived.objects.latest("pk")
        jobs.take.now(row.pk)
        row.refresh_from_db()
        return row

    return arrived


def wire(port, guest, letter):
    return hand_over(port, BO, guests.reply_address(guest), letter.as_bytes(policy=SMTP))


@pytest.mark.django_db(transaction=True)
def test_a_guest_is_invited_by_smtp_answers_by_smtp_and_is_refused_once_removed(settings, task, guest, sink, ines, now):
    settings.JOBS_URL = "memory://"
    deliver(now=now, patience=1)
    [letter] = sink.taken
    assert letter.recipients == (BO,)
    assert guests.reply_address(guest) in letter.header("Reply-To")
    assert b"Please look at page 3." in letter.raw
    server = server_of(settings.INBOUND)
    server.start()
    try:
        quoted = "Page 3 is fine.\n\nOn Mon, Ines wrote:\n> Please look at page 3.\n"
        assert wire(server.port, guest, answer(guest, quoted, files=[("plan.pdf", b"%PDF")])) == (250, "")
        made = Comment.objects.get()
        assert (made.guest, made.text, made.confirmed_by) == (guest, "Page 3 is fine.", None)
        assert [file.filename for file in made.files.all()] == ["plan.pdf"]
        assert guests.remove(guest, by=ines, now=now)
        code, text = wire(server.port, guest, answer(guest, "Once more", name="two"))
        assert code == 550
        assert "Ask whoever gave it to you" in text
    finally:
        server.stop()
    assert Comment.objects.get().guest == guest  # what they wrote stays


def test_a_guest_gets_what_is_for_guests_and_nothing_else(task, guest, sink, ines, now):
    comment(task, "Internal: they pay too little", by=ines, now=now)
    written = guests.write_to_guests(task, "The contract is ready.", by=ines, now=now)
    deliver(now=now, patience=1)
    raws = b"".join(each.raw for each in sink.taken)
    assert len(sink.taken) == 2
    assert b"pay too little" not in raws
    assert b"The contract is ready." in raws
    later = next(each for each in sink.taken if b"is ready" in each.raw)
    assert guest.message_id in later.header("In-Reply-To")
    assert (written.comment.for_guests, Comment.objects.filter(for_guests=False).count()) == (True, 1)
    assert Reservation.objects.filter(channel="task", refunded_at=None).count() == 2  # R22


def test_one_without_a_mailbox_or_sender_writes_to_no_guest(task, guest, jonas, now):
    with pytest.raises(guests.NoSender):
        guests.write_to_guests(task, "Hello", by=jonas, now=now)
    assert not Comment.objects.exists()


@pytest.mark.parametrize("address", ["nobody", "ines@acme.example", "task-x@in.acme.example", BO.upper()])
def test_who_cannot_be_a_guest_is_refused_in_words(task, guest, identity, ines, now, address):
    with pytest.raises(BadTask, match=r"e-mail address|of your own|already"):
        guests.invite(task, address, identity=identity, by=ines, now=now)
    assert Guest.objects.count() == Delivery.objects.count() == 1


def test_a_verified_sender_is_one_of_our_own_addresses(account, task, identity, ines, now):
    VerifiedSender.objects.create(account=account, address="Sales@acme.example", key="sales@acme.example", smtp_port=25)
    with pytest.raises(BadTask, match="of your own"):
        guests.invite(task, "sales@acme.example", identity=identity, by=ines, now=now)


def test_nothing_goes_to_an_address_that_does_not_exist(account, task, guest, identity, ines, now):
    Suppressed.objects.create(account=account, address="gone@client.example")
    with pytest.raises(CannotSend):
        guests.invite(task, "gone@client.example", identity=identity, by=ines, now=now)
    Suppressed.objects.create(account=account, address=BO)
    with pytest.raises(BadTask):
        guests.write_to_guests(task, "Hello", by=ines, now=now)
    assert not Comment.objects.exists()


def test_without_a_domain_nobody_is_invited(settings, task, identity, ines, now):
    settings.INBOUND = Inbound()
    with pytest.raises(guests.NoInbound, match="domain"):
        guests.invite(task, BO, identity=identity, by=ines, now=now)


def test_an_invented_or_changed_address_is_nobody_s(guest, now):
    local = guests.reply_address(guest).partition("@")[0]
    assert guests.find(local, now).address == guest.public_id
    other = "b" if local[-1] != "b" else "c"
    for wrong in (local[:-1] + other, local[:-1], local + "a", "task-" + "a" * 40, "task-", local.replace("task-", "")):
        assert guests.find(wrong, now) is None
    Guest.objects.filter(pk=guest.pk).update(public_id="a" * 16)
    assert guests.find(local, now) is None


def test_what_nobody_proves_waits_until_one_of_us_takes_it(house, guest, arrive, ines, now):
    house["proof"] = Proof.NONE
    row = arrive(answer(guest))
    assert (row.state, row.why, Comment.objects.count()) == (State.ASKED, Why.UNPROVED, 0)
    assert list(guest_letters.waiting(Guest.objects.visible_to(ines))) == [row]
    assert guest_letters.accept(row, by=ines, now=now)
    made = Comment.objects.get()
    assert (made.text, made.confirmed_by, made.guest) == ("Page 3 is fine.", ines, guest)
    assert not guest_letters.accept(row, by=ines, now=now)
    assert not guest_letters.drop(row, by=ines, now=now)


def test_who_answers_from_another_address_waits_although_it_is_proved(guest, arrive, ines, now):
    row = arrive(answer(guest, sender="cy@client.example"))
    assert (row.state, row.why) == (State.ASKED, Why.OTHER)
    other = arrive(answer(guest, sender="di@client.example", name="two"))
    assert guest_letters.drop(other, by=ines, now=now)
    assert guest_letters.accept(row, by=ines, now=now)
    assert Comment.objects.get().from_address == "cy@client.example"


@pytest.mark.parametrize(
    ("fields", "state"),
    [
        ({"Auto_Submitted": "auto-replied"}, State.LEFT_OUT),
        ({"Precedence": "bulk"}, State.ASKED),
        ({"Auto_Submitted": "auto-generated"}, State.ASKED),
    ],
)
def test_what_a_program_wrote_makes_no_comment(guest, arrive, fields, state):  # D12
    assert arrive(answer(guest, **fields)).state == state
    assert not Comment.objects.exists()
    assert Delivery.objects.count() == 1  # and no letter


def test_what_programs_wrote_leaves_a_trace_and_can_be_looked_at(guest, arrive, monkeypatch, ines):
    monkeypatch.setattr(guest_letters, "MOST_WAITING", 2)
    rows = [arrive(answer(guest, name=name, Auto_Submitted="auto-replied")) for name in ("a", "b", "c")]
    theirs = Guest.objects.visible_to(ines)
    found = guest_letters.left_out(theirs)
    assert (len(found.automatic), found.kept, found.crowded) == (3, rows[1::-1], 0)
    assert rows[0].facts["subject"] == "Re: Renew contract"
    assert set(guest_letters.readable(theirs)) == set(rows[:2])
    assert not BlobReference.objects.filter(holder=rows[2].holder).exists()


def test_so_many_letters_wait_and_the_oldest_stay(house, guest, arrive, monkeypatch, ines, now):
    """Further ones are counted and not kept; what the guest is proved to have written is a comment all the same."""
    monkeypatch.setattr(guest_letters, "MOST_WAITING", 2)
    house["proof"] = Proof.NONE
    rows = [arrive(answer(guest, name=name)) for name in ("a", "b", "c", "d")]
    assert [each.state for each in rows] == [State.ASKED, State.ASKED, State.LEFT_OUT, State.LEFT_OUT]
    theirs = Guest.objects.visible_to(ines)
    assert list(guest_letters.waiting(theirs)) == rows[:2] and guest_letters.left_out(theirs).crowded == 2
    assert not BlobReference.objects.filter(holder=rows[2].holder).exists()
    house["proof"] = Proof.GIVEN
    assert arrive(answer(guest, name="e")).state == State.DONE
    house["proof"] = Proof.NONE
    assert guest_letters.accept(rows[0], by=ines, now=now)
    assert arrive(answer(guest, name="f")).state == State.ASKED


def test_so_many_letters_that_nobody_can_read_wait(guest, arrive, monkeypatch, ines):
    monkeypatch.setattr(jobs, "MOST_READS", 0)
    monkeypatch.setattr(jobs, "parse_many", lambda raws: [Unreadable("broken") for _ in raws])
    states = [arrive(answer(guest, name=str(number))).state for number in range(guest_letters.MOST_WAITING + 2)]
    assert states == [State.UNREADABLE] * guest_letters.MOST_WAITING + [State.LEFT_OUT] * 2
    assert guest_letters.left_out(Guest.objects.visible_to(ines)).crowded == 2


def test_a_report_marks_the_guest_only_if_it_is_about_a_letter_of_ours(guest, arrive, sink, stranger, now):
    report = (
        "From: MAILER-DAEMON@client.example\r\nSubject: Undelivered\r\nMIME-Version: 1.0\r\n"
        'Content-Type: multipart/report; report-type=delivery-status; boundary="x"\r\n\r\n'
        "--x\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx.client.example\r\n\r\n"
        "Final-Recipient: rfc822; {to}\r\nAction: failed\r\nStatus: 5.1.1\r\n\r\n"
        "--x\r\nContent-Type: text/rfc822-headers\r\n\r\nMessage-ID: <{about}>\r\n\r\n--x--\r\n"
    )
    assert arrive(report.format(to=BO, about="else@acme.example").encode(), envelope="").state == State.LEFT_OUT
    guest.refresh_from_db()
    assert guest.unreachable_at is None
    ours = Delivery.objects.filter(message_id=guest.message_id)
    ours.update(account=stranger.account)
    about = report.format(to=BO, about=guest.message_id)
    arrive(f"X-Way: another company\r\n{about}".encode(), envelope="")
    guest.refresh_from_db()
    assert guest.unreachable_at is None
    ours.update(account=guest.account)
    arrive(about.encode(), envelope="")
    guest.refresh_from_db()
    assert guest.unreachable_at is not None
    arrive(answer(guest))
    guest.refresh_from_db()
    assert (guest.unreachable_at, Comment.objects.count()) == (None, 1)  # they wrote


def test_a_guest_whom_no_server_takes_is_marked(task, ines, mailbox, now):
    with Sink(f"rcpt:{BO}:550 no such user") as sink:
        sink.reach(mailbox)
        guest = guests.invite(task, BO, identity=identities_with_senders(ines)[0], by=ines, now=now)
        deliver(now=now, patience=1)
    dispatch(now)
    guest.refresh_from_db()
    assert guest.unreachable_at is not None
    assert "no such user" in guest.unreachable_why


def test_a_letter_that_has_not_left_does_not_leave_once_the_guest_is_removed(guest, sink, ines, now):
    guests.remove(guest, by=ines, now=now)
    deliver(now=now, patience=1)
    assert (sink.taken, Delivery.objects.get().state) == ([], Sent.CANCELLED)
    assert not Reservation.objects.filter(refunded_at=None).exists()


@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite writes one after the other")
@pytest.mark.django_db(transaction=True)
def test_who_is_removed_while_somebody_writes_gets_nothing(task, guest, sink, ines, now, monkeypatch):
    """Who is here was read; the removal begins before the letter is queued, and takes it back after."""
    real, removal = guests.queue, Thread(target=lambda: at_once([lambda: guests.remove(guest, by=ines, now=now)]))

    def queue_late(*given, **named):
        removal.start()
        removal.join(0.5)  # it waits for the task
        return real(*given, **named)

    deliver(now=now, patience=1)
    monkeypatch.setattr(guests, "queue", queue_late)
    guests.write_to_guests(task, "The contract is ready.", by=ines, now=now)
    removal.join()
    deliver(now=now, patience=1)
    assert (len(sink.taken), Delivery.objects.latest("pk").state) == (1, Sent.CANCELLED)
    guest.refresh_from_db()
    assert guest.removed_at == now


def test_a_guest_of_a_task_in_the_bin_can_be_removed(task, guest, ines, now):
    tasks_bin.delete(task, by=ines, now=now)
    assert (guests.remove(guest, by=ines, now=now), guests.remove(guest, by=ines, now=now)) == (True, False)


@pytest.mark.parametrize("point", ["intake.before_commit", "intake.kept", "intake.before_take", "guest.before_commit"])
def test_a_crash_loses_no_answer_and_makes_no_second_comment(guest, arrive, now, point):
    letter = bytes(answer(guest, files=[("plan.pdf", b"%PDF")]))
    crashpoint.interrupt(point)
    with pytest.raises(crashpoint.Crashed):
        arrive(letter)
    crashpoint.disarm()
    arrive(letter)  # its sender has heard no 250, and tries again
    Arrived.objects.update(due_at=now)
    jobs.take.now(Arrived.objects.get().pk)
    assert (Comment.objects.count(), TaskFile.objects.count(), Arrived.objects.get().state) == (1, 1, State.DONE)


def test_the_same_letter_by_another_way_is_no_second_comment(guest, arrive):
    arrive(answer(guest))
    row = arrive(answer(guest, X_Passed="by another server"))
    assert (row.state, Comment.objects.count()) == (State.DONE, 1)


def test_files_without_room_and_floods_wait(guest, arrive, monkeypatch, ines, now):
    monkeypatch.setattr(guest_letters, "MOST", 1)
    full = arrive(answer(guest, files=[("a.pdf", b"a"), ("b.pdf", b"b")]))
    assert (full.state, full.why) == (State.ASKED, Why.FULL)
    assert not guest_letters.accept(full, by=ines, now=now)
    monkeypatch.setattr(guest_letters, "MOST", 2)
    assert guest_letters.accept(full, by=ines, now=timezone.now())
    assert TaskFile.objects.count() == 2
    monkeypatch.setattr(guest_letters, "PER_HOUR", 1)
    assert arrive(answer(guest, name="two")).why == Why.TOO_MANY


def test_the_bin_takes_guests_along_brings_them_back_and_lets_go_for_good(task, guest, arrive, house, ines, now):
    house["proof"] = Proof.NONE
    row = arrive(answer(guest))
    local = guests.reply_address(guest).partition("@")[0]
    tasks_bin.delete(task, by=ines, now=now)
    assert guests.find(local, now) is None
    assert not guest_letters.accept(row, by=ines, now=now)  # it waits for the task
    tasks_bin.restore(task, by=ines, now=now)
    assert guests.find(local, now) is not None
    row.refresh_from_db()
    assert guest_letters.accept(row, by=ines, now=now)
    house["proof"] = Proof.NONE
    late = arrive(answer(guest, name="two"))
    tasks_bin.delete(task, by=ines, now=now)
    tasks_bin.purge(task, by=ines, now=now)
    late.refresh_from_db()
    assert (late.state, late.why, Guest.objects.count()) == (State.LEFT_OUT, guests.TASK_GONE, 0)


def test_the_decision_has_one_reason_for_each_case():
    sure = {"sender": BO, "guest": BO, "is_proved": True}
    cases = {
        None: {},
        Why.AWAY: {"is_away": True, "is_automatic": True},
        Why.REMOVED: {"is_removed": True},
        Why.IN_BIN: {"is_in_bin": True},
        Why.OTHER: {"sender": "x@y.example", "is_proved": False},
        Why.UNPROVED: {"is_proved": False},
        Why.AUTOMATIC: {"is_automatic": True},
        Why.TOO_MANY: {"lately": guest_letters.PER_HOUR},
        Why.TWICE: {"is_twice": True},
        Why.FULL: {"files": 2, "room": 1},
    }
    assert {why: decide(Seen(**{**sure, **facts})) for why, facts in cases.items()} == {why: why for why in cases}


def test_what_happened_is_told(guest, arrive, house, ines, now):
    house["proof"] = Proof.NONE
    guest_letters.drop(arrive(answer(guest)), by=ines, now=now)
    guests.remove(guest, by=ines, now=now)
    kinds = Event.objects.filter(kind__startswith="task.guest").order_by("pk").values_list("kind", flat=True)
    assert list(kinds) == ["task.guest_invited", "task.guest_waits", "task.guest_dropped", "task.guest_removed"]
