"""docs/rust.md: its code compiles, and its test passes on an emulated kernel."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from tests.emulator.launch.nobody import need

ROOT = Path(__file__).resolve().parents[2]
PATIENCE = 300


def test_the_recipe(tmp_path: Path) -> None:
    rustc = shutil.which("rustc") or need("rustc")
    need("ip")
    blocks = re.findall(r"```rust\n(.*?)```", (ROOT / "docs" / "rust.md").read_text(), re.DOTALL)
    assert len(blocks) == 2
    (tmp_path / "recipe.rs").write_text("#![allow(dead_code)]\n" + "".join(blocks).replace("//! ", "// "))
    compiled = subprocess.run(
        [rustc, "--edition", "2021", "--test", "recipe.rs", "-o", "recipe"], cwd=tmp_path, capture_output=True,
        text=True, timeout=PATIENCE,
    )
    assert compiled.returncode == 0, compiled.stderr
    environment = os.environ | {"PYTHONPATH": str(ROOT), "NLEMU_DIR": str(tmp_path / "machine")}
    nlemu = [sys.executable, "-m", "nlemu"]
    begun = subprocess.run(
        [*nlemu, "serve", "--detach"], env=environment, capture_output=True, text=True, timeout=PATIENCE
    )
    assert begun.returncode == 0, begun.stderr
    try:
        tested = subprocess.run(
            [*nlemu, "run", "--", "./recipe"], cwd=tmp_path, env=environment, capture_output=True, text=True,
            timeout=PATIENCE,
        )
        assert "test tests::a_nic_is_there_and_a_dump_is_interrupted ... ok" in tested.stdout, tested.stdout
    finally:
        subprocess.run([*nlemu, "stop"], env=environment, check=True, timeout=PATIENCE)
    alone = subprocess.run([tmp_path / "recipe"], capture_output=True, text=True, timeout=PATIENCE)
    assert alone.returncode == 0, "without a kernel there is nothing to test, and nothing to fail"
