"""What stands in chats is found as what it is: numbers, links, dates, addresses between code and logs."""

import pytest
from presidio_analyzer import EntityRecognizer

from ringfence.guardrails.chat_recognizers import ChatDateRecognizer, ChatEmailRecognizer, ChatIpRecognizer
from ringfence.guardrails.phone_recognizer import ChatPhoneRecognizer
from ringfence.guardrails.url_recognizer import ChatUrlRecognizer

PHONE, EMAIL, URL = ChatPhoneRecognizer(), ChatEmailRecognizer(), ChatUrlRecognizer()
DATE, IP = ChatDateRecognizer(), ChatIpRecognizer()
THRESHOLD = 0.35


def values(recognizer: EntityRecognizer, text: str) -> list[str]:
    """What is found by default."""
    results = recognizer.analyze(text, recognizer.supported_entities, None)  # type: ignore[arg-type]  # none is needed
    return [text[one.start : one.end] for one in results if one.score >= THRESHOLD]


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("call me on 555 0134 22", "555 0134 22"),
        ("+47 22 12 34 56", "+47 22 12 34 56"),
        ("(020) 7946 0958", "(020) 7946 0958"),
        ("0207 946 0958", "0207 946 0958"),
        ("415-555-2671", "415-555-2671"),
        ("(415.555.2671", "415.555.2671"),
        ("1.800.555.0134", "1.800.555.0134"),
        ("+442079460958", "+442079460958"),
        ("0049 30 1234567", "0049 30 1234567"),
        ("0171/1234567", "0171/1234567"),
        ("07911123456", "07911123456"),
        ("01 23 45 67 89", "01 23 45 67 89"),
        ("98765 43210", "98765 43210"),
        ("(11) 91234-5678", "(11) 91234-5678"),
        ("my phone number is 4155552671", "4155552671"),
        ('{"phone_number": "4155552671"}', "4155552671"),
        ("not order 7, but phone 555-0134", "555-0134"),
        ("tel:+1-800-555-0199 ext. 22", "+1-800-555-0199 ext. 22"),
        ("order 1182 415-555-2671", "415-555-2671"),
    ],
)
def test_telephone_numbers(text: str, number: str) -> None:
    """With a +, in a national way of writing, or where words speak of a telephone."""
    assert values(PHONE, text) == [number]


def test_two_telephone_numbers_side_by_side() -> None:
    """Each is one."""
    assert values(PHONE, "415-555-2671 415-555-2672") == ["415-555-2671", "415-555-2672"]
    assert values(PHONE, "phone 4155552671/4155552672") == ["4155552671", "4155552672"]


@pytest.mark.parametrize(
    "text",
    [
        "4155552671",
        "555-0134",
        "order 4155552671",
        "call about order 4155552671",
        "hotel 12 345 67 89",
        "ts=1714550000",
        "1714550000123",
        "2024-05-01 12:34:56",
        "2024-05-01T12:34:56.123456",
        "from 12/05/2024 to 13/05/2024",
        "1990-2000",
        "192.168.100.200",
        "version 10.0.19045.3803",
        "localhost:8080",
        "3.14159265358",
        "1,234,567,890",
        "219-09-9999",
        "4111 1111 1111 1111",
        "ISBN 978-3-16-148410-0",
        "deadbeef12345678",
        "12345678@acme.com",
    ],
)
def test_what_is_no_telephone_number(text: str) -> None:
    """Digits alone, timestamps, versions, addresses, and the numbers of other things."""
    assert values(PHONE, text) == []


def test_telephone_scores_tell_how_sure_it_is() -> None:
    """A threshold can tell them apart."""
    scores = [
        PHONE.analyze(text, [], None)[0].score
        for text in ("+1 415 555 2671", "415-555-2671", "call 555-0134", "07911123456", "555-0134")
    ]
    assert scores == sorted(scores, reverse=True)
    assert len({*scores}) == len(scores)


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ('"jane doe"@acme.com', '"jane doe"@acme.com'),
        ("user@localhost", "user@localhost"),
        ("jane@[10.0.0.1]", "jane@[10.0.0.1]"),
        ("jane@10.0.0.1", "jane@10.0.0.1"),
        ("<mailto:jane+x@desk.intranet.local>", "jane+x@desk.intranet.local"),
        ("https://x.com/?u=jane@acme.com&x=1", "jane@acme.com"),
        ("https://x.com/jane@acme.com", "jane@acme.com"),
        ("bounce+jane=acme.com@list.org", "bounce+jane=acme.com@list.org"),
        ("'jane@acme.com'.", "jane@acme.com"),
        ("jane@xn--80ak6aa92e.com", "jane@xn--80ak6aa92e.com"),
        ("mail jane@acme.com.1 and", "jane@acme.com"),
        ("jane@acme.com.2) Bob", "jane@acme.com"),
        ("jane@acme.com.2024", "jane@acme.com"),
        ("jane@163.com.1.2", "jane@163.com"),
        ("jane@acme\u3002com", "jane@acme\u3002com"),
        ("jane@acme.com\u3002Then", "jane@acme.com"),
    ],
)
def test_email_addresses(text: str, address: str) -> None:
    """Whole, and without what stands around them."""
    assert values(EMAIL, text) == [address]


@pytest.mark.parametrize(
    "text",
    [
        "react@18.2.0",
        "checkout@v4.1.2",
        "vue@3.0.0-beta.1",
        "@app.route",
        "x @ y.z",
        "image@sha256:ab",
        "a@b",
        "@",
        "a@",
    ],
)
def test_what_is_no_email_address(text: str) -> None:
    """Versions, decorators, digests."""
    assert values(EMAIL, text) == []


@pytest.mark.parametrize(
    ("text", "link"),
    [
        ("see https://acme.com/a?b=(c).", "https://acme.com/a?b=(c"),
        ("http://localhost:8000/v1", "http://localhost:8000/v1"),
        ("www.acme.com/jane", "www.acme.com/jane"),
        ("on shop.example.com, please", "shop.example.com"),
        ("acme.io.", "acme.io"),
        ("example.co.uk", "example.co.uk"),
        ("Acme.com", "Acme.com"),
        ("acme.com:8080/x", "acme.com:8080/x"),
    ],
)
def test_links(text: str, link: str) -> None:
    """With a scheme or www, and bare domains in prose."""
    assert values(URL, text) == [link]


@pytest.mark.parametrize(
    "text",
    [
        *("main.py", "Session.cl", "foo.bar()", "session.app()", "v1.2.3", "1.2.3.4", "node.js", "readme.md"),
        *(
            "self.app",
            "np.io",
            "os.path.join",
            "e.g. this",
            "Done.It was",
            "U.S.",
            "config.yaml",
            "user.name",
        ),
        *("jane.do@acme.co.uk", "jane.com@acme.com", "a_b.com"),
    ],
)
def test_what_is_no_link(text: str) -> None:
    """Files, attributes, calls, versions; an e-mail address is no URL beside that."""
    assert values(URL, text) == []


@pytest.mark.parametrize(
    ("text", "date"),
    [
        ("on 2024-05-01.", "2024-05-01"),
        ("born 12/05/1980", "12/05/1980"),
        ("10.4.2023", "10.4.2023"),
        ("March 3, 2024", "March 3, 2024"),
        ("the 3rd of March 2024", "3rd of March 2024"),
        ("12-May-2024", "12-May-2024"),
    ],
)
def test_dates(text: str, date: str) -> None:
    """In digits or words."""
    assert values(DATE, text) == [date]


@pytest.mark.parametrize(
    "text",
    ["2024-05-01T12:34:56Z ERROR", "2024-05-01 12:34:56,123 INFO", "10.4.23", "3.11.7", "1/2", "v2.10.24"],
)
def test_what_is_no_date_of_anybody(text: str) -> None:
    """The moments of a log, and versions."""
    assert values(DATE, text) == []


def test_ip_addresses() -> None:
    """A version with four numbers is none; neither are C++ names and times."""
    assert values(IP, "from 10.0.0.1 and fe80::1") == ["10.0.0.1", "fe80::1"]
    assert values(IP, "version 1.2.3.4, pkg==1.2.3.4, std::vector, 12:34:56") == []


@pytest.mark.parametrize(
    "text",
    [
        *("2001:db8:0:0:0:0:0:1", "2001:db8::8a2e:370:7334", "fe80::1%eth0", "::1", "2001:db8::/32"),
        *("::ffff:10.0.0.1", "::10.0.0.1", "64:ff9b::10.0.0.1", "2001:DB8::"),
    ],
)
def test_ip_addresses_of_version_6(text: str) -> None:
    """Full, compressed, with a zone, of the loopback, with one of version 4 in it."""
    assert text in values(IP, f"from {text} on")
    assert any(text.startswith(one) for one in values(IP, f"http://[{text}]:80/"))


@pytest.mark.parametrize("text", ["://a:" * 5, "a::", "::a", "::", "x = y[a::]", "fe80::"])
def test_a_single_group_is_no_ip_address(text: str) -> None:
    """Slices, names and the rest of links."""
    assert IP.analyze(text, [], None) == []
