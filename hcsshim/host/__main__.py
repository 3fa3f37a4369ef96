"""
``python -m hcsshim.host``: run the embedded host in this process.

``--detach FILE`` is for :func:`hcsshim._native.host_process.ensure_running`: go on in
the background, and write ``1`` to that descriptor once clients can connect.
"""

from __future__ import annotations

import gc
import os
import sys

_USUAL_IDLE_SECONDS = 60.0


def _idle_seconds() -> float:
    from hcsshim._native.host_process import IDLE_VARIABLE  # noqa: PLC0415 - see main

    try:
        seconds = float(os.environ.get(IDLE_VARIABLE, ""))
    except ValueError:
        return _USUAL_IDLE_SECONDS
    return seconds if seconds >= 0 else _USUAL_IDLE_SECONDS


def _raise_file_limit() -> None:
    """Allow as many descriptors as the machine does: processes take up to seven."""
    if sys.platform == "win32":
        return  # there handles are not few
    import resource  # noqa: PLC0415 - see main

    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def _serve(ready: int) -> int:
    from hcsshim._native import host_process  # noqa: PLC0415 - see main
    from hcsshim.host import played  # noqa: PLC0415
    from hcsshim.host.serving.log import DEBUG_VARIABLE, Log  # noqa: PLC0415
    from hcsshim.host.serving.server import AlreadyRunningError, Host  # noqa: PLC0415
    from hcsshim.host.silos.kinds import Silos, remove_leftovers  # noqa: PLC0415

    played.version()  # a misspelt build ends it here, and not with the first call
    background = ready >= 0
    log = Log(
        host_process.log_path() if background else None,
        debug=bool(os.environ.get(DEBUG_VARIABLE)),
    )
    silos = Silos(log.write)
    try:
        host = Host(
            host_process.socket_path(),
            silos.open,
            log,
            _idle_seconds(),
            close_silos=silos.close,
        )
    except AlreadyRunningError as error:
        log.write(f"not needed: another one serves {error}")
        if background:
            os.write(ready, b"1")
        return 0
    host.stop_on_signals()
    remove_leftovers()
    log.write("started")
    if background:
        os.write(ready, b"1")
        os.close(ready)
    # What exists now stays: looking through it again for garbage is wasted time.
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)
    host.loop.call_soon(host.resume_networks)
    silos.use_loop(host.loop)
    host.run()
    log.write("ended")
    return 0


def _go_to_background(ready: int) -> int:
    """Leave whoever started us; give the descriptor to write to in the end."""
    if sys.platform == "win32":  # nothing there ties us to who started us
        import msvcrt  # noqa: PLC0415 - see main

        return msvcrt.open_osfhandle(ready, os.O_WRONLY)
    if os.fork():  # the one who started us need not wait for us to end
        os._exit(0)
    return ready


def main(arguments: list[str]) -> int:
    """
    Run the host.

    Modules are imported after the fork, and none that is not needed: the first
    client waits for this.

    Returns:
        The exit code of the process.
    """
    ready = -1
    if arguments[:1] == ["--detach"] and len(arguments) > 1:
        ready = _go_to_background(int(arguments[1]))
    elif arguments:
        sys.stderr.write("usage: python -m hcsshim.host\n")
        return 2
    os.umask(0o077)
    _raise_file_limit()
    from hcsshim.host.datapath.opening import (  # noqa: PLC0415 - see above
        become_root_of_networks,
    )

    become_root_of_networks()  # while there is one thread only
    try:
        return _serve(ready)
    except Exception as error:  # noqa: BLE001 - the last line of the log is for people
        sys.stderr.write(f"The host cannot run: {type(error).__name__}: {error}\n")
        return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
