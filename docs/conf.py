"""How the site is built: sphinx-build -W docs FOLDER. The pages are those that are read in the repository, and nothing
is written twice: the first page is the README, the reference comes from docstrings."""

import re
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from nlemu import __version__  # noqa: E402 - of this checkout

project = "nlemu"
release = version = __version__
extensions = ["myst_parser", "sphinx.ext.autodoc"]
source_suffix = {".md": "markdown"}
exclude_patterns = ["man"]
myst_heading_anchors = 3
html_theme = "furo"
html_title = f"nlemu {release}"
html_show_copyright = False
html_copy_source = False
html_theme_options = {"navigation_with_keys": True}
autodoc_member_order = "bysource"
autodoc_typehints_format = "short"
suppress_warnings = ["misc.highlighting_failure"]
"""A block of JSON with a remark in it is still read by people."""

LINK = re.compile(r"\[([^\[\]]+)\]\(((?:\.\./)?)(?!https?:|#)([^()\s]+)\)")


def read(app: Any, name: str, source: list[str]) -> None:
    """The text of a page: the first one begins with the README; what is linked and not on the site is named."""
    if name == "index":
        source[0] = (ROOT / "README.md").read_text() + "\n" + source[0]
    here = ROOT if name == "index" else ROOT / "docs"

    def linked(link: re.Match[str]) -> str:
        text, up, path = link.groups()
        file, _, part = path.partition("#")
        target = (here / up / file).resolve()
        if target.parent == ROOT / "docs" and target.suffix == ".md":
            return f"[{text}]({target.name}{'#' + part if part else ''})"
        return text if text == file else f"{text} (`{target.relative_to(ROOT)}`)"

    source[0] = LINK.sub(linked, source[0])


def setup(app: Any) -> None:
    """Called by Sphinx."""
    app.connect("source-read", read)
