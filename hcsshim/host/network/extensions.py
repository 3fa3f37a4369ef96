"""The extensions that each switch has."""

from __future__ import annotations

#: Their names, by their ids.
EXTENSIONS = {
    "e7c3b2f0-f3c5-48df-af2b-10fed6d72e7a": "Microsoft Windows Filtering Platform",
    "f74f241b-440f-4433-bb28-00f89ead20d8": "Microsoft Azure VFP Switch Extension",
    "430bdadd-bab0-41ab-a369-94b67fa5be0a": "Microsoft NDIS Capture",
}
