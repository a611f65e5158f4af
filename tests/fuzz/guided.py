"""Cases led by what code they reach: atheris changes those that reached something new."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path


def fuzz(seconds: float, seed: int, corpus: str | None) -> int:
    """Runs for so long; does not return, as libFuzzer does not: it ends the process. corpus: where cases are kept."""
    import atheris

    place = Path(corpus or tempfile.mkdtemp(prefix="fuzz"))
    place.mkdir(exist_ok=True)
    arguments = [
        sys.argv[0], str(place), f"-max_total_time={seconds:.0f}", f"-seed={seed}", "-max_len=600", "-len_control=50",
        f"-artifact_prefix={place}/found-", "-print_final_stats=1",
    ]
    with atheris.instrument_imports(include=["nlemu.emulator", "nlemu.protocol"]):  # what is imported on the way too
        from tests.fuzz.kernel import Kernel

        atheris.Setup(arguments, Kernel().run)
        atheris.Fuzz()
    return 0
