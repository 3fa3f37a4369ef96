"""The group of the commands of ``runhcs``, and its global flags."""

from __future__ import annotations

import logging
from importlib import import_module
from typing import TYPE_CHECKING

import click

from hcsshim.cli.app import sentence

if TYPE_CHECKING:
    from typing import Any

    from hcsshim.oci.runtime import Runtime

_log = logging.getLogger(__name__)

#: Where each command lives, in the order of the help text.
COMMANDS = {
    "create": "lifecycle:create",
    "create-scratch": "disks:create_scratch",
    "delete": "lifecycle:delete",
    "exec": "processes:exec_",
    "kill": "lifecycle:kill",
    "list": "show:list_",
    "pause": "lifecycle:pause",
    "prepare-disk": "disks:prepare_disk",
    "ps": "show:ps",
    "resize-tty": "processes:resize_tty",
    "resume": "lifecycle:resume",
    "run": "lifecycle:run",
    "shim": "shim:shim",
    "start": "lifecycle:start",
    "state": "show:state",
    "vmshim": "shim:vmshim",
}


class RuntimeGroup(click.Group):
    """A group whose commands are loaded when they are needed, and which fails as 1."""

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
        command = getattr(import_module(f"hcsshim.cli.runhcs.{module}"), name)
        return command if isinstance(command, click.Command) else None

    def main(self, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - click's own
        """Run a command; every failure is logged, and is 1 as an exit code."""
        try:
            return super().main(*args, **kwargs)
        except click.UsageError as error:
            error.exit_code = 1  # type: ignore[misc] # click reads it so
            _log.error("%s", error.format_message())
            raise
        except click.ClickException as error:
            _log.error("%s", error.format_message())
            raise
        except LookupError as error:
            _log.error("%s", sentence(error))
            raise click.ClickException(sentence(error)) from error
        except (OSError, ValueError) as error:
            _log.error("%s", sentence(error))
            raise


@click.command(
    "runhcs",
    cls=RuntimeGroup,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(
    package_name="hcsshim",
    prog_name="runhcs",
    message="%(prog)s version %(version)s\nspec: 1.2.0",
)
@click.option("--debug", is_flag=True, help="Log every detail.")
@click.option(
    "--log",
    "log_path",
    default="nul",
    metavar="FILE",
    help="Where to log: a file, or a named pipe of administrators.",
)
@click.option(
    "--log-format",
    default="text",
    metavar="text|json",
    help="The form of the log.",
)
@click.option(
    "--owner", default="runhcs", show_default=True, help="Whose the systems are."
)
@click.option(
    "--root",
    default="default",
    show_default=True,
    help="Name, or folder, for the state of containers.",
)
@click.pass_context
def cli(  # noqa: PLR0913 - click gives every option as an argument
    ctx: click.Context,
    *,
    debug: bool,
    log_path: str,
    log_format: str,
    owner: str,
    root: str,
) -> None:
    """
    Run containers from OCI bundles.

    A bundle is a folder with the specification, config.json, and usually a root file
    system. Its stdio is that of the command that creates the container.

    \b
    Examples:
      runhcs run -b bundle web
      runhcs create -b bundle web && runhcs start web
      runhcs exec web ps && runhcs kill web KILL && runhcs delete web
    """  # noqa: D301 - click's mark for text to be left as it is
    from hcsshim.cli.runhcs.log import open_log  # noqa: PLC0415 - when needed
    from hcsshim.oci.runtime import Runtime  # noqa: PLC0415 - as above

    if log_format not in ("text", "json"):
        raise click.ClickException(f"unknown log-format {log_format!r}")
    open_log(log_path, log_format, debug=debug)
    options = ["--log-format", log_format, *(["--debug"] if debug else [])]
    ctx.obj = Runtime(root, owner=owner, shim_options=options)


def runtime_of(ctx: click.Context) -> Runtime:
    """Give the runtime that the global flags describe."""
    runtime: Runtime = ctx.obj
    return runtime
