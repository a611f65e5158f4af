"""A kernel as it was, for tests that share one."""

from __future__ import annotations

from itertools import count
from types import TracebackType
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from nlemu.kernel import Kernel

_numbers = count(1)


class Snapshot:
    """Of a kernel. As a context it puts the kernel back at its end, and can be used again.

        base = kernel.snapshot()
        with base: ...
    """

    def __init__(self, kernel: Kernel) -> None:
        self.kernel, self.name = kernel, f"snapshot {next(_numbers)}"
        kernel.do(snapshot=self.name)

    def restore(self) -> None:
        """The kernel as it was (Kernel.restore())."""
        self.kernel.restore(self)

    def __repr__(self) -> str:
        return f"<nlemu {self.name} of {self.kernel.directory}>"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.restore()
