"""What a person says of an address holds for its later letters, until it is taken back; replies follow theirs."""

from datetime import timedelta

import pytest

from letterdesk.crm.linking.by_hand import move
from letterdesk.crm.linking.corrections import belongs, belongs_not, counterpart_of, forget, said_of
from letterdesk.crm.linking.why import why_not
from letterdesk.crm.models import Activity, Correction, Reason
from letterdesk.crm.records.bin import delete
from letterdesk.crm.records.change import InBin, move_to_stage
from letterdesk.crm.records.stages import stages_of
from letterdesk.events.models import Event
from letterdesk.mailboxes.tests.arriving import raw
from letterdesk.mailboxes.tests.letters import folder_of

from .conftest import from_amara, standing

AMARA = "amara@okafor.example"
DAY = timedelta(hours=24)


@pytest.fixture
def deals(make, amara, now):
    """Two open deals of Amara; the second was active last."""
    return make("deal", "Roof", contact=amara, at=now - 9 * DAY), make("deal", "Floor", contact=amara, at=now - 8 * DAY)


def at(subject):
    return dict(standing(Activity.objects.get(subject=subject)))


def test_letters_go_where_a_person_said_until_that_has_ended(amara, deals, come, ines, account, now):
    roof, floor = deals
    belongs(AMARA, roof, by=ines, now=now)
    come(from_amara("One"))
    assert at("One") == {amara.pk: Reason.ADDRESS, roof.pk: Reason.SAID}
    come(from_amara("Re: One", in_reply_to="One@okafor.example"))
    assert at("Re: One")[roof.pk] == Reason.SAID
    move_to_stage(roof, stages_of(account, "deal")[-1], by=ines)
    come(from_amara("Two"))
    assert at("Two") == {amara.pk: Reason.ADDRESS, floor.pk: Reason.DEAL}
    [said] = said_of(AMARA, ines)
    forget(said, by=ines)
    assert not Correction.objects.exists()
    kinds = Event.objects.filter(kind__startswith="correction").order_by("pk").values_list("kind", flat=True)
    assert list(kinds) == ["correction.said", "correction.forgotten"]


def test_and_not_where_a_person_said_that_they_do_not_belong(amara, deals, come, ines, now):
    roof, floor = deals
    belongs_not(AMARA, floor, by=ines, now=now)
    come(from_amara("One"))
    assert at("One") == {amara.pk: Reason.ADDRESS, roof.pk: Reason.DEAL}
    belongs_not(AMARA, amara, by=ines, now=now)
    [letter] = come(from_amara("Two"))
    assert why_not(letter, now=now) == "Not saved: a colleague said that it does not belong there."
    belongs(AMARA, floor, by=ines, now=now)  # what was said last holds
    come(from_amara("Three"))
    assert at("Three") == {floor.pk: Reason.SAID}


def test_a_moved_conversation_is_followed_and_its_old_deal_is_not(amara, deals, come, ines, now):
    roof, floor = deals
    come(from_amara("Talk"))
    move(Activity.objects.get(), source=floor, target=roof, by=ines, now=now, whole_conversation=True)
    come(from_amara("Re: Talk", in_reply_to="Talk@okafor.example"))
    assert at("Re: Talk") == {amara.pk: Reason.ADDRESS, roof.pk: Reason.REPLY}


def test_whose_letter_it_is(amara, come, mailbox, ines, now):
    come(from_amara("In"), raw("Among", to="amara@okafor.example"))
    sent = raw("Out", sender=f"Ines <{mailbox.address}>", to="ines@acme.example, Amara <AMARA@okafor.example>")
    come(sent, folder=folder_of(mailbox, "Sent", "sent"))
    whose = {each.subject: counterpart_of(each) for each in Activity.objects.all()}
    assert whose == {"In": AMARA, "Among": "anna@berg.example", "Out": AMARA}


def test_only_of_what_is_there_and_ours(amara, make, stranger, ines, now):
    delete(amara, by=ines, now=now)
    with pytest.raises(InBin):
        belongs(AMARA, amara, by=ines, now=now)
    with pytest.raises(ValueError, match="another account"):
        belongs(AMARA, make("deal", "Theirs", by=stranger), by=ines, now=now)
