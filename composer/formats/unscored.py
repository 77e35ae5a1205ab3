"""Phrases for what is counted of fields of a file that a score has no place for."""

from __future__ import annotations

OTHER_FIELDS = "fields {}: left out"
