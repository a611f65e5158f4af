"""Files of firmware of this machine, which programs under `nlemu run` can have written to a device
(fw_get_filesystem_firmware()).

They are looked for, and not read.
"""

from __future__ import annotations

import os

FOLDERS = ("/lib/firmware/updates", "/lib/firmware")
ENDINGS = ("", ".zst", ".xz")


def there(name: str) -> bool:
    """Whether there is such a file, compressed or not, where Linux looks."""
    if ".." in name.split("/"):
        return False
    return any(os.path.isfile(f"{folder}/{name}{ending}") for folder in FOLDERS for ending in ENDINGS)
