"""Tests of disk formats, and the archives they share."""
