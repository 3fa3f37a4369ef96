"""Layers: where they lie, what the calls about them do, and who has which mounted."""
