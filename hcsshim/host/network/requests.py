"""What all modify requests have: a resource, and what is done with it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hcsshim.host.network.refusals import refuse
from hcsshim.hresult import HResult

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hcsshim.host.network.members import Members

REQUESTS = ("Add", "Remove", "Update", "Refresh", "Reset")


def read_request(fields: Members, resources: Sequence[str]) -> tuple[str, str]:
    """
    Read what a modify request is about, and what it does.

    Args:
        fields: The request.
        resources: What there is, in the order of the schema's numbers.

    Returns:
        The resource and the verb.

    Raises:
        Refusal: It has another resource or verb.
    """
    fields.only(("ResourceType", "RequestType", "Settings"))
    words = {word.lower(): word for word in (*resources, *REQUESTS)}
    resource = fields.choice("ResourceType", words, *resources)
    verb = fields.choice("RequestType", words, *REQUESTS)
    if resource not in resources or verb not in REQUESTS:
        raise unsupported(resource, verb)
    return resource, verb


def unsupported(resource: str, verb: str) -> Exception:
    """Make the refusal of a change that there is not."""
    return refuse(
        HResult.HCN_E_REQUEST_UNSUPPORTED,
        f"There is no request to {verb or 'do nothing'!a} "
        f"a resource {resource or 'without a type'!a}.",
    )
