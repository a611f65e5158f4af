"""uapi/linux/bpf.h, as far as it is about devices: the commands of bpf() that load, attach and ask, and their flags."""

from enum import IntEnum

from nlemu.protocol.uapi.bits import Bits


class BpfCmd(IntEnum):
    """BPF_*, of enum bpf_cmd."""

    PROG_LOAD = 5
    PROG_ATTACH = 8
    PROG_DETACH = 9
    PROG_TEST_RUN = 10
    OBJ_GET_INFO_BY_FD = 15
    PROG_QUERY = 16
    LINK_CREATE = 28
    LINK_UPDATE = 29
    LINK_DETACH = 34


class BpfAttachType(IntEnum):
    """BPF_*, of enum bpf_attach_type: those of the network that are no control group's."""

    FLOW_DISSECTOR = 17
    SK_LOOKUP = 36
    XDP = 37
    NETFILTER = 45
    TCX_INGRESS = 46
    TCX_EGRESS = 47
    NETKIT_PRIMARY = 54
    NETKIT_PEER = 55


class ProgFlag(Bits):
    """BPF_F_*, flags of BPF_PROG_LOAD."""

    STRICT_ALIGNMENT = 1 << 0
    ANY_ALIGNMENT = 1 << 1
    TEST_RND_HI32 = 1 << 2
    TEST_STATE_FREQ = 1 << 3
    SLEEPABLE = 1 << 4
    XDP_HAS_FRAGS = 1 << 5
    XDP_DEV_BOUND_ONLY = 1 << 6
    TEST_REG_INVARIANTS = 1 << 7
    TOKEN_FD = 1 << 16


BPF_PROG_TYPE_XDP = 6
BPF_LINK_TYPE_XDP = 6
BPF_F_REPLACE = 1 << 2
BPF_F_TEST_XDP_LIVE_FRAMES = 1 << 1
BPF_OBJ_NAME_LEN = 16
BPF_TAG_SIZE = 8
