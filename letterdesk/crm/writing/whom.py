"""Recipients searched by name or address: JSON, which SQLite keeps with all but ASCII written \\uXXXX."""

import json
from typing import Any

from django.db.models import Q, TextField
from django.db.models.functions import Cast


def with_whom(found: Any) -> Any:
    """Letters or activities with their recipients as text, to be asked with `named`."""
    return found.annotate(to_whom=Cast("recipients", TextField()))


def named(text: str) -> Q:
    """Whether this stands in a recipient's name or address: as PostgreSQL writes JSON, or as SQLite does.

    SQLite knows capitals of ASCII alone, so that those of other letters are looked for one by one.
    """
    written = {json.dumps(text, ensure_ascii=False)}
    written |= {json.dumps(each) for each in (text, text.lower(), text.upper(), text.capitalize())}
    asked = Q()
    for each in sorted(written):
        asked |= Q(to_whom__icontains=each[1:-1])
    return asked
