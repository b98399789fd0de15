"""All texts for translators, collected with Babel from the Python files and the templates.

`python -m tests.rig.messages` writes build/letterdesk.pot; with --write it brings every language up to date, too:
`letterdesk/locale/<language>/LC_MESSAGES/django.po` gets the new texts and loses those that are gone, `django.mo` is
compiled from it. A new language is a new folder. The settings offer each that has a `django.mo`.
"""

import io
import sys
from datetime import UTC, datetime
from pathlib import Path

from babel.messages import Catalog
from babel.messages.extract import extract
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po
from django.conf import settings
from django.utils.translation import templatize

from letterdesk.events.kinds import KINDS, in_short

ROOT = Path(__file__).resolve().parent.parent.parent
PACKAGE = ROOT / "letterdesk"
LOCALE = PACKAGE / "locale"
OTHERS = tuple(  # what a header says of people and dates: not ours to say
    f'"{name}: '.encode()
    for name in ("POT-Creation-Date", "PO-Revision-Date", "Last-Translator", "Language-Team", "Report-Msgid-Bugs-To")
)
WORDS = {
    "_": None,
    "gettext": None,
    "gettext_lazy": None,
    "gettext_noop": None,
    "ngettext": (1, 2),
    "ngettext_lazy": (1, 2),
    "pgettext": ((1, "c"), 2),
    "npgettext": ((1, "c"), 2, 3),
}


def collect() -> Catalog:
    """Every text of ours, in English, in the order of the alphabet."""
    found = Catalog(project="Letterdesk", charset="utf-8", header_comment="# Texts of Letterdesk.")
    for path in sorted(PACKAGE.rglob("*.py")):
        if not {"tests", "migrations"} & set(path.parts):
            _take(found, path.read_text("utf-8"))
    for page in sorted(PACKAGE.rglob("templates/**/*.html")):
        # In brackets the indentation of a page means nothing.
        _take(found, f"({templatize(page.read_text('utf-8'))})")
    for kind in KINDS:  # texts that are data
        found.add(in_short(kind))
    return found


def _take(found: Catalog, source: str) -> None:
    for _line, text, comments, context in extract("python", io.BytesIO(source.encode()), keywords=WORDS):
        found.add(text, auto_comments=comments, context=context)


def translated(language: str) -> Catalog:
    """What there is in a language ("de"), as its file says it."""
    with (LOCALE / language / "LC_MESSAGES/django.po").open("rb") as file:
        catalog = read_po(file, locale=language)
    catalog.creation_date = catalog.revision_date = datetime(2026, 1, 1, tzinfo=UTC)  # the same file each time
    return catalog


def languages() -> list[str]:
    """All that have a folder."""
    return sorted(each.parent.name for each in LOCALE.glob("*/LC_MESSAGES"))


def po(catalog: Catalog) -> bytes:
    """A catalogue as a translator's file: no line numbers and no dates, so that only words change it."""
    made = io.BytesIO()
    write_po(made, catalog, width=120, no_location=True, omit_header=False, sort_output=True, ignore_obsolete=True)
    return b"".join(line for line in made.getvalue().splitlines(keepends=True) if not line.startswith(OTHERS))


def mo(catalog: Catalog) -> bytes:
    """The same, compiled for gettext."""
    made = io.BytesIO()
    write_mo(made, catalog)
    return made.getvalue()


def write(language: str, texts: Catalog) -> None:
    """Bring one language up to date with the texts that there are, and compile it."""
    folder = LOCALE / language / "LC_MESSAGES"
    there = translated(language) if (folder / "django.po").exists() else Catalog(locale=language, project="Letterdesk")
    there.update(texts, no_fuzzy_matching=True)
    there.header_comment, there.fuzzy = "# Letterdesk. `make messages` brings this file up to date.", False
    (folder / "django.po").write_bytes(po(there))
    (folder / "django.mo").write_bytes(mo(translated(language)))


def main() -> None:
    settings.configure(USE_I18N=True)
    texts = collect()
    (ROOT / "build").mkdir(exist_ok=True)
    (ROOT / "build/letterdesk.pot").write_bytes(po(texts))
    for language in languages() if "--write" in sys.argv else ():
        write(language, texts)


if __name__ == "__main__":
    main()
