import pytest

from letterdesk.plans.catalogue import CatalogueError, UnknownPlan, catalogue, terms_of
from letterdesk.plans.read import read
from letterdesk.plans.rows import LIMITS, NONE, UNLIMITED, UNSPECIFIED, Value

from .table import FIELDS, INTEGRATION, KEYS, NAMES, ROWS

SPECIAL = {"-": NONE, "unlimited": UNLIMITED, "unspecified": UNSPECIFIED}


def written(text: str):
    """A cell of the table as the catalogue must hold it."""
    return SPECIAL[text] if text in SPECIAL else int(text.removesuffix(", from CRM only").replace(",", ""))


def test_the_catalogue_has_the_plans_of_the_rules_in_their_order(commercial):
    assert [(plan.key, plan.name) for plan in catalogue().plans.values()] == [(KEYS[name], name) for name in NAMES]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("label", FIELDS)
def test_every_number_is_the_one_of_the_rules(commercial, label, name):  # R14 R15 R18 R21 R22
    assert getattr(catalogue().plan(KEYS[name]), FIELDS[label]) == written(ROWS[label][name])


@pytest.mark.parametrize("name", NAMES)
def test_integration_is_where_the_rules_say(commercial, name):  # R1 R2
    assert catalogue().plan(KEYS[name]).integration is (ROWS[INTEGRATION][name] == "yes")


@pytest.mark.parametrize("name", NAMES)
def test_only_free_sends_from_crm_alone(commercial, name):  # R24
    from_crm_only = "from CRM only" in ROWS["Outgoing e-mails per month"][name]
    assert catalogue().plan(KEYS[name]).outgoing_from_crm_only is from_crm_only


def test_unlimited_and_unspecified_are_values_of_their_own():
    assert len({UNLIMITED, UNSPECIFIED, NONE, None, 0}) == 5
    assert not isinstance(UNLIMITED, int)
    assert all(isinstance(value, Value) for value in (UNLIMITED, UNSPECIFIED, NONE))


def outgoing(key: str) -> tuple[int | None, bool]:
    terms = terms_of(catalogue().plan(key))
    return terms.outgoing_per_month, terms.outgoing_from_crm_only


def test_by_default_unspecified_is_unlimited_for_demo_and_as_free_for_project(commercial):  # R25
    assert outgoing("demo") == (None, False)
    assert outgoing("project") == (1000, True)


@pytest.mark.parametrize(
    ("reading", "read_as"),
    [("unlimited", (None, False)), ("zero", (0, False)), ("as:start", (2000, False)), ("as:free", (1000, True))],
)
def test_one_setting_says_how_unspecified_is_read(commercial, reading, read_as):  # R25
    commercial.UNSPECIFIED = reading
    assert outgoing("demo") == outgoing("project") == read_as
    assert outgoing("crm") == (35_000, False)


@pytest.mark.parametrize("reading", ["none", "as:", "as:gold", "as:demo", "0"])
def test_a_setting_that_says_nothing_is_refused(commercial, reading):
    commercial.UNSPECIFIED = reading
    with pytest.raises(CatalogueError, match="LETTERDESK_UNSPECIFIED"):
        catalogue()


def test_a_self_hosting_company_has_one_plan_without_limits(settings):
    settings.CATALOGUE = "self-hosted"
    (plan,) = catalogue().plans.values()
    terms = terms_of(plan)
    assert terms.has_integration
    assert [getattr(terms, name) for name in LIMITS] == [None] * 5


def test_a_catalogue_of_one_plan_has_it_for_accounts_of_any_older_plan(settings):
    settings.CATALOGUE = "self-hosted"
    assert catalogue().plan("professional").key == "self-hosted"


def test_an_unknown_plan_is_named(commercial):
    with pytest.raises(UnknownPlan, match=r"'gold'.*free, project, start"):
        catalogue().plan("gold")


OWN = """
name = "Ours"
version = 3
opens_with = "small"
[[plan]]
key = "small"
name = "Kleine Lösung"
integration = true
mailboxes_per_employee = 2
shared_mailboxes = "unlimited"
days_kept = 7
days_fetched = 7
outgoing_per_month = "unlimited"
"""


def test_an_operators_own_file_loads_without_a_code_change(settings, tmp_path):
    file = tmp_path / "ours.toml"
    file.write_text(OWN, "utf-8")
    settings.CATALOGUE = str(file)
    assert catalogue().version == 3
    assert terms_of(catalogue().plan("small")).days_kept == 7


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (('name = "Ours"\n', ""), "name is missing"),
        (("version = 3", 'version = "3"'), "version: '3' is no int"),
        (("days_kept = 7", "days_keept = 7"), "plan 1 (small): days_keept is not known here"),
        (("days_kept = 7\n", ""), "plan 1 (small): days_kept is missing"),
        (("days_kept = 7", "days_kept = -1"), "plan 1 (small), days_kept: -1 is neither a number nor"),
        (("days_kept = 7", "days_kept = true"), "days_kept: True is neither a number"),
        (("days_kept = 7", 'days_kept = "7"'), "days_kept: '7' is neither a number"),
        (("days_kept = 7", "days_kept = 7.5"), "days_kept: 7.5 is neither a number"),
        (("days_kept = 7", 'days_kept = "none"'), 'days_kept: the plan has integration, so this is not "none"'),
        (("integration = true", "integration = false"), 'the plan has no integration, so this is "none"'),
        (("integration = true", 'integration = "yes"'), "integration: 'yes' is no bool"),
        (('opens_with = "small"', 'opens_with = "big"'), "opens_with: there is no plan 'big'"),
        (("version = 3", 'version = 3\ntrial = "small"'), "a trial needs trial_days above 0 and after_trial"),
        (('outgoing_per_month = "unlimited"', 'outgoing_per_month = "unspecified"'), "reads_unspecified: ''"),
        (("[[plan]]", "[[plans]]"), "there is no [[plan]]"),
        (('name = "Ours"', "name = Ours"), "Invalid value"),
    ],
)
def test_a_wrong_file_is_refused_with_words(tmp_path, change, complaint):
    file = tmp_path / "ours.toml"
    assert change[0] in OWN
    file.write_text(OWN.replace(*change, 1), "utf-8")
    with pytest.raises(CatalogueError) as error:
        read(file)
    assert complaint in str(error.value)
    assert str(file) in str(error.value)


def test_two_plans_of_one_key_and_a_missing_file_are_refused(tmp_path):
    file = tmp_path / "ours.toml"
    file.write_text(OWN + OWN[OWN.index("[[plan]]") :], "utf-8")
    with pytest.raises(CatalogueError, match="same key"):
        read(file)
    with pytest.raises(CatalogueError, match="No such file"):
        read(tmp_path / "missing.toml")
