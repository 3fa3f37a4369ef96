"""Reading the documents of networks: where the rules differ from those of HCS."""

from __future__ import annotations

import re
from ipaddress import ip_address, ip_network
from typing import TYPE_CHECKING, NoReturn

from hcsshim.host.fields import JSON, Fields
from hcsshim.host.network.refusals import refuse
from hcsshim.hresult import HResult

if TYPE_CHECKING:
    from collections.abc import Mapping
    from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network

    Address = IPv4Address | IPv6Address
    Prefix = IPv4Network | IPv6Network

_GUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_MAC = re.compile(r"[0-9A-Fa-f]{2}(?:([-:])[0-9A-Fa-f]{2})(?:\1[0-9A-Fa-f]{2}){4}")
NO_GUID = "00000000-0000-0000-0000-000000000000"


def as_guid(text: str) -> str:
    """
    Write a GUID as ids are kept: lower case, no braces.

    Raises:
        Refusal: It is none.
    """
    found = text.strip().removeprefix("{").removesuffix("}").lower()
    if not _GUID.fullmatch(found):
        raise refuse(HResult.HCN_E_GUID_CONVERSION_FAILURE, f"{text!a} is no GUID.")
    return found


def same_id(text: str) -> str:
    """Write an id that may be no GUID so that equal ones compare equal."""
    return text.strip().removeprefix("{").removesuffix("}").lower()


def as_prefix(text: str, hresult: int = HResult.HCN_E_INVALID_PREFIX) -> Prefix:
    """
    Read a prefix; bits of the host in it are cleared.

    Raises:
        Refusal: It is none, with ``hresult``.
    """
    try:
        if "/" in text:
            return ip_network(text.strip(), strict=False)
    except ValueError:
        pass  # refused below
    raise refuse(hresult, f"{text!a} is no prefix.")


def as_address(text: str, hresult: int = HResult.HCN_E_INVALID_IP) -> Address:
    """
    Read an address.

    Raises:
        Refusal: It is none, with ``hresult``.
    """
    try:
        return ip_address(text.strip())
    except ValueError:
        raise refuse(hresult, f"{text!a} is no address.") from None


def as_mac(text: str, hresult: int = HResult.HCN_E_INVALID_ENDPOINT) -> int:
    """
    Read a MAC address.

    Raises:
        Refusal: It is none, with ``hresult``.
    """
    if not _MAC.fullmatch(text):
        raise refuse(hresult, f"{text!a} is no MAC address.")
    return int(text.replace("-", "").replace(":", ""), 16)


def mac_text(number: int) -> str:
    """Write a MAC address as HNS does."""
    return "-".join(f"{byte:02X}" for byte in number.to_bytes(6, "big"))


class Members(Fields):
    """One object of a document of HNS's or HCN's."""

    __slots__ = ()

    @classmethod
    def refuse_text(cls) -> NoReturn:
        """
        Refuse a text that is not the JSON of an object.

        Raises:
            Refusal: Always.
        """
        raise refuse(
            HResult.HCN_E_INVALID_JSON, "The document is not the JSON of an object."
        )

    def refuse(self, name: str, problem: str = "Invalid value for field") -> NoReturn:
        """
        Refuse a member.

        Raises:
            Refusal: Always.
        """
        word = problem.title().replace(" ", "")
        if problem.startswith("Unknown"):
            word = "UnknownField"
        raise refuse(
            HResult.HCN_E_INVALID_JSON, tail=f"{{{{{self.path_of(name)},{word}}}}}"
        )

    def choice(self, name: str, words: Mapping[str, str], *numbers: str) -> str:
        """
        Give a member that is one of some words, however it is spelled.

        Args:
            name: Of the member.
            words: By their lower-case forms.
            numbers: What 0, 1, 2, ... stand for.

        Returns:
            The word; as it was written if it is none of them, ``""`` if it is missing.
        """
        value = self.value(name)
        if isinstance(value, int) and not isinstance(value, bool):
            return numbers[value] if 0 <= value < len(numbers) else str(value)
        text = self.text(name)
        return words.get(text.lower(), text)

    def guid(self, name: str) -> str:
        """Give a member that is an id; ``""`` if it is missing or zero."""
        text = self.text(name)
        found = as_guid(text) if text else ""
        return "" if found == NO_GUID else found

    def commas(self, name: str) -> tuple[str, ...]:
        """Give the parts of a text with commas; blanks do not count."""
        value = self.value(name)
        if isinstance(value, list):  # newer documents may have a list instead
            return self.texts(name)
        if isinstance(value, int) and not isinstance(value, bool):
            return (str(value),)
        return tuple(filter(None, map(str.strip, self.text(name).split(","))))


class SettingMembers(Members):
    """The settings of a policy: what is wrong there has another code."""

    __slots__ = ()

    def refuse(self, name: str, problem: str = "Invalid value for field") -> NoReturn:
        """
        Refuse a member.

        Raises:
            Refusal: Always.
        """
        raise refuse(
            HResult.HCN_E_INVALID_POLICY,
            f"The policy's {self.path_of(name)} is not valid ({problem}).",
        )


def plain(value: JSON) -> JSON:
    """Give a copy of a JSON value without members that are null."""
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items() if item is not None}
    if isinstance(value, list):
        return [plain(item) for item in value]
    return value
