"""Tests of ``runhcs``; a package, so that they share their bundles."""
