import os
from datetime import timedelta

import pytest
from django.db import connections
from django.utils import timezone

from letterdesk.accounts.models import Account, Department
from letterdesk.events.dispatch import dispatch, retry_failed
from letterdesk.events.models import Event, FailedReaction
from letterdesk.events.record import record
from letterdesk.lib import crashpoint
from tests.rig.together import at_once

PAGES = "letterdesk.events.tests.pages."


@pytest.fixture
def now():
    return timezone.now()


@pytest.fixture
def account(db) -> Account:
    return Account.objects.create(name="Acme")


def tell(account: Account, *subjects: str) -> None:
    for subject in subjects:
        record("message.received", account=account, subject=subject)


def notes() -> list[str]:
    return list(Department.objects.order_by("id").values_list("name", flat=True))


def test_reactions_run_in_the_order_of_the_page_and_events_in_theirs(account, settings, now):
    settings.REACTIONS = PAGES + "NOTING"
    tell(account, "1", "2")
    assert dispatch(now) == 2
    assert notes() == ["note 1", "again 1", "note 2", "again 2"]


def test_dispatching_again_does_nothing(account, settings, now):
    settings.REACTIONS = PAGES + "NOTING"
    tell(account, "1")
    dispatch(now)
    assert dispatch(now) == 0
    assert notes() == ["note 1", "again 1"]


@pytest.mark.case("G14")
def test_a_failing_reaction_is_undone_alone_and_the_rest_flows(account, settings, now):
    settings.REACTIONS = PAGES + "POISONED"
    tell(account, "poison", "fine")
    assert dispatch(now) == 2
    assert notes() == ["note poison", "again poison", "note fine", "half fine", "again fine"]


@pytest.mark.case("G14")
def test_a_reaction_that_fails_three_times_is_given_up_and_recorded_without_its_text(account, settings, now):
    settings.REACTIONS = PAGES + "POISONED"
    tell(account, "poison")
    dispatch(now)
    for minute in range(1, 5):
        assert retry_failed(now + timedelta(minutes=2 * minute)) == 0
    failed = FailedReaction.objects.get()
    assert failed.attempts == 3
    assert failed.given_up_at == now + timedelta(minutes=4)
    assert failed.reaction.endswith("fail_on_poison")
    assert failed.error.startswith("ValueError in fail_on_poison")
    assert "letter" not in failed.error


def test_a_reaction_that_succeeds_at_its_second_try_is_done(account, settings, now):
    settings.REACTIONS = PAGES + "BROKEN"
    tell(account, "1")
    dispatch(now)
    assert retry_failed(now + timedelta(seconds=9)) == 0
    Department.objects.create(account=account, name="repaired")
    assert retry_failed(now + timedelta(seconds=11)) == 1
    assert not FailedReaction.objects.exists()


def test_a_dispatcher_that_dies_before_its_commit_has_done_nothing_and_is_resumed(account, settings, now):
    settings.REACTIONS = PAGES + "NOTING"
    tell(account, "1", "2")
    crashpoint.interrupt("dispatch.before_commit", 2)
    with pytest.raises(crashpoint.Crashed):
        dispatch(now)
    crashpoint.disarm()
    assert notes() == ["note 1", "again 1"]
    assert dispatch(now + timedelta(seconds=30)) == 0  # perhaps the other one is still at it
    assert dispatch(now + timedelta(seconds=61)) == 1
    assert notes() == ["note 1", "again 1", "note 2", "again 2"]
    assert not Event.objects.filter(dispatched_at=None).exists()


@pytest.mark.case("G14")
@pytest.mark.django_db(transaction=True)
def test_an_event_that_kills_its_worker_is_given_up_after_three_deaths(settings, now, tmp_path, monkeypatch):
    settings.REACTIONS = PAGES + "DEADLY"
    monkeypatch.setenv("DEATHS", str(tmp_path / "deaths"))
    poisoned, other = Account.objects.create(name="Acme"), Account.objects.create(name="Other")
    tell(poisoned, "poison", *map(str, range(50)))
    tell(other, "1")
    for minute in range(5):
        connections.close_all()
        child = os.fork()
        if child == 0:
            try:
                dispatch(now + timedelta(minutes=1.1 * minute))
            finally:
                os._exit(0)  # whatever happens: a second pytest would run on
        os.waitpid(child, 0)  # and not for another child that ends meanwhile
    assert (tmp_path / "deaths").read_text() == "xxx"
    assert FailedReaction.objects.get().error == "the worker died"
    assert Department.objects.filter(account=poisoned).count() == 50
    assert Department.objects.filter(account=other).count() == 1


@pytest.mark.case("F21")
@pytest.mark.django_db(transaction=True)
def test_two_dispatchers_at_once_react_once_to_each_event(settings, now):
    settings.REACTIONS = PAGES + "NOTING"
    account = Account.objects.create(name="Acme")
    tell(account, *map(str, range(20)))
    at_once([lambda: dispatch(now)] * 2)
    assert sorted(notes()) == sorted(f"{word} {n}" for word in ("note", "again") for n in range(20))
