"""What is kept of a conversation's values is encrypted, with keys that can be changed."""

import base64
import binascii
import hashlib
import hmac
import json
import os
import re
import secrets
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from ringfence.errors import VaultError

KEYS_VARIABLE = "RINGFENCE_VAULT_KEYS"
_KEY_BYTES = 32
_NONCE_BYTES = 12
_FORMAT = 1
_VAULT = "ringfence vault"
_ROW = "ringfence row"
_KEY_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
_HOW_TO_MAKE_ONE = (
    f"{KEYS_VARIABLE}=\"k1:$(python -c 'import base64, secrets; "
    "print(base64.b64encode(secrets.token_bytes(32)).decode())')\""
)


class Keyring:
    """Keys by id: the first encrypts, all decrypt. To change keys, put the new one in front of the old ones.

    Its repr shows the ids, never a key.
    """

    def __init__(self, keys: Mapping[str, bytes]) -> None:
        """Take keys of 32 bytes.

        Raises:
            VaultError: There is no key, or one has another length or an id that is no plain word.
        """
        if not keys:
            raise VaultError(f"There is no key for the vault; make one with: export {_HOW_TO_MAKE_ONE}")
        for place, (key_id, key) in enumerate(keys.items(), start=1):
            if not _KEY_ID.fullmatch(key_id):
                raise VaultError(f"Vault key {place} has no plain id of letters, digits, dots and dashes")
            if len(key) != _KEY_BYTES:
                raise VaultError(
                    f"Vault key {place} has {len(key)} bytes and not {_KEY_BYTES}; make one with: "
                    f"export {_HOW_TO_MAKE_ONE}"
                )
        self._ciphers = {key_id: AESGCM(bytes(key)) for key_id, key in keys.items()}
        self._lookup_keys = [_derived(bytes(key), "ringfence lookup") for key in keys.values()]
        self.key_id = next(iter(keys))
        """The key that encrypts."""

    def __repr__(self) -> str:
        return f"Keyring({', '.join(self._ciphers)})"

    @classmethod
    def from_text(cls, text: str) -> "Keyring":
        """Read `id:base64[,id2:base64]`.

        Raises:
            VaultError: It is not of this form; says which entry, never what it holds.
        """
        keys: dict[str, bytes] = {}
        entries = [entry.strip() for entry in text.split(",") if entry.strip()]
        for place, entry in enumerate(entries, start=1):
            key_id, colon, encoded = entry.partition(":")
            key_id = key_id.strip()
            if not colon or key_id in keys:
                said = "has an id that another one has" if colon else "is not of the form id:base64"
                raise VaultError(f"Entry {place} of the vault keys {said}")
            try:
                plain = encoded.strip().replace("-", "+").replace("_", "/")
                keys[key_id] = base64.b64decode(plain + "=" * (-len(plain) % 4), validate=True)
            except (binascii.Error, ValueError):
                raise VaultError(f"Entry {place} of the vault keys is not base64") from None
        return cls(keys)

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> "Keyring":
        """The keys of `RINGFENCE_VAULT_KEYS`.

        Raises:
            VaultError: It is not set, or not of the form `id:base64[,id2:base64]`.
        """
        return cls.from_text(environment.get(KEYS_VARIABLE, ""))

    def lookup_keys(self) -> list[bytes]:
        """Keys for keyed hashes, derived from each key; the first is for new ones."""
        return [*self._lookup_keys]

    def seal(self, content: Mapping[str, Any], *, conversation: str) -> dict[str, Any]:
        """The content encrypted, as JSON can hold it; it opens again for this conversation only."""
        return self._seal(content, _VAULT, [conversation])

    def open(self, sealed: Mapping[str, Any], *, conversation: str) -> dict[str, Any]:
        """The content again.

        Raises:
            VaultError: The key is not in this ring, it was changed, or it belongs to another conversation.
        """
        opened: dict[str, Any] = self._open(sealed, _VAULT, [conversation])
        return opened

    def seal_row(self, content: Any, bound_to: Sequence[str | int]) -> dict[str, Any]:
        """A value of a table encrypted, as JSON can hold it; it opens again for the same row only."""
        return self._seal(content, _ROW, bound_to)

    def open_row(self, sealed: Mapping[str, Any], bound_to: Sequence[str | int]) -> Any:
        """The value again.

        Raises:
            VaultError: The key is not in this ring, it was changed, or it belongs to another row.
        """
        return self._open(sealed, _ROW, bound_to)

    def _seal(self, content: Any, kind: str, bound_to: Sequence[str | int]) -> dict[str, Any]:
        nonce = secrets.token_bytes(_NONCE_BYTES)
        data = json.dumps(content, separators=(",", ":")).encode()
        sealed = self._ciphers[self.key_id].encrypt(nonce, data, _bound(kind, self.key_id, bound_to))
        return {"format": _FORMAT, "key": self.key_id, "nonce": _text(nonce), "data": _text(sealed)}

    def _open(self, sealed: Mapping[str, Any], kind: str, bound_to: Sequence[str | int]) -> Any:
        match sealed:
            case {"format": 1, "key": str(key_id), "nonce": str(nonce), "data": str(data)}:
                pass
            case _:
                raise VaultError("This is no sealed vault, or one of another version")
        cipher = self._ciphers.get(key_id)
        if cipher is None:
            known = ", ".join(self._ciphers)
            asked = key_id if _KEY_ID.fullmatch(key_id) else "?"
            raise VaultError(f"The vault was sealed with key {asked}, which is not among the keys: {known}")
        try:
            return json.loads(cipher.decrypt(_bytes(nonce), _bytes(data), _bound(kind, key_id, bound_to)))
        except (InvalidTag, ValueError):
            said = "the key is another one, or it was changed, or it is another conversation's"
            raise VaultError(f"The sealed vault does not open: {said}") from None


KeySource = Keyring | Callable[[], Keyring] | None
"""A keyring, what gets one when it is needed, or None for the environment's."""


def keyring_of(source: KeySource) -> Keyring:
    """The keyring of a source.

    Raises:
        VaultError: There is no key.
    """
    if isinstance(source, Keyring):
        return source
    return Keyring.from_environment() if source is None else source()


def _bound(kind: str, key_id: str, bound_to: Sequence[str | int]) -> bytes:
    return json.dumps([kind, _FORMAT, key_id, *bound_to]).encode()


def _derived(key: bytes, purpose: str) -> bytes:
    return hmac.new(key, purpose.encode(), hashlib.sha256).digest()


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")


def _bytes(text: str) -> bytes:
    return base64.b64decode(text, validate=True)
