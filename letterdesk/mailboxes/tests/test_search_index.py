"""What is indexed is found, what is removed is not, on both databases."""

import pytest
from django.db import connection

from letterdesk.mailboxes.models import Message, SearchText
from letterdesk.mailboxes.search import letters as search
from letterdesk.mailboxes.search.index import full_text
from letterdesk.mailboxes.search.query import Text

from .letters import ago, letter

pytestmark = pytest.mark.django_db


def found(mailbox, words, field="", *, is_prefix=False):
    expression = full_text.expression(Text(words, field, is_prefix), [mailbox.pk])
    return [message for _, message in full_text.newest(expression, below=None, limit=100)]


def test_an_indexed_letter_is_found_by_each_of_its_columns(inbox, mailbox, now):
    message = letter(
        inbox,
        received_at=now,
        subject="Angebot",
        body="forty seats",
        files=["quote.pdf"],
        cc=[("Jonas", "jonas@acme.example")],
    )
    for words, field in [
        ("angebot", "subject"),
        ("forty seats", "body"),
        ("quote", "files"),
        ("okafor", "sender"),
        ("ines", "recipients"),
        ("jonas", "copies"),
    ]:
        assert found(mailbox, words) == [message.pk]
        assert found(mailbox, words, field) == [message.pk]
    assert found(mailbox, "amara", "subject") == []


def test_newer_letters_come_first_whatever_the_order_of_storing(inbox, mailbox, now):
    old = letter(inbox, received_at=ago(now, days=3), body="alpha")
    new = letter(inbox, received_at=now, body="alpha")
    middle = letter(inbox, received_at=ago(now, days=1), body="alpha")
    assert found(mailbox, "alpha") == [new.pk, middle.pk, old.pk]


def test_a_removed_letter_is_found_no_more(inbox, mailbox, now):
    message = letter(inbox, received_at=now, body="alpha")
    search.remove([message.pk])
    assert found(mailbox, "alpha") == []


def test_a_deleted_letter_leaves_the_index_by_itself(inbox, mailbox, now):
    message = letter(inbox, received_at=now, body="alpha")
    Message.objects.filter(pk=message.pk).delete()
    assert found(mailbox, "alpha") == []


def test_indexing_again_replaces_even_when_the_date_of_receipt_became_earlier(inbox, mailbox, now):
    message = letter(inbox, received_at=now, body="alpha")
    message.received_at = ago(now, days=2)
    search.index([search.Indexed.of(message, body="beta", files=[])])
    assert found(mailbox, "alpha") == []
    assert found(mailbox, "beta") == [message.pk]
    assert SearchText.objects.count() == 1


def test_rebuilding_a_mailbox_finds_the_same(inbox, mailbox, now):
    message = letter(inbox, received_at=now, body="alpha 東京都庁", files=["a b.pdf", "c.txt"])
    assert search.rebuild(mailbox) == 1
    assert found(mailbox, "alpha") == found(mailbox, "東京") == found(mailbox, "c.txt", "files") == [message.pk]


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("Grüße aus Köln", "GRUßE"),
        ("Grüße aus Köln", "koln"),
        ("caf\u0065\u0301", "café"),
        ("CAFÉ", "cafe"),
        ("Договор подписан", "договор"),
        ("会議は東京都庁で", "東京都庁"),
        ("会議は東京都庁で", "都庁"),
        ("iPhone手机到货", "手机"),
        ("iPhone手机到货", "iphone"),
        ("정산서를 보냅니다", "정산서를"),
        ("हिन्दी में पत्र", "हिन्दी"),
        ("ราคาสินค้า", "สินค้า"),
        ("ＡＢＣ株式会社", "abc"),
        ("zero\u200bwidth", "zero"),
        ("snake_case-word 3.14", "case"),
        ("snake_case-word 3.14", "3.14"),
        ("write to a.b@c.example", "a.b@c.example"),
    ],
)
def test_words_are_found_in_every_script(inbox, mailbox, now, *, body, words):
    message = letter(inbox, received_at=now, body=body)
    letter(inbox, received_at=now, body="something else entirely")
    assert found(mailbox, words) == [message.pk]


def test_characters_in_another_order_are_not_the_phrase(inbox, mailbox, now):
    letter(inbox, received_at=now, body="京東")
    assert found(mailbox, "東京") == []


@pytest.mark.case("B17")
@pytest.mark.parametrize(
    "middle",
    [
        "x" * 50_000_000,
        " ".join(f"w{number}" for number in range(400_000)),
        "e" + "\u0301\u0323" * 500_000,
        "\u200b" * 1_000_000,
        "東" * 1_000_000,
        "\0 " * 500_000,
    ],
    ids=["one endless token", "very many words", "endless marks", "zero width", "endless unspaced", "NUL"],
)
def test_endless_text_is_cut_not_refused_and_first_and_last_word_are_found(inbox, mailbox, now, middle):
    message = letter(inbox, received_at=now, body=f"firstword {middle} lastword")
    assert found(mailbox, "firstword") == found(mailbox, "lastword") == [message.pk]


def test_a_batch_of_two_hundred_is_indexed_in_a_handful_of_statements(
    inbox, mailbox, now, django_assert_max_num_queries
):
    rows = [search.Indexed.of(letter(inbox, received_at=now), body="alpha", files=[]) for _ in range(200)]
    with django_assert_max_num_queries(12):
        search.index(rows)


@pytest.mark.skipif(connection.vendor != "sqlite", reason="PostgreSQL frees rows by VACUUM in its own time")
def test_the_words_of_a_removed_letter_leave_the_index(inbox, mailbox, now):
    """FTS5 before 3.42 only marks words as deleted until segments merge; `forget_removed` merges them."""
    message = letter(inbox, received_at=now, body="zyzzyvamarker")
    for number in range(5):
        letter(inbox, received_at=now, body=f"ordinary{number}")
    search.remove([message.pk])
    assert _bytes_of_index(b"zyzzyvamarker") > 0, "the test could not fail"
    search.forget_removed(everything=True)
    assert _bytes_of_index(b"zyzzyvamarker") == 0
    assert found(mailbox, "ordinary3")


@pytest.mark.skipif(connection.vendor != "sqlite", reason="as above")
def test_forgetting_in_steps_comes_to_an_end(inbox, now):
    message = letter(inbox, received_at=now, body="zyzzyvamarker")
    letter(inbox, received_at=now, body="ordinary")
    search.remove([message.pk])
    steps = 0
    while search.forget_removed():
        steps += 1
        assert steps < 50
    assert _bytes_of_index(b"zyzzyvamarker") == 0


def _bytes_of_index(marker):
    with connection.cursor() as cursor:
        cursor.execute("SELECT block FROM mailboxes_search_data")
        return sum(bytes(block).count(marker) for (block,) in cursor.fetchall())
