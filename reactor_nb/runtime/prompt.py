"""The prompt in a terminal: history, completion, and a live line under it. The only file with prompt_toolkit."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from prompt_toolkit import PromptSession
from prompt_toolkit.completion import CompleteEvent, Completer, Completion
from prompt_toolkit.document import Document
from prompt_toolkit.history import FileHistory, History, InMemoryHistory
from prompt_toolkit.patch_stdout import patch_stdout

from reactor_nb.runtime.orders import options
from reactor_nb.runtime.shell import Shell

_REFRESH_S = 0.5


def read_terminal(shell: Shell) -> None:
    """Read orders until `quit` or Ctrl-D. What is printed meanwhile, by any thread, stands above the prompt.

    Threads: the main one.
    """
    prompt: PromptSession[str] = PromptSession(
        "reactor> ",
        history=_history(),
        completer=_Orders(shell),
        complete_while_typing=True,
        bottom_toolbar=lambda: f" {shell.status()} ",
        refresh_interval=_REFRESH_S,
    )
    with patch_stdout(raw=True):
        while True:
            is_performing = False
            try:
                line = prompt.prompt()
                is_performing = True
                if not shell.perform(line):
                    return
            except KeyboardInterrupt:
                # At the prompt Ctrl-C takes the line away; while an order waits it ends the waiting.
                if is_performing:
                    shell.say("[WARN] not waited for any more; the model goes on. Type: stop")
            except EOFError:
                return


class _Orders(Completer):
    def __init__(self, shell: Shell) -> None:
        self._shell = shell

    def get_completions(self, document: Document, complete_event: CompleteEvent) -> Iterable[Completion]:
        for option in options(document.text_before_cursor, self._shell.commands):
            yield Completion(option.text, -option.typed, display_meta=option.summary)


def _history() -> History:
    """Kept in the user's state folder; in memory where that cannot be written."""
    from platformdirs import user_state_path

    file = Path(user_state_path("reactor")) / "history"
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch()
    except OSError:
        return InMemoryHistory()
    return FileHistory(str(file))
