"""A link leads to a domain that is allowed, or it goes no further, however it is dressed up."""

from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from ringfence.guardrails.guardrails_ai import quiet_guardrails
from ringfence.guardrails.link_hosts import authority_of, host_of

quiet_guardrails()

from ringfence.guardrails.link_validators import AllowedDomains  # noqa: E402 - guardrails-ai must be quiet first

OURS = AllowedDomains(domains=["good.com", "bücher.de", "10.0.0.1", "[::1]"])
EVIL = [
    # as it is
    *("https://evil.com", "HTTPS://EVIL.COM", "see evil.com now", "www.evil.com", "https://evil.com."),
    *("https://evilgood.com", "https://good.com.evil.com", "https://good.com/?next=https://evil.com"),
    # before the host
    *("https://good.com@evil.com", "https://good.com:80@evil.com/x", "https://user:p@ss@evil.com"),
    *(r"https://good.com\@evil.com", 'https://good.com"@evil.com'),
    # slashes
    *("//evil.com/x", "https:/evil.com", r"https:\\evil.com", "https:evil.com", "https:////evil.com"),
    r"http://evil.com\good.com",
    # other spellings of a host
    *(
        "https://%65vil.com",
        "https://good.com%2eevil.com",
        "https://good.com%2f.evil.com",
        "https://evil。com",
    ),
    *("https://ｅvil.com", "https://ⓔvil.com", "https://g\u043e\u043ed.com", "https://xn--bcher-kva.com"),
    # signs at which programs disagree about the end
    *("https://good.com,.evil.com", "https://good.com(.evil.com", "https://good.com;.evil.com"),
    *("https://evil.com\u200b.good.com", "https://good.com\u00ad.evil.com", "https://good.com＠evil.com"),
    "https://good.com／.evil.com",
    # addresses
    *("https://2130706433/", "https://0x7f000001/", "https://0177.0.0.1/", "http://127.1", "https://[::2]/"),
    *("https://10.0.0.2", "https://[::ffff:10.0.0.1]/"),
    # Markdown
    *(
        "[x](https://evil.com)",
        "[x](//evil.com)",
        r"[x](\\evil.com)",
        r"[x](/\evil.com)",
        "![x](//evil.com?d=1)",
    ),
    *(
        "[x](<https://evil.com>)",
        "[x]: //evil.com",
        "<https://evil.com|good.com>",
        "[x](https&#58;//evil.com)",
    ),
    *(r"[x](https\://evil.com)", "[x](\nhttps://evil.com)", "[a](ok.html)[b](javascript:x)"),
    # HTML
    *('<a href="//evil.com">', "<a href='https:evil.com'>", r"<a href=\\evil.com>", "<img src=//evil.com/x>"),
    *(
        '<a href="&#104;ttps://evil.com">',
        '<a href="https:&#47;&#47;evil.com">',
        '<a href="https://go\tod.com">',
    ),
    *('<a href="https://good.com\n.evil.com">', '<div style="background:url(//evil.com/x)">'),
    *(
        r'<img srcset="/\1.2.3.4/x 2x">',
        r"<img srcset='a.png 1x,/\1.2.3.4/x 2x'>",
        "<img srcset=/\\1.2.3.4/x>",
    ),
    *(
        r'<img srcset="a.png, b.png, //1.2.3.4/c 3x">',
        '<img srcset="' + "a.png 1x, " * 500 + r'/\1.2.3.4/x 2x">',
        r'<link rel=preload as=image imagesrcset="/\1.2.3.4/x">',
    ),
    *(r'<object data="/\1.2.3.4/x">', '<object data="ht\ntps:1.2.3.4/x">', r"<object data=\\1.2.3.4/x>"),
    *(r'<meta http-equiv="refresh" content="0;url=/\1.2.3.4">', r"<meta content='5; /\1.2.3.4'>"),
    *(r'<meta content="0, URL = \'/\1.2.3.4\'">', r"<meta content=0;url=/\1.2.3.4>"),
    *(
        f'<a href="{" " * 2_000}//1.2.3.4">',
        '<a href="/' + "\t" * 2_000 + '/1.2.3.4">',
        "<img srcset=,//1.2.3.4/,>",
    ),
    # CSS
    *(r'<div style="background:url(/\1.2.3.4/x)">', r"a { background: URL( '/\1.2.3.4/x' ) }"),
    *(r"<style>@import '/\1.2.3.4';</style>", r"@import url(/\1.2.3.4)", r'@import"/\1.2.3.4"'),
    *(r"url(\2f\2f 1.2.3.4/x)", r"url(\/\/1.2.3.4/x)", r"url(\68ttp:1.2.3.4/x)"),
    # definitions of Markdown
    *("[1]:\n /\\1.2.3.4", "- [1]: /\\1.2.3.4", "1. [1]: /\\1.2.3.4", "> * [1]:\n>  </\\1.2.3.4>"),
    *("  - 2) [1]:\r\n\t/\\1.2.3.4", r"[a\]b]: /\1.2.3.4", "[a\nb]: /\\1.2.3.4", f"[a]:{' ' * 99}/\\1.2.3.4"),
    f"[x]({' ' * 99}/\\1.2.3.4)",
    # JSON
    *(r'{"url": "https:\/\/evil.com"}', r'{"url": "https:\u002f\u002fevil.com"}'),
    # other schemes
    *("javascript:alert(1)", '<a href="java&#10;script:alert(1)">', "[x]: javascript:alert(1)", "vbscript:x"),
    *(
        "data:text/html,<b>x",
        "data:text/html;base64,AAAA",
        "file:///etc/passwd",
        "ftp://good.com",
        "s3://good.com",
    ),
    *("blob:https://good.com/x", "postgres://good.com/x"),
    # mail
    *("bob@evil.com", "bob&#64;evil.com", "mailto:bob@good.com?cc=x@evil.com", "mailto:bob%40evil.com"),
    *("git@evil.com:x/y", "bob@[1.2.3.4]"),
    # no host at all
    *("https://good..com", "https://good.com:99999999", "https://good.com:port", "https://good.com%00/"),
    *(
        "https://" + "a" * 2_000 + "@good.com",
        f'<a href="https://{"a" * 600}@good.com">',
        "https://[good.com]",
    ),
    *("http:evil。com", '{"url":"https://good.com,.evil.com","n":1}', "https://good.com" + "@" * 40),
]
FINE = [
    *(
        "https://good.com",
        "HTTPS://GOOD.COM./x?y=a.b#c",
        "https://sub.good.com:8443/x",
        "http://user:pw@good.com/",
    ),
    *("https://good.com, (https://good.com/x). **https://good.com** `https://good.com`", "good.com is ours"),
    *(
        '{"url":"https://good.com","version":"1.2.3","file":"a.tar.gz"}',
        r"https:\/\/good.com\/x",
        "www.good.com",
    ),
    *("[https://good.com](https://good.com)[b](https://good.com/b)", "[x](/path) [y](#a) ![i](img/x.png)"),
    *('<a href="/x">y</a> <img src="x.png">', "<https://good.com|text> <https://good.com>"),
    *("bob@good.com, mailto:bob@good.com?cc=x@good.com", "https://good.com/@user/a@b"),
    *("https://bücher.de", "https://xn--bcher-kva.de", "HTTPS://BU\u0308CHER.DE", "https://भारत.good.com"),
    *(
        "https://10.0.0.1/x http://0x0a000001/ http://[::1]:80/x",
        "https://good.com是我们的",
        "https://good.com？谢谢",
    ),
    *("a // b; // TODO: main.py, README.md, np.array, v1.2.3, 10.0.0.2", "//server/share C:\\Users\\x"),
    *("//nolint:errcheck //go:build linux //%d", 'from "https://good.com"@ home'),
    *('<img srcset="a.png 1x, /b.png 2x, https://good.com/c,w_5.png 3x">', '<object data="x.pdf">'),
    *('<meta http-equiv="refresh" content="0;url=/next">', '<meta name="x" content="5, or more">'),
    *("a { background: url(x.png) } @import 'y.css'; url('app:name')", r"data = 'refund: full'; x = '\2f'"),
    *("- [1]: see below", "[1]:\n /path", "- [x] done: all", "[Note]:\nNothing else."),
    *("use https:// links, such as https://<host>/x", "The data: numbers. JavaScript: The Good Parts."),
    *(
        'src = "foo.py"; action = "refund: full"; x[0](y: int)',
        "python@3.11, @handle, @types/node, std::vector",
    ),
]


def passes(text: object, **options: Any) -> bool:
    """Whether a text passes."""
    validator = AllowedDomains(**{"domains": ["good.com"], **options}) if options else OURS
    return bool(validator.validate(text, {}).outcome == "pass")


def fix(text: str) -> Any:
    """What the validator would make of a text that fails."""
    result: Any = OURS.validate(text, {})
    assert result.outcome == "fail"
    return result.fix_value


@pytest.mark.parametrize("text", EVIL)
def test_no_way_to_another_host(text: str) -> None:
    """Judged by where a browser would go."""
    assert not passes(text)
    assert not passes(f"Please look at\n{text}\nsoon.")


@pytest.mark.parametrize("text", FINE)
def test_ordinary_texts_pass(text: str) -> None:
    """With links to our domains, relative ones, and what only looks like a link."""
    assert passes(text)


# --- No host but ours, in whatever disguise ---

LABELS = st.from_regex(r"[a-z][a-z0-9]{0,8}", fullmatch=True)
DOMAINS = st.builds("{}.{}".format, LABELS, st.sampled_from(["com", "org", "de", "co.uk"]))


def percent(host: str) -> str:
    """The host in percent-encoding."""
    return "".join(f"%{ord(sign):02x}" for sign in host)


HOST_SPELLINGS = [str, str.upper, percent, lambda host: host + ".", lambda host: host.replace(".", "。")]
LINKS = [
    *("https://{}", "http:{}/x", r"https:\\{}", "https:///{}", "https://{}:8443/x?y#z", "https://{}?{ours}"),
    *("https://{ours}@{}", "https://{ours}:443@{}/", r"https:/\{ours}@{}", "//{}/x", "https://{}#.{ours}"),
    *("https://{ours}.{}", "https://{ours},.{}", "https://x.{ours}(.{}", "https://{}/{ours}", "wss://{}"),
]
SURROUNDINGS = [
    *("{}", "see {} now", "({})", '"{}"', "**{}**", "[x]({})", "![x](<{}>)", "<{}>", '<a href="{}">x</a>'),
    *("<a href='{}'>x</a>", "<a href={} >", '{{"url":"{}","n":1}}', "`{}`", "a\n{}\nb"),
]


def is_ours(host: str, ours: list[str]) -> bool:
    """Whether a host is one of ours or under one."""
    return any(host == one or host.endswith(f".{one}") for one in ours)


@given(
    ours=st.lists(DOMAINS, min_size=1, max_size=3),
    host=DOMAINS,
    spelling=st.sampled_from(HOST_SPELLINGS),
    link=st.sampled_from(LINKS),
    around=st.sampled_from(SURROUNDINGS),
)
def test_no_link_to_another_host_passes(
    ours: list[str], host: str, spelling: Any, link: str, around: str
) -> None:
    """Whatever is allowed, and however the link is written."""
    assume(not is_ours(host, ours))
    text = around.format(link.format(spelling(host), ours=ours[0]))
    assert not passes(text, domains=ours, schemes=["https", "http", "ws", "wss"])


@given(st.text(), DOMAINS)
def test_whatever_stands_around_it(noise: str, host: str) -> None:
    """With a space between; nothing crashes on any text."""
    assume(not is_ours(host, ["good.com"]))
    assert not passes(f"{noise} https://{host}/ {noise}", domains=["good.com"])


@given(st.text(alphabet="htps:/\\@.%[]()<>\"'&#;=a \n\t\u200b。１é", max_size=80))
def test_a_fix_leaves_no_link(noise: str) -> None:
    """What the fix makes of a text passes, or there is no fix."""
    result: Any = OURS.validate(f"{noise}https://evil.com{noise}", {})
    assert result.outcome == "fail"
    assert result.fix_value is None or passes(result.fix_value)


@pytest.mark.timeout(30)
@pytest.mark.parametrize(
    "piece",
    [
        *(
            "srcset=",
            "srcset='",
            'srcset="a, ',
            "srcset=a,",
            "url(",
            "url('",
            "@import ",
            "content=1;",
            "data=/",
        ),
        *("- ", "[\n", "[a]: ", "[a]:\n", "](", "]( ", "\\2f", "url(\\", "1) ", "> [", "[\\"),
    ],
)
def test_long_texts_are_judged_in_time(piece: str) -> None:
    """100 KB of anything, which is a link or is none."""
    passes((piece * 100_000)[:100_000])


def test_its_traits() -> None:
    """Quick, and asked of real values, too: an address may stand behind a stand-in."""
    assert (OURS.traits.quick, OURS.traits.sees_values) == (True, True)


class TestHosts:
    """Examples of the URL standard."""

    @pytest.mark.parametrize(
        ("link", "host"),
        [
            ("https://EXAMPLE.com./x", "example.com"),
            ("https:\\\\a:b@example.com\\@x", "example.com"),
            ("\thttps:/\n/exa\tmple.com", "example.com"),
            ("https://ex%41mple.com", "example.com"),
            ("https://faß.de", "xn--fa-hia.de"),
            ("https://日本語。ＪＰ", "xn--wgv71a119e.jp"),
            ("https://0xc0.0250.1/", "192.168.0.1"),
            ("https://256/", "0.0.1.0"),
            ("https://[2001:DB8::0:1]:443/", "[2001:db8::1]"),
            ("https://a_b.example.com", "a_b.example.com"),
        ],
    )
    def test_where_a_link_leads(self, link: str, host: str) -> None:
        """In one form, whatever the spelling."""
        assert host_of(authority_of(link)) == host

    @pytest.mark.parametrize(
        "link",
        [
            "https://1.2.3.4.5",
            "https://256.1.1.1",
            "https://09.1.1.1",
            "https://4294967296",
            "https://[::1",
            "https://",
            *(
                "https://[fe80::1%25eth0]",
                "https://a%zz",
                "https://a%ff.com",
                "https://a b.com",
                "https://a..b",
            ),
            *(
                "https://a.com:1x",
                "https://xn--a.\u0300.com",
                "https://1.x.3.4.5",
                "https://0xg.1",
                "https://" + "é" * 300,
            ),
        ],
    )
    def test_what_leads_nowhere(self, link: str) -> None:
        """A browser refuses it."""
        assert host_of(authority_of(link)) is None


class TestFix:
    """What is left of a text."""

    @pytest.mark.parametrize(
        ("text", "fixed"),
        [
            (
                "Go to https://evil.com/x, then https://good.com.",
                "Go to [link removed], then https://good.com.",
            ),
            ("See [our site](https://evil.com) now.", "See [link removed] now."),
            ("![i](https://evil.com/i.png?d=1)", "[link removed]"),
            ('<a href="https://evil.com/x">go</a>', '<a href="[link removed]">go</a>'),
            ("[x](https://evil.com", "[x]([link removed]"),
            ("mail bob@evil.com!", "mail [link removed]!"),
        ],
    )
    def test_the_link_is_gone(self, text: str, fixed: str) -> None:
        """With the text that Markdown shows for it."""
        assert fix(text) == fixed

    def test_where_it_was(self) -> None:
        """And a reason that tells neither the link nor what is allowed."""
        text = "Go to https://evil.com/x."
        result: Any = OURS.validate(text, {})
        assert [text[span.start : span.end] for span in result.error_spans] == ["https://evil.com/x"]
        assert "com" not in result.error_message


class TestOptions:
    """What is allowed."""

    def test_subdomains(self) -> None:
        """They are allowed with their domain, unless not; an address has none."""
        assert passes("https://shop.good.com", subdomains=True)
        assert not passes("https://shop.good.com", subdomains=False)
        assert passes("https://good.com", subdomains=False)
        assert not passes("https://1.10.0.0.1", domains=["10.0.0.1"])

    def test_emails(self) -> None:
        """They count, unless not."""
        assert not passes("bob@evil.com", emails=True)
        assert passes("bob@evil.com or mailto:bob@evil.com", emails=False)

    def test_schemes(self) -> None:
        """No others; one without a host has nothing else to judge."""
        assert not passes("http://good.com", schemes=["https"])
        assert passes("ftp://good.com", schemes=["FTP"])
        assert not passes("ftp://evil.com", schemes=["ftp"])
        assert passes("[call](tel:+4930123)", schemes=["tel"])
        assert not passes("mailto:bob@good.com", schemes=["https"])

    def test_no_domain_means_no_link(self) -> None:
        """And a text without one passes."""
        assert not passes("https://good.com", domains=[])
        assert passes("Nothing to click.", domains=[])

    def test_only_a_text_of_fair_length_can_pass(self) -> None:
        """Anything else is a no, and no error."""
        assert not passes(5)
        assert not passes(" " * 1_000_001)

    @pytest.mark.parametrize(
        ("options", "reason"),
        [
            ({"domains": "good.com"}, "domains must be a list"),
            ({"domains": [5]}, "domains must be a list"),
            ({"domains": ["https://good.com"]}, "is no domain"),
            ({"domains": ["*.good.com"]}, "is no domain"),
            ({"domains": ["good.com/x"]}, "is no domain"),
            ({"domains": [""]}, "is no domain"),
            ({"domains": ["co.uk"]}, "anybody can have a domain"),
            ({"domains": ["com"]}, "anybody can have a domain"),
            ({"schemes": ["https:"]}, "is no scheme"),
            ({"subdomains": 1}, "subdomains must be true or false"),
            ({"emails": "no"}, "emails must be true or false"),
        ],
    )
    def test_what_cannot_be_kept(self, options: dict[str, Any], reason: str) -> None:
        """It is refused with a sentence."""
        with pytest.raises(ValueError, match=reason):
            AllowedDomains(**{"domains": ["good.com"], **options})
