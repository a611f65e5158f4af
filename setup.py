"""What pyproject.toml cannot say: the description that an index shows, which has none of the files that README.md
names.

With an address of the project (`Source` of [project.urls]) a link to a file becomes one to that file there, as it was
in this version; without one it becomes the file's name, which an sdist has.
"""

import re
import tomllib
from pathlib import Path

from setuptools import setup

HERE = Path(__file__).parent
LINK = re.compile(r"\[([^\]]*)\]\((?![a-z]+:|#)([^)#]+)(#[^)]*)?\)")


def description(readme: str, source: str | None, tag: str) -> str:
    """The text of README.md with its links to files made absolute, or into names."""

    def rewritten(link: re.Match[str]) -> str:
        text, path, place = link[1], link[2], link[3] or ""
        if source is not None:
            return f"[{text}]({source.rstrip('/')}/blob/{tag}/{path}{place})"
        return f"`{path}`" if text == path else f"{text} (`{path}`)"

    return LINK.sub(rewritten, readme)


def main() -> None:
    """Builds."""
    project = tomllib.loads((HERE / "pyproject.toml").read_text())["project"]
    found = re.search(r'^__version__ = "(.*)"$', (HERE / "nlemu" / "__init__.py").read_text(), re.MULTILINE)
    assert found is not None
    tag = "main" if ".dev" in found[1] else f"v{found[1]}"
    text = description((HERE / "README.md").read_text(), project.get("urls", {}).get("Source"), tag)
    setup(long_description=text, long_description_content_type="text/markdown")


if __name__ == "__main__":
    main()
