"""The rate of a real stream follows what its page reports, in threads and in a process of the media's own."""

from __future__ import annotations

import itertools
import socket

import numpy as np
import pytest
from aiortc.rtp import RtcpReceiverInfo, RtcpRrPacket

from reactor_nb.core.frames import to_block
from reactor_nb.media.link import MAX_BITRATE_BPS, MediaLink, StreamSettings
from reactor_nb.media.rate import FAR_BPS, WIDE_BPS
from tests.loopback.conftest import OpenPage, picture
from tests.loopback.page import Page
from tests.support.eventually import eventually

pytestmark = pytest.mark.loopback

SETTINGS = StreamSettings(rate_fps=60.0)


def own_address() -> str:
    """An address of this machine that is not 127.0.0.1; "" where there is none."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # A datagram socket that is connected has sent nothing.
        except OSError:
            return ""
        address: str = probe.getsockname()[0]
        return "" if address.startswith("127.") else address


def road_bps(link: MediaLink, page: Page) -> int:
    rate: int = link.stats("plasma")["peers"][page.view_id]["road"]["rate_bps"]
    return rate


def encoder_bps(link: MediaLink) -> int:
    (encoder,) = link.stats("plasma")["encoders"].values()
    rate: int = encoder["rate_bps"]
    return rate


async def report_loss(page: Page, packets: int) -> None:
    """Say that half of so many packets were lost since the beginning."""
    receiver = page.connection.getReceivers()[0]
    for source in receiver.getSynchronizationSources():
        info = RtcpReceiverInfo(
            ssrc=source.source,
            fraction_lost=128,
            packets_lost=packets // 2,
            highest_sequence=1_000_000 + packets,
            jitter=0,
            lsr=0,
            dlsr=0,
        )
        await receiver.transport._send_rtp(bytes(RtcpRrPacket(ssrc=1, reports=[info])))


def test_a_page_that_loses_packets_is_sent_less(link: MediaLink, open_page: OpenPage) -> None:
    sink = link.open_stream("plasma", SETTINGS)
    page = open_page()
    sink.put(to_block(picture(0)))
    eventually(lambda: len(page.frames) > 0)
    assert (road_bps(link, page), encoder_bps(link)) == (WIDE_BPS, MAX_BITRATE_BPS)
    random = np.random.default_rng(0)
    packets = itertools.count(0, 200)

    def is_lower() -> bool:
        sink.put(to_block(random.integers(0, 255, (240, 320, 3), dtype=np.uint8)))
        page.loop.submit(report_loss(page, next(packets))).result(2.0)
        return encoder_bps(link) < MAX_BITRATE_BPS

    eventually(is_lower, 10.0)
    assert road_bps(link, page) < MAX_BITRATE_BPS


def test_a_page_on_another_machine_begins_with_care(link: MediaLink, open_page: OpenPage) -> None:
    address = own_address()
    if not address:
        pytest.skip("this machine has no address but 127.0.0.1")
    link.open_stream("plasma", SETTINGS)
    page = open_page(hostname=address)
    assert (road_bps(link, page), encoder_bps(link)) == (FAR_BPS, FAR_BPS)
