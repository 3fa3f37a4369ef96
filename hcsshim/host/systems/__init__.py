"""Compute systems and their processes: documents, states, rules."""
