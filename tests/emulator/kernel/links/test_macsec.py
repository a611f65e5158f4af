"""MACsec: what traces do not reach: extended packet numbers, ends of numbers, channels that are guessed."""

from __future__ import annotations

from errno import EBUSY, EEXIST, EINVAL, ENOENT, ENOSPC

import pytest

from nlemu.emulator.kernel.devices import flags, links, qdisc
from nlemu.emulator.kernel.devices.device import Device
from nlemu.emulator.kernel.devices.kind import LinkParams
from nlemu.emulator.kernel.kernel import Kernel
from nlemu.emulator.kernel.links.macsec import KIND, MacsecParams
from nlemu.emulator.kernel.macsec import frames
from nlemu.emulator.kernel.macsec.secy import Macsec, RxSc, Sa, Secy, create_channel, make_sci, on, state_of
from nlemu.emulator.kernel.nics.netdevsim.macsec import NetdevsimMacsec
from nlemu.protocol.refusal import Refusal
from nlemu.protocol.uapi.if_link import MacsecValidate
from nlemu.protocol.uapi.if_macsec import MacsecCipherId

FRAME = 90
HERE, THERE = b"\2\0\0\0\0\x10", b"\2\0\0\0\0\x11"


class Line:
    """Two MACsec devices on the two ends of a pair, all up: one sends, the other hears."""

    def __init__(self, **data: int) -> None:
        self.kernel = Kernel()
        net = self.kernel.init_net
        near = links.new_link(net, self.kernel.kinds["veth"], LinkParams(name="v"))
        far = near.ops.get_peer(near)
        assert far is not None
        self.lower = near, far
        self.sender, self.receiver = (
            self.made(f"m{at}", dev, address, **data) for at, (dev, address) in enumerate(((near, HERE), (far, THERE)))
        )
        for dev in (near, far, self.sender, self.receiver):
            flags.change_flags(dev, 1)
        for dev in self.lower:
            qdisc.activate(dev)
        self.channel = create_channel(self.there, self.here.secy.sci, active=True)

    def made(self, name: str, lower: Device, address: bytes, **data: int) -> Device:
        params = LinkParams(name=name, link=lower.ifindex, link_net=lower.net, address=address)
        params.data = MacsecParams(**data)
        return links.new_link(lower.net, KIND, params)

    @property
    def here(self) -> Macsec:
        return state_of(self.sender)

    @property
    def there(self) -> Macsec:
        return state_of(self.receiver)

    def keyed(self, pn: int = 1, expected: int = 1, **more: object) -> tuple[Sa, Sa]:
        """Associations of the same key at both ends."""
        sa, peer = (Sa(bytes(16), bytes(16), number, True) for number in (pn, expected))
        for one in (sa, peer):
            for name, value in more.items():
                setattr(one, name, value)
        self.here.secy.sa[0], self.channel.sa[0] = sa, peer
        self.here.secy.operational = True
        return sa, peer

    def send(self) -> Device | None:
        return frames.transmit(self.sender, FRAME)[1]


def test_a_frame_arrives() -> None:
    line = Line()
    sa, peer = line.keyed()
    before = line.receiver.stats.rx_bytes
    assert line.send() is line.receiver
    assert (sa.next_pn, peer.next_pn, peer.stats.in_pkts_ok, line.channel.stats.in_octets_validated) == (2, 2, 1, 78)
    assert line.receiver.stats.rx_bytes - before == FRAME


def test_without_an_association_nothing_is_sent() -> None:
    line = Line()
    dropped = line.sender.stats.tx_dropped
    line.here.secy.operational = True
    assert line.send() is None
    assert (line.sender.stats.tx_dropped - dropped, line.here.secy.operational) == (1, False)


def test_the_last_number_ends_it() -> None:
    line = Line()
    sa, _ = line.keyed(pn=0xFFFFFFFF)
    assert line.send() is line.receiver
    assert (sa.next_pn, sa.active, line.here.secy.operational) == (0, False, False)
    assert line.send() is None


def test_extended_numbers_are_put_together() -> None:
    line = Line(cipher_suite=int(MacsecCipherId.GCM_AES_XPN_128))
    sa, peer = line.keyed(pn=0xFFFFFFFF, expected=0xFFFFFFFF, ssci=7, salt=bytes(12))
    assert line.send() is line.receiver  # the number that is expected next has its upper half counted on
    assert (sa.next_pn, peer.next_pn) == (1 << 32, 1 << 32)
    assert line.send() is line.receiver
    assert (peer.stats.in_pkts_ok, peer.next_pn) == (2, (1 << 32) + 1)
    peer.ssci = 8
    assert line.send() is None
    assert peer.stats.in_pkts_not_valid == 1


def test_a_window_lets_late_packets_in() -> None:
    line = Line(replay_protect=1, window=10)
    sa, _ = line.keyed(pn=95, expected=100)
    assert line.send() is line.receiver
    sa.next_pn = 89
    assert line.send() is None
    assert (line.channel.stats.in_pkts_ok, line.channel.stats.in_pkts_late) == (1, 1)


@pytest.mark.parametrize("end_station", [False, True])
def test_a_channel_that_is_not_said_is_guessed(end_station: bool) -> None:
    """The one channel of the one device; of an end station, that of its address."""
    line = Line(inc_sci=0, es=int(end_station))
    line.keyed()
    assert line.send() is line.receiver
    create_channel(line.there, 99, active=True)
    assert (line.send() is line.receiver) is end_station


def test_a_check_of_another_length() -> None:
    line = Line(icv_len=8)
    line.keyed()
    line.there.secy.icv_len = 16
    assert line.send() is None
    line.there.secy.validate = int(MacsecValidate.CHECK)
    assert line.send() is None  # the text is another then, and cannot be read
    assert line.channel.stats.in_pkts_not_valid == 2


def test_a_frame_that_does_not_fit_below() -> None:
    line = Line()
    line.keyed()
    line.lower[0].mtu = FRAME
    assert line.send() is None
    assert (line.here.stats.out_pkts_too_long, line.sender.stats.tx_dropped > 0) == (1, True)


def test_nobody_hears_what_is_down() -> None:
    line = Line()
    line.keyed()
    flags.change_flags(line.receiver, 0)
    assert line.send() is None
    assert line.receiver.stats.rx_dropped == 2


def test_several_channels_make_it_say_its_own() -> None:
    secy = Secy(make_sci(HERE, 1), 16, send_sci=False)
    said = [secy.sends_sci]
    secy.rx_sc = [RxSc(1, True), RxSc(2, True)]
    said.append(secy.sends_sci)
    secy.scb = True
    assert [*said, secy.sends_sci] == [False, True, False]


def test_channels_and_identifiers_are_one_s() -> None:
    line = Line()
    with pytest.raises(Refusal) as caught:
        line.made("m2", line.lower[0], HERE)
    assert (caught.value.errno, on(line.lower[0])) == (EBUSY, [line.sender])
    other = line.made("m3", line.lower[1], b"\2\0\0\0\0\x12")
    with pytest.raises(Refusal) as caught:
        create_channel(state_of(other), line.here.secy.sci, active=False)
    assert caught.value.errno == EEXIST


@pytest.mark.parametrize("data", [{"inc_sci": 1, "es": 1}, {"es": 1, "scb": 1}, {"icv_len": 10}, {"replay_protect": 1}])
def test_what_does_not_go_together(data: dict[str, int]) -> None:
    with pytest.raises(Refusal) as caught:
        KIND.validate(LinkParams(data=MacsecParams(**data)))
    assert caught.value.errno == EINVAL


def test_a_port_s_table_is_full() -> None:
    """An entry that is free is found by the identifier 0."""
    table = NetdevsimMacsec()
    for number in range(3):
        table.add_secy(Secy(number + 1, 16))
    with pytest.raises(Refusal) as caught:
        table.add_secy(Secy(4, 16))
    assert caught.value.errno == ENOSPC
    with pytest.raises(Refusal) as caught:
        table.update_secy(Secy(0, 16))
    assert caught.value.errno == ENOENT
    table.delete_secy(Secy(2, 16))
    table.update_secy(Secy(0, 16))
    table.touch_rx_sa(Secy(0, 16), RxSc(0, True))
