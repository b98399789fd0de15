"""Which folder is what: the server's word, then the name, and never a guess that deletes (A32, A33)."""

import pytest

from letterdesk.mail.errors import ServerSaysNo
from letterdesk.mail.tests.scripted import Scripted

pytestmark = pytest.mark.case("A33")


def folders(*lines, offer=b"IMAP4rev1 SPECIAL-USE"):
    listed = b"".join(b"* LIST " + line + b"\r\n" for line in lines) + b"%T OK\r\n"
    with Scripted({"LIST": listed}, offer=offer) as server:
        return server.connect().folders()


def roles(*lines):
    return {folder.name: folder.role for folder in folders(*lines)}


def test_the_servers_word_counts_before_the_name():
    assert roles(b'(\\Sent) "/" Outgoing', b'() "/" Sent', b'() "/" Trash') == {
        "Outgoing": "sent", "Sent": "", "Trash": "trash",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("name", "role"),
    [(b"Gesendete Elemente", "sent"), ("Éléments envoyés".encode(), "sent"), 
     (b"&BB4EQgQ,BEAEMAQyBDsENQQ9BD0ESwQ1-", "sent"),
     ("已发送".encode(), "sent"), (b"Papierkorb", "trash"), (b"Deleted Items", "trash"), ("ゴミ箱".encode(), "trash"),
     (b"Entw&APw-rfe", "drafts"), (b"Borradores", "drafts"), (b"Junk E-Mail", "spam"), ("Спам".encode(), "spam"),
     (b"Archiv", "archive"), (b"Kunden", ""), (b"Sent 2019", "")],
)  # fmt: skip
def test_names_in_many_languages_are_understood(name, role):
    [folder] = folders(b'() "/" "' + name + b'"')
    assert folder.role == role


def test_a_role_is_given_once():
    given = roles(b'(\\Sent) "/" A', b'(\\Sent) "/" B', b'() "/" "Sent Items"', b'() "/" Papierkorb', b'() "/" Trash')
    assert given == {"A": "sent", "B": "", "Sent Items": "", "Papierkorb": "trash", "Trash": ""}


def test_inbox_is_the_inbox_in_any_case_and_spam_never_is():
    assert roles(b'(\\Junk) "/" inbox', b'(\\Inbox \\Junk) "/" Spamverdacht') == {
        "INBOX": "inbox",
        "Spamverdacht": "spam",
    }
    assert roles(b'(\\Inbox) "/" Spam', b'() "/" INBOX/INBOX') == {"Spam": "spam", "INBOX/INBOX": ""}


def test_folders_under_inbox_are_understood_and_deeper_ones_are_not():
    assert roles(b'() "." INBOX', b'() "." INBOX.Trash', b'() "." INBOX.Kunden.Sent', b'() "." Alt.Drafts') == {
        "INBOX": "inbox", "INBOX.Trash": "trash", "INBOX.Kunden.Sent": "", "Alt.Drafts": "",
    }  # fmt: skip


def test_glued_attributes_come_apart():
    [folder] = folders(b'(\\HasNoChildren\\Drafts\\Subscribed) "/" X')
    assert folder.role == "drafts"


def test_gmail_is_read_as_it_is():
    assert roles(
        b'(\\HasNoChildren) "/" "INBOX"', b'(\\HasChildren \\Noselect) "/" "[Gmail]"',
        b'(\\All \\HasNoChildren) "/" "[Gmail]/All Mail"', b'(\\HasNoChildren \\Trash) "/" [Gmail]/Trash',
        b'(\\Flagged \\HasNoChildren) "/" "[Gmail]/Starred"',
    ) == {
        "INBOX": "inbox", "[Gmail]": "", "[Gmail]/All Mail": "all", "[Gmail]/Trash": "trash", "[Gmail]/Starred": "",
    }  # fmt: skip


@pytest.mark.case("A32")
def test_odd_names_are_listed_and_come_back_exactly():
    odd = [b'"../../etc"', b'"a\\"b\\\\c"', "Gelöscht €".encode(), b"123", b"NIL", b'"%*"', b'"&AP"', b'" lead"',
           b"caf\xe9",
           b"{5}\r\na\r\nbc", b'"/"', b"two words", b'"' + b"/".join([b"x"] * 1000) + b'"']  # fmt: skip
    found = folders(
        *[b'() "/" ' + name for name in odd], b'() NIL "flat/name"', b'(\\NonExistent) "/" gone', b'() "/" ""'
    )
    assert len({folder.wire_name for folder in found}) == len(odd) + 3
    assert [folder.selectable for folder in found][-3:] == [True, False, False]
    assert found[-3].delimiter == ""
    with Scripted(offer=b"IMAP4rev1 LITERAL+") as server:
        connection = server.connect()
        for folder in found[: len(odd)]:
            connection.append(folder.wire_name, b"x")
        heard = [line.split(b" ", 2)[2] for line in server.heard if b"APPEND" in line]
    exact = [
        b'"../../etc"',
        b'"a\\"b\\\\c"',
        b"{13+}\r\n" + "Gelöscht €".encode(),
        b'"123"',
        b'"NIL"',
        b'"%*"',
        b'"&AP"',
    ]
    assert [line.startswith(start) for line, start in zip(heard, exact, strict=False)] == [True] * len(exact)
    assert heard[8].startswith(b"{4+}\r\ncaf\xe9 ")
    assert heard[9].startswith(b"{5+}\r\na\r\nbc ")
    assert heard[11].startswith(b'"two words"')


@pytest.mark.case("A32")
def test_nul_in_a_name_leaves_the_folder_unselectable():
    with Scripted({"LIST": b'* LIST () "/" {3}\r\na\0b\r\n%T OK\r\n'}) as server:
        [folder] = server.connect().folders()
    assert not folder.selectable
    assert "\0" not in folder.wire_name + folder.name


def test_a_list_that_fails_is_an_error_not_an_empty_mailbox():
    with Scripted({"LIST": b'* LIST () "/" INBOX\r\n%T NO half of it\r\n'}) as server, pytest.raises(ServerSaysNo):
        server.connect().folders()
