# Made by async_to_sync.py of hcsshim/hcs/_async_queries.py; do not edit.
"""What can be asked of a system, typed; the blocking face."""

from __future__ import annotations

from hcsshim.hcs import _system_steps as steps
from hcsshim.hcs._drivers import drive
from hcsshim.hcs._timeouts import DEFAULT, seconds

TYPE_CHECKING = False  # typing costs more to import than the rest of the package
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from hcsshim.documents import (
        JSON,
        GuestConnectionInfo,
        MappedDirectory,
        MemoryInformationForVm,
        ProcessDetails,
        Properties,
        Statistics,
        v1,
    )
    from hcsshim.hcs._handles import SystemHandle
    from hcsshim.hcs._stats import StatsRates, SystemStats

_STATISTICS = '{"PropertyTypes":["Statistics"]}'


class Queries:
    """The typed questions to a compute system; part of ``ComputeSystem``."""

    __slots__ = ()

    _system: SystemHandle

    def _properties(self, name: str, timeout: float | None) -> Properties:
        from hcsshim.documents import Properties, loads  # noqa: PLC0415 - seldom

        limit = seconds(timeout, "SYSCALLWATCHER")
        query = f'{{"PropertyTypes":["{name}"]}}'
        return loads(Properties, drive(steps.query(self._system, query, limit)))

    def statistics(self, *, timeout: float | None = DEFAULT) -> Statistics:
        """
        Ask what the system used so far, as HCS counts it.

        :meth:`stats` has the same in plainer form.

        Args:
            timeout: Seconds, ``None`` forever; by default 240.

        Raises:
            AlreadyStoppedError: The system has stopped.
            ProtocolError: The answer has no statistics.

        Source:
            ``HcsGetComputeSystemProperties``, ``Statistics``.
        """
        properties = self._properties("Statistics", timeout)
        return steps.require(properties.statistics, self._system)

    def process_list(
        self, *, timeout: float | None = DEFAULT
    ) -> tuple[ProcessDetails, ...]:
        """
        List the processes inside, also those that other processes started.

        Args:
            timeout: Seconds, ``None`` forever; by default 240.

        Raises:
            AlreadyStoppedError: The system has stopped.

        Source:
            ``HcsGetComputeSystemProperties``, ``ProcessList``.
        """
        return (self._properties("ProcessList", timeout)).process_list

    def memory(self, *, timeout: float | None = DEFAULT) -> MemoryInformationForVm:
        """
        Ask for the memory of a virtual machine. A container's is in its statistics.

        Args:
            timeout: Seconds, ``None`` forever; by default 240.

        Raises:
            NotSupportedError: It is no virtual machine.

        Source:
            ``HcsGetComputeSystemProperties``, ``Memory``.
        """
        properties = self._properties("Memory", timeout)
        return steps.require(properties.memory, self._system)

    def guest_connection(
        self, *, timeout: float | None = DEFAULT
    ) -> GuestConnectionInfo:
        """
        Ask what HCS knows of the guest service of a virtual machine.

        Args:
            timeout: Seconds, ``None`` forever; by default 240.

        Raises:
            NotSupportedError: It is no virtual machine.

        Source:
            ``HcsGetComputeSystemProperties``, ``GuestConnection``.
        """
        properties = self._properties("GuestConnection", timeout)
        return steps.require(properties.guest_connection_info, self._system)

    def mapped_directories(
        self, *, timeout: float | None = DEFAULT
    ) -> tuple[MappedDirectory, ...]:
        """
        List the directories of the host that the container sees now.

        Only the embedded host tells; Windows has no such question.

        Args:
            timeout: Seconds, ``None`` forever; by default 240.

        Raises:
            InvalidDataError: The host is Windows.
            AlreadyStoppedError: The system has stopped.

        Source:
            The embedded host, ``MappedDirectory``.
        """
        from hcsshim.documents import (  # noqa: PLC0415 - seldom
            MappedDirectory,
            from_dict,
        )

        properties = self._properties("MappedDirectory", timeout)
        items = properties.extra.get("MappedDirectories")
        if not isinstance(items, list):
            return ()
        return tuple(from_dict(MappedDirectory, item) for item in items)

    def mapped_virtual_disks(
        self, *, timeout: float | None = DEFAULT
    ) -> Mapping[int, v1.MappedVirtualDiskController]:
        """
        List the disks that are mapped into the system, by controller.

        Args:
            timeout: Seconds, ``None`` forever; by default 240.

        Source:
            ``HcsGetComputeSystemProperties``, ``MappedVirtualDisk`` of schema 1.
        """
        properties = self.properties_v1("MappedVirtualDisk", timeout=timeout)
        return properties.mapped_virtual_disk_controllers

    def properties_v1(
        self, *types: v1.PropertyType | str, timeout: float | None = DEFAULT
    ) -> v1.ContainerProperties:
        """
        Ask for properties, and read the answer as one of schema 1.

        Args:
            types: Which, beside the basic ones: ``"Statistics"``, ``"ProcessList"``,
                ``"MappedVirtualDisk"``, ``"GuestConnection"``.
            timeout: Seconds, ``None`` forever; by default 240.

        Raises:
            AlreadyStoppedError: The system has stopped.

        Source:
            ``HcsGetComputeSystemProperties`` of schema 1.
        """
        from hcsshim.documents import loads, v1  # noqa: PLC0415 - seldom
        from hcsshim.hcs._parameters import property_query  # noqa: PLC0415 - as above

        limit = seconds(timeout, "SYSCALLWATCHER")
        text = property_query(types)
        document = drive(steps.query(self._system, text, limit))
        return loads(v1.ContainerProperties, document)

    def query(
        self, name: str, argument: JSON = None, *, timeout: float | None = DEFAULT
    ) -> JSON:
        """
        Ask a named question, of schema 2.5 and later.

        Args:
            name: Of the query: ``"CompatibilityInfo"``, ``"Statistics"``.
            argument: What it takes, if it takes something.
            timeout: Seconds, ``None`` forever; by default 240.

        Returns:
            The answer, as JSON decodes it.

        Raises:
            InvalidDataError: The host is older, or knows no such query.
            HcsError: This very question failed, although the call did not.

        Source:
            ``HcsGetComputeSystemProperties``, ``Queries``.
        """
        from hcsshim.documents import Properties, loads  # noqa: PLC0415 - seldom
        from hcsshim.hcs._calls import write  # noqa: PLC0415 - as above

        limit = seconds(timeout, "SYSCALLWATCHER")
        text = write({"Queries": {name: argument}})
        document = drive(steps.query(self._system, text, limit))
        return steps.response(loads(Properties, document), name, self._system)

    def stats(self, *, timeout: float | None = DEFAULT) -> SystemStats:
        """
        Ask what the system used so far, in bytes and times of Python's.

        Args:
            timeout: Seconds, ``None`` forever; by default 240.

        Raises:
            AlreadyStoppedError: The system has stopped.
            ProtocolError: The answer has no statistics.

        Source:
            ``HcsGetComputeSystemProperties``, ``Statistics``.
        """
        from hcsshim.hcs._stats import stats_of  # noqa: PLC0415 - seldom

        properties = self._properties("Statistics", timeout)
        found = stats_of(self._system.system_id, properties)
        return steps.require(found, self._system)

    def watch_stats(self, *, interval: float = 1.0) -> Iterator[StatsRates]:
        """
        Look at the system at an interval, and tell how fast it uses things.

        Args:
            interval: Seconds from one look to the next.

        Yields:
            The rates since the look before; it ends when the system has ended.

        Raises:
            ValueError: ``interval`` is not positive.
        """
        from hcsshim.errors import (  # noqa: PLC0415 - seldom
            AlreadyStoppedError,
            HcsTimeoutError,
            NotFoundError,
        )

        if not interval > 0:
            raise ValueError(f"interval must be positive, got {interval!r}")
        try:
            before = self.stats()
            while True:
                try:
                    drive(steps.wait_exit(self._system, interval))
                except HcsTimeoutError:  # noqa: PERF203 - once an interval
                    now = self.stats()
                    yield now.since(before)
                    before = now
                else:
                    return
        except (AlreadyStoppedError, NotFoundError):
            return
