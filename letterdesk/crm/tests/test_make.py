"""What letters of unknown addresses and of returning clients become, whose it is, and what it says (R28)."""

import base64
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import connection, connections

from letterdesk.accounts.absence import be_away, is_away
from letterdesk.crm.linking import cards
from letterdesk.crm.linking.cards import read_noted
from letterdesk.crm.linking.decide import Bind
from letterdesk.crm.linking.exclusions import exclude
from letterdesk.crm.linking.guess import domain_of, name_of
from letterdesk.crm.linking.keep import ToKeep
from letterdesk.crm.linking.link import link_new
from letterdesk.crm.linking.turns import next_of
from letterdesk.crm.models import Activity, CardsToRead, Reason, Record, Turn
from letterdesk.crm.records.change import move_to_stage
from letterdesk.crm.records.pipelines import delete_pipeline, make_pipeline
from letterdesk.crm.records.stages import stages_of
from letterdesk.crm.saving import change_saving
from letterdesk.mailboxes.tests.arriving import another_mailbox, raw
from letterdesk.mailboxes.tests.letters import folder_of
from letterdesk.plans.change import change_plan

from .conftest import activity_at, from_amara, standing

DAY = timedelta(hours=24)


@pytest.fixture
def becomes(mailbox, ines):
    """Set what the mailbox makes of letters: `becomes("deal", responsible=[ines])`."""

    def said(incoming="nothing", **fields):
        fields.setdefault("unknown_outgoing", "nothing")
        change_saving(mailbox, by=ines, known=True, unknown_incoming=incoming, **fields)

    return said


def of_kind(kind):
    return list(Record.objects.filter(kind=kind).order_by("pk"))


def test_the_mailbox_says_in_which_pipeline_its_deals_begin(becomes, make, come, account, administrator):
    first = stages_of(account, "deal")[0]
    partners = make_pipeline("Partners", by=administrator)
    becomes("deal", returning="deal", pipeline=partners)
    come(raw("Roof", sender="anna@berg.example", message_id="1@x"))
    [deal] = of_kind("deal")
    assert (deal.stage.pipeline, deal.stage) == (partners, partners.stages.order_by("position").first())
    make("contact", "Kofi", addresses=("kofi@mensah.example",))
    come(raw("A new roof", sender="kofi@mensah.example", message_id="2@x"))
    assert [each.stage.pipeline for each in of_kind("deal")] == [partners, partners]
    delete_pipeline(partners, by=administrator, to=first)
    come(raw("Floor", sender="cleo@hill.example", message_id="3@x"))
    assert of_kind("deal")[2].stage == first  # it is gone: as without a word


def test_a_mailbox_names_no_pipeline_of_leads_nor_of_others(becomes, account, stranger):
    leads = stages_of(account, "lead")[0].pipeline
    others = stages_of(stranger.account, "deal")[0].pipeline
    for wrong in (leads, others):
        with pytest.raises(ValueError, match=r"pipeline|account"):
            becomes("deal", pipeline=wrong)


def test_an_unknown_sender_becomes_a_contact_and_a_deal_that_say_where_they_come_from(becomes, make, come):
    works = make("company", "Berg GmbH", addresses=("info@berg.example",))
    becomes("deal", came_from="Contact form")
    come(raw("Re: Roof for a barn", message_id="1@x"), raw("And the floor", message_id="2@x"))
    [contact], [deal] = of_kind("contact"), of_kind("deal")
    assert (contact.name, contact.company, contact.source, contact.came_from) == (
        "Anna Berg", works, "letter", "Contact form",
    )  # fmt: skip
    assert (deal.name, deal.contact, deal.company, deal.came_from) == (
        "Roof for a barn", contact, works, "Contact form",
    )  # fmt: skip
    first, second = (standing(Activity.objects.get(subject__contains=word)) for word in ("Roof", "floor"))
    assert first == {(contact.pk, Reason.MADE), (deal.pk, Reason.MADE), (works.pk, Reason.ADDRESS)}
    assert second == {(contact.pk, Reason.ADDRESS), (works.pk, Reason.ADDRESS), (deal.pk, Reason.DEAL)}


def test_a_contact_alone_and_of_outgoing_letters_apart(becomes, mailbox, come):
    becomes("nothing", unknown_outgoing="contact")
    letter = raw("Hello", sender=f"Ines <{mailbox.address}>", to="Bo <bo@gmail.com>")
    come(raw("In", message_id="in@x"))
    come(letter, folder=folder_of(mailbox, "Sent", "sent"))
    [contact] = Record.objects.all()
    assert (contact.kind, contact.name, contact.company, contact.came_from) == ("contact", "Bo", None, mailbox.address)


@pytest.mark.parametrize("wanted", ["nothing", "lead", "deal"])
def test_a_client_who_writes_anew_with_nothing_open(becomes, amara, make, come, account, jonas, ines, now, wanted):
    """An ended deal is not open; a reply follows its conversation; what is made first is open for the second letter."""
    done = make("deal", "Done", contact=amara)
    come(from_amara("Old", message_id="old@x"))
    move_to_stage(done, stages_of(account, "deal")[-1], by=ines)
    becomes("lead", returning=wanted, responsible=[jonas])
    come(from_amara("Re: Old", in_reply_to="old@x"))
    assert Record.objects.count() == 2
    come(from_amara("New roof", message_id="n@x"), from_amara("Its colour", message_id="c@x"))
    made = [record for record in Record.objects.order_by("pk") if record not in {amara, done}]
    if wanted == "nothing":
        assert not made
        return
    [new] = made
    assert (new.kind, new.responsible) == (wanted, ines)  # stays with whom she knows
    assert new.name == ("New roof" if wanted == "deal" else "Amara Okafor")
    at = Activity.objects.filter(bindings__record=new).order_by("subject").values_list("subject", flat=True)
    assert list(at) == ["Its colour", "New roof"]


def test_people_are_responsible_in_turn_and_who_is_away_is_passed_over(becomes, come, ines, jonas, administrator, now):
    becomes("lead", responsible=[jonas, administrator, ines])
    be_away(administrator, now.date())
    assert is_away(administrator, now) and not is_away(administrator, now + 2 * DAY)

    def comes(*numbers):
        come(*(raw(f"{n}", sender=f"p{n}@x.example", message_id=f"{n}@x") for n in numbers))
        return [each.responsible for each in of_kind("lead")[numbers[0] :]]

    assert comes(0, 1, 2) == [jonas, ines, jonas]
    be_away(administrator, None)
    assert comes(3, 4, 5) == [administrator, ines, jonas]
    for person in (jonas, administrator, ines):
        be_away(person, now.date())
    assert comes(6) == [ines]  # the owner, where nobody is here


def test_whose_turn_it_is():
    def row(*lasts):
        return [Turn(pk=place, position=place, last=last) for place, last in enumerate(lasts)]

    for lasts, place in (((0, 0), 0), ((1, 0), 1), ((1, 2), 0), ((4, 0, 3), 1), ((4, 5, 3), 2), ((9,), 0)):
        assert next_of(row(*lasts)).pk == place
    assert next_of([]) is None


def with_cards(*people, subject="Cards"):
    lines = [f"BEGIN:VCARD\nVERSION:3.0\nFN:{name}\nEMAIL:{address}\nEND:VCARD\n" for name, address in people]
    content = base64.b64encode("".join(lines).encode())
    letter = from_amara(subject, attachment="people.vcf")
    return letter.replace(b"application/pdf", b"text/vcard").replace(b"JVBERi0xLjQ=", content)


def test_visiting_cards_of_saved_letters_become_contacts_once(becomes, amara, come, mailbox, ines, now, account):
    come(with_cards(("Too early", "early@x.example")))
    becomes(reads_cards=True)
    exclude("@spam.example", by=ines, now=now)
    people = ("Bo", "bo@new.example"), ("Twice", "BO@new.example"), ("Amara", "amara@okafor.example")
    come(with_cards(*people, ("Ines", "ines@acme.example"), ("Off", "x@spam.example"), ("No", "none"), subject="Two"))
    come(raw("Stranger", attachment="people.vcf").replace(b"application/pdf", b"text/vcard"))
    assert CardsToRead.objects.count() == 1  # what is not saved brings no cards along
    [made] = read_noted(mailbox, now=now)
    assert (made.name, made.kind, made.source, made.responsible) == ("Bo", "contact", "letter", ines)
    assert read_noted(mailbox, now=now) == []
    come(with_cards(("Late", "late@x.example"), subject="Three"))
    change_plan(account, "free", by=None, now=now)
    assert read_noted(mailbox, now=now) == []  # R28, asked where it is made
    assert not CardsToRead.objects.exists()


def test_a_card_that_nothing_can_keep_holds_up_no_other(becomes, amara, come, mailbox, now, monkeypatch):
    """A NUL, half a character, an endless address; and whatever else there may be: the letter after it is read."""
    becomes(reads_cards=True)
    come(with_cards(("B\0o\ud800".encode("utf_8", "surrogatepass").decode("latin_1"), "bo@new.example")))
    come(with_cards(("Endless", f"x@{'.'.join(['d' * 60] * 5)}.example"), ("Cy", "cy@new.example"), subject="Two"))
    assert [each.addresses.get().email for each in read_noted(mailbox, now=now)] == ["bo@new.example", "cy@new.example"]
    come(with_cards(("Bad", "bad@other.example"), subject="Three"), with_cards(("Di", "di@x.example"), subject="Four"))

    def fails(address):
        if "bad" in address:
            raise ValueError

    monkeypatch.setattr(cards, "company_of", lambda _account, address: fails(address))
    assert [each.name for each in read_noted(mailbox, now=now)] == ["Di"]
    assert not CardsToRead.objects.exists()


def test_cards_of_letters_from_before_webmail_make_nothing(amara, mailbox, becomes, come, now):
    """R28"""
    becomes(reads_cards=True)
    [letter] = come(with_cards(("Old", "old@x.example")), look=False)
    activity = activity_at(amara, at=now)
    kept = [ToKeep(letter, activity.thread_id, "in", (Bind(amara.pk, Reason.ADDRESS),))]
    cards.note_cards(mailbox, kept, [activity], since=letter.received_at + DAY)
    assert not CardsToRead.objects.exists()
    cards.note_cards(mailbox, kept, [activity], since=letter.received_at)
    assert CardsToRead.objects.exists()


def test_an_address_too_long_to_be_one_makes_nothing_and_holds_up_nothing(becomes, come):
    """RFC 5321 4.5.3.1: at most 255 characters behind the @."""
    becomes("lead")
    endless = f"x@{'.'.join(['d' * 60] * 5)}.com"
    come(raw("Endless", sender=endless, message_id="1@x"), raw("Next", sender="bo@new.example", message_id="2@x"))
    assert [each.name for each in of_kind("lead")] == ["bo@new.example"]


@pytest.mark.django_db(transaction=True)
@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite writes one after the other")
def test_one_letter_in_three_mailboxes_at_once_is_one_activity_one_contact_and_one_deal(account, ines, come, now):
    """R28"""
    folders = [folder_of(another_mailbox(account, f"mate{n}@acme.example")) for n in range(3)]
    for folder in folders:
        fields = {"unknown_incoming": "deal", "unknown_outgoing": "nothing", "returning": "deal"}
        change_saving(folder.mailbox, by=ines, known=True, **fields)
        come(f"Received: by {folder.pk}\r\n".encode() + raw("Roof", message_id="r@x"), folder=folder, look=False)

    def look(folder):
        try:
            return link_new(folder.mailbox, now=now)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(3) as pool:
        assert sorted(pool.map(look, folders)) == [1, 1, 1]
    assert Activity.objects.count() == 1
    assert sorted(Record.objects.values_list("kind", flat=True)) == ["contact", "deal"]


def test_what_stands_behind_the_at_says_whom_somebody_works_for(amara):
    assert domain_of("a@Okafor.example") == "okafor.example"
    assert domain_of("a@gmail.com") == domain_of("a@mail.gmx.de") == domain_of("a") == ""
    assert [name_of(f"a@{each}") for each in ("okafor-studio.example", "mail.berg.co.uk", "web.de")] == [
        "Okafor Studio", "Berg", "",
    ]  # fmt: skip
