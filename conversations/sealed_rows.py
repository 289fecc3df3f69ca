"""What a row says of people is sealed, and opens only in the row that it was sealed for."""

import hashlib
import hmac
import json
from collections.abc import Callable
from typing import Any

from ringfence.errors import StoreError, VaultError
from ringfence.guardrails.sealing import Keyring


class Sealer:
    """Seals and opens the values of rows; asks for its keys when it first needs them."""

    def __init__(self, keys: Callable[[], Keyring], store: str) -> None:
        """Take what gets the keys, and the name of the store for messages."""
        self._ask = keys
        self._store = store
        self._keys: Keyring | None = None

    @property
    def keys(self) -> Keyring:
        """The keys.

        Raises:
            VaultError: There are none.
        """
        if self._keys is None:
            self._keys = self._ask()
        return self._keys

    def seal(self, content: Any, *bound_to: str | int) -> str:
        """The content encrypted, as one line of JSON.

        Args:
            content: Whatever JSON can hold.
            bound_to: The table, the row and the column; for others it does not open again.

        Raises:
            VaultError: There is no key.
        """
        return json.dumps(self.keys.seal_row(content, bound_to), separators=(",", ":"))

    def open(self, sealed: str | None, *bound_to: str | int) -> Any:
        """The content again.

        Raises:
            StoreError: It was changed, or moved from another row, or sealed with another key.
            VaultError: There is no key.
        """
        keys = self.keys
        try:
            return keys.open_row(json.loads(sealed or ""), bound_to)
        except (VaultError, ValueError):
            row = " ".join(str(part) for part in bound_to)
            raise StoreError(
                f"The store {self._store} holds a value that does not open ({row}): it was changed, or "
                "sealed with another key"
            ) from None

    def hash_of(self, text: str) -> str:
        """What a text is looked up by without being readable: the same for the same text and key."""
        return self.hashes_of(text)[0]

    def hashes_of(self, text: str) -> list[str]:
        """The same under every key of the ring, the newest first: older rows were hashed with older keys."""
        return [hmac.new(key, text.encode(), hashlib.sha256).hexdigest() for key in self.keys.lookup_keys()]
