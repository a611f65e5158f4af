"""Resources of a device: how much of what it has, and how that is shared out (net/devlink/resource.c).

A new size waits until the driver begins anew. One whose parts want more than it has is not valid, and nothing can begin
anew then.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from errno import EINVAL

from nlemu.protocol.refusal import Refusal
from nlemu.protocol.uapi.devlink import DevlinkResourceUnit

U64_MAX = (1 << 64) - 1
TOO_LARGE, TOO_SMALL, WRONG_GRANULARITY = "Size larger than maximum", "Size smaller than minimum", "Wrong granularity"


@dataclass(eq=False, slots=True)
class Resource:
    """struct devlink_resource. size: what it has; size_new: what it will have when the driver begins anew; occupied:
    asks how much is used, None where nobody knows."""

    name: str
    id: int
    size: int
    size_max: int = U64_MAX
    size_min: int = 0
    granularity: int = 1
    unit: DevlinkResourceUnit = DevlinkResourceUnit.ENTRY
    parts: tuple[Resource, ...] = ()
    occupied: Callable[[], int] | None = None
    size_new: int = field(init=False)

    def __post_init__(self) -> None:
        self.size_new = self.size
        self._valid = True

    _valid: bool = field(init=False)

    @property
    def valid(self) -> bool:
        """Whether its parts fit into it, as of the last time that it or one of them was set: they do at first, however
        large they are."""
        return self._valid

    def validate(self) -> None:
        """devlink_resource_validate_children(): sums are of 64 bits."""
        self._valid = not self.parts or sum(part.size_new for part in self.parts) & U64_MAX <= self.size_new

    def check(self, size: int) -> None:
        """devlink_resource_validate_size(): of several faults the last is told. EINVAL."""
        faults = (
            (size > self.size_max, TOO_LARGE), (size < self.size_min, TOO_SMALL),
            (size % self.granularity, WRONG_GRANULARITY),
        )
        told = [text for wrong, text in faults if wrong]
        if told:
            raise Refusal(EINVAL, told[-1])


def every(resources: Iterable[Resource]) -> Iterator[tuple[Resource, Resource | None]]:
    """All of them, parts behind what they are parts of, each with that."""
    for resource in resources:
        yield resource, None
        for part, owner in every(resource.parts):
            yield part, owner or resource


def set_size(resources: Iterable[Resource], number: int, size: int) -> None:
    """devlink_nl_resource_set_doit(). EINVAL: there is none of that number, or it cannot have that size."""
    resource, owner = next((pair for pair in every(resources) if pair[0].id == number), (None, None))
    if resource is None:
        raise Refusal(EINVAL)
    resource.check(size)
    resource.size_new = size
    resource.validate()
    if owner is not None:
        owner.validate()


def all_valid(resources: Iterable[Resource]) -> bool:
    """devlink_resources_validate()."""
    return all(resource.valid for resource, _ in every(resources))
