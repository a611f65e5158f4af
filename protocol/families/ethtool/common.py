"""What every ethtool message is made of: the header, bit sets and string sets.

A request begins with a nest that says which device is meant and how the answer should look; the four policies for it
differ in whether statistics may be asked for and whether a PHY may be named (net/ethtool/netlink.c). They are objects
with an identity, shared by the commands as in the kernel.

A bit set travels in one of two ways: verbose, bit by bit with index and name, or compact, as words of value and mask.
One without a mask is a list: bits that it does not mention are off. The policies of the commands only say that there
is a nest; what it holds is read later, with the policies here (net/ethtool/bitset.c).
"""

from nlemu.protocol.schema.attributes import Attr, AttrSet
from nlemu.protocol.schema.kinds import Nest, binary, flag, nest, nul_string, string, u32
from nlemu.protocol.schema.policy import Policy
from nlemu.protocol.uapi.ethtool import EthtoolFlag, StringSet
from nlemu.protocol.uapi.if_ import ALTIFNAMSIZ

BASIC_FLAGS = int(EthtoolFlag.COMPACT_BITSETS | EthtoolFlag.OMIT_REPLY)
STATS_FLAGS = BASIC_FLAGS | int(EthtoolFlag.STATS)
MAX_BITSET_SIZE = 0x7FFF
"""ETHNL_MAX_BITSET_SIZE."""


class Header(AttrSet):
    """ETHTOOL_A_HEADER_*."""

    dev_index = Attr(1, u32)
    dev_name = Attr(2, nul_string, length=ALTIFNAMSIZ - 1)
    flags = Attr(3, u32, mask=BASIC_FLAGS, shown=EthtoolFlag)
    phy_index = Attr(4, u32, min=1)


_STATS = Header.flags.but(mask=STATS_FLAGS)
HEADER = nest(Policy(Header.dev_index, Header.dev_name, Header.flags, chosen_from=Header))
HEADER_STATS = nest(Policy(Header.dev_index, Header.dev_name, _STATS, chosen_from=Header))
HEADER_PHY = nest(Policy(Header.dev_index, Header.dev_name, Header.flags, Header.phy_index, chosen_from=Header))


def unread(inner: type[AttrSet]) -> Nest:
    """A nest that the command's policy does not look into."""
    kind = Nest(None)
    kind.set = inner
    return kind


class BitsetBit(AttrSet):
    """ETHTOOL_A_BITSET_BIT_*."""

    index = Attr(1, u32)
    name = Attr(2, nul_string)
    value = Attr(3, flag)


class BitsetBits(AttrSet):
    """ETHTOOL_A_BITSET_BITS_*."""

    bit = Attr(1, nest(BitsetBit), multi=True)


class Bitset(AttrSet):
    """ETHTOOL_A_BITSET_*."""

    nomask = Attr(1, flag)
    size = Attr(2, u32, max=MAX_BITSET_SIZE)
    bits = Attr(3, unread(BitsetBits))
    value = Attr(4, binary)
    mask = Attr(5, binary)


BITSET = unread(Bitset)


class String(AttrSet):
    """ETHTOOL_A_STRING_*."""

    index = Attr(1, u32)
    value = Attr(2, string)


class Strings(AttrSet):
    """ETHTOOL_A_STRINGS_*."""

    string = Attr(1, nest(String), multi=True)


class Stringset(AttrSet):
    """ETHTOOL_A_STRINGSET_*."""

    id = Attr(1, u32, shown=StringSet)
    count = Attr(2, u32)
    strings = Attr(3, nest(Strings))


class Stringsets(AttrSet):
    """ETHTOOL_A_STRINGSETS_*."""

    stringset = Attr(1, unread(Stringset), multi=True)


class Strset(AttrSet):
    """ETHTOOL_A_STRSET_*."""

    header = Attr(1, HEADER_PHY)
    stringsets = Attr(2, unread(Stringsets))
    counts_only = Attr(3, flag)


STRINGSETS_ASKED = Policy(Stringsets.stringset)
STRINGSET_ASKED = Policy(Stringset.id)
"""strset_stringsets_policy and get_stringset_policy."""
