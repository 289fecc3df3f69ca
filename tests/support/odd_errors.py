"""Exceptions that cannot be read: what tells of them raises itself, even what would end the process."""

from typing import Any


class TextRaises(Exception):
    """Its text cannot be had."""

    def __str__(self) -> str:
        raise RuntimeError("no text")


class TextIsNone(Exception):
    """Its text is none."""

    def __str__(self) -> str:
        return 5  # type: ignore[return-value]  # noqa: PLE0307 - that is the fault


class TextEndsAll(Exception):
    """Whoever asks for its text would leave the process."""

    def __str__(self) -> str:
        raise SystemExit


class EveryAttributeRaises(Exception):
    """So do those that it does not have."""

    def __getattr__(self, name: str) -> Any:
        raise RuntimeError(name)


class ResponseEndsAll(Exception):
    """Whoever looks at its response would end the process."""

    @property
    def response(self) -> Any:
        """None."""
        raise KeyboardInterrupt


class WaitEndsAll(Exception):
    """Whoever asks when to come back would end the process."""

    @property
    def retry_after(self) -> Any:
        """None."""
        raise SystemExit

    @property
    def headers(self) -> Any:
        """None."""
        raise KeyboardInterrupt


class ClassRaises(Exception):
    """Nobody can say what it is."""

    @property  # type: ignore[misc]  # that is the fault
    def __class__(self) -> Any:
        """None."""
        raise KeyboardInterrupt


class _NoName(type):
    @property
    def __name__(cls) -> str:  # type: ignore[override]  # that is the fault
        raise KeyboardInterrupt


class NameRaises(Exception, metaclass=_NoName):
    """Not even its class has a name."""


ODD_ERRORS: dict[str, type[Exception]] = {
    "text raises": TextRaises,
    "text is none": TextIsNone,
    "text ends all": TextEndsAll,
    "every attribute": EveryAttributeRaises,
    "response": ResponseEndsAll,
    "wait": WaitEndsAll,
    "class": ClassRaises,
    "name": NameRaises,
}
"""By what cannot be read of them; a test is parametrized by the words, for pytest would look at the rest."""
