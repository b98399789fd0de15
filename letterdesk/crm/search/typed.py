"""How people may type a number or a day, so that the index, which knows words alone, finds it. Pure."""

from datetime import date
from decimal import Decimal

CENTS = 2
THOUSAND = 1000


def number_typed(number: Decimal, currency: str = "") -> list[str]:
    """1200.5 as "1200.50", "1200.5" and "1 200.50", as which 1,200.50 is read, too; each with the currency. Money is
    shown as the first one, a number as the second."""
    short = f"{Decimal(number).normalize():f}"
    long = short if len(short.partition(".")[2]) > CENTS else f"{number:.{CENTS}f}"
    grouped = f"{Decimal(long):,}".replace(",", " ") if abs(number) >= THOUSAND else long
    first = (long, short) if currency else (short, long)
    return [f"{form} {currency}".strip() for form in dict.fromkeys((*first, grouped))]


def day_typed(day: date) -> list[str]:
    """2026-01-05, 05.01.2026, 2026-1-5 and 5.1.2026, whatever stands between."""
    pairs = dict.fromkeys(((f"{day:%d}", f"{day:%m}"), (str(day.day), str(day.month))))
    year = f"{day.year:04}"
    return [form for one, month in pairs for form in (f"{year}-{month}-{one}", f"{one}.{month}.{year}")]
