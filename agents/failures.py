"""Why a model call failed, told from the exception alone and without quoting it.

The exceptions of the providers' SDKs are told apart by the names of their classes, so that no SDK is loaded.
Their texts repeat what the provider answered, which may repeat the prompt or the key.
"""

from dataclasses import dataclass

from ringfence.agents.error_facts import attribute_of, name_of, names_of

__all__ = ["Failure", "classify_failure"]


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a model call failed."""

    reason: str
    """Type, status code and a fixed phrase."""
    retryable: bool
    """The same call may work later."""
    billing_unknown: bool
    """The provider may have charged for the call; False when it surely did not."""


_STATUS = {
    400: "the provider does not accept the request",
    401: "the provider does not accept the key",
    402: "the account has no credit left",
    403: "the key may not do this",
    404: "the provider knows no such model or address",
    408: "the provider gave up waiting",
    409: "the request collided with another",
    413: "the request is too large",
    422: "the provider does not accept the request",
    429: "too many requests",
}
_RETRYABLE = {408, 409, 429}
_MAY_CHARGE = {408, 499, 502, 504}
"""The model may have worked before the provider, or a gateway before it, gave up."""

_TOO_LONG = "the prompt is longer than the model's context"
_FILTERED = "the provider's content filter refused the prompt"
_CODES = {
    "content_filter": (_FILTERED, True),  # Azure charges for what its filter has read
    "content_policy_violation": (_FILTERED, True),
    "context_length_exceeded": (_TOO_LONG, True),
    "insufficient_quota": ("the account's quota is used up", False),
    "model_not_found": ("the provider knows no such model", False),
    "DeploymentNotFound": ("the provider knows no such deployment", False),
}
"""Phrase, and whether the provider may have charged, by the provider's error code; none is worth a retry."""

_TYPES: tuple[tuple[frozenset[str], Failure], ...] = (
    (
        frozenset({"ConnectError", "ConnectTimeout", "PoolTimeout"}),
        Failure("the provider could not be reached", retryable=True, billing_unknown=False),
    ),
    (
        frozenset({"APITimeoutError", "TimeoutException", "TimeoutError"}),
        Failure("no answer in time", retryable=True, billing_unknown=True),
    ),
    (
        frozenset({"APIConnectionError", "TransportError", "ConnectionError"}),
        Failure("the connection broke", retryable=True, billing_unknown=True),
    ),
    (
        frozenset({"LengthFinishReasonError"}),
        Failure("the reply was cut off at the output limit", retryable=False, billing_unknown=True),
    ),
    (
        frozenset({"ContentFilterFinishReasonError"}),
        Failure("the provider's content filter withheld the reply", retryable=False, billing_unknown=True),
    ),
    (
        frozenset({"JSONDecodeError", "APIResponseValidationError"}),
        Failure("the answer cannot be read", retryable=True, billing_unknown=True),
    ),
    (
        frozenset({"IndexError"}),  # an overloaded server sends a completion without a choice
        Failure("the answer holds no reply", retryable=True, billing_unknown=True),
    ),
    (
        frozenset({"ValidationError"}),
        Failure("the reply does not have the form that was asked for", retryable=True, billing_unknown=True),
    ),
    (
        frozenset({"AttributeError", "KeyError", "TypeError"}),
        Failure("the answer is not a chat completion", retryable=False, billing_unknown=True),
    ),
    (
        frozenset({"APIError"}),
        Failure("the provider broke off with an error", retryable=True, billing_unknown=True),
    ),
    (
        frozenset({"CancelledError"}),
        Failure("the call was cancelled", retryable=False, billing_unknown=True),
    ),
)
"""First match wins: specific names stand above the names of their base classes."""


def classify_failure(error: BaseException) -> Failure:
    """Say why a model call failed.

    >>> classify_failure(TimeoutError("sk-secret"))
    Failure(reason='TimeoutError: no answer in time', retryable=True, billing_unknown=True)
    """
    kind = name_of(error)
    status = attribute_of(error, "status_code")
    if isinstance(status, int) and 400 <= status <= 599:  # noqa: PLR2004  # HTTP's range of errors
        return _refused(f"{kind} (status {status})", status, attribute_of(error, "code"))
    names = names_of(error)
    if (cause := attribute_of(error, "__cause__")) is not None:
        names |= names_of(cause)
    for types, failure in _TYPES:
        if names & types:
            return Failure(f"{kind}: {failure.reason}", failure.retryable, failure.billing_unknown)
    return Failure(f"{kind}: the call failed", retryable=False, billing_unknown=True)


def _refused(kind: str, status: int, code: object) -> Failure:
    if isinstance(code, str) and code in _CODES:
        phrase, may_charge = _CODES[code]
        return Failure(f"{kind}: {phrase}", retryable=False, billing_unknown=may_charge)
    server_side = status >= 500  # noqa: PLR2004  # HTTP's range of server errors
    phrase = _STATUS.get(status, "the provider is in trouble" if server_side else _STATUS[400])
    return Failure(
        f"{kind}: {phrase}",
        retryable=server_side or status in _RETRYABLE,
        billing_unknown=status in _MAY_CHARGE,
    )
