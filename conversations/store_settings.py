"""Where conversations are kept: the section `store` of the policy file."""

import os
from typing import Annotated

from pydantic import Field, field_validator

from ringfence.settings import Section

SCHEMES = ("sqlite", "sqlite+aiosqlite", "postgresql", "postgres", "postgresql+psycopg")
"""What the URL of a store may begin with."""

Seconds = Annotated[float, Field(gt=0)]


class StoreSettings(Section):
    """The `store` section."""

    url: str = "sqlite:///ringfence.sqlite"
    """`sqlite:///FILE`, relative to the policy file, or `postgresql://USER@HOST/DATABASE`."""
    url_env: Annotated[str, Field(min_length=1)] | None = None
    """The environment variable that holds the URL, for a URL with a password; it wins when it is set."""
    lease_seconds: Seconds = 30
    """How long a conversation belongs to the process that runs it, unless that process renews it."""
    patience_seconds: Seconds = 60
    """How long a write waits for a database that does not answer, in seconds."""
    keep_days: Seconds | None = None
    """After how many days an ended conversation is deleted; without it, it is kept."""
    upgrade: bool | None = None
    """Whether an older schema is upgraded when the store is opened; without it, of SQLite only."""

    @field_validator("url")
    @classmethod
    def _check_url(cls, url: str) -> str:
        scheme, separator, _ = url.partition("://")
        if not separator or scheme not in SCHEMES:
            raise ValueError("must begin with sqlite:/// or postgresql://")
        return url

    def where(self) -> str:
        """The URL that holds: the environment's, or else the policy's."""
        return (os.environ.get(self.url_env) if self.url_env else None) or self.url
