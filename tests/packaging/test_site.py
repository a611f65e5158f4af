"""The site is built without a warning: every page is in it, every link leads somewhere, every docstring reads."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_the_site(tmp_path: Path) -> None:
    site = tmp_path / "site"
    built = subprocess.run(
        [sys.executable, "-m", "sphinx", "-q", "-W", "--keep-going", "-d", tmp_path / "trees", ROOT / "docs", site],
        capture_output=True, text=True, timeout=600, cwd=tmp_path,
    )
    assert (built.returncode, built.stderr) == (0, "")
    assert {page.stem for page in (ROOT / "docs").glob("*.md")} <= {page.stem for page in site.glob("*.html")}
    first = (site / "index.html").read_text()
    assert "In a minute" in first and 'href="faults.html"' in first
    reference = (site / "api.html").read_text()
    assert {"nlemu.kernel.Kernel.family", "nlemu.kernel.Kernel.fault"} <= set(re.findall(r'id="([^"]+)"', reference))
