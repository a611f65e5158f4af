"""Which function answers a command, and who may ask: the two tables of dev_ethtool_locked() in one.

What no driver here has a method for is EOPNOTSUPP, mostly before anything is read.
"""

from __future__ import annotations

from typing import NamedTuple

from nlemu.emulator.launch.ioctls.ethtool import beside, driver, features, link, module, queues, rss, rules
from nlemu.emulator.launch.ioctls.ethtool.request import Answer, unsupported, unsupported_behind
from nlemu.protocol.uapi.ethtool import EthtoolIoctl as Do

ANYONE, ADMIN = False, True


class Command(NamedTuple):
    """A row of the table. admin: CAP_NET_ADMIN over the namespace is wanted."""

    admin: bool
    answer: Answer


COMMANDS: dict[int, Command] = {
    Do.GSET: Command(ANYONE, link.get_settings),
    Do.SSET: Command(ADMIN, link.set_settings),
    Do.GLINKSETTINGS: Command(ANYONE, link.get_link_settings),
    Do.SLINKSETTINGS: Command(ADMIN, link.set_link_settings),
    Do.GLINK: Command(ANYONE, link.get_link),
    Do.NWAY_RST: Command(ADMIN, beside.negotiate),
    Do.GFECPARAM: Command(ANYONE, link.get_fec),
    Do.SFECPARAM: Command(ADMIN, link.set_fec),
    Do.GEEE: Command(ANYONE, unsupported),
    Do.SEEE: Command(ADMIN, unsupported),
    Do.GET_TS_INFO: Command(ANYONE, link.get_ts_info),
    Do.GPERMADDR: Command(ANYONE, link.get_permanent_address),
    Do.GWOL: Command(ADMIN, beside.get_wol),
    Do.SWOL: Command(ADMIN, beside.set_wol),
    # Queues
    Do.GCHANNELS: Command(ANYONE, queues.get_channels),
    Do.SCHANNELS: Command(ADMIN, queues.set_channels),
    Do.GRINGPARAM: Command(ANYONE, queues.get_rings),
    Do.SRINGPARAM: Command(ADMIN, queues.set_rings),
    Do.GCOALESCE: Command(ANYONE, queues.get_coalesce),
    Do.SCOALESCE: Command(ADMIN, queues.set_coalesce),
    Do.GPAUSEPARAM: Command(ANYONE, queues.get_pause),
    Do.SPAUSEPARAM: Command(ADMIN, queues.set_pause),
    Do.PERQUEUE: Command(ADMIN, queues.of_queues),
    # Features
    **{get: Command(ANYONE, features.get_one) for get, _, _ in features.DISCRETE},
    **{set_: Command(ADMIN, features.set_one) for _, set_, _ in features.DISCRETE},
    Do.GUFO: Command(ANYONE, unsupported),
    Do.SUFO: Command(ADMIN, unsupported),
    Do.GFLAGS: Command(ANYONE, features.get_flags),
    Do.SFLAGS: Command(ADMIN, features.set_flags),
    Do.GFEATURES: Command(ANYONE, features.get_features),
    Do.SFEATURES: Command(ADMIN, features.set_features),
    # The driver
    Do.GDRVINFO: Command(ANYONE, driver.get_info),
    Do.GSSET_INFO: Command(ANYONE, driver.get_string_set_info),
    Do.GSTRINGS: Command(ANYONE, driver.get_strings),
    Do.GSTATS: Command(ANYONE, driver.get_statistics),
    Do.GPHYSTATS: Command(ANYONE, unsupported_behind(driver.STATS)),
    Do.FLASHDEV: Command(ADMIN, driver.flash),
    Do.RESET: Command(ADMIN, beside.reset),
    Do.TEST: Command(ADMIN, beside.test),
    Do.PHYS_ID: Command(ADMIN, beside.blink),
    Do.GMSGLVL: Command(ANYONE, driver.get_message_level),
    Do.SMSGLVL: Command(ADMIN, driver.set_message_level),
    Do.GPFLAGS: Command(ANYONE, driver.get_private_flags),
    Do.SPFLAGS: Command(ADMIN, driver.set_private_flags),
    Do.GTUNABLE: Command(ANYONE, beside.get_tunable),
    Do.STUNABLE: Command(ADMIN, beside.set_tunable),
    Do.PHY_GTUNABLE: Command(ANYONE, unsupported),
    Do.PHY_STUNABLE: Command(ADMIN, unsupported),
    Do.GREGS: Command(ADMIN, unsupported),
    Do.GEEPROM: Command(ADMIN, unsupported),
    Do.SEEPROM: Command(ADMIN, unsupported),
    Do.GMODULEINFO: Command(ADMIN, module.get_info),
    Do.GMODULEEEPROM: Command(ADMIN, module.get_memory),
    Do.SET_DUMP: Command(ADMIN, unsupported),
    Do.GET_DUMP_FLAG: Command(ADMIN, unsupported),
    Do.GET_DUMP_DATA: Command(ADMIN, unsupported),
    # How packets are spread over queues
    Do.GRXFH: Command(ANYONE, rss.get_fields),
    Do.SRXFH: Command(ADMIN, rss.set_fields),
    Do.GRXRINGS: Command(ANYONE, rss.get_rings),
    Do.GRXCLSRLCNT: Command(ANYONE, rules.count),
    Do.GRXCLSRULE: Command(ANYONE, rules.show),
    Do.GRXCLSRLALL: Command(ANYONE, rules.locations),
    Do.SRXCLSRLDEL: Command(ADMIN, rules.delete),
    Do.SRXCLSRLINS: Command(ADMIN, rules.insert),
    Do.SRXNTUPLE: Command(ADMIN, unsupported),
    Do.GRXNTUPLE: Command(ADMIN, unsupported),
    Do.GRXFHINDIR: Command(ANYONE, rss.get_table),
    Do.SRXFHINDIR: Command(ADMIN, rss.set_table),
    Do.GRSSH: Command(ANYONE, rss.get_spread),
    Do.SRSSH: Command(ADMIN, rss.set_spread),
}
UNKNOWN = Command(ADMIN, unsupported)
