"""Who fetched it, told by what the request says of itself; the cases stand in machines.txt."""

from pathlib import Path

import pytest

from letterdesk.mail.machines import NAMES, machine_of

LINES = Path(__file__).with_name("machines.txt").read_text("utf-8").splitlines()
CASES = [tuple(map(str.strip, line.split("|", 2))) for line in LINES if line and not line.startswith("#")]


@pytest.mark.parametrize(("name", "method", "said"), CASES)
def test_each_is_told_by_what_it_says(name, method, said):
    headers = dict(each.split("=", 1) for each in said.split(";")) if "User-Agent=" in said else {"User-Agent": said}
    lower = {key.lower(): value for key, value in headers.items()}
    assert machine_of(method, lower) == ("" if name == "-" else name)


def test_every_name_has_a_case():
    assert {name for name, *_ in CASES} - {"-"} == set(NAMES)
    assert len(CASES) >= 60


def test_an_agent_without_end_is_read_in_no_time():
    assert machine_of("GET", {"user-agent": "Mozilla/5.0 " + "(" * 1_000_000}) == ""
