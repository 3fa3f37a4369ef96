"""``hcsshim events``: what happens to containers."""

from __future__ import annotations

import json
import threading
from datetime import datetime, timezone
from queue import SimpleQueue
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from hcsshim import ComputeSystem, SystemEvent

    #: The id of a container and what happened; a word of our own when listening has
    #: begun, an exception if it failed, ``None`` when no more can come.
    Item = tuple[str, SystemEvent | str | BaseException | None]

#: From here on no event of a container is missed.
LISTENING = "LISTENING"


def listen(system: ComputeSystem, items: SimpleQueue[Item]) -> None:
    """Put the events of one system into the queue, to the last."""
    try:
        with system.events() as stream:
            items.put((system.id, LISTENING))
            for event in stream:
                items.put((system.id, event))
    except Exception as error:  # noqa: BLE001 - raised again where it is told
        items.put((system.id, error))
    items.put((system.id, None))


def line_of(system_id: str, event: SystemEvent | str, *, as_json: bool) -> str:
    """Write an event on one line."""
    moment = datetime.now(timezone.utc).isoformat(timespec="milliseconds")
    if isinstance(event, str):
        fields = {"time": moment, "id": system_id, "type": event}
        return json.dumps(fields) if as_json else " ".join(fields.values())
    kind = getattr(event.type, "name", None) or f"{event.type:#x}"
    if as_json:
        data = json.loads(event.document) if event.document else None
        status = f"0x{event.hresult:08X}"
        about = {"time": moment, "id": system_id, "type": kind}
        return json.dumps({**about, "status": status, "data": data})
    return " ".join(filter(None, (moment, system_id, kind, event.document)))


@click.command()
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
@click.argument("ids", metavar="[ID...]", nargs=-1)
def events(ids: tuple[str, ...], *, as_json: bool) -> None:
    """
    Print what happens to containers, as it happens.

    Ends when all of them have ended, or with Ctrl-C. Without ids: those that exist
    now.
    """
    from hcsshim import ComputeSystem, enumerate_systems  # noqa: PLC0415 - lazily

    names = ids or tuple(str(system.id) for system in enumerate_systems())
    items: SimpleQueue[Item] = SimpleQueue()
    for name in names:
        system = ComputeSystem.open(name)
        threading.Thread(target=listen, args=(system, items), daemon=True).start()
    open_listeners = len(names)
    while open_listeners:
        name, event = items.get()
        if event is None:
            open_listeners -= 1
        elif isinstance(event, BaseException):
            raise event
        else:
            click.echo(line_of(name, event, as_json=as_json))
