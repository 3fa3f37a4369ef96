# Made by async_to_sync.py of hcsshim/hcs/_async_migration.py; do not edit.
"""Live migration of a virtual machine; the blocking face."""

from __future__ import annotations

from hcsshim.hcs import _system_steps as steps
from hcsshim.hcs._calls import optional_json
from hcsshim.hcs._drivers import drive
from hcsshim.hcs._timeouts import DEFAULT, seconds

TYPE_CHECKING = False  # typing costs more to import than the rest of the package
if TYPE_CHECKING:
    from hcsshim.hcs._calls import DocumentLike
    from hcsshim.hcs._handles import SystemHandle


class Migration:
    """
    The calls that move a running virtual machine to another host; part of
    ``ComputeSystem``. Listen with ``EventOptions.LIVE_MIGRATION`` meanwhile.
    """

    __slots__ = ()

    _system: SystemHandle

    def initialize_live_migration(
        self, options: DocumentLike | None = None, *, timeout: float | None = DEFAULT
    ) -> None:
        """
        Prepare the source of a migration.

        Args:
            options: ``MigrationInitializeOptions``.
            timeout: Seconds, ``None`` forever; by default 240.

        Raises:
            NotSupportedError: It is no virtual machine, or the host cannot.

        Source:
            ``HcsInitializeLiveMigrationOnSource``.
        """
        self._migrate(steps.MIGRATE_INITIALIZE, options, timeout)

    def start_live_migration(
        self, options: DocumentLike | None = None, *, timeout: float | None = DEFAULT
    ) -> None:
        """
        Connect the source to the destination.

        Args:
            options: ``MigrationStartOptions``.
            timeout: Seconds, ``None`` forever; by default 240.

        Raises:
            NotSupportedError: It is no virtual machine, or the host cannot.

        Source:
            ``HcsStartLiveMigrationOnSource``.
        """
        self._migrate(steps.MIGRATE_START, options, timeout)

    def start_live_migration_transfer(
        self, options: DocumentLike | None = None, *, timeout: float | None = DEFAULT
    ) -> None:
        """
        Begin to copy the memory.

        Args:
            options: ``MigrationTransferOptions``.
            timeout: Seconds, ``None`` forever; by default 240.

        Raises:
            NotSupportedError: It is no virtual machine, or the host cannot.

        Source:
            ``HcsStartLiveMigrationTransfer``.
        """
        self._migrate(steps.MIGRATE_TRANSFER, options, timeout)

    def finalize_live_migration(
        self, options: DocumentLike | None = None, *, timeout: float | None = DEFAULT
    ) -> None:
        """
        End a migration: stop or resume the machine at this end.

        Args:
            options: ``MigrationFinalizedOptions``.
            timeout: Seconds, ``None`` forever; by default 240.

        Raises:
            NotSupportedError: It is no virtual machine, or the host cannot.

        Source:
            ``HcsFinalizeLiveMigration``.
        """
        self._migrate(steps.MIGRATE_FINALIZE, options, timeout)

    def cancel_live_migration(
        self, options: DocumentLike | None = None, *, timeout: float | None = DEFAULT
    ) -> None:
        """
        Give a migration up; it need not wait for the call that runs.

        Args:
            options: ``MigrationCancelOptions``.
            timeout: Seconds, ``None`` forever; by default 240.

        Raises:
            NotSupportedError: It is no virtual machine, or the host cannot.

        Source:
            ``HcsCancelLiveMigration``.
        """
        self._migrate(steps.MIGRATE_CANCEL, options, timeout)

    def _migrate(
        self, operation: str, options: DocumentLike | None, timeout: float | None
    ) -> None:
        limit = seconds(timeout, "SYSCALLWATCHER")
        text = optional_json(options)
        drive(steps.verb(self._system, operation, text, limit))
