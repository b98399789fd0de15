"""No receipt can be changed, taken out or put elsewhere unseen, however old it is (P10, F19)."""

import pytest

from letterdesk.events.models import Event
from letterdesk.mailboxes.jobs import check_receipts
from letterdesk.mailboxes.models import Receipt, ReceiptCheck
from letterdesk.mailboxes.retention import chain, receipts

pytestmark = pytest.mark.case("F19")


@pytest.fixture
def write(mailbox, now):
    def more(count):
        for _ in range(count):
            receipts.write(mailbox, ["a" * 64], rule="R9", now=now)

    return more


def change_the_oldest():
    Receipt.objects.filter(number=1).update(count=9)


def change_and_seal_it_anew():
    first = Receipt.objects.get(number=1)
    first.count = 9
    first.seal = receipts.seal_of(first)
    first.save()


def take_out_the_oldest():
    Receipt.objects.filter(number=1).delete()


def take_out_one():
    Receipt.objects.filter(number=2).delete()


def take_off_the_end():
    Receipt.objects.filter(number__gt=2).delete()


def swap():
    first, second = Receipt.objects.filter(number__in=(1, 2)).order_by("number")
    Receipt.objects.filter(pk=first.pk).update(number=9)
    Receipt.objects.filter(pk=second.pk).update(number=1)
    Receipt.objects.filter(pk=first.pk).update(number=2)


def make_all_anew():
    """As somebody would who knows how seals are made."""
    previous = ""
    for each in Receipt.objects.order_by("number"):
        each.count, each.previous = 9, previous
        each.seal = previous = receipts.seal_of(each)
        each.save()


@pytest.mark.parametrize(
    ("harm", "told"),
    [
        (change_the_oldest, ["receipt 1 was changed"]),
        (change_and_seal_it_anew, ["receipt 2 does not follow the one before it"]),
        (take_out_the_oldest, ["receipts 1 to 1 are missing"]),
        (take_out_one, ["receipts 2 to 2 are missing"]),
        (take_off_the_end, ["receipts 3 to 4 are missing"]),
        (swap, ["receipt 1 does not follow the one before it", "receipt 1 was changed",
                "receipt 2 does not follow the one before it", "receipt 2 was changed",
                "receipt 3 does not follow the one before it"]),
        (make_all_anew, ["receipt 4 was changed"]),
    ],
)  # fmt: skip
def test_every_night_all_are_checked_and_a_page_shows_it_until_it_is_whole(account, write, now, harm, told):
    write(4)
    assert chain.check(account, now=now) == []
    harm()
    check_receipts.now()
    assert [str(flaw) for flaw in chain.look(account).flaws] == told
    assert Event.objects.get(kind="receipts.broken").facts["count"] == len(told)
    assert ReceiptCheck.objects.get().number == 4  # what was there must come back, or is missed each night
    write(1)
    assert chain.check(account, now=now) != []


def test_a_page_looks_at_what_was_written_since_and_at_the_end_of_what_was_checked(
    account, write, now, django_assert_num_queries
):
    assert chain.look(account) == chain.Look([], None, 0)
    write(3)
    chain.check(account, now=now)
    write(2)
    with django_assert_num_queries(3):
        seen = chain.look(account)
    assert (seen.flaws, seen.last.number, seen.last.at, seen.since) == ([], 3, now, 2)
    Receipt.objects.filter(number=5).update(address="else@acme.example")
    assert [str(flaw) for flaw in chain.look(account).flaws] == ["receipt 5 was changed"]
    Receipt.objects.filter(number__gt=2).delete()
    assert [str(flaw) for flaw in chain.look(account).flaws] == ["receipts 3 to 3 are missing"]


def test_what_comes_back_is_whole_again(account, write, now):
    write(3)
    kept = list(Receipt.objects.all())
    chain.check(account, now=now)
    Receipt.objects.all().delete()
    assert [str(flaw) for flaw in chain.check(account, now=now)] == ["receipts 1 to 3 are missing"]
    Receipt.objects.bulk_create(kept)
    assert chain.check(account, now=now) == [] and chain.look(account).flaws == []
