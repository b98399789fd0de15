"""What the form of a letter says, read without loss."""

import pytest

from letterdesk.web.writing.form import people_of


@pytest.mark.parametrize(
    ("line", "people"),
    [
        ("a@x.example c@d.example", [("", "c@d.example"), ("", "a@x.example")]),
        ("<a@x.example> <c@d.example>", [("", "a@x.example"), ("", "c@d.example")]),
        ("a@x.example (boss, c@d.example", [("boss, c@d.example", "a@x.example"), ("", "c@d.example")]),
        ("jane@x.example <Jane@x.example>, bo", [("", "Jane@x.example"), ("", "bo")]),
        ('"a@b.example" <c@d.example>', [("a@b.example", "c@d.example")]),
    ],
)
def test_nobody_vanishes_from_a_line_of_recipients(line, people):
    assert people_of(line) == people
