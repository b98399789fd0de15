"""Records of CRM at a task, and tasks at a record, by plain forms."""

import pytest

from letterdesk.crm.tests.seeding import record_of
from letterdesk.tasks.bind import bind, records_of
from letterdesk.tasks.create import create
from letterdesk.tasks.models import Task


@pytest.fixture
def amara(ines):
    return record_of(ines, "Amara Okafor", "amara@okafor.example")


def test_a_record_is_found_added_shown_at_both_and_taken_away(browser, ines, amara, now):
    task = create("Call her", by=ines, now=now)
    at = f"/tasks/{task.public_id}"
    assert "Amara Okafor" in browser.get(f"{at}/records?q=okafor").content.decode()
    browser.post(f"{at}/records", {"change": "add", "record": amara.public_id})
    assert f'href="/crm/records/{amara.public_id}"' in browser.get(at).content.decode()
    assert f'href="{at}"' in browser.get(f"/crm/records/{amara.public_id}").content.decode()
    browser.post(f"{at}/records", {"change": "take", "record": amara.public_id})
    assert f'href="/crm/records/{amara.public_id}"' not in browser.get(at).content.decode()
    assert browser.post(f"{at}/records", {"change": "eat", "record": amara.public_id}).status_code == 404


def test_a_task_is_made_at_a_record(browser, ines, amara):
    page = browser.get(f"/tasks/new?record={amara.public_id}").content.decode()
    assert f'name="record" value="{amara.public_id}"' in page
    browser.post("/tasks/new", {"title": "Call", "responsible": ines.public_id, "record": amara.public_id})
    assert records_of(Task.objects.get(), ines).shown == [amara]


def test_what_one_cannot_view_is_a_number_and_cannot_be_added(sign_in, ines, jonas, amara, now):
    task = create("Call her", by=ines, participants=[jonas], now=now)
    client = sign_in(jonas)
    assert (
        client.post(f"/tasks/{task.public_id}/records", {"change": "add", "record": amara.public_id}).status_code == 404
    )
    assert "Amara" not in client.get(f"/tasks/new?record={amara.public_id}").content.decode()
    bind(task, amara, by=ines, now=now)
    page = client.get(f"/tasks/{task.public_id}").content.decode()
    assert "1 record that you cannot view" in page
    assert "Amara" not in page
