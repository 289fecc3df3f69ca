"""What holds for all tests."""

import os
from pathlib import Path

from hypothesis import settings

# The rules for secrets, compiled once for all the processes that tests start.
os.environ.setdefault("KF_RULE_CACHE_DIR", str(Path(__file__).parents[1] / ".pytest_cache" / "kingfisher"))

# The same examples in every run, so that a red test is red for everybody; the profile `search` looks further.
settings.register_profile("repeatable", derandomize=True, deadline=None)
settings.register_profile("search", max_examples=1000, deadline=None)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "repeatable"))
