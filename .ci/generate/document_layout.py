"""What the tables do not say: where each document class lives, and its finer points."""

from __future__ import annotations

#: Module of ``hcsshim.documents``: what it is about, and its classes in order.
MODULES: dict[str, tuple[str, list[str]]] = {
    "compute_system": (
        "The root documents of compute systems.",
        ["Version", "ComputeSystem"],
    ),
    "hosted_system": (
        "Containers inside a virtual machine.",
        ["HostedSystem", "LinuxHostedSystem", "LcowProcessParameters"],
    ),
    "container": (
        "The container section of a compute system.",
        ["Container"],
    ),
    "container_limits": (
        "Operating system, limits and network of a container.",
        ["GuestOs", "Memory", "Processor", "Networking"],
    ),
    "storage": (
        "Storage of containers: layers and scratch.",
        ["Layer", "Storage"],
    ),
    "mapped_directory": (
        "Host directories seen inside a container.",
        ["MappedDirectory"],
    ),
    "mapped_pipe": (
        "Host named pipes seen inside a container.",
        ["MappedPipe"],
    ),
    "process_parameters": (
        "How a process is started.",
        ["ProcessParameters"],
    ),
    "process": (
        "Changes to running processes, and lists of them.",
        [
            "ProcessModifyRequest",
            "ConsoleSize",
            "CloseHandle",
            "SignalProcessOptions",
            "ProcessDetails",
        ],
    ),
    "crash": (
        "Crashing a guest on purpose, and what a crash leaves.",
        ["CrashOptions", "CrashReport", "WindowsCrashReport"],
    ),
    "credential_guard": (
        "Credential guard: group-managed accounts for containers.",
        [
            "ContainerCredentialGuardAddInstanceRequest",
            "ContainerCredentialGuardHvSocketServiceConfig",
            "ContainerCredentialGuardInstance",
            "ContainerCredentialGuardOperationRequest",
            "ContainerCredentialGuardRemoveInstanceRequest",
            "ContainerCredentialGuardState",
            "ContainerCredentialGuardSystemInfo",
        ],
    ),
    "registry": (
        "Changes to the guest's registry.",
        ["RegistryChanges", "RegistryKey", "RegistryValue", "RegistryFlushState"],
    ),
    "device": (
        "Host devices assigned to a container.",
        ["Device"],
    ),
    "device_extension": (
        "Device extensions: additions to a container's namespaces.",
        [
            "ContainerDefinitionDevice",
            "DeviceCategory",
            "DeviceExtension",
            "DeviceInstance",
            "DeviceNamespace",
            "InterfaceClass",
            "DeviceExtensionNamespace",
            "ObjectDirectory",
            "ObjectNamespace",
            "ObjectSymlink",
        ],
    ),
    "silo_namespace": (
        "The namespaces of a container's definition.",
        [
            "JobNamespace",
            "JobCpu",
            "JobMemory",
            "JobSystemRoot",
            "FilesystemNamespace",
            "FilesystemLayer",
            "ContainersDef_BatchedBinding",
            "ContainersDef_Container",
            "MountManagerNamespace",
            "MountManagerMountPoint",
            "NamedPipeNamespace",
            "NamedPipeSymlink",
            "NetworkNamespace",
            "HostFiles",
        ],
    ),
    "registry_namespace": (
        "The registry of a container's definition.",
        [
            "RegistryNamespace",
            "RegistrySymlink",
            "RegistryRedirectionNode",
            "RegistryHiveStack",
            "RegistryLayer",
            "RegistryMakeKey",
            "RegistryMakeValue",
            "RegistryDeleteKey",
        ],
    ),
    "hv_socket": (
        "Hyper-V sockets: who may bind and connect.",
        [
            "HvSocket",
            "HvSocket2",
            "HvSocketAddress",
            "HvSocketServiceConfig",
            "HvSocketSystemConfig",
        ],
    ),
    "virtual_machine": (
        "The virtual machine section of a compute system.",
        ["VirtualMachine", "GuestConnection", "DebugOptions"],
    ),
    "chipset": (
        "What a virtual machine boots from.",
        ["Chipset", "Uefi", "UefiBootEntry", "LinuxKernelDirect", "FirmwareFile"],
    ),
    "guest_state": (
        "Saved and confidential state of a virtual machine.",
        ["GuestState", "RestoreState", "SecuritySettings", "IsolationSettings"],
    ),
    "topology": (
        "Processors and memory of a virtual machine.",
        [
            "Topology",
            "VirtualMachineMemory",
            "VirtualMachineProcessor",
            "ProcessorLimits",
            "ProcessorFeatureSet",
            "CpuGroup",
            "GpuConfiguration",
            "IdleProcessorsRequest",
        ],
    ),
    "numa": (
        "Virtual NUMA nodes.",
        [
            "Numa",
            "NumaSetting",
            "NumaNode",
            "NumaNodeMemory",
            "NumaNodeProcessor",
            "NumaProcessors",
            "Range",
        ],
    ),
    "devices": (
        "Virtual devices of a virtual machine.",
        [
            "Devices",
            "ComPort",
            "FlexibleIoDevice",
            "VirtualPciDevice",
            "VirtualPciFunction",
            "VirtioSerial",
            "VirtioSerialPort",
            "SharedMemoryConfiguration",
            "SharedMemoryRegion",
            "SharedMemoryRegionInfo",
        ],
    ),
    "display": (
        "Screen, keyboard and mouse of a virtual machine.",
        [
            "VideoMonitor",
            "EnhancedModeVideo",
            "RdpConnectionOptions",
            "Keyboard",
            "Mouse",
            "Battery",
            "ConsoleImage",
            "ConsoleImageQuery",
        ],
    ),
    "crash_reporting": (
        "Where a guest writes its dump.",
        ["GuestCrashReporting", "WindowsCrashReporting"],
    ),
    "disk": (
        "Disks of a virtual machine.",
        [
            "Scsi",
            "Attachment",
            "VirtualPMemController",
            "VirtualPMemDevice",
            "VirtualPMemMapping",
            "StorageQoS",
        ],
    ),
    "share": (
        "Host folders shared with a virtual machine.",
        [
            "VirtualSmb",
            "VirtualSmbShare",
            "VirtualSmbShareOptions",
            "Plan9",
            "Plan9Share",
        ],
    ),
    "network_adapter": (
        "Network adapters of a virtual machine.",
        ["NetworkAdapter", "IovSettings"],
    ),
    "services": (
        "Integration services of a virtual machine.",
        [
            "Services",
            "Heartbeat",
            "Shutdown",
            "Timesync",
            "KvpExchange",
            "KvpQuery",
            "IntegrationComponentStatus",
        ],
    ),
    "properties": (
        "Queries about compute systems, and the answers.",
        [
            "PropertyQuery",
            "Properties",
            "PropertyResponse",
            "GuestConnectionInfo",
            "SystemQuery",
            "ComputeSystemProperties",
            "SiloProperties",
        ],
    ),
    "statistics": (
        "Counters of a compute system.",
        [
            "Statistics",
            "MemoryStats",
            "ProcessorStats",
            "StorageStats",
            "CacheQueryStatsResponse",
            "ContainerMemoryInformation",
            "MemoryInformationForVm",
            "VmMemory",
            "VirtualNodeInfo",
        ],
    ),
    "cgroups": (
        "Counters of a Linux container.",
        [
            "cgroups1.Metrics",
            "cgroups1.HugetlbStat",
            "cgroups1.PidsStat",
            "cgroups1.CPUStat",
            "cgroups1.CPUUsage",
            "cgroups1.Throttle",
            "cgroups1.MemoryStat",
            "cgroups1.MemoryEntry",
            "cgroups1.MemoryOomControl",
            "cgroups1.BlkIOStat",
            "cgroups1.BlkIOEntry",
            "cgroups1.RdmaStat",
            "cgroups1.RdmaEntry",
            "cgroups1.NetworkStat",
            "cgroups1.CgroupStats",
        ],
    ),
    "modify": (
        "Changes to running compute systems.",
        [
            "ModifySettingRequest",
            "GuestModifySettingRequest",
            "CombinedLayers",
            "MappedVirtualDisk",
        ],
    ),
    "service": (
        "Queries and changes of the service itself.",
        [
            "ServicePropertyQuery",
            "ServiceProperties",
            "ModificationRequest",
            "BasicInformation",
            "QoSCapabilities",
            "ProcessorTopology",
            "LogicalProcessor",
            "Subnode",
            "ProcessorCapabilitiesInfo",
            "VmProcessorRequirements",
        ],
    ),
    "cpu_group": (
        "CPU groups of the hypervisor.",
        [
            "CpuGroupConfigurations",
            "CpuGroupConfig",
            "CpuGroupAffinity",
            "CpuGroupProperty",
            "HostProcessorModificationRequest",
            "CreateGroupOperation",
            "DeleteGroupOperation",
            "SetPropertyOperation",
            "SystemProcessorModificationRequest",
        ],
    ),
    "options": (
        "Options of starting, stopping, pausing and saving.",
        [
            "StartOptions",
            "ShutdownOptions",
            "PauseOptions",
            "PauseNotification",
            "SaveOptions",
        ],
    ),
    "migration": (
        "Live migration.",
        [
            "MigrationInitializeOptions",
            "MigrationStartOptions",
            "MigrationTransferOptions",
            "MigrationFinalizedOptions",
            "MigrationCancelOptions",
            "MigrationNetworkSettings",
            "MigrationCompressionSettings",
            "MemoryMigrationTransferThrottleParams",
            "CompatibilityInfo",
            "OperationSystemMigrationNotificationInfo",
            "BlackoutExitedEventDetails",
        ],
    ),
    "layer_storage": (
        "Documents of the layer calls of computestorage.",
        ["LayerData", "ExportLayerOptions", "OsLayerOptions", "CimMount"],
    ),
    "operation": (
        "Progress of operations.",
        [
            "OperationInfo",
            "OperationFailureInfo",
            "OperationNotificationInfo",
            "OperationProgress",
        ],
    ),
    "time_zone": (
        "The time zone handed to a guest.",
        ["TimeZoneInformation", "SystemTime"],
    ),
    "numbers": (
        "Enumerations that are numbers: notifications, events, resources, flags.",
        [],
    ),
}

#: The same for schema 1, in ``hcsshim.documents.v1``.
MODULES_V1: dict[str, tuple[str, list[str]]] = {
    "container": (
        "Containers of schema 1.",
        [
            "ContainerConfig",
            "Layer",
            "MappedDir",
            "MappedPipe",
            "HvRuntime",
            "MappedVirtualDisk",
            "AssignedDevice",
        ],
    ),
    "process": ("Processes of schema 1.", ["ProcessConfig"]),
    "properties": (
        "Queries of schema 1, the answers, and changes.",
        [
            "ComputeSystemQuery",
            "PropertyQuery",
            "ContainerProperties",
            "ProcessListItem",
            "MappedVirtualDiskController",
            "GuestDefinedCapabilities",
            "GuestConnectionInfo",
            "ResourceModificationRequestResponse",
        ],
    ),
    "statistics": (
        "Counters of schema 1.",
        ["Statistics", "MemoryStats", "ProcessorStats", "StorageStats", "NetworkStats"],
    ),
}

#: The same for HNS, in ``hcsshim.documents.hns``.
MODULES_HNS: dict[str, tuple[str, list[str]]] = {
    "network": ("Networks of HNS.", ["HNSNetwork", "Subnet", "MacPool"]),
    "endpoint": (
        "Endpoints of HNS.",
        [
            "HNSEndpoint",
            "EndpointAttachDetachRequest",
            "EndpointResquestResponse",
            "EndpointStats",
            "endpointAttachInfo",
        ],
    ),
    "namespace": (
        "Namespaces of HNS.",
        [
            "Namespace",
            "NamespaceResource",
            "namespaceRequest",
            "namespaceEndpointRequest",
            "namespaceResourceRequest",
        ],
    ),
    "policy": (
        "Policies of HNS: raw members of networks, endpoints and policy lists.",
        [
            "Policy",
            "NatPolicy",
            "QosPolicy",
            "IsolationPolicy",
            "VlanPolicy",
            "VsidPolicy",
            "PaPolicy",
            "OutboundNatPolicy",
            "ProxyPolicy",
            "ACLPolicy",
            "RoutePolicy",
            "LBPolicy",
            "ELBPolicy",
            "PolicyList",
        ],
    ),
    "service": (
        "The service itself: envelope of answers, version, features.",
        [
            "hnsResponse",
            "HNSGlobals",
            "HNSVersion",
            "HNSSupportedFeatures",
            "HNSAclFeatures",
            "HNSNnvManagementMacAddress",
            "HNSNnvManagementMacList",
        ],
    ),
    "numbers": ("Enumerations that are numbers.", []),
}

#: The same for HCN, in ``hcsshim.documents.hcn``.
MODULES_HCN: dict[str, tuple[str, list[str]]] = {
    "query": (
        "Queries of HCN, and what all objects have.",
        ["HostComputeQuery", "Version", "VersionRange", "Health", "ExtraParams"],
    ),
    "network": (
        "Networks of HCN.",
        [
            "HostComputeNetwork",
            "Ipam",
            "Subnet",
            "Route",
            "MacPool",
            "MacRange",
            "Dns",
            "ModifyNetworkSettingRequest",
            "PolicyNetworkRequest",
        ],
    ),
    "endpoint": (
        "Endpoints of HCN.",
        [
            "HostComputeEndpoint",
            "IpConfig",
            "ModifyEndpointSettingRequest",
            "VmEndpointRequest",
            "PolicyEndpointRequest",
        ],
    ),
    "namespace": (
        "Namespaces of HCN.",
        [
            "HostComputeNamespace",
            "NamespaceResource",
            "NamespaceResourceEndpoint",
            "NamespaceResourceContainer",
            "ModifyNamespaceSettingRequest",
            "VMRequest",
            "PersistedNamespaceConfig",
        ],
    ),
    "load_balancer": (
        "Load balancers of HCN.",
        ["HostComputeLoadBalancer", "LoadBalancerPortMapping"],
    ),
    "route": ("Routes of HCN.", ["HostComputeRoute"]),
    "policy": (
        "Policies of HCN by what they are for.",
        ["EndpointPolicy", "NetworkPolicy", "SubnetPolicy"],
    ),
    "endpoint_policy": (
        "Settings of endpoint policies.",
        [
            "PortMappingPolicySetting",
            "AclPolicySetting",
            "QosPolicySetting",
            "OutboundNatPolicySetting",
            "SDNRoutePolicySetting",
            "L4ProxyPolicySetting",
            "L4WfpProxyPolicySetting",
            "FiveTuple",
            "ProxyExceptions",
            "PortnameEndpointPolicySetting",
            "EncapOverheadEndpointPolicySetting",
            "IovPolicySetting",
            "ProviderAddressEndpointPolicySetting",
            "InterfaceConstraintPolicySetting",
            "TierAclPolicySetting",
            "TierAclRule",
        ],
    ),
    "network_policy": (
        "Settings of network and subnet policies.",
        [
            "SourceMacAddressNetworkPolicySetting",
            "NetAdapterNameNetworkPolicySetting",
            "ProviderAddressNetworkPolicySetting",
            "VSwitchExtensionNetworkPolicySetting",
            "DrMacAddressNetworkPolicySetting",
            "AutomaticDNSNetworkPolicySetting",
            "LayerConstraintNetworkPolicySetting",
            "RemoteSubnetRoutePolicySetting",
            "VxlanPortPolicySetting",
            "SetPolicySetting",
            "NetworkACLPolicySetting",
            "VlanPolicySetting",
            "VsidPolicySetting",
        ],
    ),
    "service": (
        "The service itself: envelope of answers, version, features.",
        ["hnsResponse", "Globals", "SupportedFeatures", "AclFeatures", "ApiSupport"],
    ),
    "numbers": ("Enumerations that are numbers.", []),
}

#: Types written by hand in ``hcsshim/documents/results.py``.
BY_HAND = [
    "ErrorEvent",
    "HcsResult",
    "SystemExitStatus",
    "ProcessStatus",
    "AttributionRecord",
    "EventData",
    "OperationFailure",
    "SystemExit",
    "WorkerExit",
    "GuestCrash",
    "TripleFault",
    "VirtualDeviceFailure",
    "InjectNonMaskableInterrupt",
]

#: Enums written by hand there.
ENUMS_BY_HAND = ["EventDataType", "NotificationType", "ExitInitiator"]

#: Class names here, where the schema's name would mislead or is no name.
RENAMED = {
    "HcsResult": "ResultError",
    "Service_PropertyQuery": "ServicePropertyQuery",
    "ContainersDef_BatchedBinding": "BatchedBinding",
    "ContainersDef_Container": "ContainerDefinition",
    "STDIOHandle": "StdioHandle",
    "EndpointResquestResponse": "EndpointRequestResponse",
    "endpointAttachInfo": "EndpointAttachInfo",
    "hnsResponse": "HNSResponse",
    "namespaceRequest": "NamespaceRequest",
    "namespaceEndpointRequest": "NamespaceEndpointRequest",
    "namespaceResourceRequest": "NamespaceResourceRequest",
}

#: Names of fields here, where splitting the wire name into words fails.
FIELD_NAMES = {
    "InitRdPath": "initrd_path",
    "MaximumFrequencyMHz": "maximum_frequency_mhz",
    "DWordValue": "dword_value",
    "QWordValue": "qword_value",
    "AllowDirectTranslatedP2P": "allow_direct_translated_p2p",
    "VirtualPMem": "virtual_pmem",
    "QoS": "qos",
    "StorageQoS": "storage_qos",
    "ProcessorQoSSupported": "processor_qos_supported",
    "ForceLevelIIOplocks": "force_level_ii_oplocks",
    "StorageIOPSMaximum": "storage_iops_maximum",
    "IOPSMaximum": "iops_maximum",
    "Extra": "extra_params",
    "IDs": "ids",
    "VIPs": "vips",
    "FrontendVIPs": "frontend_vips",
    "ICMPv4": "icmpv4",
    "ICMPv6": "icmpv6",
    "IPSET": "ip_set",
    "NESTEDIPSET": "nested_ip_set",
    "L4WFPPROXY": "l4_wfp_proxy",
    "OutBoundNAT": "outbound_nat",
    "PreOSId": "pre_os_id",
    "SystemGUID": "system_guid",
    "EnableHostOSInfoKvpItems": "enable_host_os_info_kvp_items",
}

#: Text fields that hold a value of an enum of the public reference.
ENUM_OF = {
    "Attachment.Type": "AttachmentType",
    "Attachment.CachingMode": "CachingMode",
    "Layer.Cache": "CacheMode",
    "Layer.PathType": "PathType",
    "MappedDirectory.HostPathType": "PathType",
    "MappedPipe.HostPathType": "MappedPipePathType",
    "ContainerCredentialGuardAddInstanceRequest.Transport": (
        "ContainerCredentialGuardTransport"
    ),
    "ContainerCredentialGuardState.Transport": "ContainerCredentialGuardTransport",
    "ObjectDirectory.shadow": "ObjectDirectoryShadow",
    "ObjectNamespace.shadow": "ObjectDirectoryShadow",
    "ObjectSymlink.scope": "ObjectSymlinkScope",
    "InterfaceClass.type": "InterfaceClassType",
    "FlexibleIoDevice.HostingModel": "FlexibleIoDeviceHostingModel",
    "PauseNotification.Reason": "PauseReason",
    "PauseOptions.SuspensionLevel": "PauseSuspensionLevel",
    "SaveOptions.SaveType": "SaveType",
    "Properties.SystemType": "SystemType",
    "Properties.RuntimeOsType": "OsType",
    "Properties.State": "State",
    "Properties.ExitType": "NotificationType",
    "Uefi.ApplySecureBootTemplate": "ApplySecureBootTemplateType",
    "Uefi.Console": "SerialConsole",
    "UefiBootEntry.DeviceType": "UefiBootDevice",
    "VirtualPMemController.Backing": "VirtualPMemBackingType",
    "VirtualPMemDevice.ImageFormat": "VirtualPMemImageFormat",
    "VirtualPMemMapping.ImageFormat": "VirtualPMemImageFormat",
}

#: Values seen in use that the public reference does not list.
ENUM_ADDITIONS = {
    "AttachmentType": ["ExtensibleVirtualDisk"],
    "ModifyPropertyType": [],
}

#: Schema version that every host with schema 2 has; what is later is marked.
FIRST_VERSION = "2.1"

#: Versions that comments of clients tell, where the reference does not.
SINCE = {
    "LayerData.FilterType": "2.9",
    "VirtualPciDevice.PropagateNumaAffinity": "2.11",
}

#: Fields that may hold credentials: masked in ``repr``.
SECRETS = {
    "ProcessParameters.Environment",
    "v1.ProcessConfig.Environment",
    "v1.ContainerConfig.Credentials",
    "ContainerCredentialGuardAddInstanceRequest.CredentialSpec",
    "ContainerCredentialGuardState.Cookie",
    "ContainerCredentialGuardState.CredentialSpec",
    "LcowProcessParameters.OciProcess",
    "LinuxHostedSystem.OciSpecification",
    "v1.ProcessConfig.OCISpecification",
    "KvpExchange.EntriesToBeAdded",
    "ContainerCredentialGuardOperationRequest.OperationDetails",
}

#: Validators beyond the width of a number.
RULES = {
    "Processor.Weight": "share",
    "Processor.Maximum": "share",
    "VirtualMachineProcessor.Weight": "share",
    "ProcessorLimits.Weight": "share",
    "CrashReport.Status": "code",
    "OperationFailureInfo.Result": "code",
    "WindowsCrashReport.Status": "code",
    "v1.ContainerConfig.ProcessorMaximum": "share",
    "v1.ContainerConfig.ProcessorWeight": "share",
}

#: Fields that exclude each other, by Python name; True where one must be set.
CHOICES = {
    "ComputeSystem": [(["container", "virtual_machine", "hosted_system"], True)],
    "Processor": [(["count", "maximum", "weight"], False)],
    "RegistryValue": [
        (["string_value", "binary_value", "dword_value", "qword_value"], False)
    ],
    "ProcessModifyRequest": [(["console_size", "close_handle"], False)],
}

#: What the types of the public reference are; the tables describe the others.
TYPE_DOCS = {
    "BasicInformation": "Answer to the Basic service query.",
    "CombinedLayers": "Layers of a container as its guest combines them.",
    "ComputeSystemProperties": "The basic properties of a system, by named query.",
    "ConsoleImage": "A picture of a VM's screen.",
    "ConsoleImageQuery": "Asks for a picture of a VM's screen.",
    "ContainersDef_BatchedBinding": "Several roots bound to one file path.",
    "ContainersDef_Container": "Definition of a container by its namespaces.",
    "CrashOptions": "Options document for crashing a guest.",
    "CrashReport": "What is known of a crashed guest; data of a crash event.",
    "FilesystemLayer": "One layer of a file system namespace.",
    "FilesystemNamespace": "The file system of a container's definition.",
    "GpuConfiguration": "Which of the host's GPUs a VM sees.",
    "GuestModifySettingRequest": "Change to a running system, made by the guest alone.",
    "HostFiles": "Host files that a container's definition shows.",
    "IdleProcessorsRequest": "Number of a VM's processors to leave idle.",
    "IntegrationComponentStatus": "State of one integration service.",
    "JobCpu": "Processor limits of a job.",
    "JobMemory": "Memory limit of a job.",
    "JobNamespace": "The job object of a container's definition.",
    "JobSystemRoot": "System root of a job.",
    "KvpExchange": "Key-value pairs exchanged with a guest.",
    "KvpQuery": "Asks for key-value pairs of a guest.",
    "MappedVirtualDisk": "A disk mounted inside a guest.",
    "MountManagerMountPoint": "One mount point.",
    "MountManagerNamespace": "The mount points of a container's definition.",
    "NamedPipeNamespace": "The named pipes of a container's definition.",
    "NamedPipeSymlink": "A named pipe known under another name.",
    "NetworkNamespace": "The network compartment of a container's definition.",
    "OperationFailureInfo": "Code of a failed operation.",
    "OperationInfo": "Which operation ran, when, and how it went.",
    "OperationNotificationInfo": "Envelope of a notification about an operation.",
    "OperationProgress": "Envelope of progress of an operation.",
    "ProcessorCapabilitiesInfo": "Processor features that the host can offer.",
    "ProcessorFeatureSet": "Processor features that a VM gets.",
    "QoSCapabilities": "Answer to the QoSCapabilities service query.",
    "RegistryDeleteKey": "A key to delete.",
    "RegistryFlushState": "Whether a container's registry is flushed to disk.",
    "RegistryHiveStack": "Layers that make up one hive.",
    "RegistryLayer": "One layer of a hive.",
    "RegistryMakeKey": "A key to make.",
    "RegistryMakeValue": "A value to make.",
    "RegistryNamespace": "The registry of a container's definition.",
    "RegistryRedirectionNode": "A key shown in another place.",
    "RegistrySymlink": "A key that points to another.",
    "Service_PropertyQuery": "Which properties of the service to return.",
    "Services": "Integration services of a VM; an object switches one on.",
    "Heartbeat": "Presence-only service; always the empty object.",
    "Shutdown": "Presence-only service; always the empty object.",
    "Timesync": "Presence-only service; always the empty object.",
    "SetPropertyOperation": "Details for setting a property of a CPU group.",
    "ShutdownOptions": "Options document for shutting a system down.",
    "SignalProcessOptions": "Options document for signalling a Windows process.",
    "Subnode": "Where in a socket a logical processor sits.",
    "SystemProcessorModificationRequest": "Moves a VM to a CPU group.",
    "SystemQuery": "Filter for enumerating compute systems.",
    "VirtioSerial": "Virtio serial device of a VM.",
    "VirtioSerialPort": "Named pipe behind a virtio serial port.",
    "VmProcessorRequirements": "Processor features that a VM needs.",
    "WindowsCrashReport": "What a crashed Windows guest left.",
}
