"""A fault that a test has set: how often it struck, and its end."""

from __future__ import annotations

from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from nlemu.kernel import Kernel


class NothingTested(AssertionError):
    """A fault that a test waited for did not happen, or not all of it."""


class Fault:
    """A fault that waits, by its name.

        with kernel.fault("netdev.queue-create", errno="ENOMEM") as fault:
            ...

    A block that ends well although the fault never struck, or could not do then what it was to, is a test that tested
    nothing: NothingTested. Afterwards the fault is taken away.
    """

    def __init__(self, kernel: Kernel, name: str, about: str) -> None:
        self.kernel, self.name, self.about = kernel, name, about

    def told(self) -> dict[str, Any]:
        """As the daemon lists it. KeyError: it was taken away."""
        for one in self.kernel.do(faults=True):
            if one["name"] == self.name:
                found: dict[str, Any] = one
                return found
        raise KeyError(self.name)

    @property
    def struck(self) -> int:
        """How often it has struck."""
        return int(self.told()["struck"])

    @property
    def met(self) -> int:
        """How many requests or notifications it was for, those that it let pass among them."""
        return int(self.told()["met"])

    def heal(self) -> None:
        """It is taken away."""
        self.kernel.do(heal=self.name)

    def __repr__(self) -> str:
        return f"<nlemu fault {self.name}: {self.about}>"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        told = self.told()
        self.heal()
        if kind is not None:
            return
        if not told["struck"]:
            raise NothingTested(f"{self.about} never struck; it met {told['met']} that it was for")
        if "failed" in told:
            raise NothingTested(f"{self.about} struck, and what was to happen then did not: {told['failed']}")
