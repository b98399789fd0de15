"""Several names in one cell of a file come back as they were, whatever signs they have."""

import pytest

from letterdesk.crm.records.cells import joined, names_in


@pytest.mark.parametrize(
    "names",
    [
        [],
        ["VIP"],
        ["VIP", "Press"],
        ["Berlin; Mitte", "Fair, spring"],
        ['5" screens', '"', '""', '";"', 'a";"b'],
        ["=Press", "'quoted'"],
    ],
)
def test_names_come_back_as_they_were(names):
    assert names_in(joined(names)) == names


@pytest.mark.parametrize(
    ("cell", "names"),
    [
        ("VIP, Fair;Press\nNew", ["VIP", "Fair", "Press", "New"]),
        ('5" screens; 7"', ['5" screens', '7"']),
        (' "Berlin; Mitte" ; VIP', ["Berlin; Mitte", "VIP"]),
        ('"not closed; VIP', ['"not closed', "VIP"]),
        (";; ,", []),
    ],
)
def test_what_people_and_programs_write_is_read(cell, names):
    assert names_in(cell) == names
