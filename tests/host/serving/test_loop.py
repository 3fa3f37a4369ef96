"""The loop of the host: calls from other threads, and time."""

from __future__ import annotations

import threading

from hcsshim.host.serving.loop import Loop


def run_loop(begin: object) -> list[BaseException]:
    """Run a loop until it is stopped; give the failures it was told of."""
    failures: list[BaseException] = []
    loop = Loop(failures.append)
    begin(loop)  # type: ignore[operator]  # it is a function
    loop.run()
    loop.close()
    return failures


def test_calls_of_other_threads_run_in_the_loops_own() -> None:
    """
    A thread may ask for a call, also while the loop waits; it runs where all others do.
    """
    ran: list[int] = []
    threads: list[threading.Thread] = []

    def begin(loop: Loop) -> None:
        def note() -> None:
            ran.append(threading.get_ident())
            if len(ran) == 100:
                loop.stop()

        def ask() -> None:
            for _ in range(50):
                loop.call_from_thread(note)

        threads.extend(threading.Thread(target=ask) for _ in range(2))
        for thread in threads:
            thread.start()

    failures = run_loop(begin)

    for thread in threads:
        thread.join()
    assert failures == []
    assert [threading.get_ident()] * 100 == ran


def test_a_call_that_fails_is_told_of_and_ends_nothing() -> None:
    """
    The loop goes on after an exception, which is not lost.
    """

    def begin(loop: Loop) -> None:
        def fail() -> None:
            raise ValueError("on purpose")

        loop.call_soon(fail)
        loop.call_later(0.01, loop.stop)

    failures = run_loop(begin)

    assert ["on purpose"] == [str(failure) for failure in failures]
