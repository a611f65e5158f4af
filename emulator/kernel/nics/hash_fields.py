"""What drivers hash of packets that are neither TCP nor UDP nor plain IP."""

from __future__ import annotations

from nlemu.emulator.kernel.nics.rss import ADDRESSES, PORTS
from nlemu.protocol.uapi.ethtool import FlowType, Rxh

TEID = int(Rxh.GTP_TEID)
WITH_PORTS = frozenset((
    FlowType.TCP_V4, FlowType.UDP_V4, FlowType.SCTP_V4, FlowType.TCP_V6, FlowType.UDP_V6, FlowType.SCTP_V6,
))
OF_GTPC = frozenset((FlowType.GTPC_V4, FlowType.GTPC_V6))
WITH_TEID = frozenset((
    FlowType.GTPU_V4, FlowType.GTPU_V6, FlowType.GTPC_TEID_V4, FlowType.GTPC_TEID_V6, FlowType.GTPU_EH_V4,
    FlowType.GTPU_EH_V6, FlowType.GTPU_UL_V4, FlowType.GTPU_UL_V6, FlowType.GTPU_DL_V4, FlowType.GTPU_DL_V6,
))
HASHED_BY_ICE = (
    dict.fromkeys(WITH_PORTS, PORTS) | dict.fromkeys(OF_GTPC, ADDRESSES) | dict.fromkeys(WITH_TEID, ADDRESSES | TEID)
)
"""default_rss_cfgs; and all that can be hashed of each (ice_parse_hash_flds())."""
