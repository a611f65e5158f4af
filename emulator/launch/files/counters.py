"""The counters of /proc/net: snmp, netstat, snmp6, dev_snmp6/*, xfrm_stat, tls_stat (ipv4/proc.c, ipv6/proc.c,
xfrm_proc.c, tls_proc.c).

No packets are sent here but those that the model counts, which are IPv6's own; all other counters are zero, as in a
namespace that nobody has used. What is told beside them, as whether IPv4 forwards, is the model's.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from nlemu.emulator.kernel.core.sysctl import settings
from nlemu.emulator.kernel.ipv4 import netns as ip4
from nlemu.protocol.uapi.ip import Ipv4Devconf
from nlemu.protocol.uapi.snmp import Icmp6Mib, IpstatsMib

if TYPE_CHECKING:
    from nlemu.emulator.kernel.core.net import Net
    from nlemu.emulator.kernel.devices.device import Device
    from nlemu.emulator.kernel.ipv6.device import Inet6Device

FORWARDING, NOT_FORWARDING = 1, 2  # ipForwarding of RFC 1213
TCP_RTO_MIN, TCP_RTO_MAX = 200, 120000
"""In milliseconds."""


def _names(text: str) -> tuple[str, ...]:
    return tuple(text.split())


IP = _names("""
    Forwarding DefaultTTL InReceives InHdrErrors InAddrErrors ForwDatagrams InUnknownProtos InDiscards
    InDelivers OutRequests OutDiscards OutNoRoutes ReasmTimeout ReasmReqds ReasmOKs ReasmFails FragOKs FragFails
    FragCreates OutTransmits
""")
"""snmp4_ipstats_list, after what is told first."""
ICMP = _names("""
    InMsgs InErrors InCsumErrors InDestUnreachs InTimeExcds InParmProbs InSrcQuenchs InRedirects InEchos
    InEchoReps InTimestamps InTimestampReps InAddrMasks InAddrMaskReps OutMsgs OutErrors OutRateLimitGlobal
    OutRateLimitHost OutDestUnreachs OutTimeExcds OutParmProbs OutSrcQuenchs OutRedirects OutEchos OutEchoReps
    OutTimestamps OutTimestampReps OutAddrMasks OutAddrMaskReps
""")
"""icmp_put()."""
TCP = _names("""
    RtoAlgorithm RtoMin RtoMax MaxConn ActiveOpens PassiveOpens AttemptFails EstabResets CurrEstab InSegs
    OutSegs RetransSegs InErrs OutRsts InCsumErrors
""")
"""snmp4_tcp_list."""
UDP = _names("""
    InDatagrams NoPorts InErrors OutDatagrams RcvbufErrors SndbufErrors InCsumErrors IgnoredMulti MemErrors
""")
"""snmp4_udp_list."""
TCP_EXT = _names("""
    SyncookiesSent SyncookiesRecv SyncookiesFailed EmbryonicRsts PruneCalled RcvPruned OfoPruned
    OutOfWindowIcmps LockDroppedIcmps ArpFilter TW TWRecycled TWKilled PAWSActive PAWSEstab BeyondWindow
    TSEcrRejected PAWSOldAck PAWSTimewait DelayedACKs DelayedACKLocked DelayedACKLost ListenOverflows
    ListenDrops TCPHPHits TCPPureAcks TCPHPAcks TCPRenoRecovery TCPSackRecovery TCPSACKReneging TCPSACKReorder
    TCPRenoReorder TCPTSReorder TCPFullUndo TCPPartialUndo TCPDSACKUndo TCPLossUndo TCPLostRetransmit
    TCPRenoFailures TCPSackFailures TCPLossFailures TCPFastRetrans TCPSlowStartRetrans TCPTimeouts TCPLossProbes
    TCPLossProbeRecovery TCPRenoRecoveryFail TCPSackRecoveryFail TCPRcvCollapsed TCPBacklogCoalesce
    TCPDSACKOldSent TCPDSACKOfoSent TCPDSACKRecv TCPDSACKOfoRecv TCPAbortOnData TCPAbortOnClose TCPAbortOnMemory
    TCPAbortOnTimeout TCPAbortOnLinger TCPAbortFailed TCPMemoryPressures TCPMemoryPressuresChrono TCPSACKDiscard
    TCPDSACKIgnoredOld TCPDSACKIgnoredNoUndo TCPSpuriousRTOs TCPMD5NotFound TCPMD5Unexpected TCPMD5Failure
    TCPSackShifted TCPSackMerged TCPSackShiftFallback TCPBacklogDrop PFMemallocDrop TCPMinTTLDrop
    TCPDeferAcceptDrop IPReversePathFilter TCPTimeWaitOverflow TCPReqQFullDoCookies TCPReqQFullDrop
    TCPRetransFail TCPRcvCoalesce TCPOFOQueue TCPOFODrop TCPOFOMerge TCPChallengeACK TCPSYNChallenge
    TCPFastOpenActive TCPFastOpenActiveFail TCPFastOpenPassive TCPFastOpenPassiveFail TCPFastOpenListenOverflow
    TCPFastOpenCookieReqd TCPFastOpenBlackhole TCPSpuriousRtxHostQueues BusyPollRxPackets TCPAutoCorking
    TCPFromZeroWindowAdv TCPToZeroWindowAdv TCPWantZeroWindowAdv TCPSynRetrans TCPOrigDataSent
    TCPHystartTrainDetect TCPHystartTrainCwnd TCPHystartDelayDetect TCPHystartDelayCwnd TCPACKSkippedSynRecv
    TCPACKSkippedPAWS TCPACKSkippedSeq TCPACKSkippedFinWait2 TCPACKSkippedTimeWait TCPACKSkippedChallenge
    TCPWinProbe TCPKeepAlive TCPMTUPFail TCPMTUPSuccess TCPDelivered TCPDeliveredCE TCPAckCompressed
    TCPZeroWindowDrop TCPRcvQDrop TCPWqueueTooBig TCPFastOpenPassiveAltKey TcpTimeoutRehash
    TcpDuplicateDataRehash TCPDSACKRecvSegs TCPDSACKIgnoredDubious TCPMigrateReqSuccess TCPMigrateReqFailure
    TCPPLBRehash TCPAORequired TCPAOBad TCPAOKeyNotFound TCPAOGood TCPAODroppedIcmps
""")
"""snmp4_net_list."""
IP_EXT = _names("""
    InNoRoutes InTruncatedPkts InMcastPkts OutMcastPkts InBcastPkts OutBcastPkts InOctets OutOctets
    InMcastOctets OutMcastOctets InBcastOctets OutBcastOctets InCsumErrors InNoECTPkts InECT1Pkts InECT0Pkts
    InCEPkts ReasmOverlaps
""")
"""snmp4_ipextstats_list."""
MPTCP_EXT = _names("""
    MPCapableSYNRX MPCapableSYNTX MPCapableSYNACKRX MPCapableACKRX MPCapableFallbackACK MPCapableFallbackSYNACK
    MPCapableSYNTXDrop MPCapableSYNTXDisabled MPCapableEndpAttempt MPFallbackTokenInit MPTCPRetrans
    MPJoinNoTokenFound MPJoinSynRx MPJoinSynBackupRx MPJoinSynAckRx MPJoinSynAckBackupRx MPJoinSynAckHMacFailure
    MPJoinAckRx MPJoinAckHMacFailure MPJoinRejected MPJoinSynTx MPJoinSynTxCreatSkErr MPJoinSynTxBindErr
    MPJoinSynTxConnectErr DSSNotMatching DSSCorruptionFallback DSSCorruptionReset InfiniteMapTx InfiniteMapRx
    DSSNoMatchTCP DataCsumErr OFOQueueTail OFOQueue OFOMerge NoDSSInWindow DuplicateData AddAddr AddAddrTx
    AddAddrTxDrop EchoAdd EchoAddTx EchoAddTxDrop PortAdd AddAddrDrop MPJoinPortSynRx MPJoinPortSynAckRx
    MPJoinPortAckRx MismatchPortSynRx MismatchPortAckRx RmAddr RmAddrDrop RmAddrTx RmAddrTxDrop RmSubflow
    MPPrioTx MPPrioRx MPFailTx MPFailRx MPFastcloseTx MPFastcloseRx MPRstTx MPRstRx SubflowStale SubflowRecover
    SndWndShared RcvWndShared RcvWndConflictUpdate RcvWndConflict MPCurrEstab Blackhole MPCapableDataFallback
    MD5SigFallback DssFallback SimultConnectFallback FallbackFailed WinProbe
""")
"""mptcp_snmp_list."""
ICMP6_TYPES = _names("""
    DestUnreachs PktTooBigs TimeExcds ParmProblems Echos EchoReplies GroupMembQueries GroupMembResponses
    GroupMembReductions RouterSolicits RouterAdvertisements NeighborSolicits NeighborAdvertisements Redirects
    MLDv2Reports
""")
"""snmp6_seq_show_icmpv6msg(): types of messages that have a name."""
UDP6 = _names("""
    InDatagrams NoPorts InErrors OutDatagrams RcvbufErrors SndbufErrors InCsumErrors IgnoredMulti MemErrors
""")
"""snmp6_udp6_list."""
XFRM = _names("""
    XfrmInError XfrmInBufferError XfrmInHdrError XfrmInNoStates XfrmInStateProtoError XfrmInStateModeError
    XfrmInStateSeqError XfrmInStateExpired XfrmInStateMismatch XfrmInStateInvalid XfrmInTmplMismatch
    XfrmInNoPols XfrmInPolBlock XfrmInPolError XfrmOutError XfrmOutBundleGenError XfrmOutBundleCheckError
    XfrmOutNoStates XfrmOutStateProtoError XfrmOutStateModeError XfrmOutStateSeqError XfrmOutStateExpired
    XfrmOutPolBlock XfrmOutPolDead XfrmOutPolError XfrmFwdHdrError XfrmOutStateInvalid XfrmAcquireError
    XfrmOutStateDirError XfrmInStateDirError XfrmInIptfsError XfrmOutNoQueueSpace
""")
"""xfrm_mib_list."""
TLS = _names("""
    TlsCurrTxSw TlsCurrRxSw TlsCurrTxDevice TlsCurrRxDevice TlsTxSw TlsRxSw TlsTxDevice TlsRxDevice
    TlsDecryptError TlsRxDeviceResync TlsDecryptRetry TlsRxNoPadViolation TlsRxRekeyOk TlsRxRekeyError
    TlsTxRekeyOk TlsTxRekeyError TlsRxRekeyReceived
""")
"""tls_mib_list."""

IP6 = {
    IpstatsMib.INPKTS: "InReceives", IpstatsMib.INHDRERRORS: "InHdrErrors", IpstatsMib.INTOOBIGERRORS: "InTooBigErrors",
    IpstatsMib.INNOROUTES: "InNoRoutes", IpstatsMib.INADDRERRORS: "InAddrErrors",
    IpstatsMib.INUNKNOWNPROTOS: "InUnknownProtos", IpstatsMib.INTRUNCATEDPKTS: "InTruncatedPkts",
    IpstatsMib.INDISCARDS: "InDiscards", IpstatsMib.INDELIVERS: "InDelivers",
    IpstatsMib.OUTFORWDATAGRAMS: "OutForwDatagrams", IpstatsMib.OUTREQUESTS: "OutRequests",
    IpstatsMib.OUTDISCARDS: "OutDiscards", IpstatsMib.OUTNOROUTES: "OutNoRoutes",
    IpstatsMib.REASMTIMEOUT: "ReasmTimeout", IpstatsMib.REASMREQDS: "ReasmReqds", IpstatsMib.REASMOKS: "ReasmOKs",
    IpstatsMib.REASMFAILS: "ReasmFails", IpstatsMib.FRAGOKS: "FragOKs", IpstatsMib.FRAGFAILS: "FragFails",
    IpstatsMib.FRAGCREATES: "FragCreates", IpstatsMib.INMCASTPKTS: "InMcastPkts",
    IpstatsMib.OUTMCASTPKTS: "OutMcastPkts", IpstatsMib.INOCTETS: "InOctets", IpstatsMib.OUTOCTETS: "OutOctets",
    IpstatsMib.INMCASTOCTETS: "InMcastOctets", IpstatsMib.OUTMCASTOCTETS: "OutMcastOctets",
    IpstatsMib.INBCASTOCTETS: "InBcastOctets", IpstatsMib.OUTBCASTOCTETS: "OutBcastOctets",
    IpstatsMib.NOECTPKTS: "InNoECTPkts", IpstatsMib.ECT1PKTS: "InECT1Pkts", IpstatsMib.ECT0PKTS: "InECT0Pkts",
    IpstatsMib.CEPKTS: "InCEPkts", IpstatsMib.OUTPKTS: "OutTransmits",
}
"""snmp6_ipstats_list."""
ICMP6 = {
    Icmp6Mib.INMSGS: "InMsgs", Icmp6Mib.INERRORS: "InErrors", Icmp6Mib.OUTMSGS: "OutMsgs",
    Icmp6Mib.OUTERRORS: "OutErrors", Icmp6Mib.CSUMERRORS: "InCsumErrors",
    Icmp6Mib.RATELIMITHOST: "OutRateLimitHost",
}
"""snmp6_icmp6_list; devices do not have the last."""


def snmp(net: Net) -> str:
    """snmp_seq_show()."""
    forwards = FORWARDING if ip4.of(net).conf_all[Ipv4Devconf.FORWARDING] else NOT_FORWARDING
    ttl = settings(net.kernel.build)["ipv4/ip_default_ttl"].read(net)
    tcp = (1, TCP_RTO_MIN, TCP_RTO_MAX, -1)  # RtoAlgorithm to MaxConn: other, the limits, none
    return (
        _in_lines("Ip", IP, (forwards, ttl)) + _in_lines("Icmp", ICMP) + _in_lines("Tcp", TCP, tcp)
        + _in_lines("Udp", UDP)
    )


def netstat(net: Net) -> str:
    """netstat_seq_show()."""
    lines = _in_lines("TcpExt", TCP_EXT) + _in_lines("IpExt", IP_EXT)
    return lines + (_in_lines("MPTcpExt", MPTCP_EXT) if net.kernel.build.has("MPTCP") else "")


def _in_lines(name: str, counters: Sequence[str], told: Sequence[object] = ()) -> str:
    """Names in a line, and below them what is told first, then zeros."""
    values = [str(value) for value in told] + ["0"] * (len(counters) - len(told))
    return f"{name}: {' '.join(counters)}\n{name}: {' '.join(values)}\n"


def _line(name: str, value: int = 0) -> str:
    return f"{name:<32}\t{value}\n"


def _sum(counters: Sequence[Sequence[int] | None], which: int) -> int:
    return sum(one[which] for one in counters if one is not None)


def snmp6(net: Net) -> str:
    """snmp6_seq_show(): of all devices that there are."""
    devices = [device.ip6 for device in net if device.ip6 is not None]
    return _counted6(devices, tuple(ICMP6)) + "".join(_line(f"Udp6{name}") for name in UDP6)


def dev_snmp6(device: Device) -> str:
    """snmp6_dev_seq_show()."""
    devices = [] if device.ip6 is None else [device.ip6]
    return _line("ifIndex", device.ifindex) + _counted6(devices, tuple(ICMP6)[:-1])


def _counted6(devices: Sequence[Inet6Device], icmp6: Sequence[Icmp6Mib]) -> str:
    """What IPv6 and ICMPv6 count. Of messages the model does not count which kind they are."""
    ip = [device.stats for device in devices]
    icmp = [device.icmp6_stats for device in devices]
    lines = [_line(f"Ip6{name}", _sum(ip, number)) for number, name in IP6.items()]
    lines += [_line(f"Icmp6{ICMP6[number]}", _sum(icmp, number)) for number in icmp6]
    lines += [_line(f"Icmp6{way}{kind}") for way in ("In", "Out") for kind in ICMP6_TYPES]
    return "".join(lines)


def xfrm_stat(net: Net) -> str:
    """xfrm_statistics_seq_show()."""
    return "".join(f"{name:<24}\t0\n" for name in XFRM)


def tls_stat(net: Net) -> str:
    """tls_statistics_seq_show()."""
    return "".join(_line(name) for name in TLS)
