"""Records of somebody who left go to a colleague, as a whole and on record."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from letterdesk.accounts.dismiss import dismiss
from letterdesk.accounts.roles import NotAllowed
from letterdesk.crm.models import ListView, Record, Turn
from letterdesk.crm.records import hand_over as handing
from letterdesk.crm.records.bin import delete
from letterdesk.crm.records.hand_over import NotHandedOver, hand_over, left_behind
from letterdesk.crm.records.views import forget_left, save
from letterdesk.crm.saving import change_saving
from letterdesk.events.models import Event
from letterdesk.lib.crashpoint import Crashed, interrupt


@pytest.fixture
def left(make, ines, administrator, mailbox, now):
    """Ines made three records, one of them in the bin, was named for new leads, and left."""
    records = [make(name=f"Client {number}") for number in range(3)]
    delete(records[0], by=ines, now=now)
    change_saving(mailbox, by=ines, known=True, unknown_incoming="lead", unknown_outgoing="nothing", responsible=[ines])
    dismiss(ines, by=administrator, now=now)
    return ines


def test_all_go_to_the_heir_those_in_the_bin_too(left, jonas, administrator, account, monkeypatch):
    monkeypatch.setattr(handing, "AT_ONCE", 2)
    assert left_behind(account) == {left.pk: 3}
    assert not Record.objects.visible_to(jonas).exists()
    assert hand_over(left, to=jonas, by=administrator) == 3
    assert Record.objects.visible_to(jonas).count() == 3
    assert left_behind(account) == {}
    assert [turn.employee for turn in Turn.objects.all()] == [jonas]
    told = Event.objects.filter(kind="record.handed_over", by=administrator).order_by("pk")
    assert [event.facts for event in told] == [
        {"count": 2, "from": left.public_id},
        {"count": 1, "from": left.public_id},
    ]
    assert hand_over(left, to=jonas, by=administrator) == 0


def test_shared_views_go_along_and_private_ones_go(left, jonas, administrator):
    for person, query, is_everyones in (
        (left, "q=a", True), (left, "q=b", True), (left, "q=c", False), (jonas, "q=b", False),
    ):  # fmt: skip
        save(person, "contact", query, name="A", is_everyones=is_everyones)
    hand_over(left, to=jonas, by=administrator)
    whose = ListView.objects.order_by("query", "pk").values_list("query", "employee", "is_everyones")
    assert list(whose) == [
        ("q=a", jonas.pk, True), ("q=b", left.pk, True), ("q=b", jonas.pk, False),
    ]  # fmt: skip


def test_views_that_were_for_the_person_alone_go_after_thirty_days(left, jonas, now):
    for person, query, is_everyones in ((left, "q=a", True), (left, "q=c", False), (jonas, "q=c", False)):
        save(person, "contact", query, name="A", is_everyones=is_everyones)
    assert forget_left(now=now + timedelta(days=29)) == 0
    type(left).objects.filter(pk=left.pk).update(warned_at=now + timedelta(days=28))
    assert forget_left(now=now + timedelta(days=31)) == 0  # seven days from the warning
    assert forget_left(now=now + timedelta(days=35)) == 1
    whose = ListView.objects.order_by("pk").values_list("employee", "query")
    assert list(whose) == [(left.pk, "q=a"), (jonas.pk, "q=c")]


def test_only_by_an_administrator_from_who_left_to_who_is_here(left, jonas, administrator, stranger):
    with pytest.raises(NotAllowed):
        hand_over(left, to=jonas, by=jonas)
    with pytest.raises(NotHandedOver):
        hand_over(jonas, to=administrator, by=administrator)
    for nobody in (stranger, left):
        with pytest.raises(NotHandedOver):
            hand_over(left, to=nobody, by=administrator)
    assert Record.objects.filter(responsible=left).count() == 3


@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite locks the whole file")
def test_what_refers_to_the_two_people_waits_for_nobody(left, jonas, administrator):
    """Whoever writes a row that names one of them holds it by key, and may wait for the account that we hold."""
    with CaptureQueriesContext(connection) as queries:
        hand_over(left, to=jonas, by=administrator)
    people = [each["sql"] for each in queries if 'FROM "accounts_employee"' in each["sql"] and " FOR " in each["sql"]]
    assert people
    assert all("FOR NO KEY UPDATE" in sql for sql in people)


@pytest.mark.django_db(transaction=True)
def test_a_crash_leaves_whole_pieces_and_running_again_does_the_rest(left, jonas, administrator, monkeypatch):
    monkeypatch.setattr(handing, "AT_ONCE", 2)
    interrupt("crm_hand_over.before_commit", 2)
    with pytest.raises(Crashed):
        hand_over(left, to=jonas, by=administrator)
    assert Record.objects.filter(responsible=jonas).count() == 2
    assert hand_over(left, to=jonas, by=administrator) == 1
