"""The client of the embedded host, against a host that follows a script."""

from __future__ import annotations

import asyncio
import os
import signal
import struct
import threading
from typing import TYPE_CHECKING

import pytest

from hcsshim._ffi import lib
from hcsshim._native import calls
from hcsshim._native.port import GENERIC_ALL, Completion, Event
from hcsshim._native.service import NativeService
from hcsshim.errors import (
    HandleClosedError,
    HcsError,
    HcsTimeoutError,
    NotSupportedError,
    ServiceDisconnectedError,
)

if TYPE_CHECKING:
    from pathlib import Path

    from hcsshim._native.service import NativeOperation

    from .conftest import ScriptedHost

ANSWER, EVENT, CANCEL = 4, 5, 6


def open_system(service: NativeService) -> NativeOperation:
    """Submit the simplest call that creates a handle."""
    return service.submit("HcsOpenComputeSystem", "web", GENERIC_ALL)


def test_call_is_written_as_the_table_says(
    service: NativeService, scripted: ScriptedHost
) -> None:
    """
    Arguments cross in the table's order: text, numbers, the chosen handle.
    """
    operation = open_system(service)

    kind, call, key, body = scripted.read()

    assert (3, calls.number("HcsOpenComputeSystem")) == (kind, call)
    assert operation.ticket == key
    assert struct.pack("<I3sIQ", 3, b"web", GENERIC_ALL, 0)[:7] == body[:7]
    assert (GENERIC_ALL, operation.handle) == struct.unpack("<IQ", body[7:])


def test_null_and_empty_text_differ(
    service: NativeService, scripted: ScriptedHost
) -> None:
    """
    ``None`` is NULL on the wire and an empty string is an empty string.
    """
    service.submit("HcsEnumerateComputeSystems", None)
    service.submit("HcsEnumerateComputeSystems", "")

    assert b"\xff\xff\xff\xff" == scripted.read()[3]
    assert b"\0\0\0\0" == scripted.read()[3]


def test_answer_arrives(service: NativeService, scripted: ScriptedHost) -> None:
    """
    The outcome, the document and the process id of an answer reach the caller.
    """
    operation = open_system(service)
    scripted.write(
        ANSWER,
        operation.ticket,
        hresult=-2143878899,
        text='{"Error":"ü"}'.encode(),
        tail=struct.pack("<I", 17),
    )

    assert Completion(0x8037010D, '{"Error":"ü"}', 17) == operation.result(5)
    assert operation.result(0) is operation.result(None)


def test_large_documents_cross(service: NativeService, scripted: ScriptedHost) -> None:
    """
    A document of 10 MB arrives whole, both ways.
    """
    document = "x" * 10_000_000
    received: list[bytes] = []
    reader = threading.Thread(target=lambda: received.append(scripted.read()[3]))
    reader.start()
    operation = service.submit("HcsEnumerateComputeSystems", document)
    reader.join()
    scripted.answer(operation.ticket, text=document.encode())

    assert len(document) + 4 == len(received[0])
    assert document == operation.result(5).document


def test_descriptors_belong_to_their_answer(
    service: NativeService, scripted: ScriptedHost
) -> None:
    """
    Descriptors come with the answer that announces them, and no other.
    """
    first, second = open_system(service), open_system(service)
    read_end, write_end = os.pipe()
    for operation, detail in ((second, 0), (first, 0b110)):
        scripted.write(
            ANSWER,
            operation.ticket,
            detail=detail,
            tail=b"\0\0\0\0",
            files=(write_end, write_end) if detail else (),
        )
    os.close(write_end)

    files = first.result(5).files

    assert (-1, -1, -1) == second.result(5).files
    assert -1 == files[0]
    os.write(files[2], b"through")
    os.close(files[1])
    os.close(files[2])
    assert b"through" == os.read(read_end, 100)
    assert b"" == os.read(read_end, 100)
    os.close(read_end)


def test_descriptors_of_an_abandoned_call_are_closed(
    service: NativeService, scripted: ScriptedHost
) -> None:
    """
    A late answer to an abandoned call leaves nothing open, and was cancelled.
    """
    operation, other = open_system(service), open_system(service)
    operation.abandon()
    read_end, write_end = os.pipe()
    scripted.write(
        ANSWER, operation.ticket, detail=1, tail=b"\0\0\0\0", files=(write_end,)
    )
    os.close(write_end)
    scripted.answer(other.ticket)
    other.result(5)

    assert b"" == os.read(read_end, 1)
    os.close(read_end)
    frames = [scripted.read()[:3] for _ in range(3)]
    assert (CANCEL, 0, operation.ticket) == frames[2]
    with pytest.raises(HandleClosedError, match="HcsOpenComputeSystem"):
        operation.result(0)


def test_abandoning_wakes_who_waits(
    service: NativeService, scripted: ScriptedHost
) -> None:
    """
    Threads and tasks that wait for a call are told when another gives it up.
    """

    async def scenario() -> None:
        operation = open_system(service)
        blocked = asyncio.create_task(asyncio.to_thread(operation.result, 30))
        awaiting = asyncio.create_task(operation.completed(30))
        await asyncio.sleep(0)
        operation.abandon()
        with pytest.raises(HandleClosedError):
            await blocked
        with pytest.raises(HandleClosedError):
            await awaiting
        scripted.answer(operation.ticket)

    asyncio.run(scenario())


def test_timeout_leaves_the_call_alone(
    service: NativeService, scripted: ScriptedHost
) -> None:
    """
    After a timeout the same call can be waited for again.
    """
    operation = open_system(service)

    with pytest.raises(HcsTimeoutError):
        operation.result(0.01)
    scripted.answer(operation.ticket)

    assert 0 == operation.result(5).hresult


def test_every_waiter_learns_that_the_host_died(
    service: NativeService, scripted: ScriptedHost
) -> None:
    """
    When the host goes away all open calls end, and new ones are refused.
    """
    operations = [open_system(service) for _ in range(20)]
    subscription = service.subscribe(
        "HcsSetComputeSystemCallback", operations[0].handle
    )
    scripted.close()

    assert {0x8037011E} == {operation.result(5).hresult for operation in operations}
    assert Event(0x02000000, 0x8037011E, None) == subscription.next(5)
    assert subscription.next(5) is None
    assert not service.alive
    with pytest.raises(ServiceDisconnectedError):
        open_system(service)
    service.send("HcsCloseComputeSystem", operations[0].handle)


def test_closed_handle_is_refused(
    service: NativeService, scripted: ScriptedHost
) -> None:
    """
    A handle is stale the moment its closing call was submitted; twice is harmless.
    """
    handle = open_system(service).handle
    service.send("HcsCloseComputeSystem", handle)
    service.send("HcsCloseComputeSystem", handle)

    with pytest.raises(HandleClosedError, match="HcsStartComputeSystem"):
        service.submit("HcsStartComputeSystem", handle, None)
    scripted.read()
    assert calls.number("HcsCloseComputeSystem") == scripted.read()[1]


def test_handle_of_another_kind_is_refused(service: NativeService) -> None:
    """
    A system's handle is no process's handle.
    """
    handle = open_system(service).handle

    with pytest.raises(HandleClosedError, match="HcsTerminateProcess"):
        service.submit("HcsTerminateProcess", handle, None)


def test_events_reach_their_subscription(
    service: NativeService, scripted: ScriptedHost
) -> None:
    """
    Events go to the subscription of their handle, in order; others are dropped.
    """
    handle = open_system(service).handle
    subscription = service.subscribe("HcsSetComputeSystemCallback", handle)
    scripted.write(EVENT, handle ^ 1, detail=9)
    for number in range(3):
        scripted.write(EVENT, handle, detail=number + 1, text=b"%d" % number)

    events = [subscription.next(5) for _ in range(3)]

    assert [Event(n + 1, 0, str(n)) for n in range(3)] == events
    with pytest.raises(HcsTimeoutError):
        subscription.next(0.01)
    subscription.close()
    assert subscription.next(None) is None


def test_asyncio_awaits_calls_and_events(
    service: NativeService, scripted: ScriptedHost
) -> None:
    """
    Calls, time-outs and events work in an event loop, each waiting on its own.
    """

    async def scenario() -> None:
        operation, other = open_system(service), open_system(service)
        subscription = service.subscribe(
            "HcsSetComputeSystemCallback", operation.handle
        )
        waiters = [asyncio.create_task(operation.completed(5)) for _ in range(3)]
        event = asyncio.create_task(subscription.anext(5))
        with pytest.raises(HcsTimeoutError):
            await other.completed(0.01)
        scripted.answer(operation.ticket, text=b"{}")
        scripted.write(EVENT, operation.handle, detail=1)
        assert {Completion(0, "{}")} == set(await asyncio.gather(*waiters))
        assert Event(1, 0, None) == await event
        assert Completion(0, "{}") == await operation.completed(0)
        scripted.answer(other.ticket)
        assert 0 == (await other.completed(None)).hresult

    asyncio.run(scenario())


def test_cancelled_task_leaves_the_call_alone(
    service: NativeService, scripted: ScriptedHost
) -> None:
    """
    Cancelling a waiting task does not end the call itself.
    """

    async def scenario() -> None:
        operation = open_system(service)
        task = asyncio.create_task(operation.completed(None))
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        scripted.answer(operation.ticket)
        assert 0 == (await operation.completed(5)).hresult

    asyncio.run(scenario())


def test_signal_interrupts_a_wait(service: NativeService) -> None:
    """
    A signal handler runs while a call is waited for, and may raise.
    """

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGUSR1, interrupt)
    timer = threading.Timer(0.05, os.kill, (os.getpid(), signal.SIGUSR1))
    timer.start()
    try:
        with pytest.raises(KeyboardInterrupt):
            open_system(service).result(30)
    finally:
        timer.join()
        signal.signal(signal.SIGUSR1, before)


@pytest.mark.parametrize(
    "garbage",
    [
        struct.pack("<IHHQiI", 8, ANSWER, 0, 1, 0, 0),
        struct.pack("<IHHQiI", 0x7FFFFFFF, ANSWER, 0, 1, 0, 0),
        struct.pack("<IHHQiI", 24, ANSWER, 0, 1, 0, 0),
        struct.pack("<IHHQiII", 28, ANSWER, 0, 1, 0, 0, 1000),
        struct.pack("<IHHQiIII", 32, ANSWER, 0, 1, 0, 7, 0, 0),
        struct.pack("<IHHQiI", 24, 99, 0, 1, 0, 0),
    ],
    ids=["short", "huge", "no body", "text too long", "no descriptors", "kind"],
)
def test_garbage_ends_the_connection(
    service: NativeService, scripted: ScriptedHost, garbage: bytes
) -> None:
    """
    A frame that breaks the rules ends the connection; nothing hangs or crashes.
    """
    operation = open_system(service)
    scripted.connection.sendall(garbage)

    assert 0x8037011E == operation.result(5).hresult


def test_other_version_is_refused(scripted: ScriptedHost) -> None:
    """
    A host of another version is named as such.
    """
    greeting = scripted.welcome(hresult=-2143878900)

    with pytest.raises(NotSupportedError, match="0x8037010C"):
        NativeService(scripted.path)
    greeting.join()


def test_nobody_listens(tmp_path: Path) -> None:
    """
    Connecting where no host is fails with the path in the message.
    """
    with pytest.raises(HcsError, match=r"0x80070002"):
        NativeService(str(tmp_path / "none.sock"))


def test_types_match_the_extension() -> None:
    """
    ``_ffi.pyi`` names exactly what the compiled extension holds.
    """
    import ast
    from pathlib import Path

    stub = Path(__file__).parents[2] / "hcsshim" / "_ffi.pyi"
    body = next(
        node
        for node in ast.parse(stub.read_text()).body
        if isinstance(node, ast.ClassDef) and node.name == "Lib"
    ).body
    named = {n.name for n in body if isinstance(n, ast.FunctionDef)}
    named |= {n.target.id for n in body if isinstance(n, ast.AnnAssign)}  # type: ignore[union-attr] # plain names

    assert named == {name for name in dir(lib) if not name.startswith("_")}
