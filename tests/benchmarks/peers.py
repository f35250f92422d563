"""Who is compared: this project and what a user would pick instead, each as the cells that start it."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import psutil

from tests.benchmarks.model_loop import Job

ROOT = Path(__file__).resolve().parents[2]
START_TIMEOUT_S = 60.0


@dataclass(frozen=True)
class Peer:
    """A way to bring frames to a page.

    Args:
        root: selector of the element that shows that the page has begun with it.
        picture: selector of the element that shows the frames.
        start: the cell that starts it; the time from its first line to the first frame is measured.
        carrier: the one rung of this project's ladder that it is held to; empty climbs by itself.
        has_server: it serves from a process of its own, not from the kernel: no cell can disturb it.
    """

    name: str
    root: str
    picture: str
    start: str
    prepare: str = ""
    carrier: str = ""
    has_server: bool = False
    has_slider: bool = False
    has_calls: bool = False
    is_ours: bool = False


OURS = Peer(
    name="reactor_nb",
    root=".reactor-viewer",
    picture=".reactor-viewer canvas",
    prepare="%load_ext reactor_nb\nfrom tests.benchmarks.bench_model import Bench",
    start="%reactor run bench",
    has_slider=True,
    has_calls=True,
    is_ours=True,
)
REACTOR = Peer(
    name="Reactor 1.2.1",
    root="video.bench-reactor",
    picture="video.bench-reactor",
    start="",
    has_server=True,
)
AIORTC = Peer(
    name="aiortc",
    root="video.bench-aiortc",
    picture="video.bench-aiortc",
    prepare="from tests.benchmarks import aiortc_plain",
    start="aiortc_plain.start()",
)
RFB = Peer(
    name="jupyter_rfb",
    root=".renderview-wrapper",
    picture=".renderview-wrapper img",
    start="kernel_side.start_rfb()",
    has_slider=True,
)
IMAGE = Peer(
    name="ipywidgets.Image",
    root="img.widget-image",
    picture="img.widget-image",
    start="kernel_side.start_image()",
    has_slider=True,
)
PEERS = (OURS, REACTOR, AIORTC, RFB, IMAGE)

# This project on one rung each, by the words of the View's status line.
WEBRTC = replace(OURS, name="WebRTC", carrier="webrtc")
VIDEO = replace(OURS, name="video over Jupyter", carrier="comm")
JPEG = replace(OURS, name="JPEG over Jupyter", carrier="jpeg")
RUNGS = (WEBRTC, VIDEO, JPEG)
# Its page is kept from every other way to the kernel.
TURN = replace(WEBRTC, name="WebRTC by TURN over TCP")
CLIMBING = replace(OURS, name="the ladder", carrier="auto")
"""As it comes: it moves between the rungs."""


def start_cell(peer: Peer, job: Job, port: int | None) -> str:
    """The source of the cell that starts it; a cap above the default 30 fps is asked for by name."""
    if peer is REACTOR:
        return _REACTOR_CELL.replace("PORT", str(port))
    options = [f"--carrier {peer.carrier}"] if peer.carrier else []
    if peer.is_ours and job.rate_fps > 30:
        options.append(f"--model.fps={job.rate_fps:g}")
    return " ".join([peer.start, *options])


@contextmanager
def server_of(peer: Peer, job: Job, log: Path) -> Iterator[tuple[int | None, int | None]]:
    """The process and port that serve a peer, ready; (None, None) where the kernel does."""
    if not peer.has_server:
        yield None, None
        return
    port = _free_port()
    command = [str(peer_python()), "-m", "tests.benchmarks.reactor_server", "--port", str(port), "--job", job.as_text()]
    with log.open("wb") as output:
        process = subprocess.Popen(
            command,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
        )
        try:
            _until_ready(process, port, log)
            yield process.pid, port
        finally:
            _end(process)


def peer_python() -> Path:
    """The Python of the original's environment: REACTOR_PEER_PYTHON, or the one that make sets up."""
    return Path(os.environ.get("REACTOR_PEER_PYTHON") or ROOT / ".venv-peer" / "bin" / "python")


def missing(peer: Peer) -> str | None:
    """Why a peer cannot be measured here, with the line to type."""
    if peer.has_server and not peer_python().exists():
        return f"{peer.name} was not measured: it is not installed in .venv-peer. Type: make bench"
    return None


def _end(process: subprocess.Popen[bytes]) -> None:
    """With the processes that it started: they outlive it, and so would its shared memory.

    Its resource tracker is left to end by itself: it removes that memory once nobody else is there.
    """
    started = psutil.Process(process.pid).children(recursive=True)
    process.send_signal(signal.SIGINT)
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    for child in started:
        try:
            if "resource_tracker" not in " ".join(child.cmdline()):
                child.kill()
        except psutil.NoSuchProcess:
            continue
    psutil.wait_procs(started, timeout=5)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _until_ready(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    deadline_s = time.monotonic() + START_TIMEOUT_S
    pause = threading.Event()
    while time.monotonic() < deadline_s and process.poll() is None:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=5) as answer:
                if b"READY" in answer.read():
                    return
        except (urllib.error.URLError, ConnectionError):
            pass
        pause.wait(0.1)
    raise RuntimeError(f"the server of the peer did not start. The end of its log:\n{log.read_text()[-2000:]}")


# The page of the original is not on PyPI: this one speaks its signalling and shows its track, no more.
_REACTOR_CELL = """
from IPython.display import HTML, display
display(HTML('''<video class="bench-reactor" autoplay muted playsinline></video><script>
(async () => {
  const at = "http://127.0.0.1:PORT";
  const video = document.querySelector("video.bench-reactor");
  const peer = new RTCPeerConnection();
  peer.createDataChannel("data");
  peer.addTransceiver("video", { direction: "sendrecv" });
  peer.ontrack = ({ track }) => (video.srcObject = new MediaStream([track]));
  const gathered = new Promise((done) =>
    peer.addEventListener("icegatheringstatechange", () => peer.iceGatheringState === "complete" && done()),
  );
  await peer.setLocalDescription(await peer.createOffer());
  await gathered;
  const post = (path, body) => fetch(at + path, {
    method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body),
  });
  await post("/start_session", {});
  const answer = await post("/sdp_params", { type: "offer", sdp: peer.localDescription.sdp });
  await peer.setRemoteDescription(await answer.json());
})();
</script>'''))
""".strip()
