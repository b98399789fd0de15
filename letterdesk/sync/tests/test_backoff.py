"""After failures we knock ever more seldom, and one silent host does not cost each of its mailboxes."""

from letterdesk.sync.backoff import AT_MOST, FIRST, Hosts, delay


def test_the_delay_doubles_with_each_failure_up_to_a_quarter_of_an_hour():
    for failures, expected in ((1, FIRST), (2, 10), (3, 20), (8, 640), (9, AT_MOST), (500, AT_MOST)):
        assert 0.8 * expected <= delay(failures) <= 1.2 * expected


def test_the_delay_is_spread_so_that_mailboxes_do_not_march_in_step():
    assert len({delay(3) for _ in range(20)}) > 10


def test_a_host_that_does_not_answer_rests_and_an_answer_forgives_all():
    now = [100.0]
    hosts = Hosts(clock=lambda: now[0])
    assert hosts.rest("imap.example") == 0
    hosts.failed("imap.example")
    first = hosts.rest("imap.example")
    assert first >= 0.8 * FIRST
    assert hosts.rest("other.example") == 0
    now[0] += first
    assert hosts.rest("imap.example") == 0
    hosts.failed("imap.example")
    assert hosts.rest("imap.example") > 1.2 * FIRST
    hosts.answered("imap.example")
    assert hosts.rest("imap.example") == 0
