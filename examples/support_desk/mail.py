"""Mail that really travels: `send` speaks SMTP, and `Mailbox` is a server on this machine that takes it."""

import re
import smtplib
from asyncio import AbstractServer
from collections.abc import Coroutine
from email import message_from_bytes, policy
from email.message import EmailMessage
from email.utils import localtime, make_msgid
from socket import create_server
from types import TracebackType
from typing import Any, Self
from unicodedata import category

_ADDRESS = re.compile(r"[\w.+'-]+@[\w-]+(\.[\w-]+)+")


class MailError(ValueError):
    """The mail cannot be sent as it is; the text says why and holds no personal data."""


def send(  # noqa: PLR0917 - a mail has this many parts
    host: str, port: int, sender: str, to: str, subject: str, body: str
) -> None:
    """Send one mail to one address; nothing in `to` or `subject` can add a header or a recipient."""
    if not _ADDRESS.fullmatch(to):
        raise MailError("`to` must be one plain e-mail address")
    # Python decodes `=?utf-8?q?=0D=0A?=` in a header, so an encoded line break has to be refused as well.
    if "=?" in subject or any(category(char) in {"Cc", "Zl", "Zp"} for char in subject):
        raise MailError("`subject` must be one line of plain text")
    domain = sender.rpartition("@")[2]
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = sender, to, subject
    mail["Date"], mail["Message-ID"] = localtime(), make_msgid(domain=domain)
    mail.set_content(body)
    with smtplib.SMTP(host, port, local_hostname=domain, timeout=10) as server:
        server.send_message(mail)


class Mailbox:
    """A mail server on a free port: `with Mailbox() as mailbox:` takes mail and keeps it in `mails`."""

    host = "127.0.0.1"

    def __init__(self) -> None:
        self.mails: list[EmailMessage] = []
        self.port = 0
        """Known once the mailbox is open."""

    def __enter__(self) -> Self:
        try:
            from aiosmtpd.controller import Controller
        except ImportError as missing:
            raise ImportError('the mailbox needs an extra: pip install "ringfence[demo]"') from missing

        listener = create_server((self.host, 0))

        class Server(Controller):
            """Listens on the socket that is already bound; aiosmtpd cannot pick a free port by itself."""

            def _create_server(self) -> Coroutine[Any, Any, AbstractServer]:
                return self.loop.create_server(self._factory_invoker, sock=listener)

        self.port = listener.getsockname()[1]
        self._server = Server(self, hostname=self.host, port=self.port, server_hostname="localhost")
        self._server.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.stop()

    async def handle_DATA(  # noqa: N802 - aiosmtpd looks for this name
        self, _server: object, _session: object, envelope: Any
    ) -> str:
        """Keep a mail that has arrived."""
        self.mails.append(message_from_bytes(envelope.content, policy=policy.default))
        return "250 OK"
