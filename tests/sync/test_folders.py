"""A31–A34: folders by other names, in other roles, and Gmail's."""

import pytest

from letterdesk.mailboxes.models import FolderRole, Message
from tests.rig.acting import throw_away
from tests.rig.boxes import letter
from tests.rig.oracle import destroyed
from tests.rig.scripts import folders

LETTERS = [letter(number) for number in range(1, 6)]


@pytest.mark.dovecot
@pytest.mark.case("A31")
def test_a_renamed_folder_stays_the_same_folder(dovecot, connected):
    copy = connected(dovecot)
    with dovecot.client(copy.user) as other:
        other.create("Project")
        for raw in LETTERS:
            other.store_letter("Project", raw)
        copy.settle()
        folder, letters = copy.folder("Project"), {message.pk for message in copy.messages()}
        other.rename("Project", "Finished")
    copy.settle()
    assert copy.folder("Finished").pk == folder.pk
    assert {message.pk for message in copy.messages()} == letters
    copy.agrees_and_stays()


@pytest.mark.case("A31")
def test_two_folders_that_swap_their_names_keep_their_letters(invent, connected):
    server = invent(folders.Swapped)
    copy = connected(server)
    copy.settle()
    alpha, letters = copy.folder("Alpha").pk, {message.pk for message in copy.messages()}
    server.rename("Alpha", "Gamma")
    server.rename("Beta", "Alpha")
    server.rename("Gamma", "Beta")
    copy.settle()
    assert copy.folder("Beta").pk == alpha
    assert {message.pk for message in copy.messages()} == letters
    assert copy.subjects("Beta")[0] == "Letter 1"
    copy.agrees_and_stays()


@pytest.mark.dovecot
@pytest.mark.case("A31")
def test_two_folders_that_swap_their_names_without_mailboxid_lose_nothing(dovecot, connected):
    copy = connected(dovecot)
    with dovecot.client(copy.user) as other:
        for name, first in (("Alpha", 1), ("Beta", 20)):
            other.create(name)
            for number in range(first, first + 4):
                other.store_letter(name, letter(number))
        copy.settle()
        letters = {message.pk for message in copy.messages()}
        for name, to in (("Alpha", "Gamma"), ("Beta", "Alpha"), ("Gamma", "Beta")):
            other.rename(name, to)
    copy.settle()
    assert {message.pk for message in copy.messages()} == letters
    assert copy.subjects("Alpha") == [f"Letter {number}" for number in range(20, 24)]
    copy.agrees_and_stays()


@pytest.mark.dovecot
@pytest.mark.case("A31")
def test_a_folder_that_is_gone_leaves_its_letters_to_be_found(dovecot, connected):
    copy = connected(dovecot)
    with dovecot.client(copy.user) as other:
        other.create("Project")
        for raw in LETTERS:
            other.store_letter("Project", raw)
        copy.settle()
        other.delete("Project")
    copy.settle()
    assert not copy.mailbox.folders.filter(wire_name="Project", gone_at=None).exists()
    assert Message.objects.filter(mailbox=copy.mailbox).count() == 5
    copy.agrees_and_stays()


@pytest.mark.case("A32")
def test_folders_of_any_name_are_shown_and_their_letters_come(invent, connected, tmp_path, blob_folder):
    server = invent(folders.OddNames)
    copy = connected(server)
    copy.settle()
    for number, name in enumerate(folders.OddNames.names):
        assert copy.subjects(name) == [f"Letter {number}"], name
    assert copy.folder("Entw&APw-rfe").name == "Entwürfe"
    assert not (tmp_path / "etc").exists()
    stored = [path for path in blob_folder.rglob("*") if path.is_file()]
    assert all(".." not in path.relative_to(blob_folder).parts and "passwd" not in path.name for path in stored)
    copy.agrees_and_stays()


@pytest.mark.case("A32", "A43")
@pytest.mark.parametrize("script", [folders.LiteralNames, folders.NilDelimiter, folders.EmptyName])
def test_odd_lists_do_not_hide_the_ordinary_folders(invent, connected, script):
    server = invent(script)
    server.inbox.add(letter(1))
    copy = connected(server)
    copy.settle()
    assert copy.subjects() == ["Letter 1"]
    if script is not folders.EmptyName:
        copy.agrees_and_stays()


@pytest.mark.dovecot
@pytest.mark.case("A32")
@pytest.mark.parametrize("name", ["Entw&APw-rfe", "a b", 'quo"te', "pct%", "4711", "../up", "&Jjo-!", "deep/er/est"])
def test_a_real_server_with_folders_of_odd_names(dovecot, connected, name):
    copy = connected(dovecot)
    with dovecot.client(copy.user) as other:
        status, data = other.create('"' + name.replace('"', '\\"') + '"')
        if status != "OK":
            pytest.skip(f"Dovecot refuses this name: {data}")
        other.store_letter(name, letter(1))
    copy.settle()
    copy.agrees_and_stays()


@pytest.mark.case("A33")
def test_without_roles_only_well_known_names_get_one(invent, connected):
    copy = connected(invent(folders.NoSpecialUse))
    copy.settle()
    assert copy.folder("Sent").role == FolderRole.SENT
    assert copy.mailbox.folders.filter(role=FolderRole.TRASH).count() == 1


@pytest.mark.case("A33")
@pytest.mark.parametrize("script", [folders.TwoSent, folders.GluedFlags])
def test_roles_that_are_doubled_or_glued_are_given_once(invent, connected, script):
    copy = connected(invent(script))
    copy.settle()
    assert copy.mailbox.folders.filter(role=FolderRole.SENT).count() == 1
    copy.agrees_and_stays()


@pytest.mark.case("A34")
def test_a_letter_with_several_labels_is_one_letter(invent, connected):
    server = invent(folders.Gmail)
    copy = connected(server)
    copy.settle()
    assert len(copy.messages()) == 6
    assert len(copy.uids("[Gmail]/All Mail")) == 6
    assert copy.folder("[Gmail]/All Mail").role == FolderRole.ALL
    copy.agrees_and_stays()


@pytest.mark.case("A34")
def test_a_label_that_is_taken_away_does_not_take_the_letter(invent, connected):
    server = invent(folders.Gmail)
    copy = connected(server)
    copy.settle()
    server.boxes["Customers"].drop(server.boxes["Customers"].uids())
    copy.settle()
    assert copy.uids("Customers") == []
    assert len(copy.messages()) == 6
    copy.agrees_and_stays()
    throw_away(copy, 1)
    copy.settle()
    assert destroyed(server.commands) == {"UID MOVE": 1}
    assert len(server.boxes["[Gmail]/Trash"].letters) == 1


def test_a_folder_that_nobody_may_open_does_not_stop_the_others(invent, connected):
    server = invent(folders.Unselectable)
    copy = connected(server)
    copy.sync()
    assert copy.subjects() == ["Letter 2"]
