"""The group of all commands, and the one place where a failure becomes a sentence."""

from __future__ import annotations

import os
import sys
import traceback
from importlib import import_module
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from collections.abc import Sequence

#: Where each command lives, in the order of the help text.
COMMANDS = {
    "run": "hcsshim.cli.run:run",
    "create": "hcsshim.cli.create:create",
    "start": "hcsshim.cli.lifecycle:start",
    "exec": "hcsshim.cli.run:exec_",
    "ps": "hcsshim.cli.show:ps",
    "inspect": "hcsshim.cli.show:inspect",
    "stop": "hcsshim.cli.lifecycle:stop",
    "kill": "hcsshim.cli.lifecycle:kill",
    "rm": "hcsshim.cli.lifecycle:rm",
    "pause": "hcsshim.cli.lifecycle:pause",
    "resume": "hcsshim.cli.lifecycle:resume",
    "stats": "hcsshim.cli.stats:stats",
    "events": "hcsshim.cli.events:events",
    "logs": "hcsshim.cli.logs:logs",
    "props": "hcsshim.cli.props:props",
    "modify": "hcsshim.cli.props:modify",
    "service": "hcsshim.cli.props:service",
    "doc": "hcsshim.cli.doc:doc",
    "prune": "hcsshim.cli.prune:prune",
    "doctor": "hcsshim.cli.doctor:doctor",
    "trace": "hcsshim.cli.trace:trace",
    "network": "hcsshim.cli.network:network",
    "endpoint": "hcsshim.cli.network_objects:endpoint",
    "namespace": "hcsshim.cli.network_objects:namespace",
    "lb": "hcsshim.cli.network_objects:lb",
    "route": "hcsshim.cli.network_objects:route",
    "image": "hcsshim.cli.image:image",
    "disk": "hcsshim.cli.disk:disk",
    "vhd": "hcsshim.cli.vhd:vhd",
    "verity": "hcsshim.cli.verity:verity",
    "host": "hcsshim.cli.host:host",
}

#: What Ctrl-C makes of an exit code: 128 and the number of SIGINT.
INTERRUPTED = 130


class LazyGroup(click.Group):
    """A group whose commands are loaded when they are needed."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Name the commands, in their own order."""
        del ctx
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Load a command."""
        del ctx
        if cmd_name not in COMMANDS:
            return None
        module, name = COMMANDS[cmd_name].split(":")
        command = getattr(import_module(module), name)
        return command if isinstance(command, click.Command) else None


@click.command(
    "hcsshim",
    cls=LazyGroup,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(package_name="hcsshim", prog_name="hcsshim")
@click.option(
    "--debug", is_flag=True, help="Show where in the program a failure arose."
)
@click.pass_context
def cli(ctx: click.Context, debug: bool) -> None:  # noqa: FBT001 - click's
    """
    Launch and manage containers through the Host Compute Service.

    On a machine that is not Windows an embedded host answers; it is started when it
    is first needed.

    \b
    Examples:
      hcsshim run -- sh -c 'echo hello from $(hostname)'
      hcsshim run -it --layer rootfs -- sh
      hcsshim create web --layer rootfs && hcsshim start web
      hcsshim exec web -- ps
    """  # noqa: D301 - click's mark for text to be left as it is
    ctx.meta["hcsshim.debug"] = debug or "HCSSHIM_DEBUG" in os.environ


def run(  # noqa: PLR0911 - one for each kind of end
    arguments: Sequence[str],
    command: click.Command = cli,
    *,
    debug_flag: str = "--debug",
) -> int:
    """
    Run a command line.

    Args:
        arguments: Without the program's name.
        command: Which program; the other console scripts use this, too.
        debug_flag: What asks for the place of a failure in the program.

    Returns:
        The exit code.
    """
    program = command.name or "hcsshim"
    debug = debug_flag in arguments or "HCSSHIM_DEBUG" in os.environ
    try:
        result = command.main(list(arguments), prog_name=program, standalone_mode=False)
    except click.exceptions.Exit as end:
        return end.exit_code
    except (click.Abort, KeyboardInterrupt):
        return _fail(program, "interrupted", INTERRUPTED, debug=debug)
    except click.UsageError as error:
        error.show()
        return error.exit_code
    except click.ClickException as error:
        message, hint = error.format_message(), hint_of(error.__cause__)
        return _fail(program, message, error.exit_code, hint, debug=debug)
    except BrokenPipeError:
        return _close_stdout()
    except (OSError, ValueError) as error:  # HcsError is an OSError
        return _fail(program, sentence(error), 1, hint_of(error), debug=debug)
    return result if isinstance(result, int) else 0


def sentence(error: BaseException) -> str:
    """Say what went wrong, on one line."""
    text = " ".join(str(error).split())
    return text or type(error).__name__


def hint_of(error: BaseException | None) -> str:
    """Give the advice that goes with a failure of HCS; mostly none."""
    hint = getattr(error, "hint", "")
    return hint if isinstance(hint, str) else ""


def _fail(program: str, message: str, code: int, hint: str = "", *, debug: bool) -> int:
    if debug:
        traceback.print_exc()
    click.echo(f"{program}: {message}", err=True)
    if hint:
        click.echo(f"hint: {hint}", err=True)
    return code


def _close_stdout() -> int:
    """End quietly when whoever read our output is gone, as in ``| head``."""
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, sys.stdout.fileno())  # or the interpreter complains when it ends
    os.close(null)
    return 141  # 128 and the number of SIGPIPE
