"""What stands on a command line, as far as it has to be text."""

import typer


def plain_text(given: str | None) -> str | None:
    """The argument, if it is text; a name that is no UTF-8 can be neither looked up nor kept.

    Raises:
        typer.BadParameter: It is not.
    """
    if given is not None and any("\ud800" <= character <= "\udfff" for character in given):
        raise typer.BadParameter("this is no text in UTF-8")
    return given
