"""rtnetlink: its family of messages. What each holds is declared in route_link and the files beside it."""

from protocol.family import Family

route = Family("route")
