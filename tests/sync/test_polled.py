"""A mailbox polled for CRM alone, against a real server: all comes once, nothing there changes, on every plan (R30)."""

from datetime import timedelta

import pytest
from django.utils import timezone

from letterdesk.crm.linking import asked
from letterdesk.crm.models import (
    Activity,
    Kind,
    PolledFolder,
    PolledLetter,
    PolledMailbox,
    PolledState,
    Record,
    Unknown,
)
from letterdesk.crm.polled import connect as polled
from letterdesk.crm.polled.turn import AT_MOST, EVERY, wait_after
from letterdesk.crm.records.create import create
from letterdesk.crm.records.fields import Fields
from letterdesk.intake import jobs
from letterdesk.intake.models import Arrived, State
from letterdesk.lib import crashpoint
from letterdesk.mail.errors import AuthFailed, BlockedAddress
from letterdesk.mailboxes.models import Mailbox, Message
from letterdesk.plans.change import change_plan
from letterdesk.plans.models import Usage
from tests.rig.boxes import letter
from tests.rig.dovecot import count_commands
from tests.rig.polled import Polled
from tests.rig.world import make_account

pytestmark = [pytest.mark.dovecot, pytest.mark.usefixtures("quiet")]
DAY = timedelta(hours=24)
READING = {
    "CAPABILITY", "LOGIN", "AUTHENTICATE", "ENABLE", "ID", "LIST", "STATUS", "EXAMINE", "UID SEARCH", "UID FETCH",
    "NOOP", "LOGOUT", "NAMESPACE",
}  # fmt: skip
LEADS = polled.Becomes(incoming=Unknown.LEAD, outgoing=Unknown.LEAD)


class House(Polled):
    """A mailbox on Dovecot, its letters, and all that others see of it."""

    def client(self, name, address):
        return create(Kind.CONTACT, Fields(name, self.admin, addresses=(address,)), by=self.admin, now=self.now)

    def deliver(self, *numbers, folder="INBOX", date=None, flags=(), **headers):
        made = [letter(number, **headers) for number in numbers]
        return [self.server.deliver(self.user, raw, folder=folder, date=date, flags=flags) for raw in made]

    def state(self):
        """All that somebody else could see: UIDs, flags and bytes, and what is recent."""
        with self.server.client(self.user) as reader:
            told = {}
            for name in reader.folders():
                _status, data = reader.status(f'"{name}"', "(MESSAGES RECENT UNSEEN UIDNEXT UIDVALIDITY)")
                reader.select(f'"{name}"', readonly=True)
                _status, held = reader.uid("FETCH", "1:*", "(UID FLAGS BODY.PEEK[])")
                told[name] = (data, held)
            return told


@pytest.fixture
def house(dovecot):
    return House(dovecot, dovecot.add_user(), make_account(plan="standard"))


def subjects():
    return sorted(Activity.objects.values_list("subject", flat=True))


def leads():
    return sorted(Record.objects.filter(kind=Kind.LEAD).values_list("name", flat=True))


def test_what_comes_after_connecting_becomes_activities_with_leads_if_so_set(house):  # R30
    house.client("Amara", "amara@okafor.example")
    house.deliver(1, From="Amara <amara@okafor.example>", date=house.now - timedelta(minutes=30))
    house.connect(becomes=LEADS)
    house.look()
    assert subjects() == []  # older only by choice
    house.deliver(2, From="Amara <amara@okafor.example>")
    house.deliver(3, From="Kofi <kofi@mensah.example>")
    house.deliver(4, From="sales@acme.example", To="Bo <bo@berg.example>", folder="Sent")
    assert house.look().letters == 3
    assert subjects() == ["Letter 2", "Letter 3", "Letter 4"]
    assert leads() == ["Bo", "Kofi"]
    assert set(Activity.objects.values_list("through", flat=True)) == {"sales@acme.example"}
    proofs = dict(Activity.objects.values_list("subject", "is_unverified"))
    assert proofs == {"Letter 2": True, "Letter 3": True, "Letter 4": False}  # ours lay in Sent
    assert house.look().letters == 0
    assert (Message.objects.count(), Mailbox.objects.count()) == (0, 0)  # never in Webmail


def test_the_server_s_mail_is_left_as_it_was(house):  # R30, R10, R26
    """Flags, UIDs, bytes, what is recent: nothing differs; and nothing that changes anything was sent."""
    house.connect(older=polled.Older(since=house.now - 9 * DAY))
    house.deliver(1, flags=["\\Seen"], date=house.now - 2 * DAY)
    house.deliver(2, flags=["\\Flagged", "\\Deleted"])
    house.deliver(3, 4)
    house.deliver(5, folder="Sent")
    before = house.state()
    assert "RECENT 4" in str(before["INBOX"][0]) and "UNSEEN 3" in str(before["INBOX"][0])
    assert house.look().letters == 5
    assert house.look().letters == 0
    assert house.state() == before
    assert set(count_commands(house.server.wire(house.user))) <= READING
    wire = b"\n".join(house.server.wire(house.user)).upper()
    assert b"BODY.PEEK[]" in wire and b" BODY[" not in wire and b"RFC822 " not in wire.replace(b"RFC822.SIZE", b"")


def test_older_letters_come_by_choice_alone_and_make_nothing_unless_that_is_chosen_too(house):
    house.client("Amara", "amara@okafor.example")
    for days, number in ((40, 1), (20, 2), (5, 3)):
        house.deliver(number, From="Amara <amara@okafor.example>", date=house.now - days * DAY)
    house.deliver(4, From="Kofi <kofi@mensah.example>", date=house.now - 5 * DAY)
    house.connect(becomes=LEADS)
    house.look()
    polled.choose_older(house.mailbox, polled.Older(house.now - 30 * DAY), by=house.admin, now=house.now)
    house.look()
    assert (subjects(), leads()) == (["Letter 2", "Letter 3"], [])
    left = asked.left_out_of(house.admin)
    assert [row.why for row in left] == ["history"]
    assert asked.answer(left[0], by=house.admin, now=house.now)  # one click, and it is saved all the same
    assert leads() == ["Kofi"]
    house.deliver(5, From="Zoe <zoe@z.example>", date=house.now - 50 * DAY)
    polled.choose_older(house.mailbox, polled.Older(house.now - 60 * DAY, makes=True), by=house.admin, now=house.now)
    house.look()
    assert subjects() == [f"Letter {number}" for number in (1, 2, 3, 4, 5)]
    assert leads() == ["Kofi", "Zoe"]
    with pytest.raises(polled.BadPolled):
        polled.choose_older(house.mailbox, polled.Older(house.now + DAY), by=house.admin, now=house.now)


@pytest.mark.parametrize("plan", ["free", "project", "start", "crm", "demo"])
def test_it_works_on_every_plan_and_counts_in_no_limit(dovecot, plan):  # R1, R2, R14, R15, R18–R21, R28, R30
    plans = {"project": "project-plus", "start": "start-plus", "crm": "crm-plus"}
    house = House(dovecot, dovecot.add_user(), make_account(plan=plans.get(plan, plan)))
    house.deliver(1, From="Kofi <kofi@mensah.example>", date=house.now - 400 * DAY)
    house.connect(becomes=LEADS, older=polled.Older(house.now - 500 * DAY, makes=True))
    for _ in range(2):  # more than one mailbox, beyond what Start+ has for an employee
        house.user = dovecot.add_user()
        house.connect(becomes=LEADS)
    house.deliver(2, From="Zoe <zoe@z.example>")
    for each in PolledMailbox.objects.all():
        house.mailbox = each
        house.look()
    assert (subjects(), leads()) == (["Letter 1", "Letter 2"], ["Kofi", "Zoe"])
    assert not Usage.objects.exists()


def test_it_goes_on_after_the_trial_and_after_a_downgrade(house, monkeypatch):  # R11, R12, R28, R30
    house.connect(becomes=LEADS)
    house.deliver(1, From="Kofi <kofi@mensah.example>")
    house.look()
    change_plan(house.account, "free", by=house.admin, now=house.now)
    house.deliver(2, From="Zoe <zoe@z.example>")
    house.look()
    house.mailbox.refresh_from_db()
    assert (subjects(), leads(), house.mailbox.state) == (["Letter 1", "Letter 2"], ["Kofi", "Zoe"], "connected")


def test_another_uidvalidity_makes_nothing_twice(house):
    house.client("Ines", "ines@example.com")
    house.connect()
    house.deliver(1, 2)
    house.look()
    house.server.doveadm("mailbox", "update", "--uid-validity", "77777", "INBOX", user=house.user)
    house.deliver(3)
    assert house.look().letters == 1
    assert subjects() == ["Letter 1", "Letter 2", "Letter 3"]
    assert PolledFolder.objects.get(name="INBOX").uidvalidity == 77777


def test_a_letter_that_is_moved_or_carried_over_is_known_by_its_content(house):
    house.client("Ines", "ines@example.com")
    house.connect()
    [uid] = house.deliver(1)
    house.look()
    with house.server.client(house.user) as reader:
        reader.enter("INBOX")
        reader.uid("COPY", str(uid), "Archive")
    folder = PolledFolder.objects.get(name="Archive")
    wanted = {*PolledFolder.objects.filter(is_on=True).values_list("pk", flat=True), folder.pk}
    polled.choose_folders(house.mailbox, wanted, by=house.admin, now=house.now)
    house.server.deliver(house.user, b"X-Carried: by a migration\r\nReceived: again\r\n" + letter(1))
    house.server.deliver(house.user, letter(1, "Another text, under a name that somebody knew."))
    assert house.look().letters == 1
    assert Activity.objects.count() == 2


def test_the_same_letter_in_webmail_is_one_activity_and_at_most_one_lead(house, connected, now_or_later):
    webmail = now_or_later(house)
    house.connect(becomes=LEADS)
    hers = letter(7, From="Amara <amara@okafor.example>")
    webmail.deliver([hers])
    house.server.deliver(house.user, b"Received: by another way\r\n" + hers)
    for step in (house.look, webmail.link):
        step()
    assert (subjects(), leads()) == (["Letter 7"], ["Amara"])


@pytest.fixture(params=["polled first", "webmail first"])
def now_or_later(request, connected):
    """A mailbox of Webmail beside it, that makes leads too; which of the two is looked at first differs."""
    from letterdesk.crm.linking.link import link_new
    from letterdesk.crm.saving import change_saving

    def made(house):
        copy = connected(house.server, account=house.account)
        change_saving(copy.mailbox, by=house.admin, known=True, unknown_incoming="lead", unknown_outgoing="lead")
        copy.settle()

        def link():
            copy.settle()
            copy.mailbox.refresh_from_db()
            link_new(copy.mailbox, now=copy.now)

        copy.link = link
        if request.param == "webmail first":
            looked = house.look
            house.look = lambda: (link(), looked())
        return copy

    return made


@pytest.mark.parametrize(
    "point", ["collect.announced", "blobs.written", "polled.fetched", "polled.before_commit", "polled.kept"]
)
@pytest.mark.parametrize("nth", [1, 2])
def test_dead_at_any_point_the_next_look_ends_the_same(house, monkeypatch, point, nth):
    monkeypatch.setattr("letterdesk.crm.polled.read.BATCH_BYTES", 1)  # a transaction for each letter
    house.connect(becomes=LEADS)
    house.deliver(1, From="Kofi <kofi@mensah.example>")
    house.deliver(2, From="Zoe <zoe@z.example>")
    house.deliver(3, From="Zoe <zoe@z.example>")
    crashpoint.interrupt(point, nth)
    with pytest.raises(crashpoint.Crashed):
        house.look()
    crashpoint.disarm()
    house.look()
    Arrived.objects.filter(state=State.WAITING).update(due_at=house.now - DAY)
    jobs.take_waiting.now()
    assert (subjects(), leads()) == (["Letter 1", "Letter 2", "Letter 3"], ["Kofi", "Zoe"])
    assert (Arrived.objects.count(), PolledLetter.objects.count()) == (3, 3)
    assert house.look().letters == 0


def test_what_is_too_large_is_shown_and_comes_when_somebody_wants_it(house, monkeypatch):
    monkeypatch.setattr("letterdesk.crm.polled.read.LARGEST", 2_000)
    house.client("Ines", "ines@example.com")
    house.connect()
    house.server.deliver(house.user, letter(1, "x" * 4_000))
    house.deliver(2)
    house.look()
    [large] = PolledLetter.objects.visible_to(house.admin).exclude(trouble="")
    assert (subjects(), large.trouble) == (["Letter 2"], "too_large") and large.size > 4_000
    house.look()
    assert subjects() == ["Letter 2"]
    polled.try_letter(large, now=house.now)
    house.look()
    assert (subjects(), PolledLetter.objects.exclude(trouble="").count()) == (["Letter 1", "Letter 2"], 0)


def test_a_wrong_password_is_named_told_once_and_not_tried_again_by_itself(house):
    with pytest.raises(AuthFailed):
        polled.connect("a@acme.example", house.at("wrong"), by=house.admin, now=house.now)
    house.connect()
    PolledMailbox.objects.update(secret={"password": "changed"})
    house.look()
    assert (house.mailbox.state, house.mailbox.error_code) == (PolledState.FAILING, "auth_failed")
    assert "password" in house.mailbox.error_text and "changed" not in house.mailbox.error_text
    house.look()
    house.client("Ines", "ines@example.com")
    house.deliver(1)
    polled.mend(house.mailbox, house.at(), by=house.admin, now=house.now)
    house.look()
    assert (subjects(), house.mailbox.state, house.mailbox.error_text) == (["Letter 1"], "connected", "")


def test_a_server_that_fails_is_tried_later_and_later(house):
    house.connect()
    PolledMailbox.objects.update(imap_port=1)
    waits = []
    for _ in range(8):
        house.look()
        waits.append(house.mailbox.due_at - timezone.now())
    assert (house.mailbox.state, house.mailbox.error_code) == ("connected", "tcp_refused")
    assert waits[0] > EVERY and all(wait < AT_MOST * 1.21 for wait in waits) and waits[-1] > AT_MOST * 0.7
    assert wait_after(1) < wait_after(5)


def test_paused_it_rests_and_then_takes_what_came_meanwhile(house):
    house.client("Ines", "ines@example.com")
    house.connect()
    polled.pause(house.mailbox, by=house.admin)
    house.deliver(1)
    house.look()
    assert subjects() == []
    polled.resume(house.mailbox, by=house.admin, now=house.now)
    house.look()
    assert subjects() == ["Letter 1"]
    polled.disconnect(house.mailbox, by=house.admin)
    house.deliver(2)
    house.look()
    assert (subjects(), house.mailbox.secret) == (["Letter 1"], None)
    with pytest.raises(polled.BadPolled):
        polled.resume(house.mailbox, by=house.admin, now=house.now)


def test_a_host_that_is_not_allowed_is_not_connected_to(house, settings):  # D01, D03
    settings.ALLOWED_NETWORKS = ["192.0.2.0/24"]
    with pytest.raises(BlockedAddress):
        house.connect()
    settings.ALLOWED_NETWORKS = []
    with pytest.raises(polled.BadPolled):
        house.connect()
