"""Makes the icon sprite: only the Lucide icons that our templates name, as one cached file.

`python -m letterdesk.web.icons FOLDER` with the `icons` folder of the npm package lucide-static.
"""

import re
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
SPRITE = HERE / "static/web/icons.svg"
NAMED = re.compile(r"""\{% icon "([a-z0-9-]+)"|icon="([a-z0-9-]+)"|icon = "([a-z0-9-]+)"|icons\.svg#([a-z0-9-]+)""")


def named_icons() -> list[str]:
    """Return the names of all icons that templates, scripts and Python files of the web room use, sorted."""
    sources = [*HERE.rglob("*.html"), *HERE.rglob("*.py"), *(HERE / "static/web/js").glob("*.js")]
    found = (NAMED.findall(source.read_text()) for source in sources)
    return sorted({name for names in found for match in names for name in match if name})


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
    style = 'fill="none" stroke="currentColor" stroke-width="2" stroke-linecap="round" stroke-linejoin="round"'
    symbols = "\n".join(symbol(folder, name).replace("<symbol ", f"<symbol {style} ") for name in named_icons())
    symbols = re.sub(r"<symbol (.*?) id=(\S+)", r"<symbol id=\2 \1", symbols)
    head = "<!-- Lucide icons, ISC licence: vendor/lucide-1.62.0.LICENSE.txt -->"
    SPRITE.write_text(f'<svg xmlns="http://www.w3.org/2000/svg">{head}\n{symbols}\n</svg>\n')


if __name__ == "__main__":
    build(Path(sys.argv[1]))
