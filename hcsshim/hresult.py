"""
The HRESULTs of the Host Compute Service and its neighbours.

One table, :class:`HResult`: a row is a name of the Windows SDK, the value, and
what it means in plain English. Everything else here is derived from it, on
demand, so that importing costs no more than reading the rows.

HCS has two forms of its own codes, ``0x8037xxxx`` (computecore) and
``0xC037xxxx`` (vmcompute and guests), with the same low half. The table lists
the first; :func:`normalise` maps the second onto it.

Source:
    ``winerror.h`` and ``ComputeDefs.h`` of the Windows SDK.
"""

from __future__ import annotations

_MESSAGES: dict[int, str] = {}

#: Facility and severity of the two forms of an HCS code.
_HCS_FORM = 0x80370000
_VMCOMPUTE_FORM = 0xC0370000

_WIN32_FORM = 0x80070000


def _code(value: int, message: str) -> int:
    _MESSAGES[value] = message
    return value


def _win32(number: int, message: str) -> int:
    return _code(_WIN32_FORM | number, message)


class HResult:
    """
    Names of HRESULTs, unsigned 32 bits: ``HResult.HCS_E_INVALID_STATE``.

    ``ERROR_*``, ``RPC_*`` and ``WSA*`` are Win32 codes in their HRESULT form
    (``0x8007xxxx``). Plain numbers rather than an enumeration: making one of
    this size takes 2.5 ms, five times as long as these.
    """

    S_OK = _code(0, "Success.")
    S_FALSE = _code(1, "Success, but there was nothing to do.")

    # HCS
    HCS_E_TERMINATED_DURING_START = _code(
        0x80370100, "The compute system exited while it was starting."
    )
    HCS_E_IMAGE_MISMATCH = _code(
        0x80370101, "The image's operating system does not fit that of the host."
    )
    HCS_E_HYPERV_NOT_INSTALLED = _code(
        0x80370102, "Hyper-V is needed for this and is not installed."
    )
    HCS_E_INVALID_STATE = _code(
        0x80370105, "The compute system's present state does not allow this."
    )
    HCS_E_UNEXPECTED_EXIT = _code(
        0x80370106, "The compute system exited without being asked to."
    )
    HCS_E_TERMINATED = _code(0x80370107, "The compute system was forced to exit.")
    HCS_E_CONNECT_FAILED = _code(
        0x80370108, "No connection to the guest could be made."
    )
    HCS_E_CONNECTION_TIMEOUT = _code(0x80370109, "The guest did not answer in time.")
    HCS_E_CONNECTION_CLOSED = _code(0x8037010A, "The connection to the guest ended.")
    HCS_E_UNKNOWN_MESSAGE = _code(
        0x8037010B, "The guest does not know this kind of message."
    )
    HCS_E_UNSUPPORTED_PROTOCOL_VERSION = _code(
        0x8037010C, "The two sides have no version of the protocol in common."
    )
    HCS_E_INVALID_JSON = _code(
        0x8037010D, "The compute system's JSON document is not valid."
    )
    HCS_E_SYSTEM_NOT_FOUND = _code(0x8037010E, "No compute system has this id.")
    HCS_E_SYSTEM_ALREADY_EXISTS = _code(
        0x8037010F, "A compute system of this id exists already."
    )
    HCS_E_SYSTEM_ALREADY_STOPPED = _code(
        0x80370110, "The compute system has stopped already."
    )
    HCS_E_PROTOCOL_ERROR = _code(
        0x80370111, "The guest broke the rules of the protocol."
    )
    HCS_E_INVALID_LAYER = _code(
        0x80370112, "A layer is missing or of a format that is not known."
    )
    HCS_E_WINDOWS_INSIDER_REQUIRED = _code(
        0x80370113, "The image needs an Insider build of Windows."
    )
    HCS_E_SERVICE_NOT_AVAILABLE = _code(
        0x80370114, "The service behind this is not installed or not running."
    )
    HCS_E_OPERATION_NOT_STARTED = _code(0x80370115, "The operation was never started.")
    HCS_E_OPERATION_ALREADY_STARTED = _code(
        0x80370116, "The operation is in use already."
    )
    HCS_E_OPERATION_PENDING = _code(0x80370117, "The operation is not finished yet.")
    HCS_E_OPERATION_TIMEOUT = _code(0x80370118, "The operation did not finish in time.")
    HCS_E_OPERATION_SYSTEM_CALLBACK_ALREADY_SET = _code(
        0x80370119, "The compute system's own callback takes completions already."
    )
    HCS_E_OPERATION_RESULT_ALLOCATION_FAILED = _code(
        0x8037011A, "There is no memory for the operation's result."
    )
    HCS_E_ACCESS_DENIED = _code(
        0x8037011B, "Only an administrator or a Hyper-V administrator may do this."
    )
    HCS_E_GUEST_CRITICAL_ERROR = _code(0x8037011C, "The guest crashed.")
    HCS_E_PROCESS_INFO_NOT_AVAILABLE = _code(
        0x8037011D, "The process's information is not available."
    )
    HCS_E_SERVICE_DISCONNECT = _code(
        0x8037011E, "The Host Compute Service went away; all handles are dead."
    )
    HCS_E_PROCESS_ALREADY_STOPPED = _code(0x8037011F, "The process has exited already.")
    HCS_E_SYSTEM_NOT_CONFIGURED_FOR_OPERATION = _code(
        0x80370120, "The compute system is not configured for this."
    )
    HCS_E_OPERATION_ALREADY_CANCELLED = _code(
        0x80370121, "The operation was cancelled."
    )
    # These two exist in vmcompute's form only.
    ERROR_VMCOMPUTE_OPERATION_PENDING = _code(
        0xC0370103, "The operation goes on; a notification will tell its end."
    )
    ERROR_VMCOMPUTE_TOO_MANY_NOTIFICATIONS = _code(
        0xC0370104, "The queue of notifications is full."
    )

    # The generic ones
    E_NOTIMPL = _code(0x80004001, "This is not implemented.")
    E_NOINTERFACE = _code(0x80004002, "The object does not offer this interface.")
    E_POINTER = _code(0x80004003, "A pointer is not valid.")
    E_ABORT = _code(0x80004004, "The operation was aborted.")
    E_FAIL = _code(0x80004005, "The operation failed for a reason it does not tell.")
    E_UNEXPECTED = _code(0x8000FFFF, "Something happened that should be impossible.")
    ERROR_INVALID_FUNCTION = _win32(1, "The function is not valid here.")
    ERROR_FILE_NOT_FOUND = _win32(2, "The file does not exist.")
    ERROR_PATH_NOT_FOUND = _win32(3, "The path does not exist.")
    ERROR_TOO_MANY_OPEN_FILES = _win32(4, "Too many files are open.")
    ERROR_ACCESS_DENIED = _win32(5, "Access is denied.")
    ERROR_INVALID_HANDLE = _win32(6, "The handle is closed or was never open.")
    ERROR_INVALID_DATA = _win32(13, "The data is not valid.")
    ERROR_OUTOFMEMORY = _win32(14, "There is not enough memory.")
    ERROR_NO_MORE_FILES = _win32(18, "There are no more files.")
    ERROR_WRITE_PROTECT = _win32(19, "The medium is read-only.")
    ERROR_NOT_READY = _win32(21, "The device is not ready.")
    ERROR_GEN_FAILURE = _win32(31, "A device does not work.")
    ERROR_SHARING_VIOLATION = _win32(32, "Another process uses the file.")
    ERROR_NOT_SUPPORTED = _win32(50, "The request is not supported.")
    ERROR_FILE_EXISTS = _win32(80, "The file exists already.")
    ERROR_INVALID_PARAMETER = _win32(87, "An argument is not valid.")
    ERROR_BROKEN_PIPE = _win32(109, "The other end of the pipe is closed.")
    ERROR_DISK_FULL = _win32(112, "The disk is full.")
    ERROR_SEM_TIMEOUT = _win32(121, "The wait took too long.")
    ERROR_INSUFFICIENT_BUFFER = _win32(122, "The buffer is too small.")
    ERROR_INVALID_NAME = _win32(123, "The name is not valid.")
    ERROR_MOD_NOT_FOUND = _win32(126, "A needed library is not on this machine.")
    ERROR_PROC_NOT_FOUND = _win32(
        127, "The library of this machine is too old for this function."
    )
    ERROR_DIR_NOT_EMPTY = _win32(145, "The directory is not empty.")
    ERROR_BUSY = _win32(170, "The resource is in use.")
    ERROR_ALREADY_EXISTS = _win32(183, "It exists already.")
    ERROR_BAD_EXE_FORMAT = _win32(193, "The file is no program of this machine.")
    ERROR_FILENAME_EXCED_RANGE = _win32(206, "The name is too long.")
    ERROR_FILE_TOO_LARGE = _win32(223, "The file is too large.")
    ERROR_PIPE_BUSY = _win32(231, "All instances of the pipe are in use.")
    ERROR_NO_DATA = _win32(232, "The pipe is being closed.")
    ERROR_PIPE_NOT_CONNECTED = _win32(233, "Nobody is at the pipe's other end.")
    ERROR_MORE_DATA = _win32(234, "There is more data.")
    WAIT_TIMEOUT = _win32(258, "The wait took too long.")
    ERROR_DIRECTORY = _win32(267, "The directory's name is not valid.")
    ERROR_ELEVATION_REQUIRED = _win32(740, "This needs an elevated process.")
    ERROR_OPERATION_ABORTED = _win32(995, "The input or output was cancelled.")
    ERROR_SERVICE_NOT_ACTIVE = _win32(1062, "The service is not running.")
    ERROR_PROCESS_ABORTED = _win32(1067, "The process ended in failure.")
    ERROR_SHUTDOWN_IN_PROGRESS = _win32(1115, "The system is shutting down.")
    ERROR_IO_DEVICE = _win32(1117, "The device reported an input or output error.")
    ERROR_DEVICE_NOT_CONNECTED = _win32(1167, "The device is not connected.")
    ERROR_NOT_FOUND = _win32(1168, "The element does not exist.")
    ERROR_CANCELLED = _win32(1223, "The operation was cancelled.")
    ERROR_NOT_ALL_ASSIGNED = _win32(1300, "The caller lacks some of the privileges.")
    ERROR_PRIVILEGE_NOT_HELD = _win32(1314, "The caller lacks a needed privilege.")
    ERROR_LOGON_FAILURE = _win32(1326, "The user name or the password is wrong.")
    ERROR_INTERNAL_ERROR = _win32(1359, "Windows reports an internal error.")
    ERROR_LOGON_TYPE_NOT_GRANTED = _win32(
        1385, "The account was not granted this kind of log-on."
    )
    ERROR_NO_SYSTEM_RESOURCES = _win32(
        1450, "The machine has not enough resources for this."
    )
    ERROR_TIMEOUT = _win32(1460, "It took too long.")
    RPC_S_SERVER_UNAVAILABLE = _win32(1722, "The service is not there.")
    RPC_S_CALL_FAILED = _win32(1726, "The service went away during the call.")
    RPC_X_NULL_CONTEXT = _win32(1775, "The handle is stale.")
    ERROR_NOT_A_REPARSE_POINT = _win32(4390, "The file is no reparse point.")
    ERROR_OBJECT_ALREADY_EXISTS = _win32(5010, "The object exists already.")
    ERROR_INVALID_STATE = _win32(
        5023, "The resource's present state does not allow this."
    )
    WSAEINVAL = _win32(10022, "An argument is not valid.")
    WSAEAFNOSUPPORT = _win32(10047, "The machine lacks this kind of socket.")
    WSAENETUNREACH = _win32(10051, "The network cannot be reached.")
    WSAECONNABORTED = _win32(10053, "The connection was aborted.")
    WSAECONNRESET = _win32(10054, "The other side reset the connection.")
    WSAETIMEDOUT = _win32(10060, "The other side did not answer in time.")
    WSAECONNREFUSED = _win32(10061, "The other side refused the connection.")

    # Host networking
    HCN_E_NETWORK_NOT_FOUND = _code(0x803B0001, "The network does not exist.")
    HCN_E_ENDPOINT_NOT_FOUND = _code(0x803B0002, "The endpoint does not exist.")
    HCN_E_LAYER_NOT_FOUND = _code(0x803B0003, "The network's layer does not exist.")
    HCN_E_SWITCH_NOT_FOUND = _code(0x803B0004, "The virtual switch does not exist.")
    HCN_E_SUBNET_NOT_FOUND = _code(0x803B0005, "There is no subnet for the endpoint.")
    HCN_E_ADAPTER_NOT_FOUND = _code(0x803B0006, "The adapter does not exist.")
    HCN_E_PORT_NOT_FOUND = _code(0x803B0007, "The switch port does not exist.")
    HCN_E_POLICY_NOT_FOUND = _code(0x803B0008, "The policy does not exist.")
    HCN_E_VFP_PORTSETTING_NOT_FOUND = _code(
        0x803B0009, "A needed VFP port setting does not exist."
    )
    HCN_E_INVALID_NETWORK = _code(0x803B000A, "The network's settings are not valid.")
    HCN_E_INVALID_NETWORK_TYPE = _code(0x803B000B, "The network's type is not valid.")
    HCN_E_INVALID_ENDPOINT = _code(0x803B000C, "The endpoint's settings are not valid.")
    HCN_E_INVALID_POLICY = _code(0x803B000D, "The policy's settings are not valid.")
    HCN_E_INVALID_POLICY_TYPE = _code(0x803B000E, "The policy's type is not valid.")
    HCN_E_INVALID_REMOTE_ENDPOINT_OPERATION = _code(
        0x803B000F, "This cannot be done to a remote endpoint."
    )
    HCN_E_NETWORK_ALREADY_EXISTS = _code(
        0x803B0010, "A network of this name exists already."
    )
    HCN_E_LAYER_ALREADY_EXISTS = _code(
        0x803B0011, "The network's layer exists already."
    )
    HCN_E_POLICY_ALREADY_EXISTS = _code(
        0x803B0012, "The object has this policy already."
    )
    HCN_E_PORT_ALREADY_EXISTS = _code(0x803B0013, "The port exists already.")
    HCN_E_ENDPOINT_ALREADY_ATTACHED = _code(
        0x803B0014, "The endpoint is attached already."
    )
    HCN_E_REQUEST_UNSUPPORTED = _code(
        0x803B0015, "The networking service does not support the request."
    )
    HCN_E_MAPPING_NOT_SUPPORTED = _code(
        0x803B0016, "The port mapping is not possible here."
    )
    HCN_E_DEGRADED_OPERATION = _code(
        0x803B0017, "The object is degraded and does not allow this."
    )
    HCN_E_SHARED_SWITCH_MODIFICATION = _code(
        0x803B0018, "Other networks share the switch."
    )
    HCN_E_GUID_CONVERSION_FAILURE = _code(0x803B0019, "The text is no GUID.")
    HCN_E_REGKEY_FAILURE = _code(
        0x803B001A, "The networking service failed to use the registry."
    )
    HCN_E_INVALID_JSON = _code(
        0x803B001B, "The networking service's JSON document is not valid."
    )
    HCN_E_INVALID_JSON_REFERENCE = _code(
        0x803B001C, "A reference in the JSON document is not valid."
    )
    HCN_E_ENDPOINT_SHARING_DISABLED = _code(
        0x803B001D, "Sharing of endpoints is switched off."
    )
    HCN_E_INVALID_IP = _code(
        0x803B001E, "The address is malformed or outside every subnet."
    )
    HCN_E_SWITCH_EXTENSION_NOT_FOUND = _code(
        0x803B001F, "The switch extension does not exist."
    )
    HCN_E_MANAGER_STOPPED = _code(0x803B0020, "The networking service is stopping.")
    GCN_E_MODULE_NOT_FOUND = _code(0x803B0021, "The guest's network module is missing.")
    GCN_E_NO_REQUEST_HANDLERS = _code(
        0x803B0022, "Nobody in the guest handles the request."
    )
    GCN_E_REQUEST_UNSUPPORTED = _code(
        0x803B0023, "The guest does not support the request."
    )
    GCN_E_RUNTIMEKEYS_FAILED = _code(
        0x803B0024, "The guest failed to add its runtime keys."
    )
    GCN_E_NETADAPTER_TIMEOUT = _code(
        0x803B0025, "The guest's adapter did not appear in time."
    )
    GCN_E_NETADAPTER_NOT_FOUND = _code(0x803B0026, "The guest has no such adapter.")
    GCN_E_NETCOMPARTMENT_NOT_FOUND = _code(
        0x803B0027, "The guest has no such compartment."
    )
    GCN_E_NETINTERFACE_NOT_FOUND = _code(0x803B0028, "The guest has no such interface.")
    GCN_E_DEFAULTNAMESPACE_EXISTS = _code(
        0x803B0029, "The guest has a default namespace already."
    )
    HCN_E_ICS_DISABLED = _code(
        0x803B002A, "The service that shares connections is disabled."
    )
    HCN_E_ENDPOINT_NAMESPACE_ALREADY_EXISTS = _code(
        0x803B002B, "The endpoint is in a namespace already."
    )
    HCN_E_ENTITY_HAS_REFERENCES = _code(0x803B002C, "The object is still in use.")
    HCN_E_INVALID_INTERNAL_PORT = _code(
        0x803B002D, "The internal port is missing or 0."
    )
    HCN_E_NAMESPACE_ATTACH_FAILED = _code(
        0x803B002E, "The namespace could not be attached."
    )
    HCN_E_ADDR_INVALID_OR_RESERVED = _code(
        0x803B002F, "The address is not valid, or is reserved or in use."
    )
    HCN_E_INVALID_PREFIX = _code(0x803B0030, "The prefix is not valid.")
    HCN_E_OBJECT_USED_AFTER_UNLOAD = _code(
        0x803B0031, "The object was torn down already."
    )
    HCN_E_INVALID_SUBNET = _code(0x803B0032, "The subnet's settings are not valid.")
    HCN_E_INVALID_IP_SUBNET = _code(
        0x803B0033, "The IP subnet's settings are not valid."
    )
    HCN_E_ENDPOINT_NOT_ATTACHED = _code(
        0x803B0034, "The endpoint must be attached first."
    )
    HCN_E_ENDPOINT_NOT_LOCAL = _code(0x803B0035, "The endpoint must be a local one.")
    HCN_INTERFACEPARAMETERS_ALREADY_APPLIED = _code(
        0x803B0036, "The object has such a policy already, and may have only one."
    )
    HCN_E_VFP_NOT_ALLOWED = _code(
        0x803B0037, "VFP is not available for this kind of network."
    )

    # Virtual disks
    ERROR_VHD_DRIVE_FOOTER_MISSING = _code(
        0xC03A0001, "The virtual disk has no footer."
    )
    ERROR_VHD_DRIVE_FOOTER_CHECKSUM_MISMATCH = _code(
        0xC03A0002, "The checksum of the virtual disk's footer is wrong."
    )
    ERROR_VHD_DRIVE_FOOTER_CORRUPT = _code(
        0xC03A0003, "The virtual disk's footer is damaged."
    )
    ERROR_VHD_FORMAT_UNKNOWN = _code(
        0xC03A0004, "The virtual disk's format is not known."
    )
    ERROR_VHD_FORMAT_UNSUPPORTED_VERSION = _code(
        0xC03A0005, "The version of the virtual disk's format is not supported."
    )
    ERROR_VHD_SPARSE_HEADER_CHECKSUM_MISMATCH = _code(
        0xC03A0006, "The checksum of the virtual disk's header is wrong."
    )
    ERROR_VHD_SPARSE_HEADER_UNSUPPORTED_VERSION = _code(
        0xC03A0007, "The version of the virtual disk's header is not supported."
    )
    ERROR_VHD_SPARSE_HEADER_CORRUPT = _code(
        0xC03A0008, "The virtual disk's header is damaged."
    )
    ERROR_VHD_BLOCK_ALLOCATION_FAILURE = _code(
        0xC03A0009, "The virtual disk has no room for another block."
    )
    ERROR_VHD_BLOCK_ALLOCATION_TABLE_CORRUPT = _code(
        0xC03A000A, "The virtual disk's block table is damaged."
    )
    ERROR_VHD_INVALID_BLOCK_SIZE = _code(
        0xC03A000B, "The virtual disk's block size is not valid."
    )
    ERROR_VHD_BITMAP_MISMATCH = _code(
        0xC03A000C, "The virtual disk's bitmap does not fit its block."
    )
    ERROR_VHD_PARENT_VHD_NOT_FOUND = _code(
        0xC03A000D, "The virtual disk's parent does not exist."
    )
    ERROR_VHD_CHILD_PARENT_ID_MISMATCH = _code(
        0xC03A000E, "The virtual disk's parent is another disk."
    )
    ERROR_VHD_CHILD_PARENT_TIMESTAMP_MISMATCH = _code(
        0xC03A000F, "The virtual disk's parent has been changed."
    )
    ERROR_VHD_METADATA_READ_FAILURE = _code(
        0xC03A0010, "The virtual disk's metadata cannot be read."
    )
    ERROR_VHD_METADATA_WRITE_FAILURE = _code(
        0xC03A0011, "The virtual disk's metadata cannot be written."
    )
    ERROR_VHD_INVALID_SIZE = _code(0xC03A0012, "The virtual disk's size is not valid.")
    ERROR_VHD_INVALID_FILE_SIZE = _code(
        0xC03A0013, "The size of the virtual disk's file is not valid."
    )
    ERROR_VIRTDISK_PROVIDER_NOT_FOUND = _code(
        0xC03A0014, "Nothing on this machine handles such a virtual disk."
    )
    ERROR_VIRTDISK_NOT_VIRTUAL_DISK = _code(0xC03A0015, "The file is no virtual disk.")
    ERROR_VHD_PARENT_VHD_ACCESS_DENIED = _code(
        0xC03A0016, "Access to the virtual disk's parent is denied."
    )
    ERROR_VHD_CHILD_PARENT_SIZE_MISMATCH = _code(
        0xC03A0017, "The virtual disk's parent has another size."
    )
    ERROR_VHD_DIFFERENCING_CHAIN_CYCLE_DETECTED = _code(
        0xC03A0018, "The virtual disk is its own ancestor."
    )
    ERROR_VHD_DIFFERENCING_CHAIN_ERROR_IN_PARENT = _code(
        0xC03A0019, "An ancestor of the virtual disk is damaged."
    )
    ERROR_VIRTUAL_DISK_LIMITATION = _code(
        0xC03A001A, "The disk's file is compressed, encrypted or sparse."
    )
    ERROR_VHD_INVALID_TYPE = _code(0xC03A001B, "The virtual disk's type is not valid.")
    ERROR_VHD_INVALID_STATE = _code(
        0xC03A001C, "The virtual disk's present state does not allow this."
    )
    ERROR_VIRTDISK_UNSUPPORTED_DISK_SECTOR_SIZE = _code(
        0xC03A001D, "The disk's sector size is not supported."
    )
    ERROR_VIRTDISK_DISK_ALREADY_OWNED = _code(
        0xC03A001E, "Somebody else owns the disk already."
    )
    ERROR_VIRTDISK_DISK_ONLINE_AND_WRITABLE = _code(
        0xC03A001F, "The disk is on line and writable."
    )
    ERROR_CTLOG_TRACKING_NOT_INITIALIZED = _code(
        0xC03A0020, "Change tracking was not set up."
    )
    ERROR_CTLOG_LOGFILE_SIZE_EXCEEDED_MAXSIZE = _code(
        0xC03A0021, "The log of changes is too large."
    )
    ERROR_CTLOG_VHD_CHANGED_OFFLINE = _code(
        0xC03A0022, "The disk was changed while tracking was off."
    )
    ERROR_CTLOG_INVALID_TRACKING_STATE = _code(
        0xC03A0023, "The state of change tracking does not allow this."
    )
    ERROR_CTLOG_INCONSISTENT_TRACKING_FILE = _code(
        0xC03A0024, "The log of changes contradicts itself."
    )
    ERROR_VHD_RESIZE_WOULD_TRUNCATE_DATA = _code(
        0xC03A0025, "The new size would cut off data."
    )
    ERROR_VHD_COULD_NOT_COMPUTE_MINIMUM_VIRTUAL_SIZE = _code(
        0xC03A0026, "The least size of the virtual disk cannot be computed."
    )
    ERROR_VHD_ALREADY_AT_OR_BELOW_MINIMUM_VIRTUAL_SIZE = _code(
        0xC03A0027, "The virtual disk has its least size already."
    )
    ERROR_VHD_METADATA_FULL = _code(
        0xC03A0028, "The virtual disk has no room for more metadata."
    )
    ERROR_VHD_INVALID_CHANGE_TRACKING_ID = _code(
        0xC03A0029, "The id of change tracking is not valid."
    )
    ERROR_VHD_CHANGE_TRACKING_DISABLED = _code(
        0xC03A002A, "Change tracking is switched off."
    )
    ERROR_VHD_MISSING_CHANGE_TRACKING_INFORMATION = _code(
        0xC03A0030, "Information about tracked changes is missing."
    )

    # Hypervisor, its driver, file shares
    HV_STATUS_NO_HYPERVISOR = _code(0xC0351000, "No hypervisor is running.")
    ERROR_VID_HANDLER_NOT_PRESENT = _code(
        0xC0370004, "The hypervisor driver has no such handler."
    )
    ERROR_VID_PARTITION_ALREADY_EXISTS = _code(
        0xC0370008, "The partition exists already."
    )
    ERROR_VID_PARTITION_DOES_NOT_EXIST = _code(
        0xC0370009, "The partition does not exist."
    )
    ERROR_VID_PARTITION_NAME_NOT_FOUND = _code(
        0xC037000A, "No partition has this name."
    )
    ERROR_VID_MESSAGE_QUEUE_ALREADY_EXISTS = _code(
        0xC037000B, "The message queue exists already."
    )
    ERROR_VID_INVALID_NUMA_SETTINGS = _code(
        0xC037000F, "The NUMA settings are not valid."
    )
    ERROR_VID_INVALID_NUMA_NODE_INDEX = _code(
        0xC0370010, "The NUMA node's index is not valid."
    )
    ERROR_VID_SAVED_STATE_CORRUPT = _code(0xC0370027, "The saved state is damaged.")
    ERROR_VID_SAVED_STATE_UNRECOGNIZED_ITEM = _code(
        0xC0370028, "The saved state has an item that is not known."
    )
    ERROR_VID_SAVED_STATE_INCOMPATIBLE = _code(
        0xC0370029, "The saved state does not fit this machine."
    )
    ERROR_VID_VTL_ACCESS_DENIED = _code(
        0xC037002A, "The virtual trust level denies access."
    )
    ERROR_VNET_VIRTUAL_SWITCH_NAME_NOT_FOUND = _code(
        0xC0370200, "No virtual switch has this name."
    )
    WHV_E_UNKNOWN_CAPABILITY = _code(
        0x80370300, "The hypervisor does not know this capability."
    )
    WHV_E_INSUFFICIENT_BUFFER = _code(0x80370301, "The buffer is too small.")
    WHV_E_UNKNOWN_PROPERTY = _code(
        0x80370302, "The hypervisor does not know this property."
    )
    WHV_E_UNSUPPORTED_HYPERVISOR_CONFIG = _code(
        0x80370303, "The hypervisor's configuration is not supported."
    )
    WHV_E_INVALID_PARTITION_CONFIG = _code(
        0x80370304, "The partition's configuration is not valid."
    )
    WHV_E_GPA_RANGE_NOT_FOUND = _code(
        0x80370305, "The range of guest memory does not exist."
    )
    WHV_E_VP_ALREADY_EXISTS = _code(0x80370306, "The virtual processor exists already.")
    WHV_E_VP_DOES_NOT_EXIST = _code(0x80370307, "The virtual processor does not exist.")
    WHV_E_INVALID_VP_STATE = _code(
        0x80370308, "The virtual processor's state does not allow this."
    )
    WHV_E_INVALID_VP_REGISTER_NAME = _code(
        0x80370309, "The virtual processor has no such register."
    )
    ERROR_VSMB_SAVED_STATE_FILE_NOT_FOUND = _code(
        0xC0370400, "The file share's saved state does not exist."
    )
    ERROR_VSMB_SAVED_STATE_CORRUPT = _code(
        0xC0370401, "The file share's saved state is damaged."
    )


_names: dict[int, str] = {}


def failed(hresult: int) -> bool:
    """Tell whether an HRESULT, signed or unsigned, is a failure."""
    return bool(hresult & 0x80000000)


def is_vmcompute_form(hresult: int) -> bool:
    """
    Tell whether a code is HCS's own, in the form that ``vmcompute`` returns.

    Of ``0xC037xxxx`` only ``0xC03701xx`` is HCS's; the rest is the hypervisor's.
    """
    return hresult & 0xFFFFFF00 == _VMCOMPUTE_FORM | 0x100


def normalise(hresult: int) -> int:
    """
    Give the code that answers of both generations of HCS are compared by.

    Args:
        hresult: Signed or unsigned.

    Returns:
        Unsigned 32 bits; ``0xC03701xx`` has become ``0x803701xx``, but for the
        two codes that exist in the first form only.
    """
    hresult &= 0xFFFFFFFF
    if is_vmcompute_form(hresult) and hresult not in _MESSAGES:
        return _HCS_FORM | hresult & 0xFFFF
    return hresult


def vmcompute_form(hresult: int) -> int:
    """
    Give the form in which ``vmcompute`` and guests report an HCS code.

    Codes that are not HCS's own come back as they are.
    """
    hresult &= 0xFFFFFFFF
    if hresult & 0xFFFFFF00 == _HCS_FORM | 0x100:
        return _VMCOMPUTE_FORM | hresult & 0xFFFF
    return hresult


def win32_code(hresult: int) -> int | None:
    """Give the Win32 code that an HRESULT wraps, or ``None`` if it wraps none."""
    if hresult & 0x1FFF0000 == 0x00070000:
        return hresult & 0xFFFF
    return None


def name_of(hresult: int) -> str:
    """
    Give a code's name in the Windows SDK.

    Returns:
        ``"HCS_E_INVALID_STATE"``; for the form of ``vmcompute``
        ``"ERROR_VMCOMPUTE_INVALID_STATE"``; ``""`` for a code that is not listed.
    """
    if not _names:
        _names.update(
            (value, name)
            for name, value in vars(HResult).items()
            if isinstance(value, int)
        )
    hresult &= 0xFFFFFFFF
    name = _names.get(hresult)
    if name is not None:
        return name
    name = _names.get(normalise(hresult), "")
    if name == "HCS_E_CONNECTION_TIMEOUT":  # the one pair whose names differ
        name = "HCS_E_TIMEOUT"
    return name.replace("HCS_E_", "ERROR_VMCOMPUTE_")


def message_of(hresult: int) -> str:
    """
    Say in plain English what a code means.

    Returns:
        One sentence; ``""`` for a code that is not listed.
    """
    hresult &= 0xFFFFFFFF
    return _MESSAGES.get(hresult) or _MESSAGES.get(normalise(hresult), "")
