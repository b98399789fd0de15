"""Collects all texts for translators: `python -m letterdesk.web.messages FILE`, with GNU gettext installed.

A translation is a folder `letterdesk/locale/<language>/LC_MESSAGES` with `django.po`, made from that file, and
`django.mo`, made by `msgfmt`; the settings offer each language that has one.
"""

import subprocess
import sys
import tempfile
from pathlib import Path

from django.utils.translation import templatize

PACKAGE = Path(__file__).resolve().parent.parent
WORDS = ("gettext_noop", "gettext_lazy", "ngettext_lazy:1,2", "pgettext:1c,2", "npgettext:1c,2,3", "ngettext:1,2", "_")


def collect(target: Path) -> None:
    """Write every text of the Python files and templates into `target`, a .pot file."""
    with tempfile.TemporaryDirectory() as folder:
        files = [path for path in sorted(PACKAGE.rglob("*.py")) if not {"tests", "migrations"} & set(path.parts)]
        files += [_as_python(page, Path(folder)) for page in sorted(PACKAGE.rglob("templates/**/*.html"))]
        listed = Path(folder) / "files"
        listed.write_text("\n".join(map(str, files)), "utf-8")
        keywords = [f"--keyword={word}" for word in WORDS]
        subprocess.run(  # noqa: S603  our own files alone
            ["xgettext", "--language=Python", "--from-code=UTF-8", "--add-location=never", "--sort-output",  # noqa: S607
             *keywords, f"--files-from={listed}", f"--output={target}"],
            check=True,
        )  # fmt: skip


def _as_python(page: Path, folder: Path) -> Path:
    """A template in the form that xgettext reads."""
    made = folder / ("-".join(page.relative_to(PACKAGE).parts) + ".py")
    made.write_text(templatize(page.read_text("utf-8")), "utf-8")
    return made


if __name__ == "__main__":
    collect(Path(sys.argv[1]))
