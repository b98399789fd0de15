"""Tasks of people who left go to somebody who is here, on record, and to nobody else."""

import pytest

from letterdesk.accounts.dismiss import dismiss, reinstate
from letterdesk.accounts.roles import NotAllowed
from letterdesk.events.models import Event
from letterdesk.mailboxes.tests.conftest import employ
from letterdesk.mailboxes.tests.letters import letter
from letterdesk.tasks import hand_over as handing
from letterdesk.tasks.bin import delete
from letterdesk.tasks.change import change
from letterdesk.tasks.hand_over import NotHandedOver, hand_over, left_behind, open_tasks
from letterdesk.tasks.models import Task, TaskLetter


def test_all_tasks_of_a_leaver_go_to_the_heir_on_record(make, ines, jonas, administrator, account, now, monkeypatch):
    monkeypatch.setattr(handing, "AT_ONCE", 2)
    tasks = [make(title="one", participants=[jonas]), make(title="two"), make(title="three")]
    delete(tasks[2], by=ines, now=now)
    dismiss(ines, by=administrator, now=now)
    assert left_behind(account) == {ines.pk: 3} and open_tasks(ines) == 2
    assert hand_over(ines, to=jonas, by=administrator, now=now) == 3
    assert set(Task.objects.values_list("responsible", flat=True)) == {jonas.pk}
    assert not tasks[0].taking_part.exists()  # named once
    assert left_behind(account) == {}
    events = Event.objects.filter(kind="task.handed_over").order_by("pk")
    assert [event.facts["tasks"] for event in events] == [[1, 2], [3]]
    assert hand_over(ines, to=jonas, by=administrator, now=now) == 0


def test_a_task_whose_people_all_left_lets_somebody_in_again(make, inbox, ines, jonas, administrator, account, now):
    kept = letter(inbox, received_at=now)
    task = make(kept, responsible=jonas)
    dismiss(ines, by=administrator, now=now)
    dismiss(jonas, by=administrator, now=now)
    lea = employ(account, "Lea")
    assert not TaskLetter.objects.readable_by(lea).exists()
    hand_over(jonas, to=lea, by=administrator, now=now)
    assert [link.message for link in TaskLetter.objects.readable_by(lea)] == [kept]
    task.refresh_from_db()
    sam = employ(account, "Sam")
    fields = {"title": task.title, "description": "", "deadline": None}
    assert change(task, by=lea, now=now, responsible=lea, participants=[sam], **fields) == ["participants"]


def test_nobody_takes_tasks_of_somebody_who_is_here(make, ines, jonas, administrator, now):
    make()
    with pytest.raises(NotHandedOver):
        hand_over(ines, to=jonas, by=administrator, now=now)
    dismiss(ines, by=administrator, now=now)
    reinstate(ines, by=administrator)
    with pytest.raises(NotHandedOver):
        hand_over(ines, to=jonas, by=administrator, now=now)


def test_only_administrators_hand_over_and_only_within_the_company(make, ines, jonas, administrator, stranger, now):
    make()
    dismiss(ines, by=administrator, now=now)
    for other in (jonas, stranger):
        with pytest.raises(NotAllowed):
            hand_over(ines, to=jonas, by=other, now=now)
    with pytest.raises(NotHandedOver):
        hand_over(ines, to=stranger, by=administrator, now=now)
    with pytest.raises(NotHandedOver):
        hand_over(ines, to=ines, by=administrator, now=now)
    assert Task.objects.get().responsible == ines
