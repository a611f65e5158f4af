"""netdevsim: the firmware that is not there is written (nsim_dev_flash_update() of drivers/net/netdevsim/dev.c).

Linux takes its time, a tenth of a second for each of fifty pieces, while whoever asked waits. Here it is done at once.
"""

from __future__ import annotations

from collections.abc import Iterator

from nlemu.emulator.kernel.devlink.flash import FlashStatus

SIZE, CHUNK = 50000, 1000
"""NSIM_DEV_FLASH_SIZE, NSIM_DEV_FLASH_CHUNK_SIZE."""
SELECT_TIMEOUT = 81
CHUNK_TIME = 100
"""NSIM_DEV_FLASH_CHUNK_TIME_MS_DEFAULT: kept, and told by debugfs."""


def steps(component: str | None) -> Iterator[FlashStatus]:
    """What the driver says of it, if it says anything (debugfs fw_update_status)."""
    yield FlashStatus("Preparing to flash", component)
    for done in range(0, SIZE + 1, CHUNK):
        yield FlashStatus("Flashing", component, done, SIZE)
    yield FlashStatus("Flash select", component, timeout=SELECT_TIMEOUT)
    yield FlashStatus("Flashing done", component)
