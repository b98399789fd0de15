from letterdesk.plans.compare import compare

from .table import LINES, NAMES


def test_the_page_shows_the_table_of_the_rules_cell_by_cell(commercial):  # R3
    shown = compare()
    assert [column.name for column in shown.columns] == NAMES
    words = {"-": "–", "unspecified": "not specified"}
    for row, line in zip(shown.rows, LINES[2:], strict=True):
        assert [row.label, *row.cells] == [words.get(cell, cell) for cell in line]


def test_the_page_marks_the_plan_of_the_account(on_plan):
    shown = compare(on_plan("crm"))
    assert [column.key for column in shown.columns if column.is_current] == ["crm"]


def test_the_page_of_a_company_that_sells_nothing_has_one_column(settings):
    settings.CATALOGUE = "self-hosted"
    shown = compare()
    assert len(shown.columns) == 1
    assert {row.cells for row in shown.rows} == {("yes",), ("unlimited",)}
