"""Linux's netlink, emulated, for tests and scripts: the one import that they need.

    import nlemu

    with nlemu.Kernel() as kernel:
        kernel.do(nsim_new=[1, 1, 4])
        print(kernel.family("rt-link").dump("getlink"))

In a test of pytest the fixture ``nlemu`` is such a kernel (pytest_plugin.py). What is below the surface is in the
packages `nlemu.emulator` and `nlemu.protocol`.

Names are looked up when they are asked for: pytest imports this package at every start, whether a test wants a kernel
or not, and shall not pay for it.
"""

from __future__ import annotations

import gc
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from nlemu.emulator.client.client import Client
    from nlemu.emulator.client.control import ControlError, NoDaemon
    from nlemu.in_process import patch
    from nlemu.kernel import Kernel
    from nlemu.protocol.encode.conversation import NlError
    from nlemu.protocol.encode.request import BadValue
    from nlemu.protocol.uapi.netlink import NLM_F

__version__ = "0.2.0.dev0"
"""Said here and nowhere else: pyproject.toml and `nlemu --version` read it."""

__all__ = ["Kernel", "patch", "Client", "NlError", "BadValue", "ControlError", "NoDaemon", "NLM_F"]

WHERE = {
    "Kernel": "nlemu.kernel",
    "patch": "nlemu.in_process",
    "Client": "nlemu.emulator.client.client",
    "ControlError": "nlemu.emulator.client.control",
    "NoDaemon": "nlemu.emulator.client.control",
    "NlError": "nlemu.protocol.encode.conversation",
    "BadValue": "nlemu.protocol.encode.request",
    "NLM_F": "nlemu.protocol.uapi.netlink",
}


def __getattr__(name: str) -> Any:
    if name not in WHERE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    # What is imported is there to stay: looking for garbage in it takes as long as a tenth of it.
    looking = gc.isenabled()
    gc.disable()
    try:
        return getattr(import_module(WHERE[name]), name)
    finally:
        if looking:
            gc.enable()
