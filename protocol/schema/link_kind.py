"""What a kind of link is to a message: LinkKind, one declaration a kind.

A kind is two files: its declaration in protocol/families/route/kinds, which says what IFLA_LINKINFO holds of it,
and its model in emulator/kernel/links, which says what it does. Both are found by walking those folders; nothing
else knows that the kind is there. Between them go values by the names of attributes: what a request says becomes
the model's dataclass of parameters, whose fields are named as the attributes, and what the model tells becomes
attributes by name.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum, IntFlag
from typing import Any

from nlemu.protocol.schema.attributes import Attr, AttrSet
from nlemu.protocol.schema.kinds import Structure, structure
from nlemu.protocol.schema.policy import Policy
from nlemu.protocol.schema.structs import ifinfomsg

LINK = structure(ifinfomsg, "ifinfomsg")
"""struct ifinfomsg; in a peer's description attributes follow it."""


@dataclass(frozen=True)
class LinkKind:
    """The attributes of a kind of link, as its struct rtnl_link_ops knows them.

    name: IFLA_INFO_KIND. data: the attributes of IFLA_INFO_DATA, in the order of fill_info; policy: what a request may
    hold of them, if that is not just all of them. peer: the attribute that describes a whole other link (peer_type).
    inside: nests that validate() looks into, each by its own policy and after all else, with its own words for what is
    wrong there. sized: the attributes that get_size leaves room for, None without a get_size; of a nest, what it holds
    if it is told at all. slave, slave_policy, slave_sized: the same of IFLA_INFO_SLAVE_DATA, for a kind whose devices
    are masters. xstats: the structure of IFLA_INFO_XSTATS. told_only: what the policy lets in and the kind refuses all
    the same. asked_along: by the name of an attribute that is told, what has to be asked with it to have it so. shown:
    the names of values that stand in structures, by structure and field.
    """

    name: str
    data: type[AttrSet] | None = None
    policy: Policy | None = None
    peer: Attr[Any] | None = None
    inside: tuple[tuple[Attr[Any], str], ...] = ()
    sized: tuple[Attr[Any], ...] | None = None
    slave: type[AttrSet] | None = None
    slave_policy: Policy | None = None
    slave_sized: tuple[Attr[Any], ...] | None = None
    xstats: Structure | None = None
    told_only: tuple[Attr[Any], ...] = ()
    asked_along: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    shown: Mapping[tuple[str, str], type[IntEnum] | type[IntFlag]] = field(default_factory=dict)
