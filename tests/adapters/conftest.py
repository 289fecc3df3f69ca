"""Imports that warn, done before the tests turn warnings into errors."""

import warnings

with warnings.catch_warnings():
    # guardrails-ai asks for typer 0.19, which imports names that click 8.5 calls deprecated.
    warnings.simplefilter("ignore", DeprecationWarning)
    import typer  # noqa: F401 - spaCy imports it with Presidio
