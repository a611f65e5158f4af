"""rtnetlink: its family of messages. What each holds is declared in the files beside this one."""

from nlemu.protocol.schema.family import Family
from nlemu.protocol.uapi.netlink import NLM_F

route = Family("route", dump_flags=NLM_F.MULTI)
