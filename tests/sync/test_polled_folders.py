"""Folders of a polled mailbox: renamed, exchanged, thousands of them (R30, A31)."""

from datetime import timedelta

import pytest

from letterdesk.crm.models import PolledFolder, PolledLetter, PolledMailbox
from letterdesk.crm.polled import connect as polled
from letterdesk.events.models import Event
from tests.rig.boxes import letter
from tests.rig.liar import Liar
from tests.rig.polled import OnLiar, Polled
from tests.rig.scripts.folders import Swapped
from tests.rig.world import make_account

pytestmark = pytest.mark.usefixtures("quiet")


class House(OnLiar):
    """A mailbox of which the folder "Clients" alone is read."""

    def choose(self, *names):
        rows = PolledFolder.objects.filter(mailbox=self.mailbox, name__in=names).values_list("pk", flat=True)
        polled.choose_folders(self.mailbox, list(rows), by=self.admin, now=self.now)

    def rename(self, name, to):
        boxes = self.server.boxes.by_name
        boxes[to] = boxes.pop(name)
        boxes[to].name = to

    def put(self, folder, *numbers):
        for number in numbers:
            self.server.boxes[folder].add(letter(number), date=self.now)

    def told(self):
        return [each.facts["code"] for each in Event.objects.filter(kind="polled.failing")]

    def bodies(self):
        return [each for each in self.server.received if b"BODY.PEEK[]" in each]

    def on(self):
        return sorted(PolledFolder.objects.filter(is_on=True, is_there=True).values_list("name", flat=True))


class WithIds(Liar):
    """Tells what it calls folders, whatever their names (RFC 8474)."""

    capabilities = Swapped.capabilities


@pytest.fixture
def clients(invent):
    def made(script=Liar, *others):
        server = invent(script)
        for name in ("Clients", *others):
            server.boxes.make(name)
        house = House(server, server.user, make_account(plan="standard"))
        house.connect()
        house.choose("Clients")
        return house

    return made


@pytest.mark.parametrize("script", [Liar, WithIds])
def test_a_folder_that_is_renamed_goes_on_and_brings_nothing_twice(clients, script):  # A31
    house = clients(script)
    house.put("Clients", 1, 2)
    house.look()
    before = len(house.bodies())
    house.rename("Clients", "Customers")
    house.put("Customers", 3)
    house.look()
    assert (house.kept(), house.told(), house.on()) == ([1, 2, 3], [], ["Customers"])
    assert [each.name for each in PolledFolder.objects.filter(is_there=False)] == []
    assert len(house.bodies()) - before == (1 if script is WithIds else 2)  # some letters are looked at to be sure
    house.look()
    assert house.kept() == [1, 2, 3]


def test_where_it_cannot_be_told_administrators_are_and_nothing_comes_twice(clients):
    house = clients()
    house.put("Clients", 1)
    house.look()
    house.rename("Clients", "Customers")
    house.server.boxes["Customers"].uidvalidity += 100
    house.put("Customers", 2)
    for _ in range(2):
        house.look()
    assert (house.kept(), house.told(), house.on()) == ([1], ["folder_gone"], [])
    house.choose("Customers")
    house.look()
    assert house.kept() == [1, 2]


def test_a_folder_that_was_thrown_into_the_trash_is_read_no_more(clients):
    house = clients(WithIds)
    house.put("Clients", 1)
    house.look()
    house.rename("Clients", "Trash/Clients")
    house.put("Trash/Clients", 2)
    house.look()
    assert (house.kept(), house.told(), house.on()) == ([1], ["folder_gone"], [])
    assert not PolledFolder.objects.filter(name__startswith="Trash").exists()


@pytest.mark.parametrize("what", ["nothing was read", "other letters", "two alike"])
def test_another_folder_is_never_taken_for_the_one_that_is_gone(clients, what):
    """Some servers give all folders one UIDVALIDITY: that alone says nothing, and what nobody chose is private."""
    house = clients()
    if what != "nothing was read":
        house.put("Clients", 1)
    house.look()
    gone = house.server.boxes.by_name.pop("Clients")
    for name in ("Private", "Other")[: 2 if what == "two alike" else 1]:
        box = house.server.boxes.make(name, uidvalidity=gone.uidvalidity)
        box.add(letter(1 if what == "two alike" else 7), date=house.now)
    house.look()
    assert (house.told(), house.on()) == (["folder_gone"], [])
    assert house.kept() == ([] if what == "nothing was read" else [1])


@pytest.mark.parametrize("knows", [True, False])
def test_folders_that_exchange_their_names_keep_who_reads_them(clients, knows):  # A31
    """P9: what nobody chose is not read because it has the name of what was chosen."""
    house = clients(WithIds, "Private")
    if not knows:  # connected when nobody asked what the server calls its folders
        PolledFolder.objects.update(object_id="")
    house.put("Clients", 1)
    house.put("Private", 8)
    house.look()
    for name, to in (("Clients", "Old"), ("Private", "Clients"), ("Old", "Private")):
        house.rename(name, to)
    house.put("Private", 2)
    house.put("Clients", 9)
    for _ in range(2):
        house.look()
    assert (house.kept(), house.told(), house.on()) == ([1, 2], [], ["Private"])


def test_a_folder_that_is_gone_is_told_although_another_has_its_name_now(clients):
    house = clients(WithIds, "Offers")
    house.choose("Clients", "Offers")
    house.put("Clients", 1)
    house.look()
    house.server.boxes.by_name.pop("Offers")
    house.rename("Clients", "Offers")
    house.put("Offers", 2)
    house.look()
    assert (house.kept(), house.told(), house.on()) == ([1, 2], ["folder_gone"], ["Offers"])


def test_what_takes_a_chosen_name_is_read_beside_the_one_that_had_it(clients):
    house = clients(WithIds)
    house.put("Clients", 1)
    house.look()
    house.rename("Clients", "Clients 2025")
    house.server.boxes.make("Clients", object_id="New")
    house.put("Clients", 2)
    house.put("Clients 2025", 3)
    house.look()
    assert (house.kept(), house.on()) == ([1, 2, 3], ["Clients", "Clients 2025"])


def test_a_server_that_breaks_off_when_letters_are_compared_is_read_all_the_same(clients):
    house = clients()
    house.put("Clients", 1)
    house.look()
    house.rename("Clients", "Customers")
    house.server.alter = lambda session, _command, chunk: session.close() if b"BODY[]" in chunk else chunk
    for _ in range(4):
        house.look()
    assert (house.mailbox.error_code, house.told()) == ("", ["folder_gone"])


def test_among_thousands_of_folders_those_that_are_read_are_never_cut_off(clients, monkeypatch):
    monkeypatch.setattr("letterdesk.crm.polled.folders.MOST", 100)
    house = clients()
    boxes = house.server.boxes
    last = {name: boxes.by_name.pop(name) for name in ("INBOX", "Sent", "Clients")}
    for number in range(1_200):
        boxes.make(f"Project {number}")
    boxes.by_name.update(last)
    house.put("Clients", 1)
    house.look()
    assert (house.kept(), house.told(), house.on()) == ([1], [], ["Clients"])
    second = House(house.server, house.user, make_account(plan="standard"))
    asked = house.server.commands["STATUS"]
    second.connect()
    second.put("Sent", 3)
    second.look()
    read = PolledFolder.objects.filter(mailbox=second.mailbox, is_on=True).values_list("name", flat=True)
    assert (second.kept(), sorted(read)) == ([3], ["INBOX", "Sent"])
    assert PolledFolder.objects.filter(mailbox=second.mailbox).count() == 100
    assert house.server.commands["STATUS"] - asked == 2  # a person waits


@pytest.mark.parametrize("script", [Liar, WithIds])
def test_a_folder_that_is_renamed_is_known_among_thousands(clients, script, monkeypatch):  # A31
    """Its new name may be one of those that are not offered."""
    monkeypatch.setattr("letterdesk.crm.polled.folders.MOST", 20)
    house = clients(script, *(f"A{number}" for number in range(60)))
    house.put("Clients", 1, 2)
    house.look()
    house.rename("Clients", "Customers")
    house.put("Customers", 3)
    house.look()
    asked = house.server.commands["STATUS"]
    house.look()
    assert (house.kept(), house.told(), house.on()) == ([1, 2, 3], [], ["Customers"])
    assert house.server.commands["STATUS"] - asked < 30  # they are asked about once


def test_a_folder_whose_name_has_no_end_keeps_nobody_from_the_others(clients):  # A32
    """PostgreSQL refuses to index such a name: then nothing would be read, and nobody could connect."""
    name = "".join(f"{number:x}" for number in range(70_000, 71_000))
    house = clients(Liar, name)
    house.put("Clients", 1)
    house.look()
    assert (house.kept(), house.mailbox.error_code) == ([1], "")
    assert not PolledFolder.objects.filter(name=name).exists()


def test_folders_that_come_and_go_without_an_end_leave_nothing_here(clients):
    house = clients()
    for number in range(3):
        box = house.server.boxes.make(f"Temporary {number}")
        house.look()
        house.server.boxes.by_name.pop(box.name)
    house.look()
    assert sorted(house.mailbox.folders.values_list("name", flat=True)) == ["Clients", "INBOX", "Sent"]


def test_sent_letters_that_nobody_wants_are_not_read_under_another_name_either(clients):
    """P9: who has taken the sent letters off has said so of whatever folder is for them."""
    house = clients()  # which reads "Clients" alone
    sent = house.server.boxes.by_name.pop("Sent")
    house.look()
    house.server.boxes.make("Sent Items", *sent.attributes)
    house.put("Sent Items", 1)
    house.look()
    assert (house.kept(), house.on()) == ([], ["Clients"])
    house.choose("Clients", "Sent Items")
    house.rename("Sent Items", "Sent Mail")
    house.server.boxes["Sent Mail"].uidvalidity += 9  # nobody can tell that it is the same
    house.put("Sent Mail", 2)
    house.look()
    assert (house.kept(), house.told(), house.on()) == ([1, 2], [], ["Clients", "Sent Mail"])


class Forgetful(Liar):
    """Leaves the folder "Clients" out of an answer to LIST, `times` times."""

    times = 0

    def alter(self, session, command, chunk):
        if chunk.startswith(b"* LIST") and b"Clients" in chunk and self.times:
            self.times -= 1
            return None
        return chunk


def test_a_folder_that_one_answer_leaves_out_is_asked_for_again_before_that_is_believed(clients):
    house = clients(Forgetful)
    house.server.times = 1
    house.put("Clients", 1)
    house.look()
    assert (house.kept(), house.told(), house.on()) == ([1], [], ["Clients"])
    house.server.times = 2
    house.look()
    assert (house.told(), house.on()) == (["folder_gone"], [])
    house.look()
    assert [each.facts for each in Event.objects.filter(kind="polled.recovered")] == [{"code": "folder_gone"}]


class NoSearch(Liar):
    """Says NO to every search: its index is broken."""

    def before(self, session, command):
        if command.name == "UID SEARCH":
            session.respond(command.raw.split()[0] + b" NO [SERVERBUG] the index is broken\r\n")
            return True
        return None


def test_a_server_that_does_not_search_is_read_and_its_numbers_are_compared_all_the_same(clients):  # A22
    house = clients(NoSearch)
    house.put("Clients", 1)
    house.look()
    assert (house.mailbox.error_code, house.kept()) == ("", [1])
    house.server.boxes["Clients"].uidnext = 9
    house.put("Clients", 2)
    house.look()
    house.server.boxes["Clients"].add(letter(3), date=house.now, uid=5)  # late, among what was read
    house.later = timedelta(days=1.1)
    house.look()
    assert (house.mailbox.error_code, house.told(), house.kept()) == ("", [], [1, 2, 3])


def test_what_another_server_calls_its_folders_is_nothing_to_go_by(clients):
    """The same words may name other folders there: what nobody chose is not read (P9)."""
    house = clients(WithIds, "Private")
    house.put("Clients", 1)
    house.look()
    boxes = house.server.boxes
    boxes["Clients"].object_id, boxes["Private"].object_id = boxes["Private"].object_id, boxes["Clients"].object_id
    boxes["Clients"].uidvalidity += 50
    boxes["Private"].uidvalidity += 50
    house.put("Clients", 2)
    house.put("Private", 9)
    PolledMailbox.objects.update(imap_host="old.acme.example")
    house.mailbox.refresh_from_db()
    polled.mend(house.mailbox, house.at(), by=house.admin, now=house.now)
    house.look()
    assert (house.kept(), house.on()) == ([1, 2], ["Clients"])


def test_letters_that_were_put_aside_in_a_folder_that_is_read_no_more_are_not_offered(clients):
    """Trying again would ask nobody."""
    house = clients()
    folder = PolledFolder.objects.get(name="Clients")
    PolledLetter.objects.create(
        account=house.account, mailbox=house.mailbox, folder=folder, key="x", uid=1, received_at=house.now,
        trouble="refused",
    )  # fmt: skip
    house.choose("INBOX")
    assert not PolledLetter.objects.put_aside().exists()


@pytest.mark.dovecot
def test_a_folder_renamed_on_a_real_server_goes_on(dovecot):  # A31
    house = Polled(dovecot, dovecot.add_user(), make_account(plan="standard"))
    with dovecot.client(house.user) as client:
        client.create("Clients")
        house.connect()
        chosen = PolledFolder.objects.get(name="Clients")
        polled.choose_folders(house.mailbox, [chosen.pk], by=house.admin, now=house.now)
        dovecot.deliver(house.user, letter(1), folder="Clients")
        house.look()
        client.rename("Clients", "Customers")
        dovecot.deliver(house.user, letter(2), folder="Customers")
        assert house.look().letters == 1
    chosen.refresh_from_db()
    assert (house.kept(), chosen.name, chosen.is_there) == ([1, 2], "Customers", True)
    assert not Event.objects.filter(kind="polled.failing").exists()
