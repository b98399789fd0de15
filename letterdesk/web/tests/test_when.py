"""Moments as pages say them: short in the list, whole in the title, in the reader's zone and language."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from django.template import engines
from django.utils import timezone, translation

SUMMER = datetime(2025, 7, 3, 22, 38, 59, tzinfo=UTC)
BERLIN, LISBON = ZoneInfo("Europe/Berlin"), ZoneInfo("Europe/Lisbon")


def said(moment, css=""):
    page = engines["django"].from_string("{% load letterdesk %}{% when moment css %}")
    return page.render({"moment": moment, "css": css})


@pytest.mark.parametrize(
    ("zone", "language", "words"),
    [
        (UTC, "en", 'datetime="2025-07-03T22:38+00:00" title="Thu 3 Jul 2025, 22:38">3 Jul 2025<'),
        (BERLIN, "en", 'datetime="2025-07-04T00:38+02:00" title="Fri 4 Jul 2025, 00:38">4 Jul 2025<'),
        (LISBON, "en", 'datetime="2025-07-03T23:38+01:00" title="Thu 3 Jul 2025, 23:38">3 Jul 2025<'),
        (BERLIN, "de", 'datetime="2025-07-04T00:38+02:00" title="Fr, 4. Jul 2025, 00:38">4. Jul 2025<'),
    ],
)
def test_one_moment_in_several_zones_and_languages(zone, language, words):
    with timezone.override(zone), translation.override(language):
        assert said(SUMMER) == f"<time {words}/time>"


def test_what_was_today_is_told_by_the_hour_until_the_day_is_over():
    now = timezone.now()
    with timezone.override(UTC):
        assert f">{now:%H:%M}<" in said(now)
        assert ">4 Jul 2025<" in said(datetime(2025, 7, 4, tzinfo=UTC), "meta")
        assert said(SUMMER, 'a"b').startswith('<time class="a&quot;b" ')
