"""Fixtures of the tests in which processes, disks and databases fail."""

from databases import postgres_url, store_url
from fenced import nothing_runs_on

__all__ = ["nothing_runs_on", "postgres_url", "store_url"]
