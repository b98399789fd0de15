"""The pages of team work: lists, tabs, giving away, closing, what the conversation tells, triage; without script."""

import pytest

from letterdesk.mailboxes.models import Conversation, Grant, Placement
from letterdesk.mailboxes.tests.letters import ago, letter

from .conftest import employ

pytestmark = pytest.mark.django_db


@pytest.fixture
def lea(account, mailbox):
    person = employ(account, "Lea")
    Grant.objects.create(account=account, mailbox=mailbox, employee=person)
    return person


@pytest.fixture
def omar(account, mailbox):
    person = employ(account, "Omar")
    Grant.objects.create(account=account, mailbox=mailbox, employee=person, may_reply=False)
    return person


@pytest.fixture
def offers(inbox, archive, lea, now):
    """Two that nobody has, the first of them the older one."""
    found = [letter(inbox, received_at=ago(now, hours=n), subject=f"Offer {n}").conversation for n in (5, 2)]
    Conversation.objects.update(status="open", waiting_since=ago(now, hours=5))
    return found


def page(client, address, **form):
    answer = client.get(address, form)
    assert answer.status_code == 200
    return answer.content.decode()


def change(client, conversation, what, **form):
    return client.post(f"/conversations/{conversation.public_id}/changes", {"change": what, "next": "/mail", **form})


def test_the_teams_list_says_how_many_and_who_waits(offers, mailbox, lea, sign_in):
    told = page(sign_in(lea), f"/mail/team/{mailbox.public_id}/unassigned")
    assert "Offer 5" in told and "Offer 2" in told
    assert "waits 5 h" in told
    assert 'Unassigned <span class="num">2</span>' in told
    assert "Close for everyone" in told


def test_taking_and_closing_moves_it_from_list_to_list_and_says_for_whom(offers, mailbox, lea, sign_in):
    client = sign_in(lea)
    change(client, offers[0], "assign:me")
    assert "Offer 5" in page(client, "/mail/mine")
    assert "Offer 5" not in page(client, f"/mail/team/{mailbox.public_id}/unassigned")
    change(client, offers[0], "close")
    assert "Closed in Ines for everyone." in page(client, f"/mail/team/{mailbox.public_id}/closed")
    client.post("/undo", {"next": "/mail"})
    offers[0].refresh_from_db()
    assert (offers[0].status, offers[0].assignee) == ("open", lea)
    assert set(Placement.objects.shown().values_list("folder__role", flat=True)) == {"inbox"}


def test_many_at_once_are_given_away(offers, lea, ines, sign_in):
    chosen = [f"{each.public_id}." for each in offers]
    sign_in(ines).post("/acts", {"change": f"assign:employee.{lea.public_id}", "c": chosen, "next": "/mail"})
    assert Conversation.objects.filter(assignee=lea).count() == 2


def test_all_of_a_view_are_closed_at_once(offers, mailbox, ines, sign_in):
    listed = f"team.{mailbox.public_id}.unassigned"
    sign_in(ines).post("/acts", {"change": "close", "all": "1", "list": listed, "next": "/mail"})
    assert Conversation.objects.filter(status="closed").count() == 2


def test_whom_it_can_be_given_to_is_who_reads_it(offers, lea, omar, account, ines, sign_in):
    employ(account, "Mallory")
    told = page(sign_in(ines), "/mail/assignees", conversation=offers[0].public_id)
    assert "Lea" in told and "Omar" in told and "Mallory" not in told
    assert sign_in(omar).get("/mail/assignees", {"conversation": offers[0].public_id}).status_code == 404


def test_who_cannot_read_it_is_refused_in_words(offers, jonas, ines, sign_in):
    client = sign_in(ines)
    change(client, offers[0], f"assign:employee.{jonas.public_id}")
    assert "Jonas cannot read this mailbox" in page(client, "/mail")


def test_observers_see_all_and_change_nothing(offers, inbox, mailbox, omar, sign_in):
    client = sign_in(omar)
    told = page(client, f"/mail/{inbox.public_id}/{offers[0].public_id}")
    assert "nobody has it" in told and "Take it" not in told
    for what in ("close", "assign:me", "unassign", "waiting", "reopen", "done"):
        assert change(client, offers[0], what).status_code == 404
    offers[0].refresh_from_db()
    assert offers[0].status == "open"


def test_the_conversation_tells_its_history_between_its_letters(offers, inbox, lea, sign_in):
    client = sign_in(lea)
    change(client, offers[0], "assign:me")
    change(client, offers[0], "waiting")
    told = page(client, f"/mail/{inbox.public_id}/{offers[0].public_id}")
    assert told.index("Lea took it") < told.index("Lea marked it as waiting for an answer")


def test_triage_goes_from_the_oldest_to_the_next_and_ends(offers, mailbox, lea, sign_in):
    client = sign_in(lea)
    here = f"/triage/{mailbox.public_id}"
    told = page(client, here)
    assert "Offer 5" in told and "2 unassigned" in told
    passed = client.get(here).context["pass_address"]
    assert "Offer 2" in page(client, passed)
    change(client, offers[0], "assign:me")
    change(client, offers[1], "close")
    assert "Nothing is unassigned" in page(client, here)


def test_a_list_asks_no_more_for_many_rows_than_for_one(
    offers, inbox, mailbox, lea, ines, now, sign_in, django_assert_max_num_queries
):
    for number in range(20):
        letter(inbox, received_at=ago(now, minutes=number))
    Conversation.objects.update(status="open", assignee=ines)
    client = sign_in(lea)
    address = f"/mail/team/{mailbox.public_id}/others"
    client.get(address)
    with django_assert_max_num_queries(20):
        assert client.get(address).content.count(b"chip who") == 22
