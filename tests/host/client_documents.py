"""
Documents as the clients of HNS and HCN write them.

Shaped after the requests of Docker, flannel, Calico, Antrea, kube-proxy, Azure CNI and
NPM, the CNI plugins, OVN-Kubernetes, Multipass, WSL and the PowerShell modules; the
values are ours.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from network_support import JSON

#: How a client says that there is no gateway.
NOWHERE = "0.0.0.0"  # noqa: S104 - binds nothing

#: Networks, by who makes them.
NETWORKS: dict[str, dict[str, JSON]] = {
    "flannel-vxlan": {
        "Name": "vxlan0",
        "Type": "Overlay",
        "Subnets": [
            {
                "AddressPrefix": "10.244.0.0/16",
                "GatewayAddress": "10.244.0.1",
                "Policies": [{"Type": "VSID", "VSID": 4096}],
            }
        ],
    },
    "flannel-hostgw": {
        "Name": "cbr0",
        "Type": "L2Bridge",
        "Subnets": [{"AddressPrefix": "10.244.3.0/24", "GatewayAddress": "10.244.3.1"}],
        "DNSServerList": "10.96.0.10,192.168.1.1",
        "NetworkAdapterName": "Ethernet",
    },
    "libnetwork-nat": {
        "Name": "nat",
        "Type": "nat",
        "Policies": [],
        "Subnets": [{"AddressPrefix": "0.0.0.0/0"}],
    },
    "libnetwork-transparent-vlan": {
        "Name": "tlan",
        "Type": "transparent",
        "NetworkAdapterName": "Ethernet",
        "Policies": [{"Type": "VLAN", "VLAN": 11}],
        "MacPools": [],
        "Subnets": [{"AddressPrefix": "10.244.0.0/24", "GatewayAddress": "10.244.0.1"}],
        "DNSSuffix": "abc.com",
        "DNSServerList": "10.244.0.7,10.244.0.8",
    },
    "libnetwork-l2tunnel": {
        "Name": "lt",
        "Type": "l2tunnel",
        "Subnets": [{"AddressPrefix": "10.0.0.0/16", "GatewayAddress": "10.0.0.1"}],
        "Policies": [{"Type": "VSID", "VSID": 5000}],
    },
    "libnetwork-ics": {"Name": "ics", "Type": "ics", "Subnets": []},
    "libnetwork-internal": {
        "Name": "int",
        "Type": "internal",
        "Subnets": [{"AddressPrefix": "10.6.0.0/16"}],
    },
    "libnetwork-private-nosub": {"Name": "pp", "Type": "private"},
    "docker-overlay": {
        "Name": "zbxzq3p7l4",
        "Type": "overlay",
        "NetworkAdapterName": "Ethernet",
        "Subnets": [
            {
                "AddressPrefix": "10.0.9.0/24",
                "GatewayAddress": "10.0.9.1",
                "Policies": [{"Type": "VSID", "VSID": 4097}],
            }
        ],
        "DNSServerCompartment": 3,
    },
    "docker-overlay-two": {
        "Name": "zz2",
        "Type": "overlay",
        "Subnets": [
            {
                "AddressPrefix": "10.0.9.0/24",
                "GatewayAddress": "10.0.9.1",
                "Policies": [{"Type": "VSID", "VSID": 4097}],
            },
            {
                "AddressPrefix": "10.0.10.0/24",
                "GatewayAddress": "10.0.10.1",
                "Policies": [{"Type": "VSID", "VSID": 4098}],
            },
        ],
    },
    "calico-v1": {
        "Name": "External",
        "Type": "L2Bridge",
        "Subnets": [
            {
                "AddressPrefix": "192.168.255.0/30",
                "GatewayAddress": "192.168.255.1",
                "Policies": [],
            }
        ],
        "AutomaticDNS": True,
    },
    "azure-v1": {
        "Name": "azure",
        "NetworkAdapterName": "Ethernet",
        "Type": "l2bridge",
        "DNSServerList": "10.0.0.10,168.63.129.16",
        "DNSSuffix": "svc.cluster.local",
        "Subnets": [{"AddressPrefix": "10.240.0.0/12", "GatewayAddress": "10.240.0.1"}],
        "Policies": [{"Type": "VLAN", "VLAN": 3}],
    },
    "hns-psm1-overlay": {
        "Type": "Overlay",
        "Name": "External",
        "Subnets": [
            {
                "AddressPrefix": "192.168.255.0/30",
                "GatewayAddress": "192.168.255.1",
                "Policies": [{"Type": "VSID", "VSID": 9999}],
            }
        ],
        "NetworkAdapterName": "Ethernet",
    },
    "psm1-isolation": {
        "Type": "L2Bridge",
        "Name": "iso",
        "Subnets": [
            {
                "AddressPrefix": "10.1.0.0/16",
                "GatewayAddress": "10.1.0.1",
                "Policies": [{"Type": "VLAN", "VLAN": 7}],
            }
        ],
        "SourceMac": "00-15-5d-aa-bb-cc",
    },
    "wsl-nat": {
        "Name": "WSL",
        "Type": "ICS",
        "Flags": 9,
        "IsolateSwitch": True,
        "Subnets": [
            {
                "AddressPrefix": "172.27.240.0/20",
                "GatewayAddress": "172.27.240.1",
                "ObjectType": 5,
                "IpSubnets": [
                    {
                        "IpAddressPrefix": "172.27.240.0/20",
                        "Flags": 3,
                        "ObjectType": 6,
                        "ID": "",
                    }
                ],
            }
        ],
    },
    "antrea-v1": {
        "Name": "antrea-hnsnetwork",
        "Type": "Transparent",
        "NetworkAdapterName": "Ethernet",
        "Subnets": [{"AddressPrefix": "10.10.1.0/24", "GatewayAddress": "10.10.1.1"}],
        "ManagementIP": "192.0.2.1/24",
        "SourceMac": "00:15:5d:00:11:22",
    },
    "ovn": {
        "Name": "OVNKubernetesHNSNetwork",
        "Type": "overlay",
        "SchemaVersion": {"Major": 2, "Minor": 0},
        "Flags": 0,
        "Ipams": [
            {
                "Type": "Static",
                "Subnets": [
                    {
                        "IpAddressPrefix": "10.132.0.0/24",
                        "Policies": [
                            {"Type": "VSID", "Settings": {"IsolationId": 4097}}
                        ],
                        "Routes": [
                            {
                                "NextHop": "10.132.0.1",
                                "DestinationPrefix": "0.0.0.0/0",
                                "Metric": 0,
                            }
                        ],
                    }
                ],
            }
        ],
        "Policies": [{"Type": "VxlanPort", "Settings": {"Port": 9898}}],
    },
    "go-full-nat": {
        "Name": "t",
        "Type": "NAT",
        "MacPool": {
            "Ranges": [
                {
                    "StartMacAddress": "00-15-5D-52-C0-00",
                    "EndMacAddress": "00-15-5D-52-CF-FF",
                }
            ]
        },
        "Dns": {
            "Domain": "",
            "Search": ["net"],
            "ServerList": ["1.1.1.1"],
            "Options": [],
        },
        "Ipams": [
            {
                "Type": "Static",
                "Subnets": [
                    {
                        "IpAddressPrefix": "192.168.100.0/24",
                        "Routes": [
                            {
                                "NextHop": "192.168.100.1",
                                "DestinationPrefix": "0.0.0.0/0",
                            }
                        ],
                    }
                ],
            }
        ],
        "SchemaVersion": {"Major": 2, "Minor": 0},
        "Health": {"Extra": {}},
        "Flags": 0,
    },
    "nat-plugin": {
        "Name": "nat",
        "Type": "NAT",
        "Ipams": [
            {
                "Type": "Static",
                "Subnets": [
                    {
                        "IpAddressPrefix": "172.26.0.0/20",
                        "Routes": [
                            {
                                "NextHop": "172.26.0.1",
                                "DestinationPrefix": "0.0.0.0/0",
                                "Metric": 256,
                            }
                        ],
                    }
                ],
            }
        ],
        "SchemaVersion": {"Major": 2, "Minor": 0},
    },
    "azure-v2": {
        "Name": "azure",
        "Type": "L2Bridge",
        "Dns": {"Search": [""], "ServerList": ["168.63.129.16"]},
        "Ipams": [
            {
                "Type": "Static",
                "Subnets": [
                    {
                        "IpAddressPrefix": "10.240.0.0/16",
                        "Routes": [
                            {"NextHop": "10.240.0.1", "DestinationPrefix": "0.0.0.0/0"}
                        ],
                        "Policies": [{"Type": "VLAN", "Settings": {"IsolationId": 4}}],
                    }
                ],
            }
        ],
        "Policies": [
            {"Type": "NetAdapterName", "Settings": {"NetworkAdapterName": "Ethernet"}}
        ],
        "SchemaVersion": {"Major": 2, "Minor": 0},
    },
    "azure-overlay-dual": {
        "Name": "azure",
        "Type": "L2Bridge",
        "SchemaVersion": {"Major": 2, "Minor": 0},
        "Flags": 1024,
        "Ipams": [
            {
                "Type": "",
                "Subnets": [
                    {
                        "IpAddressPrefix": "10.244.0.0/24",
                        "Routes": [
                            {"NextHop": "10.244.0.1", "DestinationPrefix": "0.0.0.0/0"}
                        ],
                    },
                    {
                        "IpAddressPrefix": "fd12:1234::/64",
                        "Routes": [
                            {"NextHop": "fd12:1234::1", "DestinationPrefix": "::/0"}
                        ],
                    },
                ],
            }
        ],
        "Policies": [
            {"Type": "NetAdapterName", "Settings": {"NetworkAdapterName": "Ethernet"}}
        ],
    },
    "azure-swift-nogw": {
        "Name": "azure-x",
        "Type": "Transparent",
        "Ipams": [
            {
                "Subnets": [
                    {
                        "IpAddressPrefix": "10.3.0.0/24",
                        "Routes": [
                            {"NextHop": NOWHERE, "DestinationPrefix": "0.0.0.0/0"}
                        ],
                        "Policies": [{"Type": "VLAN", "Settings": {"IsolationId": 2}}],
                    }
                ]
            }
        ],
        "Policies": [
            {"Type": "NetAdapterName", "Settings": {"NetworkAdapterName": "Ethernet"}}
        ],
        "SchemaVersion": {"Major": 2, "Minor": 0},
        "Flags": 8192,
    },
    "calico-v2-overlay": {
        "Name": "Calico",
        "Type": "Overlay",
        "Ipams": [
            {
                "Type": "Static",
                "Subnets": [
                    {
                        "IpAddressPrefix": "10.42.7.0/26",
                        "Policies": [
                            {"Type": "VSID", "Settings": {"IsolationId": 4096}}
                        ],
                        "Routes": [
                            {"NextHop": "10.42.7.1", "DestinationPrefix": "0.0.0.0/0"}
                        ],
                    }
                ],
            }
        ],
        "Policies": [{"Type": "HostRoute", "Settings": {}}],
        "SchemaVersion": {"Major": 2, "Minor": 0},
    },
    "flannel-v2-overlay": {
        "Name": "flannel.4096",
        "Type": "Overlay",
        "MacPool": {
            "Ranges": [
                {
                    "StartMacAddress": "0E-2A-00-00-00-00",
                    "EndMacAddress": "0E-2A-FF-FF-FF-FF",
                }
            ]
        },
        "Ipams": [
            {
                "Type": "Static",
                "Subnets": [
                    {
                        "IpAddressPrefix": "10.244.1.0/24",
                        "Policies": [
                            {"Type": "VSID", "Settings": {"IsolationId": 4096}}
                        ],
                        "Routes": [
                            {"NextHop": "10.244.1.1", "DestinationPrefix": "0.0.0.0/0"}
                        ],
                    }
                ],
            }
        ],
        "SchemaVersion": {"Major": 2, "Minor": 0},
        "Policies": [{"Type": "HostRoute"}],
    },
    "ps-number-l2": {
        "Name": "n",
        "Type": 3,
        "SchemaVersion": {"Major": 2, "Minor": 0},
        "Ipams": [
            {
                "Type": 0,
                "Subnets": [
                    {
                        "IpAddressPrefix": "10.1.1.0/24",
                        "Routes": [
                            {
                                "NextHop": "10.1.1.1",
                                "DestinationPrefix": "0.0.0.0/0",
                                "Metric": 0,
                            }
                        ],
                    }
                ],
            }
        ],
        "Policies": [{"Type": 5, "Settings": {"NetworkAdapterName": "Ethernet"}}],
    },
    "multipass-ics": {
        "Name": "multipass-x",
        "Owner": "multipass",
        "Type": "ICS",
        "SchemaVersion": {"Major": 2, "Minor": 2},
        "Ipams": [
            {
                "Type": "static",
                "Subnets": [
                    {
                        "Policies": [],
                        "Routes": [
                            {
                                "NextHop": "10.9.0.1",
                                "DestinationPrefix": "0.0.0.0/0",
                                "Metric": 0,
                            }
                        ],
                        "IpAddressPrefix": "10.9.0.0/24",
                        "IpSubnets": None,
                    }
                ],
            }
        ],
        "Flags": 0,
        "Policies": [],
    },
    "mirrored": {
        "Name": "mir",
        "Type": "Mirrored",
        "SchemaVersion": {"Major": 2, "Minor": 16},
    },
    "constrained": {
        "Name": "FSE",
        "Type": "ConstrainedICS",
        "SchemaVersion": {"Major": 2, "Minor": 16},
        "Flags": 0,
    },
    "dhcp": {
        "Name": "dh",
        "Type": "Transparent",
        "Ipams": [{"Type": "Dhcp"}],
        "SchemaVersion": {"Major": 2, "Minor": 0},
        "Policies": [
            {"Type": "InterfaceConstraint", "Settings": {"InterfaceAlias": "Ethernet"}}
        ],
    },
    "network-acl-setpolicy": {
        "Name": "p",
        "Type": "L2Bridge",
        "SchemaVersion": {"Major": 2, "Minor": 0},
        "Ipams": [
            {
                "Subnets": [
                    {
                        "IpAddressPrefix": "10.4.0.0/24",
                        "Routes": [
                            {"NextHop": "10.4.0.1", "DestinationPrefix": "0.0.0.0/0"}
                        ],
                    }
                ]
            }
        ],
        "Policies": [
            {
                "Type": "SetPolicy",
                "Settings": {
                    "Id": "azure-npm-1",
                    "Name": "ns-x",
                    "PolicyType": "IPSET",
                    "Values": "10.4.0.5,10.4.0.6",
                },
            },
            {
                "Type": "SetPolicy",
                "Settings": {
                    "Id": "azure-npm-2",
                    "Name": "nested",
                    "PolicyType": "NESTEDIPSET",
                    "Values": "azure-npm-1",
                },
            },
            {
                "Type": "SetPolicy",
                "Settings": {
                    "Id": "azure-npm-3",
                    "Name": "named",
                    "PolicyType": "IPSET",
                    "Values": "10.4.0.5,TCP:8080,10.4.0.6,UDP:53",
                },
            },
        ],
    },
    "win-vlan-vsid": {
        "Name": "vv",
        "Type": "L2Tunnel",
        "SchemaVersion": {"Major": 2, "Minor": 0},
        "Ipams": [
            {
                "Subnets": [
                    {
                        "IpAddressPrefix": "10.5.0.0/24",
                        "Routes": [
                            {"NextHop": "10.5.0.1", "DestinationPrefix": "0.0.0.0/0"}
                        ],
                        "Policies": [
                            {"Type": "VSID", "Settings": {"IsolationId": 5001}}
                        ],
                    }
                ]
            }
        ],
    },
}

#: Endpoints of v1: the type of their network, and the document.
ENDPOINTS_V1: dict[str, tuple[str, dict[str, JSON]]] = {
    "flannel": ("L2Bridge", {"Name": "cbr0_ep", "IPAddress": "10.244.1.2"}),
    "flannel-gw": (
        "L2Bridge",
        {
            "Id": "",
            "Name": "cbr0_ep",
            "IPAddress": "10.244.1.2",
            "GatewayAddress": NOWHERE,
            "DNSServerList": "10.96.0.10",
        },
    ),
    "libnetwork": (
        "NAT",
        {
            "Policies": [
                {
                    "Type": "NAT",
                    "ExternalPort": 80,
                    "InternalPort": 80,
                    "Protocol": "TCP",
                },
                {
                    "Type": "NAT",
                    "ExternalPort": 0,
                    "InternalPort": 443,
                    "Protocol": "UDP",
                },
                {"Type": "QOS", "MaximumOutgoingBandwidthInBytes": 1000000},
            ],
            "EnableInternalDNS": True,
            "DNSServerList": "",
            "MacAddress": "00-15-5D-F8-4C-02",
            "Name": "abc",
        },
    ),
    "libnetwork-icc": (
        "NAT",
        {
            "DisableICC": True,
            "DNSSuffix": "local",
            "IPAddress": "10.244.1.9",
            "PrefixLength": 24,
            "MacAddress": "",
            "Name": "x",
        },
    ),
    "overlay-libnetwork": (
        "Overlay",
        {
            "Name": "o",
            "Policies": [{"Type": "PA", "PA": "192.168.1.5"}],
            "IPAddress": "10.244.1.30",
            "IsRemoteEndpoint": True,
            "MacAddress": "02-42-0a-00-09-03",
        },
    ),
    "winbridge": (
        "L2Bridge",
        {
            "Name": "a_cbr0",
            "DNSServerList": "10.96.0.10",
            "DNSSuffix": "default.svc.cluster.local,svc.cluster.local,cluster.local",
            "GatewayAddress": "10.244.1.2",
            "IPAddress": "10.244.1.44",
            "Policies": [
                {
                    "Type": "OutBoundNAT",
                    "ExceptionList": [
                        "10.244.0.0/16",
                        "10.96.0.0/12",
                        "192.168.0.0/24",
                    ],
                },
                {
                    "Type": "ROUTE",
                    "DestinationPrefix": "10.96.0.0/12",
                    "NeedEncap": True,
                },
                {
                    "Type": "ROUTE",
                    "DestinationPrefix": "192.168.0.5/32",
                    "NeedEncap": True,
                },
            ],
        },
    ),
    "winoverlay": (
        "Overlay",
        {
            "Name": "a_vx",
            "IPAddress": "10.244.1.44",
            "MacAddress": "0E-2A-0a-f4-01-2c",
            "Policies": [
                {
                    "Type": "OutBoundNAT",
                    "ExceptionList": ["10.244.0.0/16", "10.96.0.0/12"],
                },
                {
                    "Type": "ROUTE",
                    "DestinationPrefix": "10.96.0.0/12",
                    "NeedEncap": True,
                },
                {"Type": "PA", "PA": "192.168.1.5"},
            ],
        },
    ),
    "calico-felix": (
        "L2Bridge",
        {
            "Policies": [
                {
                    "Type": "ACL",
                    "Id": "allow-all",
                    "Protocol": 256,
                    "Action": "Allow",
                    "Direction": "In",
                    "RuleType": "Host",
                    "Priority": 100,
                    "LocalAddresses": "",
                    "RemoteAddresses": "10.0.0.0/8,172.16.0.0/12",
                    "LocalPort": 0,
                    "RemotePort": 0,
                },
                {
                    "Type": "ACL",
                    "Id": "API0|gnp|deny",
                    "Protocol": 6,
                    "Action": "Block",
                    "Direction": "Out",
                    "RuleType": "Switch",
                    "Priority": 1001,
                    "RemoteAddresses": "1.2.3.4/32",
                    "RemotePorts": "80,443,8000-8100",
                },
                {
                    "Type": "ACL",
                    "Protocols": "6",
                    "Action": "Allow",
                    "Direction": "In",
                    "LocalPorts": "22",
                    "Priority": 200,
                    "RuleType": "Switch",
                },
            ]
        },
    ),
    "calico-ports-number": (
        "L2Bridge",
        {
            "Policies": [
                {
                    "Type": "ACL",
                    "Protocol": 17,
                    "Action": "Allow",
                    "Direction": "In",
                    "LocalPort": 53,
                    "RemotePort": 0,
                    "InternalPort": 0,
                    "Scope": 0,
                    "Priority": 100,
                }
            ]
        },
    ),
    "antrea": (
        "Transparent",
        {
            "Name": "antrea-nginx-1",
            "IPAddress": "10.244.1.7",
            "GatewayAddress": "10.244.1.1",
            "MacAddress": "00-15-5d-01-02-03",
            "DNSServerList": "10.96.0.10",
            "DNSSuffix": "x.svc",
            "Policies": [{"Type": "PortName", "Name": "nginx"}],
        },
    ),
    "loopback-dsr": (
        "L2Bridge",
        {
            "IPAddress": "10.244.1.60",
            "Policies": [
                {"Type": "OutBoundNAT", "Destinations": ["10.244.1.60"]},
                {"Type": "OutBoundNAT", "ExceptionList": ["10.0.0.0/8"]},
            ],
        },
    ),
    "ipv6": (
        "L2Bridge",
        {
            "IPAddress": "10.244.1.61",
            "PrefixLength": 24,
            "EnableLowMetric": True,
            "EncapOverhead": 50,
        },
    ),
    "proxy": (
        "L2Bridge",
        {
            "Policies": [
                {
                    "Type": "PROXY",
                    "IP": "10.244.1.7",
                    "Port": "15001",
                    "ExceptionList": ["10.1.1.1"],
                    "Destination": "0.0.0.0/0",
                    "OutboundNat": True,
                }
            ]
        },
    ),
    "nat-reserved": (
        "NAT",
        {
            "Policies": [
                {
                    "Type": "NAT",
                    "ExternalPort": 8080,
                    "ExternalPortReserved": True,
                    "InternalPort": 80,
                    "Protocol": "tcp",
                }
            ]
        },
    ),
    "vlan-ep": ("Transparent", {"Policies": [{"Type": "VLAN", "VLAN": 5}]}),
    "vsid-ep": ("L2Tunnel", {"Policies": [{"Type": "VSID", "VSID": 5001}]}),
    "azure": (
        "L2Bridge",
        {
            "Name": "abcd1234-eth0",
            "DNSSuffix": "svc.cluster.local",
            "DNSServerList": "10.0.0.10,168.63.129.16",
            "IPAddress": "10.244.1.12",
            "Policies": [
                {
                    "ExceptionList": ["10.244.0.0/16", "10.244.0.0/16"],
                    "Type": "OutBoundNAT",
                },
                {
                    "DestinationPrefix": "10.0.0.0/16",
                    "NeedEncap": True,
                    "Type": "ROUTE",
                },
            ],
            "GatewayAddress": "10.244.1.1",
        },
    ),
}

#: Endpoints of v2, likewise.
ENDPOINTS_V2: dict[str, tuple[str, dict[str, JSON]]] = {
    "winbridge": (
        "L2Bridge",
        {
            "SchemaVersion": {"Major": 2, "Minor": 0},
            "Name": "p_cbr0",
            "HostComputeNetwork": None,
            "Dns": {
                "Domain": "cluster.local",
                "Search": ["a.svc"],
                "ServerList": ["10.96.0.10"],
                "Options": [],
            },
            "Routes": [{"NextHop": "10.244.1.2", "DestinationPrefix": "0.0.0.0/0"}],
            "IpConfigurations": [{"IpAddress": "10.244.1.50"}],
            "Policies": [
                {"Type": "OutBoundNAT", "Settings": {"Exceptions": ["10.244.0.0/16"]}},
                {
                    "Type": "SDNRoute",
                    "Settings": {
                        "DestinationPrefix": "10.96.0.0/12",
                        "NeedEncap": True,
                    },
                },
                {
                    "Type": "PortMapping",
                    "Settings": {
                        "InternalPort": 80,
                        "ExternalPort": 8080,
                        "Protocol": 6,
                        "VIP": "",
                        "Flags": 0,
                    },
                },
            ],
        },
    ),
    "winbridge-flag": (
        "L2Bridge",
        {
            "SchemaVersion": {"Major": 2, "Minor": 0},
            "Name": "p",
            "Policies": [
                {
                    "Type": "PortMapping",
                    "Settings": {
                        "InternalPort": 80,
                        "ExternalPort": 8081,
                        "Protocol": 6,
                        "VIP": "192.0.2.1",
                        "Flags": 1,
                    },
                }
            ],
        },
    ),
    "winbridge-extra": (
        "L2Bridge",
        {
            "SchemaVersion": {"Major": 2, "Minor": 0},
            "Policies": [
                {"Type": "OutBoundNAT", "Settings": {"Destinations": ["10.244.1.50"]}},
                {
                    "Type": "OutBoundNAT",
                    "Settings": {
                        "ExceptionList": ["10.244.0.0/16"],
                        "Exceptions": ["10.1.0.0/16"],
                    },
                },
            ],
        },
    ),
    "kubeproxy-remote": (
        "Overlay",
        {
            "SchemaVersion": {"Major": 2, "Minor": 0},
            "Name": "",
            "HostComputeNetwork": None,
            "IpConfigurations": [{"IpAddress": "10.244.7.9", "PrefixLength": 16}],
            "MacAddress": "02:11:0a:f4:07:09",
            "Flags": 1,
            "Policies": [
                {
                    "Type": "ProviderAddress",
                    "Settings": {"ProviderAddress": "192.168.1.9"},
                }
            ],
        },
    ),
    "kubeproxy-sourcevip": (
        "Overlay",
        {
            "SchemaVersion": {"Major": 2, "Minor": 0},
            "Name": "vip",
            "IpConfigurations": [{"IpAddress": "10.244.1.3", "PrefixLength": 0}],
            "Health": {"Extra": {}},
            "Dns": {},
            "Flags": 0,
        },
    ),
    "azure": (
        "L2Bridge",
        {
            "SchemaVersion": {"Major": 2, "Minor": 0},
            "Name": "37e08e3d-eth0",
            "HostComputeNetwork": None,
            "Policies": [
                {
                    "Type": "ACL",
                    "Settings": {
                        "Protocols": "6",
                        "Action": "Block",
                        "Direction": "Out",
                        "RemoteAddresses": "168.63.129.16/32",
                        "RemotePorts": "80",
                        "Priority": 200,
                        "RuleType": "Switch",
                    },
                },
                {
                    "Type": "ACL",
                    "Settings": {
                        "Protocols": "6",
                        "Action": "Allow",
                        "Direction": "In",
                        "LocalAddresses": "",
                        "RemoteAddresses": "",
                        "LocalPorts": "80",
                        "RemotePorts": "",
                        "RuleType": "Switch",
                        "Priority": 65500,
                    },
                },
            ],
            "IpConfigurations": [{"IpAddress": "10.244.1.71", "PrefixLength": 24}],
            "Dns": {
                "Domain": "",
                "Search": [""],
                "ServerList": ["168.63.129.16"],
                "Options": None,
            },
            "Routes": [{"NextHop": "10.244.1.1", "DestinationPrefix": "0.0.0.0/0"}],
            "MacAddress": "60-45-bd-12-45-65",
        },
    ),
    "azure-accel": (
        "Transparent",
        {
            "SchemaVersion": {"Major": 2, "Minor": 0},
            "Name": "d",
            "Policies": [
                {
                    "Type": "Iov",
                    "Settings": {
                        "IovOffloadWeight": 100,
                        "QueuePairsRequested": 1,
                        "InterruptModeration": 200,
                    },
                },
                {"Type": "VLAN", "Settings": {"IsolationId": 7}},
            ],
            "Flags": 0,
        },
    ),
    "npm": (
        "L2Bridge",
        {
            "SchemaVersion": {"Major": 2, "Minor": 0},
            "Policies": [
                {
                    "Type": "ACL",
                    "Settings": {
                        "Id": "azure-acl-x",
                        "Protocols": "6",
                        "Action": "Allow",
                        "Direction": "In",
                        "LocalAddresses": "azure-npm-1",
                        "RemoteAddresses": "10.0.0.5",
                        "LocalPorts": "80-90",
                        "RuleType": "Switch",
                        "Priority": 222,
                    },
                }
            ],
        },
    ),
    "l4wfp": (
        "NAT",
        {
            "SchemaVersion": {"Major": 2, "Minor": 0},
            "Policies": [
                {
                    "Type": "L4WFPPROXY",
                    "Settings": {
                        "InboundProxyPort": "15003",
                        "OutboundProxyPort": "15001",
                        "FilterTuple": {"Protocols": "6"},
                        "UserSID": "S-1-5-32-556",
                        "InboundExceptions": {
                            "IpAddressExceptions": ["127.0.0.1"],
                            "PortExceptions": ["15000"],
                        },
                        "OutboundExceptions": {},
                    },
                }
            ],
        },
    ),
    "l4proxy": (
        "L2Bridge",
        {
            "SchemaVersion": {"Major": 2, "Minor": 0},
            "Policies": [
                {
                    "Type": "L4Proxy",
                    "Settings": {
                        "IP": "10.244.1.9",
                        "Port": "1234",
                        "Protocol": 6,
                        "ExceptionList": ["10.0.0.1"],
                        "Destination": "10.244.0.0/16",
                        "OutboundNAT": True,
                    },
                }
            ],
        },
    ),
    "wsl": (
        "ICS",
        {
            "SchemaVersion": {"Major": 2, "Minor": 0},
            "Name": "Ethernet",
            "Policies": [
                {"Type": "PortName", "Settings": {"Name": ""}},
                {
                    "Type": "Firewall",
                    "Settings": {
                        "VmCreatorId": "{40e0ac32-46a5-438a-a0b2-2b479e8f2e90}",
                        "PolicyFlags": 0,
                    },
                },
            ],
            "MacAddress": "00-15-5D-8A-11-22",
            "IpConfigurations": [{"IpAddress": "10.244.1.80"}],
        },
    ),
    "ncproxy": (
        "NAT",
        {
            "SchemaVersion": {"Major": 2, "Minor": 0},
            "Name": "ep",
            "Policies": [
                {"Type": "Iov", "Settings": {"IovOffloadWeight": 50}},
                {"Type": "InterfaceParameters", "Settings": {}},
                {"Type": "EncapOverhead", "Settings": {"Overhead": 50}},
            ],
        },
    ),
    "numbers": (
        "NAT",
        {
            "SchemaVersion": {"Major": 2, "Minor": 0},
            "Policies": [
                {"Type": 0, "Settings": {"InternalPort": 80, "ExternalPort": 8088}},
                {
                    "Type": 1,
                    "Settings": {
                        "Action": 1,
                        "Direction": 0,
                        "Protocols": "6",
                        "Priority": 100,
                    },
                },
            ],
        },
    ),
    "dual-metric": (
        "L2Bridge",
        {
            "SchemaVersion": {"Major": 2, "Minor": 0},
            "Routes": [
                {
                    "NextHop": "10.244.1.1",
                    "DestinationPrefix": "0.0.0.0/0",
                    "Metric": 5,
                },
                {"NextHop": "10.244.1.2", "DestinationPrefix": "10.96.0.0/12"},
            ],
        },
    ),
    "tieracl": (
        "L2Bridge",
        {
            "SchemaVersion": {"Major": 2, "Minor": 0},
            "Policies": [
                {
                    "Type": "TierAcl",
                    "Settings": {
                        "Name": "t1",
                        "Direction": "In",
                        "Order": 1,
                        "TierAclRules": [
                            {
                                "Id": "r",
                                "Protocols": "6",
                                "TierAclRuleAction": "Pass",
                                "LocalPorts": "80",
                                "Priority": 1,
                            },
                            {"TierAclRuleAction": "Block", "Priority": 2},
                        ],
                    },
                }
            ],
        },
    ),
    "qos-string": (
        "NAT",
        {
            "SchemaVersion": {"Major": 2, "Minor": 0},
            "Policies": [
                {
                    "Type": "QOS",
                    "Settings": {"MaximumOutgoingBandwidthInBytes": 1048576},
                }
            ],
        },
    ),
    "kube-dualstack": (
        "Overlay",
        {
            "SchemaVersion": {"Major": 2, "Minor": 0},
            "IpConfigurations": [{"IpAddress": "10.244.1.5", "PrefixLength": 24}],
            "Policies": [
                {
                    "Type": "ProviderAddress",
                    "Settings": {"ProviderAddress": "192.168.1.9"},
                },
                {
                    "Type": "OutBoundNAT",
                    "Settings": {"VirtualIP": "", "Exceptions": ["10.244.0.0/16"]},
                },
            ],
        },
    ),
    "nonsense-hcnnet": (
        "L2Bridge",
        {
            "SchemaVersion": {"Major": 2, "Minor": 0},
            "HostComputeNamespace": "00000000-0000-0000-0000-000000000000",
            "Health": {"Extra": {"Resources": {}}},
            "State": 1,
            "Version": 1,
        },
    ),
}

#: Load balancers; the endpoint is put in.
BALANCERS: dict[str, dict[str, JSON]] = {
    "kp": {
        "SourceVIP": "10.244.1.2",
        "FrontendVIPs": ["10.96.0.10"],
        "PortMappings": [
            {
                "Protocol": 17,
                "InternalPort": 53,
                "ExternalPort": 53,
                "DistributionType": 0,
                "Flags": 0,
            }
        ],
        "Flags": 1,
        "SchemaVersion": {"Major": 2, "Minor": 0},
    },
    "np": {
        "SourceVIP": "",
        "FrontendVIPs": [],
        "PortMappings": [
            {
                "Protocol": 6,
                "InternalPort": 80,
                "ExternalPort": 30080,
                "DistributionType": 2,
                "Flags": 2,
            }
        ],
        "Flags": 0,
        "SchemaVersion": {"Major": 2, "Minor": 0},
    },
    "ilb": {
        "SourceVIP": "",
        "FrontendVIPs": None,
        "PortMappings": [
            {"Protocol": 6, "InternalPort": 80, "ExternalPort": 30080, "Flags": 9}
        ],
        "Flags": 1,
        "SchemaVersion": {"Major": 2, "Minor": 0},
    },
    "ps": {
        "SourceVIP": None,
        "FrontendVIPs": ["10.0.0.10"],
        "PortMappings": [
            {"Protocol": 256, "InternalPort": 0, "ExternalPort": 0, "Flags": 1}
        ],
        "SchemaVersion": {"Major": 2, "Minor": 0},
    },
    "vip6": {
        "FrontendVIPs": ["fd00::10"],
        "PortMappings": [{"Protocol": 6, "InternalPort": 80, "ExternalPort": 80}],
        "Flags": 2,
        "SchemaVersion": {"Major": 2, "Minor": 0},
    },
    "noschema": {
        "FrontendVIPs": ["10.0.0.11"],
        "PortMappings": [{"Protocol": 6, "InternalPort": 80, "ExternalPort": 80}],
    },
}

#: Policy lists; X stands for the endpoint.
POLICY_LISTS: dict[str, dict[str, JSON]] = {
    "kp1": {
        "References": ["/endpoints/X"],
        "Policies": [
            {
                "Type": "ELB",
                "Protocol": 6,
                "InternalPort": 443,
                "ExternalPort": 443,
                "VIPs": ["10.96.0.1"],
                "ILB": True,
                "SourceVIP": "10.244.1.2",
            }
        ],
    },
    "np1": {
        "References": ["/endpoints/X"],
        "Policies": [
            {"Type": "ELB", "Protocol": 6, "InternalPort": 443, "ExternalPort": 30443}
        ],
    },
    "dsr": {
        "References": ["/endpoints/X"],
        "Policies": [
            {
                "Type": "ELB",
                "Protocol": 17,
                "InternalPort": 53,
                "ExternalPort": 53,
                "VIPs": ["10.96.0.10"],
                "IsDSR": True,
            }
        ],
    },
    "docker": {
        "References": ["/endpoints/X"],
        "Policies": [{"Type": "ELB", "VIPs": ["10.0.9.4"], "ILB": True}],
    },
    "docker-port": {
        "References": ["/endpoints/X"],
        "Policies": [
            {
                "ExternalPort": 80,
                "InternalPort": 80,
                "Protocol": 6,
                "ILB": False,
                "Type": "ELB",
                "SourceVIP": "10.244.1.3",
            }
        ],
    },
    "route": {
        "References": ["/endpoints/X"],
        "Policies": [
            {
                "Type": "ROUTE",
                "DestinationPrefix": "169.254.169.254/32",
                "NextHop": "10.244.1.1",
                "NeedEncap": False,
            }
        ],
    },
}
