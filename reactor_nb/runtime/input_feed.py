"""InputFeed: a video file or a folder of pictures in the place of a camera."""

from __future__ import annotations

import os
import threading
import time

from reactor_nb.core.session import Session
from reactor_nb.errors import MediaFileError, NotStreamingError, ReactorError


class InputFeed:
    """Shows the frames of a file to a session at their own pace, once, on the thread `reactor-input-<name>`.

    As with a camera, a model that is slower skips frames. After the last one the session goes on.

    Args:
        path: a video, or a folder of pictures, which come at the session's rate.
    Raises:
        MediaFileError: the file cannot be opened.
    Threads: made and closed on any but the session's own.
    """

    def __init__(self, session: Session, path: str | os.PathLike[str]) -> None:
        # It loads the video library.
        from reactor_nb.media.input_file import open_frames

        self.error: ReactorError | None = None
        """Why it ended early: a file that is damaged further on."""
        self._session = session
        self._source = open_frames(path)
        self._interval_s = 1.0 / (self._source.rate_fps or session.max_fps)
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._main, name=f"reactor-input-{session.name}", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Show no more, and let go of the file. Idempotent."""
        self._closing.set()
        self._thread.join()

    def _main(self) -> None:
        unsubscribe = self._session.subscribe(
            lambda event: self._closing.set() if event.data.get("state") in ("ended", "failed") else None
        )
        try:
            if self._session.wait_ready():
                self._show_all()
        except NotStreamingError:
            return  # the session has ended
        except MediaFileError as error:
            self.error = error
            self._session.log.note(f"the input ends here: {error}")
        finally:
            unsubscribe()
            self._source.close()

    def _show_all(self) -> None:
        began_s = time.monotonic()
        for number, frame in enumerate(self._source):
            if self._closing.wait(max(0.0, began_s + number * self._interval_s - time.monotonic())):
                return
            self._session.show(frame)
