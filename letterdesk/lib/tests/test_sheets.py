"""Tables for spreadsheets."""

import csv
import io

import pytest

from letterdesk.lib.sheets import as_csv


@pytest.mark.case("C24")
@pytest.mark.parametrize("cell", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "  =1", "\n=1"])
def test_what_would_begin_a_formula_is_text(cell):
    [_, row] = csv.reader(io.StringIO(as_csv(["a"], [[cell]]), newline=""))
    assert row == [f"'{cell}"]


def test_other_cells_stay_as_they_are():
    text = as_csv(["name", "count"], [["O'Neil, Ann", 3], [None, -2], ["a=b", 0]])
    assert text == 'name,count\r\n"O\'Neil, Ann",3\r\n,-2\r\na=b,0\r\n'
