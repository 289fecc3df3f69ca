"""What AutoGen's OpenAI client raises when a provider fails, and what the fence makes of it."""

import json
from typing import NamedTuple

import httpx
import openai
import pytest
from odd_errors import ODD_ERRORS
from openai_server import (
    OpenAIServer,
    Reply,
    dropped,
    empty_choices,
    error,
    hanging,
    malformed,
    raw,
    stream_error,
    text,
)
from pydantic import BaseModel
from tier_clients import HELLO, call, client_for, stream

from ringfence.agents.error_facts import retry_after
from ringfence.agents.failures import Failure, classify_failure
from ringfence.model_tier import Capabilities


class Answer(BaseModel):
    """A form to ask a model for."""

    number: int


class Case(NamedTuple):
    """A provider's failure, as it arrives and as it is told."""

    phrase: str
    reply: Reply
    kind: type[BaseException]
    retryable: bool
    billing_unknown: bool

    @property
    def failure(self) -> Failure:
        """What the fence should make of it."""
        status = f" (status {self.reply.status})" if self.reply.status >= 400 else ""
        reason = f"{self.kind.__name__}{status}: {self.phrase}"
        return Failure(reason, retryable=self.retryable, billing_unknown=self.billing_unknown)


SERVER, BAD, BUSY = openai.InternalServerError, openai.BadRequestError, openai.RateLimitError
LOST, BROKEN, ODD = openai.APIConnectionError, httpx.RemoteProtocolError, json.JSONDecodeError
BROKE, NO_REPLY = "the connection broke", "the answer is not a chat completion"
LONG, QUOTA, FILTER = "context_length_exceeded", "insufficient_quota", "content_filter"
PAGE = raw(b"<html>", content_type="text/html")

BEFORE_THE_ANSWER = [
    Case("the provider is in trouble", error(500), SERVER, True, False),
    Case("the provider is in trouble", error(504), SERVER, True, True),
    Case("too many requests", error(429), BUSY, True, False),
    Case("the account's quota is used up", error(429, code=QUOTA), BUSY, False, False),
    Case("the provider does not accept the request", error(400), BAD, False, False),
    Case("the prompt is longer than the model's context", error(400, code=LONG), BAD, False, True),
    Case("the provider's content filter refused the prompt", error(400, code=FILTER), BAD, False, True),
    Case("the provider does not accept the key", error(401), openai.AuthenticationError, False, False),
    Case(BROKE, dropped("before"), LOST, True, True),
]
CALLS = [
    *BEFORE_THE_ANSWER,
    Case(BROKE, dropped("mid-body"), LOST, True, True),
    Case("the answer cannot be read", malformed(), ODD, True, True),
    Case("the answer holds no reply", empty_choices(), IndexError, True, True),
    Case(NO_REPLY, empty_choices(null=True), TypeError, False, True),
    Case(NO_REPLY, PAGE, AttributeError, False, True),
]
STREAMS = [
    *BEFORE_THE_ANSWER,
    Case(BROKE, dropped("mid-stream"), BROKEN, True, True),
    Case("the answer cannot be read", malformed(), ODD, True, True),
    Case("the provider broke off with an error", stream_error(), openai.APIError, True, True),
]


@pytest.mark.parametrize("case", CALLS, ids=lambda case: case.failure.reason)
async def test_what_fails_and_how(case: Case) -> None:
    """The exception of each failure, and what the fence makes of it; the SDK tries nothing again."""
    with OpenAIServer(then=case.reply) as server, pytest.raises(case.kind) as caught:
        await call(server)
    assert type(caught.value) is case.kind
    assert len(server.requests) == 1
    assert classify_failure(caught.value) == case.failure


@pytest.mark.parametrize("case", STREAMS, ids=lambda case: case.failure.reason)
async def test_what_fails_in_streams(case: Case) -> None:
    """The same for streams."""
    with OpenAIServer(then=case.reply) as server, pytest.raises(case.kind) as caught:
        await stream(server)
    assert type(caught.value) is case.kind
    assert len(server.requests) == 1
    assert classify_failure(caught.value) == case.failure


async def test_a_stream_that_ends_early_looks_like_a_reply() -> None:
    """Nothing raises when a stream is cut off in good order; only the finish reason and the usage tell."""
    with OpenAIServer(dropped("ends-early")) as server:
        _, result = await stream(server)
    assert (result.content, result.finish_reason) == ("Half a r", "unknown")
    assert (result.usage.prompt_tokens, result.usage.completion_tokens) == (0, 0)


async def test_a_provider_that_does_not_answer() -> None:
    """The tier's timeout ends the call."""
    with OpenAIServer(then=hanging()) as server, pytest.raises(openai.APITimeoutError) as caught:
        await call(server, timeout_seconds=0.05)
    assert len(server.requests) == 1
    reason = "APITimeoutError: no answer in time"
    assert classify_failure(caught.value) == Failure(reason, retryable=True, billing_unknown=True)


async def test_a_provider_that_is_not_there() -> None:
    """Nothing was sent, so nothing was charged."""
    with OpenAIServer() as gone:
        pass
    with pytest.raises(openai.APIConnectionError) as caught:
        await call(gone)
    reason = "APIConnectionError: the provider could not be reached"
    assert classify_failure(caught.value) == Failure(reason, retryable=True, billing_unknown=False)


@pytest.mark.parametrize(
    ("reply", "reason", "retryable"),
    [
        (text('{"num', finish_reason="length"), "the reply was cut off at the output limit", False),
        (text("", finish_reason="content_filter"), "the provider's content filter withheld the reply", False),
        (text('{"name": 1}'), "the reply does not have the form that was asked for", True),
    ],
)
async def test_a_form_that_did_not_come_was_paid_for(reply: Reply, reason: str, retryable: bool) -> None:
    """With a form asked for, the SDK raises where it otherwise would return the reply as it is."""
    with OpenAIServer(reply) as server:
        async with client_for(server, capabilities=Capabilities(structured_output=True)) as client:
            with pytest.raises((openai.OpenAIError, ValueError)) as caught:
                await client.create(HELLO, json_output=Answer)
    failure = classify_failure(caught.value)
    assert failure.reason == f"{type(caught.value).__name__}: {reason}"
    assert (failure.retryable, failure.billing_unknown) == (retryable, True)


def broken(kind: type[BaseException], *, status: object = None, code: object = None) -> BaseException:
    """An exception with what SDKs hang on theirs."""
    failure = kind("jane@acme.com sk-secret")
    failure.status_code, failure.code = status, code  # type: ignore[attr-defined]  # as SDKs do
    return failure


@pytest.mark.parametrize(
    "failure",
    [
        broken(Exception),
        broken(ValueError),
        broken(TimeoutError),
        broken(ConnectionResetError),
        broken(Exception, status=418, code="jane@acme.com"),
        broken(Exception, status=503, code=["jane@acme.com"]),
        broken(Exception, status=-1),
        broken(Exception, status="jane@acme.com"),
    ],
)
def test_a_reason_quotes_nothing(failure: BaseException) -> None:
    """What an exception says may be the prompt or the key."""
    told = classify_failure(failure)
    assert "jane" not in str(told)
    assert "sk-" not in str(told)
    assert told.reason.startswith(type(failure).__name__)


def test_what_is_unknown_may_have_been_charged_and_is_not_repeated() -> None:
    """The careful answer is the default."""
    reason = "ValueError: the call failed"
    assert classify_failure(ValueError("?")) == Failure(reason, retryable=False, billing_unknown=True)


@pytest.mark.parametrize("unreadable", ODD_ERRORS)
def test_an_exception_that_cannot_be_read_is_unknown(unreadable: str) -> None:
    """Its attributes may raise, even what would end the process."""
    failure = ODD_ERRORS[unreadable]()
    told = classify_failure(failure)
    assert told.reason.endswith(": the call failed")
    assert (told.retryable, told.billing_unknown) == (False, True)
    assert retry_after(failure) is None
