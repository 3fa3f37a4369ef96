"""
Compute systems and their processes: operations as steps, and their two faces.

An operation is written once, as a generator of steps that never waits (the
``_*_steps`` modules); two small drivers wait for it. The awaitable face is written
by hand, the blocking one is generated from it by ``.ci/generate/async_to_sync.py``.
The names are public in :mod:`hcsshim`.
"""
