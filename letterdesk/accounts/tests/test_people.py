from datetime import timedelta
from functools import partial
from itertools import permutations

import pytest

from letterdesk.accounts.dismiss import dismiss
from letterdesk.accounts.invite import invite
from letterdesk.accounts.models import Account, CacheEntry, Department, Employee, Invitation, Pace, Role
from letterdesk.accounts.pace import TooFast, spend
from letterdesk.accounts.roles import LastAdministrator, NotAllowed, place
from letterdesk.accounts.sessions import sessions_of
from letterdesk.accounts.sweep import sweep
from tests.rig.together import at_once, refused

from .conftest import PASSWORD


def test_everyone_sees_the_colleagues_and_a_stranger_never_does(administrator, colleague, stranger):
    for person in (administrator, colleague):
        assert set(Employee.objects.visible_to(person)) == {administrator, colleague}
    assert list(Employee.objects.visible_to(stranger)) == [stranger]


def test_only_administrators_change_people_and_never_those_of_others(administrator, colleague, stranger):
    assert set(Employee.objects.editable_by(administrator)) == {administrator, colleague}
    assert not Employee.objects.editable_by(colleague).exists()
    assert list(Employee.objects.editable_by(stranger)) == [stranger]


def test_only_administrators_see_invitations(administrator, colleague, stranger, now):
    invited = invite("mia@acme.example", by=administrator, now=now).invitation
    assert list(Invitation.objects.visible_to(administrator)) == [invited]
    assert not Invitation.objects.visible_to(colleague).exists()
    assert not Invitation.objects.visible_to(stranger).exists()


def test_departments_are_seen_by_all_and_changed_by_administrators(administrator, colleague, stranger, account):
    sales = Department.objects.create(account=account, name="Sales")
    assert list(Department.objects.visible_to(colleague)) == [sales]
    assert not Department.objects.editable_by(colleague).exists()
    assert list(Department.objects.editable_by(administrator)) == [sales]
    assert not Department.objects.visible_to(stranger).exists()


def test_an_administrator_gives_roles_and_departments(administrator, colleague, account):
    sales = Department.objects.create(account=account, name="Sales")
    place(colleague, role="supervisor", department=sales, by=administrator)
    colleague.refresh_from_db()
    assert (colleague.role, colleague.department) == (Role.SUPERVISOR, sales)


def test_a_stranger_and_a_colleague_place_and_dismiss_nobody(administrator, colleague, stranger, now):
    for other in (colleague, stranger):
        with pytest.raises(NotAllowed):
            place(colleague, role=Role.ADMINISTRATOR, department=None, by=other)
        with pytest.raises(NotAllowed):
            dismiss(colleague, by=other, now=now)
    foreign = Department.objects.create(account=stranger.account, name="Sales")
    with pytest.raises(NotAllowed):
        place(colleague, role=Role.EMPLOYEE, department=foreign, by=administrator)


def test_an_account_keeps_an_administrator(administrator, now):
    with pytest.raises(LastAdministrator):
        dismiss(administrator, by=administrator, now=now)
    with pytest.raises(LastAdministrator):
        place(administrator, role=Role.EMPLOYEE, department=None, by=administrator)


@pytest.mark.django_db(transaction=True)
def test_two_administrators_who_dismiss_each_other_leave_one(now):
    account = Account.objects.create(name="Acme")
    both = [
        Employee.objects.create_user(f"{name}@acme.example", PASSWORD, account=account, name=name, role="administrator")
        for name in ("a", "b")
    ]
    pairs = [[Employee.objects.get(pk=pk) for pk in pks] for pks in permutations(each.pk for each in both)]
    acts = [partial(dismiss, person, by=by, now=now) for person, by in pairs]
    assert refused(at_once(acts, refusal=LastAdministrator)) == 1


@pytest.mark.case("C27")
def test_a_dismissed_person_is_out_at_once_everywhere_and_never_gets_in_again(administrator, colleague, client, now):
    assert client.login(email=colleague.email, password=PASSWORD)
    dismiss(colleague, by=administrator, now=now)
    assert "_auth_user_id" in client.session  # the browser still has its cookie
    assert client.get("/", follow=False).status_code == 302
    assert not sessions_of(colleague).exists()
    assert not client.login(email=colleague.email, password=PASSWORD)


def test_dismissed_twice_the_days_count_from_the_first_time(administrator, colleague, now):  # F17
    dismiss(colleague, by=administrator, now=now)
    Employee.objects.filter(pk=colleague.pk).update(warned_at=now + timedelta(days=19))
    dismiss(colleague, by=administrator, now=now + timedelta(days=20))
    colleague.refresh_from_db()
    assert (colleague.dismissed_at, colleague.warned_at) == (now, now + timedelta(days=19))


def test_open_invitations_of_a_dismissed_person_end(administrator, account, now):
    other = Employee.objects.create_user("b@acme.example", PASSWORD, account=account, name="B", role="administrator")
    invite("mia@acme.example", by=other, now=now)
    dismiss(other, by=administrator, now=now)
    assert not Invitation.objects.exists()


def test_a_pace_is_kept_per_action_and_person(account, now):
    def test_connection(who: str, at=now) -> None:
        spend(account, "test-connection", who=who, most=2, within=timedelta(hours=1), now=at)

    test_connection("ines")
    test_connection("ines")
    with pytest.raises(TooFast):
        test_connection("ines")
    test_connection("jonas")
    spend(account, "search", who="ines", most=2, within=timedelta(hours=1), now=now)
    test_connection("ines", at=now + timedelta(hours=1))


@pytest.mark.case("C26")
@pytest.mark.django_db(transaction=True)
def test_a_pace_is_exact_at_any_concurrency(now):
    account = Account.objects.create(name="Acme")

    def run() -> list[bool]:
        return [spends(account) for _ in range(5)]

    def spends(account: Account) -> bool:
        try:
            spend(account, "search", most=30, within=timedelta(minutes=1), now=now)
        except TooFast:
            return False
        return True

    outcomes = [done for each in at_once([run] * 20) for done in each]
    assert outcomes.count(True) == 30
    assert len(outcomes) == 100


def test_the_sweep_forgets_what_is_over_and_nothing_else(administrator, account, now):
    old = invite("old@acme.example", by=administrator, now=now - timedelta(days=40))
    fresh = invite("fresh@acme.example", by=administrator, now=now - timedelta(days=10))
    spend(account, "search", most=1, within=timedelta(hours=1), now=now)
    CacheEntry.objects.create(cache_key="old", value="", expires=now - timedelta(seconds=1))
    CacheEntry.objects.create(cache_key="fresh", value="", expires=now + timedelta(seconds=1))
    sweep(now)
    assert list(Invitation.objects.all()) == [fresh.invitation]
    assert old.invitation not in Invitation.objects.all()
    assert Pace.objects.count() == 1
    assert CacheEntry.objects.get().cache_key == "fresh"
