"""rtnetlink: its family of messages. What each holds is declared in route_link and the files beside it."""

from protocol.family import Family
from protocol.uapi.netlink import NLM_F

route = Family("route", dump_flags=NLM_F.MULTI)
