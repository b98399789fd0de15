"""Makes the icon sprite: only the Lucide icons that our templates name, as one cached file.

`python -m letterdesk.web.icons FOLDER` with the `icons` folder of the npm package lucide-static.
"""

import re
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
SPRITE = HERE / "static/web/icons.svg"
IN_TEMPLATES = re.compile(r'\{% icon "([a-z0-9-]+)"')
IN_PYTHON = re.compile(r'"([a-z][a-z0-9-]+)"')
CHOOSERS = (
    "sidebar.py",
    "palette.py",
    "mailboxes/state.py",
    "mailboxes/connecting.py",
    "crm/words.py",
    "tasks/filter.py",
)


def icons_in_templates() -> set[str]:
    """Return the names of all icons that templates name."""
    return {name for page in HERE.rglob("*.html") for name in IN_TEMPLATES.findall(page.read_text())}


def icons_in_python(known: set[str]) -> set[str]:
    """Return those of the known names that Python files choose from."""
    return {name for file in CHOOSERS for name in IN_PYTHON.findall((HERE / file).read_text())} & known


def drawn_icons() -> list[str]:
    """Return the names of the icons that the sprite holds, sorted."""
    return sorted(re.findall(r'<symbol id="([a-z0-9-]+)"', SPRITE.read_text()))


def symbol(folder: Path, name: str) -> str:
    """Return the `<symbol>` of one icon file of lucide-static."""
    drawing = (folder / f"{name}.svg").read_text()
    shapes = re.sub(r"\s+", " ", drawing.split(">", 2)[2].rsplit("</svg>", 1)[0]).strip()
    return f'<symbol id="{name}" viewBox="0 0 24 24">{shapes}</symbol>'


def build(folder: Path) -> None:
    """Write the sprite from the icon files in `folder`."""
    known = {file.stem for file in folder.glob("*.svg")}
    names = icons_in_templates() | icons_in_python(known)
    symbols = "\n".join(symbol(folder, name) for name in sorted(names))
    head = "<!-- Lucide icons, ISC licence: vendor/lucide-1.62.0.LICENSE.txt -->"
    SPRITE.write_text(f'<svg xmlns="http://www.w3.org/2000/svg">{head}\n{symbols}\n</svg>\n')


if __name__ == "__main__":
    build(Path(sys.argv[1]))
