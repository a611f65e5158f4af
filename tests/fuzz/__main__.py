"""`python -m tests.fuzz SECONDS SEED [--guided]`."""

from __future__ import annotations

import argparse
import logging
import random
import sys
import time
import traceback
from collections.abc import Iterator


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("seconds", type=float)
    parser.add_argument("seed", type=int)
    parser.add_argument("--guided", action="store_true", help="led by what code is reached; needs the package atheris")
    parser.add_argument("--kernel", default=None, help="the name of a build")
    parser.add_argument("--corpus", metavar="DIR", help="where cases are kept that reach something (with --guided)")
    options = parser.parse_args()
    logging.disable(logging.CRITICAL)
    if options.guided:
        from tests.fuzz.guided import fuzz

        return fuzz(options.seconds, options.seed, options.corpus)
    from nlemu.emulator.kernel.core.build import find_build
    from tests.fuzz.kernel import Kernel

    build = None if options.kernel is None else find_build(options.kernel)
    kernel, end, count, deeds = Kernel(build), time.monotonic() + options.seconds, 0, 0
    found: dict[str, bytes] = {}
    for data in cases(options.seed):
        if time.monotonic() > end:
            break
        count += 1
        deeds += len(data) // 6
        try:
            kernel.run(data)
        except Exception as error:
            where = traceback.format_exc().splitlines()[-3]
            kernel = Kernel(build)
            if not fails(data, build):
                print(f"found, and not again on a fresh machine: {error!r}\n{where}\n  {data.hex()}", flush=True)
                continue
            data = shorter(data, build)
            told = explained(data, build)
            if told[-1] not in found:
                found[told[-1]] = data
                print(f"found: {error!r}\n  {data.hex()}", *told, sep="\n", flush=True)
    print(f"{count} cases, about {deeds} deeds, {len(found)} found")
    return 1 if found else 0


def cases(seed: int) -> Iterator[bytes]:
    """Cases at random, without an end."""
    rng = random.Random(seed)
    while True:
        yield rng.randbytes(rng.choice((30, 100, 300, 1000)))


def fails(data: bytes, build: object) -> bool:
    """Whether a case finds something."""
    from tests.fuzz.kernel import Kernel

    try:
        Kernel(build).run(data)
    except Exception:
        return True
    return False


def shorter(data: bytes, build: object) -> bytes:
    """The same with as little as finds something still."""
    size = len(data) // 2
    tries = 0
    while size and tries < 300:
        at = 0
        while at < len(data) and tries < 300:
            less = data[:at] + data[at + size :]
            tries += 1
            if fails(less, build):
                data = less
            else:
                at += size
        size //= 2
    return data


def explained(data: bytes, build: object) -> list[str]:
    """Where it falls over, and on the way to it."""
    from tests.fuzz.case import deeds
    from tests.fuzz.kernel import Kernel

    lines = [f"    {deed}" for deed in deeds(data)]
    logging.disable(logging.NOTSET)
    logging.basicConfig(level=logging.ERROR, stream=sys.stdout, force=True)
    try:
        Kernel(build).run(data)
    except Exception:
        lines += traceback.format_exc().splitlines()[-7:]
    logging.disable(logging.CRITICAL)
    return lines


if __name__ == "__main__":
    sys.exit(main())
