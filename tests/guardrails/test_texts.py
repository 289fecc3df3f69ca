"""Every text of every AutoGen message is seen, and comes out clean."""

import inspect
import json
import types
from collections import deque
from collections.abc import Mapping
from dataclasses import InitVar, dataclass, field, fields, is_dataclass
from datetime import UTC, datetime
from enum import Enum, StrEnum
from ipaddress import IPv4Address
from pathlib import PurePosixPath
from types import SimpleNamespace
from typing import Annotated, Any, Literal, NamedTuple, TypeVar, Union, get_args, get_origin, get_type_hints
from uuid import UUID

import autogen_core.models
import pytest
from autogen_agentchat import messages as agentchat
from autogen_agentchat.messages import (
    BaseMessage,
    BaseTextChatMessage,
    MultiModalMessage,
    StructuredMessage,
    StructuredMessageFactory,
    TextMessage,
)
from autogen_core import CancellationToken, FunctionCall, Image
from autogen_core.memory import MemoryContent, MemoryMimeType
from autogen_core.models import (
    ChatCompletionTokenLogprob,
    TopLogprob,
    UserMessage,
)
from autogen_core.tools import FunctionTool, ImageResultContent, ToolResult
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image as Picture
from pydantic import AnyUrl, BaseModel, RootModel, SecretStr

from ringfence.guardrails.calls import Delivery, UserTurn
from ringfence.guardrails.clean_text import clean_text
from ringfence.guardrails.texts import (
    UncheckableContentError,
    map_text,
    offered_name,
    offered_parameters,
    parse_arguments,
    texts_of,
)
from tests.guardrails.parts import model_call, reply, tool_call

STRUCTURAL = {"id", "call_id", "type", "request_id", "full_message_id", "finish_reason"}


class Address(BaseModel):
    """A part of the structured content."""

    street: str
    notes: dict[str, list[str]]


class Customer(BaseModel):
    """Structured content whose own fields have the names of AutoGen's identifiers."""

    id: str
    type: str
    call_id: str
    addresses: list[Address]
    tags: dict[str, str]


class Colour(Enum):
    """A word of a program, not of a person."""

    RED = "canary"


def image() -> Image:
    return Image(Picture.new("RGB", (1, 1)))


# One or more examples for each type that AutoGen's messages are made of, "canary" in every text.


def examples(kind: Any, name: str = "") -> list[Any]:
    origin, arguments = get_origin(kind), get_args(kind)
    if origin is Annotated:
        return examples(arguments[0])
    if origin is Literal:
        return [arguments[0]]
    if name in STRUCTURAL:
        return ["an-id"]
    if origin in (Union, types.UnionType):
        return [example for argument in arguments for example in examples(argument)]
    if origin is list:
        return [examples(arguments[0])]
    if origin in (dict, Mapping):
        return [{"canary key": example} for example in examples(arguments[1])]
    return made(Customer) if isinstance(kind, TypeVar) else examples_of_class(kind)


def examples_of_class(kind: Any) -> list[Any]:
    nested = json.dumps({"canary": ["canary", {"canary": "canary"}], "number": 7})
    plain: dict[Any, list[Any]] = {
        str: ["canary"],
        int: [7],
        float: [0.5],
        bool: [True],
        datetime: [datetime(2026, 1, 1, tzinfo=UTC)],
        Any: ["canary", {"canary": ["canary"]}],
        MemoryMimeType: [MemoryMimeType.TEXT],
        FunctionCall: [
            FunctionCall("an-id", text, "canary") for text in (nested, "canary, no JSON", '"canary"')
        ],
        **{key: [] for key in (type(None), bytes, Image, ImageResultContent)},
    }
    return plain[kind] if kind in plain else made(kind)


def made(kind: type[Any]) -> list[Any]:
    """Instances of a class that together have every example in every field."""
    if is_dataclass(kind):
        hints = get_type_hints(kind)
        by_name = {one.name: examples(hints[one.name], one.name) for one in fields(kind)}
    else:
        own = kind is Customer
        by_name = {
            name: examples(one.annotation, "" if own else name) for name, one in kind.model_fields.items()
        }
    by_name.pop("logprobs", None)
    count = max(len(found) for found in by_name.values())
    rows = [
        {name: found[row % len(found)] for name, found in by_name.items() if found} for row in range(count)
    ]
    return [kind(**row) for row in rows]


def is_message(kind: object) -> bool:
    return isinstance(kind, type) and issubclass(kind, BaseModel) and not inspect.isabstract(kind)


MESSAGE_TYPES = [
    StructuredMessage[Customer] if kind is StructuredMessage else kind
    for kind in vars(agentchat).values()
    if is_message(kind) and issubclass(kind, BaseMessage)
]
CORE_TYPES = [kind for kind in vars(autogen_core.models).values() if is_message(kind)]
OTHER_TYPES = [ToolResult, MemoryContent]


def dumped(message: BaseModel) -> str:
    return message.model_dump_json()


@pytest.mark.parametrize("kind", [*MESSAGE_TYPES, *CORE_TYPES, *OTHER_TYPES], ids=lambda kind: kind.__name__)
def test_every_text_of_every_type_is_changed_and_nothing_else(kind: type[BaseModel]) -> None:
    """A canary in every string field of every AutoGen type is seen; identifiers and tags stay."""
    assert made(kind)
    for message in made(kind):
        changed = map_text(message, lambda text: text.replace("canary", "masked"))
        assert dumped(changed) == dumped(message).replace("canary", "masked")
        assert "canary" not in dumped(changed)
        assert type(changed) is type(message)


def test_the_walk_found_the_types_that_there_are() -> None:
    """The types above are AutoGen's, not an empty list."""
    names = {kind.__name__.partition("[")[0] for kind in [*MESSAGE_TYPES, *CORE_TYPES]}
    assert names >= {
        *("TextMessage", "MultiModalMessage", "StopMessage", "HandoffMessage", "ToolCallSummaryMessage"),
        *("StructuredMessage", "ToolCallRequestEvent", "ToolCallExecutionEvent", "MemoryQueryEvent"),
        *("UserInputRequestedEvent", "ModelClientStreamingChunkEvent", "ThoughtEvent", "SelectSpeakerEvent"),
        *("SelectorEvent", "CodeGenerationEvent", "CodeExecutionEvent"),
        *("SystemMessage", "UserMessage", "AssistantMessage", "FunctionExecutionResultMessage"),
        *("FunctionExecutionResult", "CreateResult"),
    }


@pytest.mark.parametrize(
    "call",
    [
        model_call(
            "canary", tools=({"name": "canary", "description": "canary"},), options={"user": "canary"}
        ),
        tool_call("refund", {"canary": ["canary", {"canary": "canary"}]}),
        UserTurn((TextMessage(content="canary", source="canary", metadata={"canary": "canary"}),)),
        Delivery(TextMessage(content="canary", source="canary")),
    ],
    ids=lambda call: type(call).__name__,
)
def test_calls_are_read_like_messages(call: Any) -> None:
    """What passes a door is seen whole."""

    def shown(any_call: Any) -> str:
        return str([getattr(any_call, field.name) for field in fields(any_call)])

    changed = map_text(call, lambda text: text.replace("canary", "masked"))
    assert "canary" not in shown(changed)
    assert shown(changed).count("masked") == shown(call).count("canary")


def test_who_calls_what_is_never_rewritten() -> None:
    """A guardrail that rewrites texts cannot turn a cleared call into one of another tool."""
    call = map_text(tool_call("refund", {"why": "refund"}, call_id="refund"), lambda _: "delete_everything")
    assert (call.agent, call.tool, call.call_id) == ("desk", "refund", "refund")
    assert call.arguments == {"delete_everything": "delete_everything"}


class TestContentOfOthers:
    """Types that are not AutoGen's keep nothing back."""

    customer = Customer(id="canary", type="canary", call_id="canary", addresses=[], tags={})

    def test_an_id_in_structured_content_is_somebodys_text(self) -> None:
        """Only AutoGen's own `id` and `type` are identifiers."""
        message = StructuredMessage[Customer](content=self.customer, source="desk")
        content = map_text(message, str.upper).content
        assert (content.id, content.type, content.call_id) == ("CANARY", "CANARY", "CANARY")

    def test_an_id_in_a_model_made_of_a_schema_is_somebodys_text(self) -> None:
        """AutoGen makes such models in a module of its own."""
        factory = StructuredMessageFactory(json_schema=Customer.model_json_schema())
        made_of_it = factory.ContentModel.model_validate(self.customer.model_dump(mode="json"))
        message = factory.StructuredMessage(content=made_of_it, source="desk")
        assert map_text(message, str.upper).content.id == "CANARY"

    def test_a_message_type_of_the_users_own_keeps_its_tags(self) -> None:
        """It takes its identifiers from AutoGen's base."""

        class Note(BaseTextChatMessage):
            type: Literal["Note"] = "Note"
            title: str

        changed = map_text(Note(id="n-1", content="canary", title="canary", source="desk"), str.upper)
        assert (changed.id, changed.type, changed.content, changed.title) == (
            "n-1",
            "Note",
            "CANARY",
            "CANARY",
        )

    def test_models_with_extra_fields_and_root_models(self) -> None:
        """Fields that no class declares count, too."""

        class Open(BaseModel, extra="allow"):
            text: str

        changed = map_text(
            [Open.model_validate({"text": "a", "more": "b"}), RootModel[list[str]](["c"])], str.upper
        )
        assert repr(changed) == "[Open(text='A', more='B'), RootModel[list[str]](root=['C'])]"

    def test_dataclasses(self) -> None:
        """Frozen, with slots, with fields that the constructor does not take."""

        @dataclass(frozen=True, slots=True)
        class Row:
            text: str
            start: InitVar[str]
            derived: str = field(init=False, default="")

            def __post_init__(self, start: str) -> None:
                object.__setattr__(self, "derived", start)

        row = Row("text", "start")
        changed = map_text(row, str.upper)
        assert (changed.text, changed.derived) == ("TEXT", "START")
        assert (row.text, row.derived) == ("text", "start")

    def test_containers_keep_their_kind(self) -> None:
        """Agents go on using what they get back."""

        class Pair(NamedTuple):
            left: str
            right: int

        value = [["a"], ("b",), {"c"}, frozenset("d"), Pair("e", 1), deque(["f"]), {"g": range(1)}]
        assert map_text(value, str.upper) == [
            *(["A"], ("B",), {"C"}, frozenset("D"), Pair("E", 1), ("F",), {"G": (0,)}),
        ]

    def test_a_subclass_of_str_is_text_but_an_enum_is_not(self) -> None:
        """Parsers hand out subclasses of str."""

        class Tag(str):
            __slots__ = ()

            def __str__(self) -> str:
                return "something else"

        class Word(StrEnum):
            RED = "canary"

        assert map_text([Tag("canary"), Word.RED, Colour.RED], str.upper) == ["CANARY", Word.RED, Colour.RED]

    def test_what_is_spelled_like_a_text_is_read_like_one(self) -> None:
        """A URL, a path or an address stays what it is, unless something in it has to go."""
        value = [
            AnyUrl("mailto:jane@acme.com"),
            PurePosixPath("home/jane"),
            IPv4Address("10.0.0.1"),
            PurePosixPath("tmp"),
        ]
        assert texts_of(value) == ["mailto:jane@acme.com", "home/jane", "10.0.0.1", "tmp"]
        masked = map_text(
            value, lambda text: text.replace("jane", "<PERSON_1>").replace("10.0.0.1", "<IP_1>")
        )
        assert masked == ["mailto:<PERSON_1>@acme.com", "home/<PERSON_1>", "<IP_1>", PurePosixPath("tmp")]

    def test_what_holds_no_text_stays(self) -> None:
        """Numbers, times, identifiers of machines, classes, and AutoGen's tools and tokens."""
        tool = FunctionTool(lambda: "canary", description="canary", name="canary")
        value = [None, True, 1, 0.5, datetime.now(UTC), UUID(int=1), Customer, CancellationToken(), tool]
        assert texts_of(value) == []
        assert all(left is right for left, right in zip(map_text(value, str.upper), value, strict=True))


class TestWhatNobodyCanRead:
    """Content that no text guardrail can read is refused, wherever it stands."""

    @pytest.mark.parametrize(
        "holder",
        [
            lambda: UserMessage(content=["look", image()], source="user"),
            lambda: MultiModalMessage(content=["look", image()], source="user"),
            lambda: ToolResult(name="scan", result=[ImageResultContent(content=image())]),
            lambda: MemoryContent(content=image(), mime_type=MemoryMimeType.IMAGE),
            lambda: MemoryContent(content=b"canary", mime_type=MemoryMimeType.BINARY),
            lambda: model_call("a", options={"picture": {"deep": [image()]}}),
            lambda: tool_call(arguments={"file": bytearray(b"canary")}),
            lambda: tool_call(arguments={"file": memoryview(b"canary")}),
            lambda: tool_call(arguments={"key": SecretStr("canary")}),
            lambda: tool_call(arguments={"texts": iter(["canary"])}),
            lambda: tool_call(arguments={"what": object()}),
        ],
    )
    def test_it_is_refused(self, holder: Any) -> None:
        """The reason names the kind, never the content."""
        with pytest.raises(UncheckableContentError, match="which no text guardrail can read") as caught:
            texts_of(holder())
        assert "canary" not in str(caught.value)

    def test_nesting_without_end_is_refused(self) -> None:
        """What contains itself cannot be read to its end."""
        loop: list[Any] = ["canary"]
        loop.append(loop)
        with pytest.raises(UncheckableContentError, match="nested too deeply"):
            texts_of(loop)

    def test_deep_json_arguments_are_refused(self) -> None:
        """Arguments count as deep as the message that they stand in."""
        deep = '{"a":' + "[" * 100 + "]" * 100 + "}"
        with pytest.raises(UncheckableContentError, match="nested too deeply"):
            texts_of(reply([FunctionCall("1", deep, "f")]))


def test_the_log_probabilities_of_a_reply_are_dropped() -> None:
    """They spell the reply out in pieces, and as numbers, in which nothing would be found."""
    piece = ChatCompletionTokenLogprob(
        token="jane@", logprob=0.0, bytes=list(b"jane@"), top_logprobs=[TopLogprob(0.0, list(b"jane@"))]
    )
    changed = map_text(reply("jane@acme.com", logprobs=[piece], thought="canary"), str.upper)
    assert changed.logprobs is None
    assert (changed.content, changed.thought) == ("JANE@ACME.COM", "CANARY")


JSON_VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers(-999, 999) | st.floats(-999, 999) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)


def marked(value: Any) -> Any:
    if isinstance(value, str):
        return f"<{value}>"
    if isinstance(value, list):
        return [marked(item) for item in value]
    if isinstance(value, dict):
        return {f"<{key}>": marked(item) for key, item in value.items()}
    return value


@given(JSON_VALUES)
def test_any_nested_value_is_mapped_text_by_text(value: Any) -> None:
    """Keys and values, at every depth, once each; a change that changes nothing gives back an equal value."""
    assert map_text(value, lambda text: f"<{text}>") == marked(value)
    assert map_text(value, str) == value


@settings(max_examples=50)
@given(st.dictionaries(st.text(), JSON_VALUES))
def test_any_arguments_are_mapped_as_json(arguments: dict[str, Any]) -> None:
    """The texts inside the JSON of a function call are seen, not its spelling."""
    call = FunctionCall(id="call-1", name="f", arguments=json.dumps(arguments))
    changed = map_text(call, lambda text: f"<{text}>")
    assert json.loads(changed.arguments) == marked(arguments)
    assert (changed.id, changed.name) == ("call-1", "<f>")


def test_a_long_number_in_arguments_is_read_like_a_text() -> None:
    """It may be somebody's card or telephone; it stays a number unless something in it has to go."""
    arguments = '{"cards": [4111111111111111, 4155552671.0], "amount": 40.5, "order": 1182, "paid": true}'
    call = FunctionCall(id="call-1", name="f", arguments=arguments)
    assert texts_of(call) == ["f", "cards", "amount", "order", "paid", "4111111111111111", "4155552671.0"]
    changed = map_text(call, lambda text: text.replace("4111111111111111", "<CREDIT_CARD_1>"))
    assert changed.arguments == arguments.replace("4111111111111111", '"<CREDIT_CARD_1>"')


class TestParseArguments:
    """Arguments are one plain JSON object, or nothing."""

    @settings(max_examples=50)
    @given(st.dictionaries(st.text(), JSON_VALUES))
    def test_a_plain_object(self, arguments: dict[str, Any]) -> None:
        """It is read as Python reads it."""
        assert parse_arguments(json.dumps(arguments)) == arguments

    @pytest.mark.parametrize(
        "text",
        [
            *("", " ", "null", "[]", '"a"', "7", "{", "{'a': 1}", '{"a": 1} {}', '{"a": NaN}'),
            *('{"a": Infinity}', '{"a": [-Infinity]}', '{"a": 1e999}', '{"a": -1e999}'),
            *('{"a": 1, "a": 1}', '{"b": {"a": 1, "\\u0061": 2}}'),
            '{"a": ' + "9" * 5000 + "}",
            '{"a": ' + "[" * 100_000 + "]" * 100_000 + "}",
        ],
        ids=lambda text: text[:20],
    )
    def test_what_two_readers_could_read_apart(self, text: str) -> None:
        """Not JSON, not an object, keys twice, numbers without a value or of thousands of digits."""
        assert parse_arguments(text) is None


def test_the_name_and_the_parameters_of_an_offered_tool() -> None:
    """Tools are offered as objects or as schemas."""
    offered = FunctionTool(lambda: "a", description="b", name="look")
    assert (offered_name(offered), offered_name(offered.schema), offered_name(7)) == ("look", "look", "")

    odd = SimpleNamespace(name="odd", schema={"parameters": "none"})
    assert [offered_parameters(tool) for tool in (7, {"name": "x"}, odd)] == [{}, {}, {}]
    schema = offered_parameters(offered)
    assert schema == offered_parameters(offered.schema) == offered.schema["parameters"]


@pytest.mark.timeout(20)
@pytest.mark.parametrize("run", ["\u200d", "\u200c", "\\u005c", "\\", "\ufe0f", "a\u200d", "\\u005c\\"])
def test_cleaning_takes_linear_time_on_hostile_runs(run: str) -> None:
    """A run that an expression would look at anew from each of its places ends as soon as any other."""
    assert isinstance(clean_text(run * 200_000), str)
