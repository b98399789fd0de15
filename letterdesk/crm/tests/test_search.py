"""The search field finds records and letters in CRM: by right, in step with what people write, on both databases."""

from datetime import timedelta
from functools import partial

import pytest
from django.db import connection
from django.utils import timezone

from letterdesk.crm.models import Activity, FoundText, Note, Pipeline, Record, Stage
from letterdesk.crm.records import bin as record_bin
from letterdesk.crm.records import labels, notes
from letterdesk.crm.records.change import change
from letterdesk.crm.records.fields import fields_of
from letterdesk.crm.records.merge import merge
from letterdesk.crm.search import letters as search_letters
from letterdesk.crm.search import walk
from letterdesk.crm.search import words as search_words
from letterdesk.crm.search.at import letters_at
from letterdesk.crm.search.index import (
    TEXTS,
    index_letters,
    moved,
    read_missing,
    row_of_letter,
    row_of_note,
    row_of_record,
)
from letterdesk.crm.search.letters import find_letters
from letterdesk.crm.search.records import find_records, names_by_words
from letterdesk.mail.inbound import Inbound
from letterdesk.mailboxes.models import Folder, HiddenLetter, Message, RemovedWords, SearchText
from letterdesk.mailboxes.retention.own_times import periods_of
from letterdesk.mailboxes.search import sqlite as search_sqlite
from letterdesk.mailboxes.search.letters import Search, forget_removed, parse_query

from .conftest import activity_at, from_amara


def tree(employee, query):
    now = timezone.now()
    return parse_query(query, now=now, zone=now.tzinfo, me=employee.pk)


def names(employee, query):
    return sorted(each.record.name for each in find_records(employee, tree(employee, query), most=50).records)


def subjects(employee, query, *, at, without_mail=False):
    found = find_letters(employee, tree(employee, query), now=at, most=50, without_mail=without_mail)
    return [each.subject.text for each in found.letters]


@pytest.fixture(autouse=True)
def in_step(db):
    """Whatever a test did: what can be found of records and notes is what stands in them."""
    yield
    for row in FoundText.objects.filter(activity=None).select_related("record", "note"):
        fresh = row_of_note(row.note) if row.note else row_of_record(row.record, fields_of(row.record))
        assert (row.position, row.subject, row.sender, row.body) == (
            fresh.position, fresh.subject, fresh.sender, fresh.body
        )  # fmt: skip
    with_words = FoundText.objects.values("note")
    assert not Note.objects.filter(deleted_at=None).exclude(pk__in=with_words.filter(note__isnull=False)).exists()


@pytest.fixture(params=["few", "many, but few in sight", "chunks", "chunks, then whole", "whole"])
def any_way(request, monkeypatch):
    """Texts that few have, that many have, but few within sight, and so on; and very many texts."""
    if request.param == "whole":
        monkeypatch.setattr(walk, "MOST_TEXTS", 0)
    elif request.param != "few":
        monkeypatch.setattr(search_words, "FEW", 0)
        monkeypatch.setattr(walk, "FEW", 99 if request.param == "many, but few in sight" else 0)
        for name, size in (("FIRST_CHUNK", 1), ("LONGEST_CHUNK", 2)):
            monkeypatch.setattr(walk, name, size)
        monkeypatch.setattr(walk, "LOOKED_AT", 99 if request.param == "chunks" else 1)


@pytest.mark.usefixtures("any_way")
def test_a_record_is_found_by_all_that_people_wrote_into_it(ines, make):
    make(
        name="Zoë Özgür", addresses=("zoe@kiosk.example",), phones=("+49 30 901820",), position="Head of buying",
        note="likes trains", came_from="Hannover fair",
    )  # fmt: skip
    for query in ("zoe", "özgur", "zoe@kiosk.example", "kiosk", "901820", "buying", "trains", "hannover", '"of buying"',
                  "zoe trains", "zo", "from:zoe", "from:kiosk", "in:crm zoe", "nothing OR zoe", "zoe -x"):  # fmt: skip
        assert names(ines, query) == ["Zoë Özgür"], query
    for query in ("zoe nothing", "-zoe", '"buying of"', "subject:zoe", "from:trains", "zoe is:unread", "oe"):
        assert names(ines, query) == [], query


@pytest.mark.usefixtures("any_way")
def test_also_by_company_and_contact_by_name_and_by_labels(ines, make):
    acme = make("company", "Acme Works", addresses=("info@acme.example",), note="steel")
    anna = make(name="Anna", company=acme)
    make("deal", "Roof", contact=anna, company=acme)
    make(name="Bert")
    assert names(ines, "acme") == ["Acme Works", "Anna", "Roof"]
    assert names(ines, "anna acme") == ["Anna", "Roof"]
    assert names(ines, "steel") == names(ines, "info") == ["Acme Works"]  # not all of its people
    labels.give(anna, ["Key Account"], by=ines)
    assert names(ines, "key anna") == names(ines, 'label:"key account"') == names(ines, '"key account"') == ["Anna"]
    assert names(ines, "-label:nothing in:crm roof") == ["Roof"]


def test_notes_and_calls_are_found_as_they_are_now(ines, make, amara, now):
    note = notes.write(amara, notes.Said("Wants a canopy"), by=ines, now=now)
    [found] = find_records(ines, tree(ines, "canopy"), most=5).records
    assert found.record == amara and ("canopy", True) in found.excerpt.pieces()
    notes.change(note, notes.Said("Wants a pergola"), by=ines, now=now)
    assert (names(ines, "canopy"), names(ines, "amara pergola")) == ([], ["Amara Okafor"])
    notes.remove(note, by=ines, now=now)
    assert names(ines, "pergola") == []
    notes.bring_back(note, by=ines, now=now)
    other = make(name="Amara O.")
    merge(other, amara, by=ines, now=now)
    assert names(ines, "pergola") == ["Amara O."]


def test_what_was_changed_is_found_anew_and_what_lies_in_the_bin_is_not(ines, amara, now):
    fields = fields_of(amara)
    change(amara, type(fields)(**{**vars_of(fields), "name": "Amara Bello", "addresses": ()}), by=ines)
    assert (names(ines, "okafor"), names(ines, "bello")) == ([], ["Amara Bello"])
    record_bin.delete(amara, by=ines, now=now)
    assert names(ines, "bello") == []
    record_bin.restore(amara, by=ines, now=now)
    assert names(ines, "bello") == ["Amara Bello"]


def vars_of(fields):
    return {name: getattr(fields, name) for name in fields.__slots__}


@pytest.mark.usefixtures("any_way")
def test_nobody_finds_what_they_may_not_see(ines, jonas, supervisor, administrator, stranger, make, amara, now):
    """P9"""
    acme = make("company", "Secret Works", responsible=jonas, by=jonas)
    make(name="Bert", company=acme)  # of Ines, at a company that she does not see
    assert names(ines, "amara") == names(supervisor, "amara") == names(administrator, "amara") == ["Amara Okafor"]
    assert names(jonas, "amara") == names(stranger, "amara") == []
    assert (names(ines, "secret"), names(administrator, "secret")) == ([], ["Bert", "Secret Works"])
    letter = activity_at(amara, at=now)
    assert Activity.objects.get(pk=letter.pk)
    assert [names_by_words(each, "okaf", most=5) for each in (ines, jonas, stranger)] == [[amara], [], []]


@pytest.mark.usefixtures("any_way")
def test_a_closed_pipeline_is_closed_to_the_search(ines, administrator, make):
    roof = make("deal", "Roof")
    Pipeline.objects.filter(pk=roof.stage.pipeline_id).update(everyone="")
    assert Stage.objects.exists() and names(ines, "roof") == names(administrator, "roof") == []


def test_letters_are_found_by_text_files_and_people_after_webmail_has_let_them_go(ines, jonas, come, amara, now):
    """R7, R8"""
    [letter] = come(from_amara("Offer", body="forty standing desks", attachment="plan.pdf"))
    assert Activity.objects.count() == 1
    for query in ("desks", "forty standing", "plan.pdf", "from:okafor", "subject:offer", "to:ines", "filename:plan",
                  "in:crm desks", "in:crm", "desks has:attachment", "desks after:2020-01-01",
                  "in:crm larger:1k OR desks", "contact:okafor", "contact:amara desks"):  # fmt: skip
        assert subjects(ines, query, at=now) == ["Offer"], query
        assert subjects(jonas, query, at=now) == []
    for query in (
        "from:desks",
        "deal:okafor",
        "desks is:unread",
        "desks before:2020-01-01",
        "in:inbox",
        "desks smaller:1",
    ):
        assert subjects(ines, query, at=now) == [], query
    assert subjects(ines, "desks", at=now, without_mail=True) == []  # it is found in Webmail
    HiddenLetter.objects.create(account=ines.account, employee=ines, message=letter, hidden_at=now)
    assert subjects(ines, "desks", at=now, without_mail=True) == []  # an owner sees everything
    Message.objects.filter(pk=letter.pk).delete()
    assert subjects(ines, "desks", at=now, without_mail=True) == ["Offer"]


def test_words_are_taken_over_from_webmails_index_as_they_would_be_written(come, amara, settings):
    settings.INBOUND = Inbound("in.acme.example", "127.0.0.1", 0)
    secret = "crm-abc@in.acme.example"
    come(
        from_amara("Ünicode Ωmega", body="Gärtnerei 見積書 offer@x.example", attachment="quote.pdf"),
        from_amara("Two", to=f"ines@acme.example, Ín <{secret}>", body="second"),
        from_amara("Three", body=""),
    )
    for activity in Activity.objects.all():
        row, written = FoundText.objects.get(activity=activity), row_of_letter(activity, texts_in_webmail(activity))
        names = ("position", "account_id", "scope", "is_whole", "record_id", "note_id", *TEXTS)
        assert [getattr(row, name) for name in names] == [getattr(written, name) for name in names]
        if connection.vendor == "postgresql":
            with connection.cursor() as cursor:
                cursor.execute(
                    "SELECT vector = %s::tsvector FROM crm_foundtext WHERE position = %s", [written.vector, row.pk]
                )
                assert cursor.fetchone() == (True,)


def texts_in_webmail(activity):
    [text] = SearchText.objects.filter(message__blob=activity.blob)
    return text.body, text.files


@pytest.mark.parametrize("role", ["trash", "spam"])
def test_what_a_search_leaves_aside_in_webmail_is_found_in_crm(ines, come, inbox, amara, now, role):
    """R8: thrown away in Webmail it is still at the contact."""
    come(from_amara("Offer", body="desks"))
    Folder.objects.filter(pk=inbox.pk).update(role=role)
    period = periods_of(ines.account, now)
    assert not Search(ines, "desks", now=now, mailbox=None, period=period).page(limit=9).hits
    assert subjects(ines, "desks", at=now, without_mail=True) == ["Offer"]
    assert subjects(ines, "desks in:anywhere", at=now, without_mail=True) == []


def test_the_clock_lets_a_letter_go_before_the_sweep_does(ines, come, amara, now, sold_plans):
    """R20: it is found in CRM from the second on from which Webmail does not find it."""
    come(from_amara("Offer", body="desks"), at=now)
    late = now + timedelta(days=400)
    assert subjects(ines, "desks", at=now, without_mail=True) == []
    assert subjects(ines, "desks", at=late, without_mail=True) == ["Offer"]


def test_what_came_past_webmail_is_read_later(ines, amara, now):
    letter = activity_at(amara, at=now, content=from_amara("Tender", body="forty chairs"))
    FoundText.objects.filter(activity=letter).delete()
    index_letters([letter], {})
    assert (subjects(ines, "offer", at=now), subjects(ines, "chairs", at=now)) == (["Offer"], [])
    assert (read_missing(), read_missing()) == (1, 0)
    assert subjects(ines, "chairs", at=now) == ["Offer"]


def test_webmail_finds_letters_that_stand_in_crm(ines, come, amara, mailbox, now):
    come(from_amara("Offer"), from_amara("Other", message_id="x@y.example"))
    [one, other] = Message.objects.order_by("pk")
    Message.objects.filter(pk=other.pk).update(in_crm=False)
    asked = Search(ines, "in:crm", now=now, mailbox=None, period=periods_of(ines.account, now))
    assert [hit.message for hit in asked.page(limit=10).hits] == [one]


def test_words_of_what_was_removed_leave_the_file(ines, amara, now):
    """F13"""
    record_bin.delete(amara, by=ines, now=now)
    RemovedWords.objects.all().delete()
    record_bin.purge(Record.objects.get(pk=amara.pk), by=ines, now=now)
    assert not FoundText.objects.exists()
    forget_removed(everything=True)
    assert not RemovedWords.objects.exists()


@pytest.mark.skipif(connection.vendor != "sqlite", reason="PostgreSQL frees rows by VACUUM in its own time")
def test_words_that_stay_need_no_merge_and_only_the_index_that_lost_some_is_merged(ines, amara, now, monkeypatch):
    letter = activity_at(amara, at=now, content=from_amara("Tender", body="forty chairs"))
    index_letters([letter], {})
    RemovedWords.objects.all().delete()
    read_missing()
    moved(letter.pk, now - timedelta(days=1))
    fields = fields_of(amara)
    change(amara, type(fields)(**{**vars_of(fields), "note": "likes trains"}), by=ines)
    assert not RemovedWords.objects.exists()  # words came, or have another place
    assert subjects(ines, "chairs", at=now) == ["Offer"] and names(ines, "trains") == ["Amara Okafor"]
    change(amara, type(fields)(**{**vars_of(fields), "note": "likes ships"}), by=ines)
    assert set(RemovedWords.objects.values_list("held_in", flat=True)) == {"crm_found"}
    merged = []
    merge_one = search_sqlite._merge
    monkeypatch.setattr(search_sqlite, "_merge", lambda each, **how: (merged.append(each), merge_one(each, **how))[1])
    while forget_removed():
        pass
    assert set(merged) == {"crm_found"} and not RemovedWords.objects.exists()
    with connection.cursor() as cursor:
        cursor.execute("SELECT block FROM crm_found_data")
        assert not any(b"trains" in bytes(block) for (block,) in cursor.fetchall())


def test_a_search_takes_few_queries_however_much_it_finds(ines, make, come, now, django_assert_max_num_queries):
    for number in range(30):
        made = make(name=f"Amara {number}", addresses=(f"a{number}@okafor.example",))
    labels.give(made, ["Blue"], by=ines)
    come(*(from_amara(f"Offer {number}") for number in range(1)))
    asked = tree(ines, "amara")
    with django_assert_max_num_queries(9):
        assert len(find_records(ines, asked, most=50).records) == 30
    with django_assert_max_num_queries(8):
        find_letters(ines, asked, now=now, most=50, without_mail=True)


def test_alternatives_that_crm_does_not_have_are_left_out_and_that_is_told(ines, come, amara, now):
    come(from_amara("Offer", body="desks"))
    for query, records, letters in [
        ("amara OR is:unread", ["Amara Okafor"], ["Offer"]),
        ("amara (status:open OR desks)", [], ["Offer"]),
        ("okafor has:attachment", [], []),
        ("amara is:unread", [], []),
        ("okafor -(is:unread OR nothing)", [], []),
        ("is:unread OR in:inbox", [], []),
    ]:
        assert (names(ines, query), subjects(ines, query, at=now)) == (records, letters), query
    for query, of_records, of_letters in [
        ("amara OR is:unread", (True, True), (True, True)),
        ("okafor has:attachment", (False, True), (True, False)),
        ("amara is:unread", (False, True), (False, True)),
        ("amara", (True, False), (True, False)),
    ]:
        asked = tree(ines, query)
        found = find_letters(ines, asked, now=now, most=5, without_mail=False)
        both = (find_records(ines, asked, most=5).asked, found.asked)
        assert [(each.tree is not None, each.is_less) for each in both] == [of_records, of_letters], query


def test_who_sees_few_letters_finds_the_oldest_however_many_there_are(ines, jonas, make, amara, now, monkeypatch):
    """R8: the account's newer ones, which they may not see, are not looked through first."""
    letters = [activity_at(amara, at=now - timedelta(days=900), content=from_amara("Tender"))]
    other = make(name="Bert", responsible=jonas, by=jonas)
    for day in range(4):
        letters.append(activity_at(other, at=now - timedelta(days=day), content=from_amara(f"Later {day}")))
    index_letters(letters, {})
    for size, most in (("FIRST_CHUNK", 1), ("LONGEST_CHUNK", 1), ("MOST_LOOKED_AT", 2)):
        monkeypatch.setattr(search_letters, size, most)
    asked = tree(ines, "offer")
    found = find_letters(ines, asked, now=now, most=5, without_mail=True, look_at=2)
    assert (len(found.letters), found.is_cut) == (1, False)
    monkeypatch.setattr(search_letters, "FEW", 0)
    found = find_letters(ines, asked, now=now, most=5, without_mail=True, look_at=2)
    assert (len(found.letters), found.is_cut) == (0, True)  # and that is told


def test_letters_at_records_are_found_however_many_records_have_the_words(
    ines, jonas, make, amara, come, now, monkeypatch
):
    """Records that few have are read first; of many those of the letters that are looked at, in chunks of one here."""
    come(from_amara("Offer", body="desks"))
    acme = make("company", "Acme")
    bert, hidden = make(name="Bert", company=acme), make(name="Amara hidden", responsible=jonas, by=jonas)
    later = [activity_at(bert, hidden, at=now, content=b"1"), activity_at(hidden, at=now, content=b"2")]
    index_letters(later, {})
    period = periods_of(ines.account, now)
    told = {"contact": partial(letters_at, ines, "contact")}

    def counts(query):
        found = find_letters(ines, tree(ines, query), now=now, most=9, without_mail=False)
        in_mail = Search(ines, query, now=now, mailbox=None, period=period, told=told).page(limit=9)
        return len(found.letters), len(in_mail.hits)

    for words, sight in ((4_000, 2_000), (0, 2_000), (4_000, 0), (0, 0)):
        monkeypatch.setattr(search_words, "FEW", words)
        monkeypatch.setattr(search_letters, "FEW", sight)
        for name in ("FIRST_CHUNK", "LONGEST_CHUNK", "ASKED_CHUNK"):
            monkeypatch.setattr(search_letters, name, 1)
        asked = {query: counts(query) for query in (
            "contact:amara", "contact:acme", "company:acme", "contact:amara desks", "-contact:amara offer",
            "contact:amara OR contact:bert", "contact:amara OR desks", "contact:nobody", "contact:hidden")}  # fmt: skip
        assert list(asked.values()) == [(1, 1), (1, 0), (0, 0), (1, 1), (1, 0), (2, 1), (1, 1), (0, 0), (0, 0)], words


@pytest.mark.usefixtures("any_way")
def test_what_was_active_last_comes_first_to_the_microsecond(ines, make, now):
    second = now.replace(microsecond=0)
    for name, micro in (("half", 500_000), ("whole", 0), ("more", 510_000), ("least", 1)):
        make(name=f"Amara {name}", at=second + timedelta(microseconds=micro))
    found = find_records(ines, tree(ines, "amara"), most=9).records
    assert [each.record.name.removeprefix("Amara ") for each in found] == ["more", "half", "least", "whole"]


@pytest.mark.usefixtures("any_way")
def test_pages_of_letters_and_records(ines, make, amara, now):
    made = [make(name=f"Amara {number}") for number in range(4)]
    index_letters([activity_at(each, at=now, content=from_amara(f"No. {each.pk}")) for each in made], {})
    pages = [find_records(ines, tree(ines, "amara"), most=2, offset=offset) for offset in (0, 2, 4)]
    assert [(len(page.records), page.more) for page in pages] == [(2, True), (2, True), (1, False)]
    asked = tree(ines, "offer")
    pages = [find_letters(ines, asked, now=now, most=3, offset=offset, without_mail=False) for offset in (0, 3)]
    assert [(len(page.letters), page.more) for page in pages] == [(3, True), (1, False)]


def test_a_common_word_is_found_among_the_last_active_without_asking_all(
    ines, jonas, make, now, monkeypatch, django_assert_max_num_queries
):
    """Neither beside a rare one are all of its hits put in order."""
    for number in range(40):
        make(name=f"Amara {number}", at=now - timedelta(days=number))
    make(name="Amara Rare", at=now - timedelta(days=900))
    make(name="Amara hidden", responsible=jonas, by=jonas)
    monkeypatch.setattr(search_words, "FEW", 3)
    for name, size in (("FEW", 3), ("FIRST_CHUNK", 10), ("LOOKED_AT", 10)):
        monkeypatch.setattr(walk, name, size)
    monkeypatch.setattr(walk, "everywhere", lambda _account: pytest.fail)  # no sub-select of all hits
    found = find_records(ines, tree(ines, "amara"), most=5)
    assert [each.record.name for each in found.records] == [f"Amara {number}" for number in range(5)] and found.more
    with django_assert_max_num_queries(14):
        assert names(ines, "amara rare") == ["Amara Rare"]
