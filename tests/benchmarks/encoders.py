"""What each codec and setting makes of the benchmark picture, side by side in one run, without a browser.

`python -m tests.benchmarks.encoders [--size 1280x720] [--frames 36] [--stride 7] [--only av1]` prints a
table; with a stride the picture jumps further from frame to frame than an encoder looks. Time is that of the
process's own threads, so that a busy machine does not blur it; where it is less than the wall clock's, something else
ran. Sharpness is that of libavcodec's decoder; Chromium's canvas measures up to half a dB more.
"""

from __future__ import annotations

import argparse
import io
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any, cast

import av
import numpy as np
from av.video.codeccontext import VideoCodecContext
from av.video.reformatter import ColorRange, Colorspace, Interpolation, VideoReformatter
from numpy.typing import NDArray
from PIL import Image

from reactor_nb.media.codecs import CODECS, COMM_CODECS, open_encoder
from reactor_nb.media.link import StreamSettings
from reactor_nb.media.pixels import PlaneConverter
from reactor_nb.media.quality import FULL_COLOUR, GRADES, QUALITIES, UNCHAINED
from tests.benchmarks.fidelity import block_psnr_db, luma_psnr_db
from tests.benchmarks.picture import MovingPicture

Pixels = NDArray[np.uint8]
Encode = Callable[[Pixels, int], bytes]

RATE_FPS = 30
CAP_BPS = 16_000_000
TICKS = 90_000 // RATE_FPS
TAGS = "scenecut=0:colorprim=smpte170m:transfer=smpte170m:colormatrix=smpte170m:range=tv"
DECODERS = {"libx264": "h264", "libvpx": "vp8", "libvpx-vp9": "vp9", "libsvtav1": "libdav1d"}


@dataclass(frozen=True)
class Candidate:
    """An encoder of libavcodec and its options; `is_capped`: the rate is given as bit_rate as well."""

    label: str
    codec: str
    options: dict[str, str] = field(default_factory=dict)
    pixel_format: str = "yuv420p"
    is_capped: bool = True

    def opened(self, width_px: int, height_px: int) -> Encode:
        context = cast(VideoCodecContext, av.CodecContext.create(self.codec, "w"))
        context.width, context.height, context.pix_fmt = width_px, height_px, self.pixel_format
        context.time_base, context.framerate = Fraction(1, 90_000), Fraction(RATE_FPS)
        context.gop_size, context.thread_count = 1_000_000, 1
        if self.is_capped:
            context.bit_rate = CAP_BPS
        context.options = dict(self.options)
        context.open()
        reformatter = VideoReformatter()

        def encode(pixels: Pixels, number: int) -> bytes:
            frame = reformatter.reformat(
                av.VideoFrame.from_numpy_buffer(pixels, format="rgb24"),
                format=self.pixel_format,
                src_colorspace=Colorspace.ITU601,
                dst_colorspace=Colorspace.ITU601,
                src_color_range=ColorRange.JPEG,
                dst_color_range=ColorRange.MPEG,
                interpolation=Interpolation.AREA,
                threads=1,
            )
            frame.pts, frame.time_base = number * TICKS, context.time_base
            return b"".join(bytes(packet) for packet in context.encode(frame))

        return encode


def x264(label: str, params: str, **options: str) -> Candidate:
    """libx264, fast and without delay, at the cap; the quantizer never below what `params` says."""
    base = {"preset": "ultrafast", "tune": "zerolatency", "profile": "baseline", "bf": "0", "forced-idr": "1"}
    rates = {"maxrate": str(CAP_BPS), "bufsize": str(round(CAP_BPS * 0.15))}
    pixel_format = "yuv444p" if options.get("profile") == "high444" else "yuv420p"
    merged = {**base, **rates, **options, "x264-params": f"{TAGS}:{params}"}
    return Candidate(label, "libx264", merged, pixel_format)


def vpx(label: str, codec: str, **options: str) -> Candidate:
    base = {"deadline": "realtime", "lag-in-frames": "0", "qmin": "2", "qmax": "63"}
    rates = {"maxrate": str(CAP_BPS), "bufsize": str(CAP_BPS // 4)}
    return Candidate(label, codec, {**base, **rates, **options})


def av1(label: str, preset: int, crf: int) -> Candidate:
    params = "rtc=1:pred-struct=1:lp=1:lookahead=0:enable-tf=0"
    options = {"preset": str(preset), "crf": str(crf), "svtav1-params": params}
    return Candidate(label, "libsvtav1", options, is_capped=False)


CANDIDATES = (
    x264("H.264 as issue 2 had it (crf 19)", "", crf="19"),
    x264("H.264 narrow dead zones", "qpmin=20"),
    x264("H.264 superfast", "qpmin=20", preset="superfast"),
    x264("H.264 CABAC (main)", "qpmin=20:cabac=1", profile="main"),
    x264("H.264 4:4:4", "qpmin=20:cabac=0:deadzone-inter=26:deadzone-intra=14", profile="high444"),
    vpx("VP9 speed 8", "libvpx-vp9", **{"cpu-used": "8", "crf": "20", "row-mt": "1"}),
    av1("AV1 (SVT) preset 12, crf 30", 12, 30),
    av1("AV1 (SVT) preset 12, crf 40", 12, 40),
    av1("AV1 (SVT) preset 10, crf 35", 10, 35),
)


def own(codec: str, quality: Any) -> Callable[[int, int], Encode]:
    """The encoder that a stream uses; its size comes with the first frame."""

    def opened(width_px: int, height_px: int) -> Encode:
        settings = StreamSettings(float(RATE_FPS), max_bitrate_bps=GRADES[quality].cap_bps, quality=quality)
        encoder = open_encoder(codec, settings)

        def encode(pixels: Pixels, number: int) -> bytes:
            encoded = encoder.encode(pixels, number * TICKS, False)
            return encoded.payload if encoded is not None else b""

        return encode

    return opened


def still(
    codec: str, pixel_format: str, options: dict[str, str], quantizer: int | None = None
) -> Callable[[int, int], Encode]:
    """An encoder of libavcodec for single images."""

    def opened(width_px: int, height_px: int) -> Encode:
        context = cast(VideoCodecContext, av.CodecContext.create(codec, "w"))
        context.width, context.height, context.pix_fmt = width_px, height_px, pixel_format
        context.time_base, context.thread_count = Fraction(1, 90_000), 1
        if quantizer is not None:
            context.qmin = context.qmax = quantizer
        context.options = options
        context.open()
        reformatter = VideoReformatter()

        def encode(pixels: Pixels, number: int) -> bytes:
            frame = reformatter.reformat(
                av.VideoFrame.from_numpy_buffer(pixels, format="rgb24"),
                format=pixel_format,
                src_colorspace=Colorspace.ITU601,
                dst_colorspace=Colorspace.ITU601,
                src_color_range=ColorRange.JPEG,
                dst_color_range=ColorRange.JPEG if pixel_format.startswith("yuvj") else ColorRange.MPEG,
                interpolation=Interpolation.AREA,
                threads=1,
            )
            frame.pts, frame.time_base = number * TICKS, context.time_base
            return b"".join(bytes(packet) for packet in context.encode(frame))

        return encode

    return opened


def mjpeg(steps: int) -> Callable[[int, int], Encode]:
    options = {"flags": "+qscale", "global_quality": str(steps * 118)}
    return still("mjpeg", "yuvj420p", options, quantizer=steps)


def webp(quality: int) -> Callable[[int, int], Encode]:
    return still("libwebp", "yuv420p", {"quality": str(quality), "compression_level": "0"})


def pillow(image_format: str) -> Callable[[int, int], Encode]:
    def opened(width_px: int, height_px: int) -> Encode:
        def encode(pixels: Pixels, number: int) -> bytes:
            written = io.BytesIO()
            Image.fromarray(pixels).save(written, image_format, quality=80, method=0)
            return written.getvalue()

        return encode

    return opened


def rows() -> Iterator[tuple[str, str, Callable[[int, int], Encode]]]:
    """(label, name of the decoder, how to open it)."""
    for codec in (*CODECS, FULL_COLOUR):
        for quality in QUALITIES[:3]:
            yield f"own {codec} {quality}", codec.partition("-")[0].lower(), own(codec, quality)
    for candidate in CANDIDATES:
        yield candidate.label, DECODERS[candidate.codec], candidate.opened
    for codec in UNCHAINED.intersection(COMM_CODECS):
        for quality in QUALITIES[:3]:
            yield f"own {codec} {quality}", "mjpeg", own(codec, quality)
    for steps in (5, 3):
        yield f"image JPEG by libavcodec, qscale {steps}", "mjpeg", mjpeg(steps)
    yield "image WebP by libwebp, quality 75, fastest", "webp", webp(75)
    for image_format in ("JPEG", "WEBP"):
        yield (
            f"image {image_format} by Pillow, quality 80",
            image_format.replace("JPEG", "mjpeg").lower(),
            pillow(image_format),
        )


def measured(decoder_name: str, encode: Encode, frames: list[Pixels]) -> tuple[float, ...]:
    """cpu ms, wall ms, keyframe kB, Mbit/s, luma dB, block dB: medians and means after a third of the frames."""
    decoder = cast(VideoCodecContext, av.CodecContext.create(decoder_name, "r"))
    decoder.thread_count = 1
    settled = len(frames) // 3
    cpu_ms, wall_ms, sizes, luma_db, block_db = [], [], [], [], []
    shown = 0
    for number, pixels in enumerate(frames):
        began = time.process_time(), time.perf_counter()
        payload = encode(pixels, number)
        cpu_ms.append(1000 * (time.process_time() - began[0]))
        wall_ms.append(1000 * (time.perf_counter() - began[1]))
        sizes.append(len(payload))
        for picture in decoder.decode(av.Packet(payload)) if payload else ():
            if shown >= settled and shown % 3 == 0:
                # A JPEG may have smaller sides than its frame.
                height_px, width_px = pixels.shape[:2]
                shown_there = picture.reformat(width_px, height_px, "rgb24", interpolation=Interpolation.BILINEAR)
                decoded = np.asarray(shown_there.to_ndarray(), np.uint8)
                luma_db.append(luma_psnr_db(decoded, frames[shown]))
                block_db.append(block_psnr_db(decoded, frames[shown]))
            shown += 1
    rate_mbps = sum(sizes[settled:]) * 8 * RATE_FPS / len(sizes[settled:]) / 1e6
    key_kb = sizes[0] / 1000
    medians = float(np.median(cpu_ms[settled:])), float(np.median(wall_ms[settled:]))
    return (*medians, key_kb, rate_mbps, float(np.mean(luma_db)), float(np.mean(block_db)))


def conversions(pixels: Pixels) -> Iterator[tuple[str, Callable[[], object]]]:
    """Ways from RGB to I420. cv2 takes the colour of one pixel in four; averaged as the others do, it costs more."""
    converter = PlaneConverter()
    yield "swscale, reused, colours averaged (own)", lambda: converter.to_planes(pixels)
    yield "swscale, a new context each time", lambda: PlaneConverter().to_planes(pixels)
    try:
        import cv2
    except ImportError:
        return
    cv2.setNumThreads(1)
    height_px, width_px = pixels.shape[:2]
    planes = np.empty((height_px * 3 // 2, width_px), np.uint8)
    matrix = np.array([[-37.797, -74.203, 112.0, 128 * 255], [112.0, -93.786, -18.214, 128 * 255]]) / 255

    def averaged() -> None:
        cv2.cvtColor(pixels, cv2.COLOR_RGB2YUV_I420, dst=planes)
        small = cv2.resize(pixels, (width_px // 2, height_px // 2), interpolation=cv2.INTER_AREA)
        planes[height_px:] = np.stack(cv2.split(cv2.transform(small, matrix))).reshape(-1, width_px)

    yield "cv2, colours picked", lambda: cv2.cvtColor(pixels, cv2.COLOR_RGB2YUV_I420, dst=planes)
    yield "cv2, colours averaged", averaged


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--size", default="1280x720")
    arguments.add_argument("--frames", type=int, default=36)
    arguments.add_argument("--stride", type=int, default=1, help="take every so many-th frame of the picture")
    arguments.add_argument("--only", default="", help="rows whose label contains this")
    given = arguments.parse_args()
    width_px, height_px = map(int, given.size.split("x"))
    picture = MovingPicture(width_px, height_px)
    frames = [picture.frame(number * given.stride).copy() for number in range(given.frames)]
    print(f"{width_px}x{height_px}, {RATE_FPS} fps, {len(frames)} frames of the benchmark picture, one thread\n")
    print("| | cpu ms | wall ms | key kB | Mbit/s | luma dB | block dB |\n|---|---|---|---|---|---|---|")
    for label, decoder_name, opened in rows():
        if given.only.lower() in label.lower():
            figures = measured(decoder_name, opened(width_px, height_px), frames)
            print(f"| {label} | " + " | ".join(f"{figure:.1f}" for figure in figures) + " |", flush=True)
    if given.only:
        return
    print("\n| RGB to I420 | cpu ms |\n|---|---|")
    for label, convert in conversions(frames[0]):
        spent_ms = []
        for _ in range(30):
            began_s = time.process_time()
            convert()
            spent_ms.append(1000 * (time.process_time() - began_s))
        print(f"| {label} | {np.median(spent_ms):.2f} |", flush=True)


if __name__ == "__main__":
    main()
