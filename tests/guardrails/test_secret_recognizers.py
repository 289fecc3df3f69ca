"""Secrets are found by their form; what only looks like one is left alone.

Every secret is made up, and put together at run time, so that no scanner takes this file for a leak.
"""

import base64
import hashlib
import json
import random
import socket
import string
import uuid
from collections.abc import Iterator

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from ringfence.guardrails.readings import readable
from ringfence.guardrails.secret_recognizers import secret_recognizers
from ringfence.guardrails.secret_values import SECRET_ENTITIES

WINDOW, STEP = 2_000, 1_680
DIGITS, HEX, UPPER = string.digits, "0123456789abcdef", string.ascii_uppercase + "234567"
LETTERS = string.ascii_letters
ALNUM = LETTERS + DIGITS
STICKY = set(ALNUM + "-_+/=.:@%~\\")
"""What tokens or what stands before them may be made of."""
URL_SAFE, BASE64 = ALNUM + "-_", ALNUM + "+/"

PARTS: dict[str, tuple[tuple[str, int] | str, ...]] = {
    "OpenAI, old": ("sk", "-", (ALNUM, 20), "T3Blbk", "FJ", (ALNUM, 20)),
    "OpenAI, project": ("sk", "-proj-", (URL_SAFE, 74), "T3Blbk", "FJ", (URL_SAFE, 74)),
    "OpenAI, plain": ("sk", "-", (DIGITS, 2), (ALNUM, 46)),
    "Anthropic": ("sk", "-ant-", "api03-", (URL_SAFE, 93), "AA"),
    "AWS key id": ("AK", "IA", (UPPER, 16)),
    "AWS temporary key id": ("AS", "IA", (UPPER, 16)),
    "Google Cloud": ("AI", "za", (URL_SAFE, 35)),
    "GitHub": ("gh", "p_", (ALNUM, 36)),
    "GitHub OAuth": ("gh", "o_", (ALNUM, 36)),
    "GitHub app": ("gh", "s_", (ALNUM, 36)),
    "GitHub fine-grained": ("github", "_pat_", (ALNUM, 22), "_", (ALNUM, 59)),
    "GitLab": ("gl", "pat-", (ALNUM, 20)),
    "Slack bot": ("xo", "xb-", ("123456789", 12), "-", ("123456789", 12), "-", (ALNUM, 24)),
    "Slack user": (
        "xo",
        "xp-",
        ("123456789", 12),
        "-",
        ("123456789", 12),
        "-1",
        (DIGITS, 11),
        "-",
        (HEX, 32),
    ),
    "Stripe": ("sk", "_live_", (ALNUM, 24)),
    "Stripe restricted": ("rk", "_live_", (ALNUM, 99)),
    "Twilio": ("S", "K", (HEX, 32)),
    "SendGrid": ("S", "G.", (ALNUM, 22), ".", (ALNUM, 43)),
    "npm": ("np", "m_", (ALNUM, 36)),
    "PyPI": ("py", "pi-", "AgEIcHlwaS5vcmc", (ALNUM, 150)),
    "Telegram": (("123456789", 10), ":", "AA", (URL_SAFE, 32), "k"),
    "Discord": ("M", (ALNUM, 23), ".", (ALNUM, 6), ".", (ALNUM, 27)),
    "Hugging Face": ("h", "f_", (LETTERS, 34)),
    "DigitalOcean": ("do", "p_v1_", (HEX, 64)),
    "Shopify": ("sh", "pat_", (HEX, 32)),
    "Square": ("sq0", "atp-", (ALNUM, 22)),
    "Square secret": ("sq0", "csp-", (ALNUM, 43)),
    "Mailchimp": ((HEX, 32), "-u", "s12"),
    "Google access": ("ya", "29.", (URL_SAFE, 60), "k"),
}
"""What each provider's token is made of: fixed parts, and signs to draw from with their number."""


def drawn(seed: int, signs: str, length: int) -> str:
    source = random.Random(seed)  # noqa: S311 - made up, and the same in every run
    return "".join(source.choice(signs) for _ in range(length))


def token(provider: str, seed: int = 7) -> str:
    """A made-up token of a provider."""
    parts = enumerate(PARTS[provider])
    return "".join(part if isinstance(part, str) else drawn(seed + place, *part) for place, part in parts)


def web_token(payload: str = "Jane") -> str:
    """A made-up JSON Web Token."""
    parts = [{"alg": "HS256", "typ": "JWT"}, {"sub": payload}]
    encoded = [base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in parts]
    return ".".join([*encoded, drawn(1, ALNUM, 20) + "-_" + drawn(2, ALNUM, 21)])


def key_lines(number: int, width: int = 64) -> list[str]:
    return [drawn(line, BASE64, width) for line in range(number)]


def edge(word: str, kind: str = "RSA ") -> str:
    return f"-----{word} {kind}PRIV" + "ATE KEY-----"


def private_key(lines: int = 26, newline: str = "\n") -> str:
    return newline.join([edge("BEGIN"), *key_lines(lines), edge("END")])


PASSWORD = "Xk9#" + "mQ2$vL7"
PLAIN_PASSWORD = "Xk9" + "mQ2vL7"
RANDOM = drawn(3, ALNUM, 40)
AZURE_KEY = drawn(4, BASE64, 85) + "Q=="
SHA256 = hashlib.sha256(b"layer").hexdigest()
SHA1 = SHA256[:40]
IMAGE = base64.b64encode(random.Random(5).randbytes(3_000)).decode()  # noqa: S311 - an image to nobody
UUID = uuid.UUID(SHA256[:32])

(RECOGNIZER,) = secret_recognizers()


def findings(text: str) -> list[tuple[str, str, float]]:
    """What is found in a text: types, values, scores."""
    results = RECOGNIZER.analyze(text, [*SECRET_ENTITIES], None)  # type: ignore[arg-type]
    return [(one.entity_type, text[one.start : one.end], one.score) for one in results]


def found(text: str) -> set[tuple[str, str]]:
    """Types and values of the findings."""
    return {(entity, value) for entity, value, _ in findings(text)}


class TestTokensOfProviders:
    """By the form that their provider gave them."""

    @pytest.mark.parametrize("provider", PARTS)
    def test_are_found_alone_and_in_a_sentence(self, provider: str) -> None:
        """With a score that says so."""
        secret = token(provider)
        for text in (secret, f"Is {secret} still good?", f'{{"key":"{secret}"}}', f"\n\t<{secret}>,"):
            best = max(findings(text), key=lambda one: one[2], default=None)
            assert best is not None, text
            assert best[:2] == ("API_KEY", secret)
            assert best[2] >= 0.95

    @pytest.mark.parametrize("provider", PARTS)
    @settings(max_examples=30)
    @given(st.text(max_size=200), st.text(max_size=200), st.integers(0, 10**6))
    @example("密钥", "。", 1)
    @example("ключ\u200b", "\U0001f511", 2)
    @example("\\n", "\\n", 3)
    def test_are_found_in_every_script(self, provider: str, before: str, after: str, seed: int) -> None:
        """Whatever stands beside them, unless it is a sign that tokens are made of."""
        assume(before == after == "\\n" or not STICKY & {readable(before)[-1:], readable(after)[:1]})
        secret = token(provider, seed)
        text = before + secret + after
        start, end = len(before), len(before) + len(secret)
        results = RECOGNIZER.analyze(text, ["API_KEY"], None)  # type: ignore[arg-type]
        assert any(one.start <= start and end <= one.end for one in results)

    def test_inside_base64(self) -> None:
        """As in the secrets of Kubernetes: the whole of it."""
        wrapped = base64.b64encode(f"token: {token('GitHub')}\n".encode()).decode()
        assert ("API_KEY", wrapped) in found(f"  data: {wrapped}")

    def test_a_remark_hides_nothing(self) -> None:
        """Scanners of code can be told to look away; this one cannot."""
        secret = token("GitHub")
        for remark in ("gitleaks:allow", "kingfisher:ignore", "pragma: allowlist secret", "nosec"):
            assert found(f"{secret}  # {remark}") == {("API_KEY", secret)}

    def test_azure_keys(self) -> None:
        text = f"DefaultEndpointsProtocol=https;AccountName=acme;AccountKey={AZURE_KEY};EndpointSuffix=x"
        assert ("API_KEY", AZURE_KEY) in found(text)


class TestJsonWebTokens:
    """Of any length."""

    def test_whole(self) -> None:
        assert found(f"Cookie: session={web_token()}; path=/") == {("JSON_WEB_TOKEN", web_token())}

    @pytest.mark.parametrize("before", [0, 1_000, 1_500, 1_679, 1_990])
    @pytest.mark.parametrize("length", [100, 1_000, 1_900])
    def test_cut_by_windows(self, before: int, length: int) -> None:
        """Every sign of it is in the findings of one window or the other."""
        secret = web_token(drawn(6, ALNUM, length))
        text = "x " * (before // 2) + "\n" + secret + " and " + "more words " * 200
        assert_covered(text, secret, "JSON_WEB_TOKEN")


class TestPrivateKeys:
    """Whole, and in pieces."""

    @pytest.mark.parametrize("newline", ["\n", "\r\n", "\\n", "\\\\n", "\n> ", "\n    ", '\\n" +\n"'])
    def test_whole(self, newline: str) -> None:
        """With line ends of every kind, literal ones too."""
        secret = private_key(newline=newline)
        assert ("PRIVATE_KEY", secret) in found(f"Here: {secret} Keep it.")

    @pytest.mark.parametrize("kind", ["", "EC ", "OPENSSH ", "ENCRYPTED ", "DSA "])
    def test_of_every_kind(self, kind: str) -> None:
        secret = "\n".join([edge("BEGIN", kind), *key_lines(5), edge("END", kind)])
        assert ("PRIVATE_KEY", secret) in found(secret)

    def test_pgp_and_putty(self) -> None:
        """Which call their edges otherwise."""
        pgp = edge("BEGIN", "PGP ").replace("KEY", "KEY BLOCK") + "\n\n" + "\n".join(key_lines(9))
        putty = "Private-" + "Lines: 9\n" + "\n".join(key_lines(9)) + "\nPrivate-MAC: " + SHA1
        for secret in (pgp, putty):
            assert ("PRIVATE_KEY", secret) in found(secret)

    def test_without_an_end(self) -> None:
        """All that follows the head is the key."""
        secret = "\n".join([edge("BEGIN"), "Proc-Type: 4,ENCRYPTED", "", *key_lines(7)])
        assert ("PRIVATE_KEY", secret) in found(f"Mine:\n{secret}")

    def test_without_a_beginning(self) -> None:
        """The base64 lines before the foot are the key; the words before them are not."""
        secret = "\n".join([*key_lines(4), "abcd==", edge("END")])
        assert found(f"and the rest of it:\n{secret}\nBye") == {("PRIVATE_KEY", secret)}

    @pytest.mark.parametrize("before", [0, 1_000, 1_500])
    def test_cut_by_windows_without_an_end(self, before: int) -> None:
        """Also when another key follows."""
        secret = "\n".join([edge("BEGIN"), *key_lines(40), edge("BEGIN"), *key_lines(12), edge("END")])
        assert_covered("x " * (before // 2) + "\n" + secret + "\nBye", secret, "PRIVATE_KEY")
        open_end = "\n".join([edge("BEGIN"), *key_lines(40)])
        assert_covered("x " * (before // 2) + "\n" + open_end, open_end, "PRIVATE_KEY")

    @pytest.mark.parametrize("lines", [26, 50, 100, 200])
    @pytest.mark.parametrize("before", [0, 1_000, 1_970])
    @pytest.mark.parametrize("newline", ["\n", "\\n"])
    def test_cut_by_windows(self, lines: int, before: int, newline: str) -> None:
        """Of any length: each window knows its piece."""
        secret = private_key(lines, newline)
        text = "x " * (before // 2) + "\n" + secret + "\n" + "more words " * 200
        assert_covered(text, secret, "PRIVATE_KEY")

    @pytest.mark.parametrize(
        "text",
        [
            f"The line `{edge('BEGIN')}` begins a key, and `{edge('END')}` ends it.",
            f'HEAD = b"{edge("BEGIN")}"\nFOOT = b"{edge("END")}"',
            "-----BEGIN CERTIFICATE-----\n" + "\n".join(key_lines(20)) + "\n-----END CERTIFICATE-----",
            "-----BEGIN PUBLIC KEY-----\n" + "\n".join(key_lines(4)) + "\n-----END PUBLIC KEY-----",
            "\n".join(key_lines(20, width=76)),
            "\n".join(key_lines(5)) + "\n-----END CERTIFICATE-----",
        ],
    )
    def test_what_is_none(self, text: str) -> None:
        """Talk of keys, certificates, public keys, the attachments of mails."""
        assert found(text) == set()


class TestConnectionStrings:
    """With a password in them."""

    @pytest.mark.parametrize(
        "uri",
        [
            "postgres://user:pw@host:5432/db?sslmode=require",
            "mongodb+srv://u:Xk9mQ2vL7@cluster0.ab1cd.mongodb.net",
            "redis://:Xk9mQ2vL7@cache:6379/0",
            "amqp://guest:guest@rabbit:5672",
            "mysql://root:hunter2@localhost/db",
            "postgres://u:p@ss/w0rd@host/db",
            "https://bob:pw12@intranet.example/x",
            "jdbc:oracle:thin:scott/tiger1@//host:1521/x",
        ],
    )
    @pytest.mark.parametrize("around", ["{}", "See ({}).", '"{}"', "密{}密", "url={}\\n", "<{}>"])
    def test_are_found_whole(self, uri: str, around: str) -> None:
        assert ("CONNECTION_STRING", uri) in found(around.format(uri))

    def test_of_json_that_escapes_slashes(self) -> None:
        assert found(r"{\"url\":\"redis:\/\/:pw1@cache\"}") == {
            ("CONNECTION_STRING", r"redis:\/\/:pw1@cache")
        }

    @pytest.mark.parametrize(
        ("text", "password"),
        [
            (f"Server=db;User Id=sa;Password={PASSWORD};Encrypt=true", PASSWORD),
            (f"jdbc:mysql://h/db?user=x&password={PLAIN_PASSWORD}&useSSL=true", PLAIN_PASSWORD),
        ],
    )
    def test_of_pairs(self, text: str, password: str) -> None:
        """Only the password is one."""
        assert found(text) == {("PASSWORD", password)}


class TestHeaders:
    """What HTTP calls authorization."""

    def test_bearer(self) -> None:
        for text in (f"Authorization: Bearer {RANDOM}", f"-H 'authorization: token {RANDOM}'"):
            assert found(text) == {("API_KEY", RANDOM)}

    def test_basic(self) -> None:
        encoded = base64.b64encode(b"jane:hunter2").decode()
        assert found(f'"Authorization": "Basic {encoded}"') == {("PASSWORD", encoded)}
        login = f"jane:{PLAIN_PASSWORD}"
        assert found(f"curl -u {login} https://a.example") == {("PASSWORD", login)}


class TestAssignments:
    """Words that announce a secret, and a value that looks like one."""

    @pytest.mark.parametrize(
        "text",
        [
            'password = "{}"',
            "password: {}",
            "DB_PASS={}",
            "userPassword => '{}'",
            'password: str = "{}"',
            '{{"password": "{}"}}',
            r"{{\"password\": \"{}\"}}",
            r"a: 1\npassword: {}\nb: 2",
            "<password>{}</password>",
            "| password | {} |",
            "**Password:** `{}`",
            "--password {}",
            'setPassword("{}")',
            "my password for the portal is {}",
            "Passwort: {}",
            "пароль: {}",
            "密码：{}",
            "密码是{}",
            "SECRET={}2x",
            "client_secret: {}2x",
        ],
    )
    def test_only_the_value_is_the_secret(self, text: str) -> None:
        value = PLAIN_PASSWORD + ("2x" if "2x" in text else "")
        assert found(text.format(PLAIN_PASSWORD)) == {("PASSWORD", value)}

    @pytest.mark.parametrize("text", ["api_key: {}", "x-api-key={}", "token {}", "AWS_SECRET_ACCESS_KEY={}"])
    def test_of_what_is_drawn_at_random(self, text: str) -> None:
        """The score says that it is no more than likely."""
        assert [one[:2] for one in findings(text.format(RANDOM))] == [("PASSWORD", RANDOM)]
        assert all(0.35 <= score <= 0.6 for _, _, score in findings(text.format(RANDOM)))

    @pytest.mark.parametrize(
        "value", ["hunter2", "P@ssw0rd!", "pa$$w0rd", "Summer-2024", "48151623", "a,b)c1d"]
    )
    def test_passwords_that_people_choose(self, value: str) -> None:
        assert found(f'"password": "{value}"') == {("PASSWORD", value)}

    @pytest.mark.parametrize(
        "value",
        [
            *("[Tr0ub4dor&3]", "{Tr0ub4dor&3}", "<Tr0ub4dor&3>", "(Tr0ub4dor&3)", "MyExample#2024"),
            *("test_Tr0ub4dor&3!", "Tr0ub4dor***3", "%Pa55word%", "my_D0g&Cat", "$Tr0ub4dor3"),
            "Tr0ub4dor.Xk9m",
        ],
    )
    def test_passwords_that_resemble_placeholders(self, value: str) -> None:
        """A bracket, a prefix or some asterisks make no placeholder of what is none as a whole."""
        for text in ("password: {}", "new password: {} ", '"password": "{}"'):
            assert found(text.format(value)) == {("PASSWORD", value)}

    def test_of_what_resembles_code(self) -> None:
        """A bracket alone makes no reference of a password, nor a dictionary of a key."""
        assert ("PASSWORD", "Summer.Rain22[") in found("new password: Summer.Rain22[")
        key = "{" + drawn(9, ALNUM, 16) + "}"
        assert ("PASSWORD", key) in found(f"api_key = {key}")

    @pytest.mark.parametrize(
        "value", ["<API_KEY_1>", "<PASSWORD_1.2>", "[PERSON_12]", "{{PERSON_1}}", "user-<PASSWORD_1>"]
    )
    def test_stand_ins_are_none(self, value: str) -> None:
        """In any brackets, quoted or not."""
        for text in ("password: {}", "api_key={}", '"password": "{}"', "<password>{}</password>"):
            assert found(text.format(value)) == set()

    def test_keys_of_the_cloud(self) -> None:
        """By the name that the environment has for them."""
        key = drawn(11, HEX, 32)
        assert ("PASSWORD", key) in found(f"AZURE_OPENAI_KEY={key}")

    @pytest.mark.parametrize("name", ["cache_key: ", "PARTITION_KEY=", "primary_key: "])
    def test_keys_of_tables_are_none(self, name: str) -> None:
        """Though they look drawn at random."""
        assert found(f"{name}{drawn(11, HEX, 32)}") == set()

    def test_a_long_value_is_found_whole(self) -> None:
        secret = drawn(8, ALNUM, 1_500)
        assert found(f"token={secret} x") == {("PASSWORD", secret)}

    def test_each_of_several(self) -> None:
        text = f"password_hint=none&api_key={RANDOM}&password={PLAIN_PASSWORD}"
        assert found(text) == {("PASSWORD", RANDOM), ("PASSWORD", PLAIN_PASSWORD)}


INNOCENT = [
    *("socks5h://<username>:<password>@proxy-host", "credentials = b64encode(credentials).decode("),
    *(SHA256 * 10, "password = settings.pw2", "password argon2id", "a basic Xk9mQ2vL7pR8sT2u"),
    *("password: str", "token=None", "token: str | None = None", 'def login(user: str, password: str = "")'),
    *('api_key=os.environ["OPENAI_API_KEY2"]', 'key = os.getenv("OPENAI_API_KEY", "")'),
    *("password: ${{ secrets.DB_PASSWORD }}", "SECRET=${{SECRET}}", "Authorization: Bearer $TOKEN"),
    *("api_key: <API_KEY_1>", "the token <JSON_WEB_TOKEN_12> was used", "postgres://u:<PASSWORD_1>@host/db"),
    *('api_key = "your-api-key-here"', "password: ********", "password=xxxxxxxxxx", "secret: [REDACTED]"),
    *(
        f"token: {UUID}",
        f"request {UUID}",
        f"commit {SHA1}",
        f"nginx@sha256:{SHA256}",
        f"token_sha256: {SHA256}",
    ),
    *(
        f'password_hash = "{SHA256}"',
        f"md5 {SHA256[:32]}",
        f"data:image/png;base64,{IMAGE[:1_900]}",
        IMAGE[:WINDOW],
    ),
    *("Donaudampfschifffahrtsgesellschaft", "/usr/share/doc/python3-cryptography/examples/key2.txt"),
    *(
        "max_tokens: 4096",
        "next_page_token: CAUQAA1b2c3d4e5f6g7",
        'tokenizer="cl100k_base"',
        "tokens/s: 35.2k",
    ),
    *(
        "The password must be at least 12 characters",
        "Password reset: 2024-01-01T10:00:00Z",
        "bypass=Xk9mQ2vL7",
    ),
    *("basic authentication is used", "Bearer authentication", "passport: C01X00T47", "secret santa 2024!"),
    *("http://localhost:5432/a@b.c", "https://host:8080/img@2x.png", "git+ssh://git@github.com:22/x@v1"),
    *("postgres://${USER}:${PASSWORD}@host/db", "jane@acme.com: hello", "docker run -u 1000:1000 x"),
    *("password: <password>", "password: {password}", "password: <your password>", "password: %PASSWORD%"),
    *("password: $PASSWORD", "password=$DB_PW2", "password: <your_password_1>", "password: ${DB_PW2}"),
    *("password: test_password1", "password: changeme123", "password: my-secret-2", "primary_key: id"),
    *(
        "password={values.pw2}",
        "password={user?.pw2}",
        "password = b64decode(pw)",
        "password: [A-Z0-9!@#]{8,}",
    ),
    *("password: process.env.DB_PW2", 'password = get_password("db1")', "if token == self.expected_token2:"),
    *("sk-learn-pipeline-with-long-name", "task-management-board-2024-planning", "token kinds: NAME1, OP2"),
    *("arn:aws:secretsmanager:us-east-1:123456789012:secret:prod/db-1", "password file: /run/secrets/db_pw1"),
    "2024-11-23 02:21:04,123 INFO token refreshed in 120ms for 1234567890:not a token",
]


@pytest.mark.parametrize("text", INNOCENT)
def test_what_only_looks_like_a_secret(text: str) -> None:
    """Code, logs, prose, ids, digests, images, and our own pseudonyms."""
    assert found(text) == set()


def windows(text: str) -> Iterator[tuple[int, str]]:
    for start in range(0, max(len(text) - (WINDOW - STEP), 1), STEP):
        yield start, text[start : start + WINDOW]


def assert_covered(text: str, secret: str, entity: str) -> None:
    """Every sign of a secret is in a finding of some window, and hardly anything else is."""
    places: set[int] = set()
    for offset, window in windows(text):
        for one in RECOGNIZER.analyze(window, [entity], None):  # type: ignore[arg-type]
            places.update(range(offset + one.start, offset + one.end))
    start = text.index(secret)
    assert places == {*range(start, start + len(secret))}


def test_only_the_types_that_are_asked_for() -> None:
    """A policy need not know the others."""
    text = f"{token('GitHub')} password={PLAIN_PASSWORD}"
    for entity in ("API_KEY", "PASSWORD"):
        assert {one.entity_type for one in RECOGNIZER.analyze(text, [entity], None)} == {entity}  # type: ignore[arg-type]


def test_supported_entities_and_language() -> None:
    (recognizer,) = secret_recognizers("de")
    assert recognizer.get_supported_entities() == [*SECRET_ENTITIES]
    assert recognizer.get_supported_language() == "de"


@pytest.mark.parametrize(
    "unit",
    [
        "a.",
        "sk-",
        "ey.",
        "eyJ",
        "=",
        ":",
        "://a:",
        "token:",
        "password for ",
        "密码是",
        'token="',
        edge("BEGIN"),
    ],
)
@settings(max_examples=30)
@given(st.integers(1, 3_000), st.text(max_size=20))
def test_any_text_is_read_to_its_end(unit: str, times: int, rest: str) -> None:
    """Spans lie within the text, are not empty, and have a score."""
    text = unit * times + rest
    for one in RECOGNIZER.analyze(text, [*SECRET_ENTITIES], None):  # type: ignore[arg-type]
        assert 0 <= one.start < one.end <= len(text)
        assert 0.35 <= one.score <= 1


def test_no_secret_is_tried_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody is called, though Kingfisher could."""

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("no network here")

    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    monkeypatch.setattr(socket.socket, "connect", refuse)
    for provider in PARTS:
        assert found(token(provider)) != set()


def test_results_tell_no_secret() -> None:
    """Neither in their repr nor in their explanation."""
    for one in RECOGNIZER.analyze(f"password={PLAIN_PASSWORD}", ["PASSWORD"], None):  # type: ignore[arg-type]
        assert PLAIN_PASSWORD not in f"{one!r} {one.analysis_explanation!r} {one.to_dict()}"
