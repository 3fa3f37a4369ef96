"""
The OCI runtime specification's ``config.json``: what every system has.

Frozen models as in :mod:`hcsshim.documents`: unknown members are kept, what is empty
is left out, secrets are masked. Read one with :func:`hcsshim.oci.read_bundle`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from hcsshim.documents._document import EMPTY, Document, wire

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hcsshim.documents._document import JSON
    from hcsshim.oci.spec_linux import IdMapping, Linux
    from hcsshim.oci.spec_windows import Windows


@attrs.frozen(kw_only=True, repr=False)
class Box(Document):
    """
    The size of a console, in characters.

    Attributes:
        height: Lines.
        width: Columns.

    Source:
        ``process.consoleSize``
    """

    height: int | None = attrs.field(
        default=None, metadata=wire("height", emit="always")
    )
    width: int | None = attrs.field(default=None, metadata=wire("width", emit="always"))


@attrs.frozen(kw_only=True, repr=False)
class User(Document):
    """
    Who a process runs as.

    Attributes:
        uid: Number of the user, on Linux.
        gid: Number of the group, on Linux.
        umask: Mask of the modes of new files, on Linux.
        additional_gids: Numbers of more groups, on Linux.
        username: Name of the account, on Windows.

    Source:
        ``process.user``
    """

    uid: int | None = attrs.field(default=None, metadata=wire("uid", emit="always"))
    gid: int | None = attrs.field(default=None, metadata=wire("gid", emit="always"))
    umask: int | None = attrs.field(default=None, metadata=wire("umask"))
    additional_gids: tuple[int, ...] = attrs.field(
        default=(), metadata=wire("additionalGids")
    )
    username: str | None = attrs.field(default=None, metadata=wire("username"))


@attrs.frozen(kw_only=True, repr=False)
class Capabilities(Document):
    """
    Sets of capabilities of a Linux process, by name.

    Attributes:
        bounding: What it may ever have.
        effective: What is checked.
        inheritable: What programs with the same in their file keep.
        permitted: What it may make effective.
        ambient: What programs without any in their file keep.

    Source:
        ``process.capabilities``
    """

    bounding: tuple[str, ...] = attrs.field(default=(), metadata=wire("bounding"))
    effective: tuple[str, ...] = attrs.field(default=(), metadata=wire("effective"))
    inheritable: tuple[str, ...] = attrs.field(default=(), metadata=wire("inheritable"))
    permitted: tuple[str, ...] = attrs.field(default=(), metadata=wire("permitted"))
    ambient: tuple[str, ...] = attrs.field(default=(), metadata=wire("ambient"))


@attrs.frozen(kw_only=True, repr=False)
class Rlimit(Document):
    """
    A limit of a Linux process.

    Attributes:
        type: ``RLIMIT_NOFILE`` and the like.
        hard: The most that the soft limit may be raised to.
        soft: What is enforced.

    Source:
        ``process.rlimits``
    """

    type: str | None = attrs.field(default=None, metadata=wire("type", emit="always"))
    hard: int | None = attrs.field(default=None, metadata=wire("hard", emit="always"))
    soft: int | None = attrs.field(default=None, metadata=wire("soft", emit="always"))


@attrs.frozen(kw_only=True, repr=False)
class Process(Document):
    """
    A process of a container.

    Attributes:
        terminal: Whether it gets a console.
        console_size: Size of the console.
        user: Who it runs as.
        args: The program and its arguments.
        command_line: The same as one line, on Windows; it wins over ``args``.
        env: Variables, each ``NAME=value``; masked in ``repr``.
        cwd: Folder in which it starts.
        capabilities: What it may do, on Linux.
        rlimits: Its limits, on Linux.
        no_new_privileges: No program it starts gets more rights, on Linux.
        apparmor_profile: AppArmor profile.
        oom_score_adj: How soon it is killed when memory runs out.
        selinux_label: SELinux label.
        io_priority: I/O priority.
        scheduler: Scheduler settings.
        exec_cpu_affinity: Processors of processes that are started later.

    Source:
        ``process``
    """

    terminal: bool | None = attrs.field(default=None, metadata=wire("terminal"))
    console_size: Box | None = attrs.field(default=None, metadata=wire("consoleSize"))
    user: User | None = attrs.field(default=None, metadata=wire("user", emit="always"))
    args: tuple[str, ...] = attrs.field(default=(), metadata=wire("args"))
    command_line: str | None = attrs.field(default=None, metadata=wire("commandLine"))
    env: tuple[str, ...] = attrs.field(default=(), metadata=wire("env", secret=True))
    cwd: str | None = attrs.field(default=None, metadata=wire("cwd", emit="always"))
    capabilities: Capabilities | None = attrs.field(
        default=None, metadata=wire("capabilities")
    )
    rlimits: tuple[Rlimit, ...] = attrs.field(default=(), metadata=wire("rlimits"))
    no_new_privileges: bool | None = attrs.field(
        default=None, metadata=wire("noNewPrivileges")
    )
    apparmor_profile: str | None = attrs.field(
        default=None, metadata=wire("apparmorProfile")
    )
    oom_score_adj: int | None = attrs.field(
        default=None, metadata=wire("oomScoreAdj", emit="nonnull")
    )
    selinux_label: str | None = attrs.field(default=None, metadata=wire("selinuxLabel"))
    io_priority: JSON | None = attrs.field(
        default=None, hash=False, metadata=wire("ioPriority")
    )
    scheduler: JSON | None = attrs.field(
        default=None, hash=False, metadata=wire("scheduler")
    )
    exec_cpu_affinity: JSON | None = attrs.field(
        default=None, hash=False, metadata=wire("execCPUAffinity")
    )


@attrs.frozen(kw_only=True, repr=False)
class Root(Document):
    """
    The root file system.

    Attributes:
        path: Folder, relative to the bundle; on Windows a volume path.
        readonly: Whether writes to it fail.

    Source:
        ``root``
    """

    path: str | None = attrs.field(default=None, metadata=wire("path", emit="always"))
    readonly: bool | None = attrs.field(default=None, metadata=wire("readonly"))


@attrs.frozen(kw_only=True, repr=False)
class Mount(Document):
    """
    Something of the host, or of the kernel, at a place inside.

    Attributes:
        destination: Path inside.
        type: Kind of file system; on Windows of disk, or empty for a folder.
        source: Path on the host.
        options: Options of mount(8), ``bind``, ``ro`` among them.
        uid_mappings: How users appear.
        gid_mappings: How groups appear.

    Source:
        ``mounts``
    """

    destination: str | None = attrs.field(
        default=None, metadata=wire("destination", emit="always")
    )
    type: str | None = attrs.field(default=None, metadata=wire("type"))
    source: str | None = attrs.field(default=None, metadata=wire("source"))
    options: tuple[str, ...] = attrs.field(default=(), metadata=wire("options"))
    uid_mappings: tuple[IdMapping, ...] = attrs.field(
        default=(), metadata=wire("uidMappings")
    )
    gid_mappings: tuple[IdMapping, ...] = attrs.field(
        default=(), metadata=wire("gidMappings")
    )


@attrs.frozen(kw_only=True, repr=False)
class Hook(Document):
    """
    A program that is run at a point of a container's life.

    Attributes:
        path: The program.
        args: Its arguments, with its name.
        env: Its variables; masked in ``repr``.
        timeout: Seconds it may take.

    Source:
        ``hooks``
    """

    path: str | None = attrs.field(default=None, metadata=wire("path", emit="always"))
    args: tuple[str, ...] = attrs.field(default=(), metadata=wire("args"))
    env: tuple[str, ...] = attrs.field(default=(), metadata=wire("env", secret=True))
    timeout: int | None = attrs.field(default=None, metadata=wire("timeout"))


@attrs.frozen(kw_only=True, repr=False)
class Hooks(Document):
    """
    Programs that are run at points of a container's life.

    Attributes:
        prestart: Before the process starts; deprecated.
        create_runtime: While the container is created, outside.
        create_container: While it is created, inside its namespaces.
        start_container: Before the process starts, inside.
        poststart: After the process has started.
        poststop: After the container is deleted.

    Source:
        ``hooks``
    """

    prestart: tuple[Hook, ...] = attrs.field(default=(), metadata=wire("prestart"))
    create_runtime: tuple[Hook, ...] = attrs.field(
        default=(), metadata=wire("createRuntime")
    )
    create_container: tuple[Hook, ...] = attrs.field(
        default=(), metadata=wire("createContainer")
    )
    start_container: tuple[Hook, ...] = attrs.field(
        default=(), metadata=wire("startContainer")
    )
    poststart: tuple[Hook, ...] = attrs.field(default=(), metadata=wire("poststart"))
    poststop: tuple[Hook, ...] = attrs.field(default=(), metadata=wire("poststop"))


@attrs.frozen(kw_only=True, repr=False)
class Spec(Document):
    """
    What a container is: ``config.json`` of a bundle.

    Attributes:
        oci_version: Version of the specification.
        process: The first process.
        root: The root file system.
        hostname: Name of the computer inside.
        domainname: Its domain, on Linux.
        mounts: In the order in which they are made.
        hooks: Programs to be run.
        annotations: Free text by name.
        linux: What only Linux knows.
        windows: What only Windows knows.
        vm: Virtual machines in general.
        solaris: What only Solaris knows.
        zos: What only z/OS knows.

    Source:
        ``config.json`` of runtime-spec 1.2
    """

    oci_version: str | None = attrs.field(
        default=None, metadata=wire("ociVersion", emit="always")
    )
    process: Process | None = attrs.field(default=None, metadata=wire("process"))
    root: Root | None = attrs.field(default=None, metadata=wire("root"))
    hostname: str | None = attrs.field(default=None, metadata=wire("hostname"))
    domainname: str | None = attrs.field(default=None, metadata=wire("domainname"))
    mounts: tuple[Mount, ...] = attrs.field(default=(), metadata=wire("mounts"))
    hooks: Hooks | None = attrs.field(default=None, metadata=wire("hooks"))
    annotations: Mapping[str, str] = attrs.field(
        default=EMPTY, metadata=wire("annotations")
    )
    linux: Linux | None = attrs.field(default=None, metadata=wire("linux"))
    windows: Windows | None = attrs.field(default=None, metadata=wire("windows"))
    vm: JSON | None = attrs.field(default=None, hash=False, metadata=wire("vm"))
    solaris: JSON | None = attrs.field(
        default=None, hash=False, metadata=wire("solaris")
    )
    zos: JSON | None = attrs.field(default=None, hash=False, metadata=wire("zos"))
