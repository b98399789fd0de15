"""In whatever order letters come, and wherever: the same letters stand at the same records (D11)."""

import itertools

import pytest

from letterdesk.crm.linking.link import link_new
from letterdesk.crm.models import Activity, Binding, Kind, Record, Thread, Unknown
from letterdesk.crm.saving import change_saving
from letterdesk.mailboxes.models import Mailbox
from letterdesk.mailboxes.tests.arriving import another_mailbox, raw
from letterdesk.mailboxes.tests.letters import folder_of

from .conftest import from_amara

LETTERS = (
    from_amara("Offer", message_id="1@x"),
    from_amara("Re: Offer", message_id="2@x", references=("1@x",)),
    from_amara("Re: Offer", message_id="3@x", references=("1@x", "2@x")),
    raw("Question", sender="Anna <anna@berg.example>", message_id="4@x"),
    raw("Re: Question", sender="Anna <anna@berg.example>", message_id="5@x", references=("4@x",)),
)
ORDERS = list(itertools.permutations(range(len(LETTERS))))[7::29]


@pytest.mark.parametrize("order", ORDERS, ids=lambda order: "".join(map(str, order)))
def test_the_order_of_arrival_and_the_mailboxes_decide_nothing(amara, account, mailbox, ines, come, order):
    other = folder_of(another_mailbox(account, "sales@acme.example"))
    folders = [mailbox.folders.get(), other]
    for folder in folders:
        change_saving(
            folder.mailbox, by=ines, known=True, unknown_incoming=Unknown.LEAD, unknown_outgoing=Unknown.NOTHING
        )
    for step, number in enumerate(order):
        come(LETTERS[number], folder=folders[step % 2])
    come(*LETTERS)  # and all of them once more, some into the mailbox where they are not yet
    standing = Binding.objects.order_by("activity__message_id").values_list("activity__message_id", "record__name")
    names = ["Amara Okafor"] * 3 + ["Anna"] * 2
    assert list(standing) == list(zip([f"{number}@x" for number in range(1, 6)], names, strict=True))
    assert Record.objects.filter(kind=Kind.LEAD).count() == 1
    assert Thread.objects.count() == 2
    assert Activity.objects.count() == 5


@pytest.mark.case("D11")
def test_nothing_joins_across_accounts(amara, stranger, come, make, now):
    theirs = Mailbox.objects.create(
        account=stranger.account, owner=stranger, address="s@other.example", imap_host="i.example", imap_user="s"
    )
    make(by=stranger, addresses=("amara@okafor.example",))
    [mine] = come(from_amara("Offer", message_id="1@x"))
    come(from_amara("Re: Offer", message_id="2@x", references=("1@x",)), folder=folder_of(theirs))
    come(from_amara("Offer", message_id="1@x"), folder=theirs.folders.get())
    link_new(theirs, now=now)
    ours, others = (Activity.objects.filter(account=each) for each in (mine.account, stranger.account))
    assert (ours.count(), others.count()) == (1, 2)
    assert not {each.thread_id for each in ours} & {each.thread_id for each in others}
    assert not Binding.objects.exclude(record__account=mine.account).filter(activity__account=mine.account).exists()
