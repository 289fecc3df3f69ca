"""The base of every section of the policy file: frozen data in which an unknown key is a fault."""

from pydantic import BaseModel, ConfigDict


class Section(BaseModel):
    """A part of the policy file."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, use_attribute_docstrings=True, hide_input_in_errors=True
    )
