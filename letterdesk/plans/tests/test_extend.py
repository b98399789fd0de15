"""More time for one account: never earlier, never in the past, foreseen as it is done, on record (R11, R12)."""

from datetime import timedelta

import pytest

from letterdesk.events.models import Event
from letterdesk.plans.change import NotPossible, change_plan, choose_next
from letterdesk.plans.extend import Lasting, MoreTime, extend, more_time
from letterdesk.plans.limits import plan_of
from letterdesk.plans.models import Subscription
from letterdesk.plans.notices import tell
from letterdesk.plans.timeline import letters_go_at, turned, without_webmail

DAY = timedelta(hours=24)
SECOND = timedelta(seconds=1)
TRIAL, GRACE = Lasting.TRIAL, Lasting.GRACE


def test_an_extended_trial_ends_then_to_the_second_however_it_is_asked(on_plan, now):  # R11
    account, until = on_plan("demo", trial_started_at=now), now + 45 * DAY
    assert tell(Subscription.objects.get(), now=now + 29 * DAY) == 1
    extend(account, TRIAL, until, by=None, now=now + 29 * DAY)
    for moment, plan in ((now + 30 * DAY, "demo"), (until - SECOND, "demo"), (until, "free")):
        assert plan_of(account, now=moment).key == plan
        assert turned(moment).exists() is without_webmail(moment).exists() is (plan == "free")
    assert tell(Subscription.objects.get(), now=until - 14 * DAY) == 14  # anew
    assert Event.objects.get(kind="plan.extended").facts == {"what": "trial", "until": until.isoformat()}


def test_what_is_foreseen_changes_nothing_and_is_what_is_done(on_plan, now):
    account = on_plan("demo", trial_started_at=now)
    seen = more_time(account.subscription, TRIAL, now + 40 * DAY, now=now)
    assert seen == MoreTime(TRIAL, now + 30 * DAY, now + 40 * DAY)
    assert plan_of(account, now=now + 30 * DAY).key == "free" and not Event.objects.exists()
    assert extend(account, TRIAL, now + 40 * DAY, by=None, now=now) == seen
    assert more_time(Subscription.objects.get(), TRIAL, now + 41 * DAY, now=now).before == now + 40 * DAY


def test_a_trial_is_neither_shortened_nor_brought_back(on_plan, now):
    account = on_plan("demo", trial_started_at=now)
    for until in (now - DAY, now + 29 * DAY, now + 30 * DAY):
        with pytest.raises(NotPossible):
            extend(account, TRIAL, until, by=None, now=now)
    with pytest.raises(NotPossible):  # it is over, though no job has run
        extend(account, TRIAL, now + 60 * DAY, by=None, now=now + 30 * DAY)
    choose_next(account, "start", at=now + 31 * DAY, by=None, now=now)
    with pytest.raises(NotPossible, match="take that choice back first"):
        extend(account, TRIAL, now + 60 * DAY, by=None, now=now)
    assert not Event.objects.filter(kind="plan.extended").exists()
    extend(account, TRIAL, now + 31 * DAY, by=None, now=now)
    assert plan_of(account, now=now + 31 * DAY).key == "start"


def test_grace_is_for_accounts_without_webmail_and_ends_with_an_upgrade(on_plan, now, settings):  # R12
    settings.PURGE_GRACE_DAYS = 3
    account = on_plan("standard")
    with pytest.raises(NotPossible):
        extend(account, GRACE, now + DAY, by=None, now=now)
    change_plan(account, "free", by=None, now=now)
    with pytest.raises(NotPossible):  # the installation's own time lasts as long
        extend(account, GRACE, now + 3 * DAY, by=None, now=now)
    assert extend(account, GRACE, now + 9 * DAY, by=None, now=now).before == now + 3 * DAY
    assert letters_go_at(Subscription.objects.get(), now) == now + 9 * DAY
    with pytest.raises(NotPossible):
        extend(account, GRACE, now + 8 * DAY, by=None, now=now)
    change_plan(account, "start", by=None, now=now)
    change_plan(account, "free", by=None, now=now)
    assert letters_go_at(Subscription.objects.get(), now) == now + 3 * DAY
