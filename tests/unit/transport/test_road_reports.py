"""What a page reports of the road (RTCP) reaches the rate, through aiortc's own sender."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from aiortc import RTCConfiguration, RTCPeerConnection
from aiortc.rtp import (
    RTCP_PSFB_APP,
    RTCP_RTPFB_NACK,
    RtcpPsfbPacket,
    RtcpReceiverInfo,
    RtcpRrPacket,
    RtcpRtpfbPacket,
    pack_remb_fci,
)

from reactor_nb.media.encoders import EncodedFrame
from reactor_nb.media.rate import FAR_BPS, WIDE_BPS
from reactor_nb.transport.gathering import Reach
from reactor_nb.transport.webrtc import Peer


class Events:
    """Takes what a peer tells its owner, and keeps what is asked about here."""

    def __init__(self) -> None:
        self.keyframes = 0
        self.rates_bps: list[int] = []

    def text_came(self, peer: Peer, text: str | bytes) -> None: ...

    def peer_opened(self, peer: Peer) -> None: ...

    def frame_sent(self, peer: Peer, frame: EncodedFrame, rtp_origin: int | None) -> None: ...

    def peer_ended(self, peer: Peer, reason: str) -> None: ...

    def keyframe_wanted(self, peer: Peer) -> None:
        self.keyframes += 1

    def road_changed(self, peer: Peer) -> None:
        self.rates_bps.append(peer.road.rate_bps)


Check = Callable[[Peer, Any, Events], Awaitable[None]]


def on_a_peer(check: Check, *, is_this_machine: bool = False) -> None:
    """Run a check on a peer that answered an offer, and on aiortc's sender of it."""

    async def run() -> None:
        page = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        page.addTransceiver("video", direction="recvonly")
        page.createDataChannel("calls")
        await page.setLocalDescription(await page.createOffer())
        events = Events()
        peer = Peer("view", events, is_this_machine=is_this_machine)
        try:
            await peer.answer(page.localDescription.sdp, ("H264",), Reach(("127.0.0.1",)))
            assert peer.features["road_reports"]
            assert peer._connection is not None
            await check(peer, peer._connection.getSenders()[0], events)
        finally:
            await peer.close()
            await page.close()

    asyncio.run(run())


def receiver_report(sender: Any, highest_sequence: int, lost: int, ssrc: int | None = None) -> RtcpRrPacket:
    media_ssrc = sender._ssrc if ssrc is None else ssrc
    info = RtcpReceiverInfo(
        ssrc=media_ssrc, fraction_lost=0, packets_lost=lost, highest_sequence=highest_sequence, jitter=0, lsr=0, dlsr=0
    )
    return RtcpRrPacket(ssrc=1, reports=[info])


def sent(peer: Peer, bps: float) -> None:
    peer.road.sent(round(bps / 8), asyncio.get_running_loop().time())


async def lose_half(peer: Peer, sender: Any, ssrc: int | None = None) -> None:
    """A report that half of the packets were lost since one a moment ago."""
    peer.road.report(0, 0, asyncio.get_running_loop().time() - 0.3)
    sent(peer, 4e6)
    await sender._handle_rtcp_packet(receiver_report(sender, 100, 50, ssrc))


def test_a_report_of_much_loss_lowers_the_rate() -> None:
    async def check(peer: Peer, sender: Any, events: Events) -> None:
        assert peer.road.rate_bps == FAR_BPS
        await lose_half(peer, sender)
        assert events.rates_bps == [peer.road.rate_bps] == [1_500_000]
        assert peer.stats()["road"] == {"rate_bps": 1_500_000, "cuts": 1}

    on_a_peer(check)


def test_a_page_on_this_machine_begins_without_a_limit() -> None:
    async def check(peer: Peer, sender: Any, events: Events) -> None:
        assert peer.road.rate_bps == WIDE_BPS

    on_a_peer(check, is_this_machine=True)


def test_reports_of_another_stream_are_passed_over() -> None:
    async def check(peer: Peer, sender: Any, events: Events) -> None:
        await lose_half(peer, sender, ssrc=sender._ssrc ^ 1)
        for bps in (9e6, 300e3):
            fci = pack_remb_fci(int(bps), [sender._ssrc ^ 1])
            await sender._handle_rtcp_packet(RtcpPsfbPacket(fmt=RTCP_PSFB_APP, ssrc=1, media_ssrc=0, fci=fci))
        assert events.rates_bps == []

    on_a_peer(check)


def test_a_falling_estimate_lowers_the_rate() -> None:
    async def check(peer: Peer, sender: Any, events: Events) -> None:
        sent(peer, 4e6)
        for bps in (4_000_000, 2_000_000):
            fci = pack_remb_fci(bps, [sender._ssrc])
            await sender._handle_rtcp_packet(RtcpPsfbPacket(fmt=RTCP_PSFB_APP, ssrc=1, media_ssrc=0, fci=fci))
        assert events.rates_bps == [pytest.approx(2_000_000, rel=0.01)]

    on_a_peer(check)


@pytest.mark.parametrize("fci", [b"", b"REMB", b"XXXX" + bytes(12), b"REMB\xff" + bytes(7)])
def test_a_message_that_is_no_estimate_is_passed_over(fci: bytes) -> None:
    async def check(peer: Peer, sender: Any, events: Events) -> None:
        await sender._handle_rtcp_packet(RtcpPsfbPacket(fmt=RTCP_PSFB_APP, ssrc=1, media_ssrc=0, fci=fci))
        assert events.rates_bps == []

    on_a_peer(check)


def missing(*sequences: int) -> RtcpRtpfbPacket:
    packet = RtcpRtpfbPacket(fmt=RTCP_RTPFB_NACK, ssrc=1, media_ssrc=0)
    packet.lost = list(sequences)
    return packet


def test_a_missing_packet_that_is_forgotten_is_replaced_by_a_keyframe() -> None:
    async def check(peer: Peer, sender: Any, events: Events) -> None:
        await sender._handle_rtcp_packet(missing(17))
        assert events.keyframes == 1

    on_a_peer(check)


def test_on_a_choked_road_nothing_is_sent_twice() -> None:
    async def check(peer: Peer, sender: Any, events: Events) -> None:
        again: list[int] = []

        async def retransmit(sequence: int) -> None:
            again.append(sequence)

        sender._retransmit = retransmit
        await sender._handle_rtcp_packet(missing(1, 2))
        await lose_half(peer, sender)
        await sender._handle_rtcp_packet(missing(3, 4))
        assert (again, events.keyframes) == ([1, 2], 2)

    on_a_peer(check)
