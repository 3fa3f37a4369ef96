"""Tests of OCI bundles; a package, so that they share their specifications."""
