"""The bounded log of what a model prints."""

from __future__ import annotations

import threading

from reactor_nb.core.log import Log, bind_log, log_of_thread


def test_lines_are_kept_up_to_a_bound() -> None:
    log = Log(max_lines=3)
    for number in range(10):
        log.write(f"line {number}\n")
    assert log.text() == "line 7\nline 8\nline 9\n"


def test_a_progress_bar_writes_its_line_anew() -> None:
    log = Log()
    log.write("start\n")
    for percent in (0, 50, 100):
        log.write(f"\r{percent:3d}%|{'#' * (percent // 10)}")
    log.write("\ndone")
    assert log.text() == "start\n100%|##########\ndone"


def test_a_carriage_return_at_the_end_keeps_the_line_to_be_read() -> None:
    log = Log()
    log.write("50%\r")
    assert log.text() == "50%"
    log.write("100%\r")
    assert log.text() == "100%"


def test_windows_line_ends_are_line_ends() -> None:
    log = Log()
    log.write("a\r\nb\r\n")
    assert log.text() == "a\nb\n"


def test_colours_are_left_out() -> None:
    log = Log()
    log.write("\x1b[31mred\x1b[0m\n")
    assert log.text() == "red\n"


def test_the_tail_begins_at_a_whole_line() -> None:
    log = Log()
    log.write("first line\nsecond line\n")
    assert log.text(15) == "second line\n"
    assert log.text(4) == "ine\n"
    assert log.text(1000) == "first line\nsecond line\n"


def test_a_line_without_an_end_does_not_grow_for_ever() -> None:
    log = Log()
    for _ in range(100):
        log.write("x" * 1000)
    assert len(log.text()) == 2000


def test_a_note_stands_on_a_line_of_its_own() -> None:
    log = Log()
    log.write("half a line")
    log.note("something happened")
    assert log.text() == "half a line\nreactor: something happened\n"


def test_listeners_are_told_of_each_write_until_they_leave() -> None:
    log = Log()
    texts: list[str] = []
    leave = log.subscribe(lambda: texts.append(log.text()))
    log.write("a")
    log.write("")
    leave()
    leave()
    log.write("b")
    assert texts == ["a"]


def test_a_thread_has_the_log_that_was_bound_last() -> None:
    outer, inner = Log(), Log()
    ident = threading.get_ident()
    assert log_of_thread(ident) is None
    with bind_log(outer):
        with bind_log(inner):
            assert log_of_thread(ident) is inner
        assert log_of_thread(ident) is outer
        seen: list[Log | None] = []
        other = threading.Thread(target=lambda: seen.append(log_of_thread(threading.get_ident())))
        other.start()
        other.join()
        assert seen == [None]
    assert log_of_thread(ident) is None


def test_many_threads_may_write_at_once() -> None:
    log = Log(max_lines=10_000)

    def write_many() -> None:
        for _ in range(200):
            log.write("line\n")

    threads = [threading.Thread(target=write_many) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert log.text().count("line\n") == 800
