"""Live migration of a virtual machine; the blocking face is generated."""

from __future__ import annotations

from hcsshim.hcs import _system_steps as steps
from hcsshim.hcs._calls import optional_json
from hcsshim.hcs._drivers import adrive
from hcsshim.hcs._timeouts import DEFAULT, seconds

TYPE_CHECKING = False  # typing costs more to import than the rest of the package
if TYPE_CHECKING:
    from hcsshim.hcs._calls import DocumentLike
    from hcsshim.hcs._handles import SystemHandle


class AsyncMigration:
    """
    The calls that move a running virtual machine to another host; part of
    ``AsyncComputeSystem``. Listen with ``EventOptions.LIVE_MIGRATION`` meanwhile.
    """

    __slots__ = ()

    _system: SystemHandle

    async def initialize_live_migration(
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
        await self._migrate(steps.MIGRATE_INITIALIZE, options, timeout)

    async def start_live_migration(
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
        await self._migrate(steps.MIGRATE_START, options, timeout)

    async def start_live_migration_transfer(
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
        await self._migrate(steps.MIGRATE_TRANSFER, options, timeout)

    async def finalize_live_migration(
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
        await self._migrate(steps.MIGRATE_FINALIZE, options, timeout)

    async def cancel_live_migration(
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
        await self._migrate(steps.MIGRATE_CANCEL, options, timeout)

    async def _migrate(
        self, operation: str, options: DocumentLike | None, timeout: float | None
    ) -> None:
        limit = seconds(timeout, "SYSCALLWATCHER")
        text = optional_json(options)
        await adrive(steps.verb(self._system, operation, text, limit))
