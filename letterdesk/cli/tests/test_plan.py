"""`letterdesk account plan`: shown, foreseen, done."""

import pytest
from django.utils import timezone

from letterdesk.accounts.models import Account
from letterdesk.events.models import Event
from letterdesk.mailboxes.follow import follow
from letterdesk.mailboxes.models import Mailbox, MailboxState, Message
from letterdesk.mailboxes.tests.letters import folder_of, letter
from letterdesk.plans.limits import plan_of
from letterdesk.plans.models import Subscription

from .test_commands import ADA, run

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _ground(settings, monkeypatch):
    settings.CATALOGUE = "commercial"
    monkeypatch.setenv("LETTERDESK_PASSWORD", "a-long-enough-password")


@pytest.fixture
def acme():
    run("account", "create", "Acme", "--administrator", ADA, "--plan", "standard")
    account = Account.objects.get()
    mailbox = Mailbox.objects.create(
        account=account, owner=account.employees.get(), address="ada@acme.example", name="Ada",
        imap_host="imap.acme.example", imap_user="ada",
    )  # fmt: skip
    letter(folder_of(mailbox), received_at=timezone.now())
    return account


def test_a_preview_changes_nothing_and_says_what_would_go(acme):
    told = run("account", "plan", "Acme", "--to", "free")
    assert (told["from"], told["to"], told["applied"]) == ("standard", "free", False)
    assert (told["letters_go"], told["stay_in_crm"], told["stay_with_tasks"]) == (1, 0, 0)
    assert [(row["mailbox"], row["becomes"]) for row in told["mailboxes"]] == [("ada@acme.example", "suspended")]
    assert plan_of(acme).key == "standard"


def test_applied_it_holds_at_once_and_what_follows_is_what_was_foreseen(acme):
    assert run("account", "plan", acme.public_id, "--to", "free", "--apply")["applied"]
    assert plan_of(acme).key == "free"
    follow(now=timezone.now())
    assert not Message.objects.exists()
    assert Mailbox.objects.get().state == MailboxState.SUSPENDED
    assert run("account", "plan", "acme")["plan"] == "free"


def test_a_plan_for_later_is_shown_and_taken_back(acme):
    run("account", "plan", "Acme", "--to", "start", "--at", "2099-01-01T00:00", "--apply")
    told = run("account", "plan", "Acme")
    assert (told["plan"], told["next_plan"], told["next_at"]) == ("standard", "start", "2099-01-01T00:00:00+00:00")
    told = run("account", "plan", "Acme", "--take-back")  # as ever: only --apply does it
    assert (told["next_plan"], told["forgets"], told["applied"]) == ("start", "start", False)
    told = run("account", "plan", "Acme", "--take-back", "--apply")
    assert (told["next_plan"], told["forgets"], told["applied"]) == (None, "start", True)


def test_a_trial_is_ended_and_what_was_chosen_begins(acme):
    Subscription.objects.update(plan="demo", trial_started_at=timezone.now())
    run("account", "plan", "Acme", "--to", "crm", "--at", "trial-end", "--apply")
    assert run("account", "plan", "Acme", "--end-trial")["to"] == "crm"
    assert plan_of(acme).key == "demo"
    run("account", "plan", "Acme", "--end-trial", "--apply")
    assert plan_of(acme).key == "crm"


@pytest.mark.parametrize(
    ("words", "error"),
    [
        (["Nobody"], "no_such_account"),
        (["Acme", "--to", "gold"], "catalogue"),
        (["Acme", "--to", "start", "--at", "tomorrow", "--apply"], "not_a_moment"),
        (["Acme", "--to", "start", "--at", "2001-01-01", "--apply"], "not_possible"),
        (["Acme", "--end-trial", "--apply"], "not_possible"),
        (["Acme", "--take-back", "--to", "start", "--apply"], "contradiction"),
    ],
)
def test_what_is_wrong_is_named_and_changes_nothing(acme, words, error):
    assert run("account", "plan", *words, fails=True)["error"] == error
    assert plan_of(acme).key == "standard"


def test_more_time_is_shown_given_and_on_record(acme):  # R11, R12
    Subscription.objects.update(plan="demo", trial_started_at=timezone.now())
    words = ("account", "extend", "Acme", "--trial", "2099-01-01T00:00")
    assert not run(*words)["applied"]
    assert run("account", "plan", "Acme")["trial_ends_at"] == run(*words)["before"]
    assert run(*words, "--apply")["applied"]
    assert run("account", "plan", "Acme")["trial_ends_at"] == "2099-01-01T00:00:00+00:00"
    run("account", "plan", "Acme", "--to", "free", "--apply")
    assert run("account", "extend", "Acme", "--trial", "2100-01-01", "--apply", fails=True)["error"] == "not_possible"
    assert run("account", "extend", "Acme", "--grace", "2001-01-01", "--apply", fails=True)["error"] == "not_possible"
    assert run("account", "extend", "Acme", fails=True)["error"] == "contradiction"
    run("account", "extend", "Acme", "--grace", "2099-01-01", "--apply")
    follow(now=timezone.now())
    assert Message.objects.count() == 1  # its letters are still here
    assert [event.facts["what"] for event in Event.objects.filter(kind="plan.extended")] == ["trial", "grace"]
