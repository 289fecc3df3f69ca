"""What holds for all tests."""

import os

from hypothesis import settings

# The same examples in every run, so that a red test is red for everybody; the profile `search` looks further.
settings.register_profile("repeatable", derandomize=True, deadline=None)
settings.register_profile("search", max_examples=1000, deadline=None)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "repeatable"))
