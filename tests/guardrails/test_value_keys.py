"""Written forms of one value are known as one; what only might be the same is kept apart."""

import pytest

from ringfence.guardrails.value_keys import value_key


@pytest.mark.parametrize(
    ("entity", "forms"),
    [
        ("EMAIL_ADDRESS", ["jane@acme.com", "Jane@Acme.COM", " jane@acme.com"]),
        (
            "CREDIT_CARD",
            ["4111111111111111", "4111 1111 1111 1111", "4111-1111-1111-1111", "４111111111111111"],
        ),
        (
            "IBAN_CODE",
            ["DE89370400440532013000", "de89 3704 0044 0532 0130 00", "DE89-3704-0044-0532-0130-00"],
        ),
        ("PHONE_NUMBER", ["+1 212-555-0187", "+1 (212) 555.0187", "001 212 555 0187", "+12125550187"]),
        ("PHONE_NUMBER", ["+49 (0)30 123456", "+49 30 123456", "0049 30 123 456"]),
        ("PHONE_NUMBER", ["212-555-0187 ext. 5", "212 555 0187 x5", "(212) 555-0187 Extension 5"]),
        ("US_SSN", ["219-09-9999", "219 09 9999", "219099999"]),
        ("IT_FISCAL_CODE", ["RSSMRA85T10A562S", "rss mra 85t10 a562s"]),
        ("LOCATION", ["New York", "NEW  YORK", "new\nyork"]),
        ("API_KEY", ["abc  def", " abc def "]),
    ],
)
def test_one_value(entity: str, forms: list[str]) -> None:
    """Case, spaces and separators, as it is usual for the type."""
    assert len({value_key(entity, form) for form in forms}) == 1


@pytest.mark.parametrize(
    ("entity", "forms"),
    [
        ("EMAIL_ADDRESS", ["jane@acme.com", "ja.ne@acme.com", "jane@acme.co", "jane+x@acme.com"]),
        ("CREDIT_CARD", ["4111111111111111", "4111111111111112"]),
        ("PHONE_NUMBER", ["+1 212-555-0187", "212-555-0187", "+1 212-555-0187 x5", "+1 212-555-01875"]),
        ("API_KEY", ["abcdef", "ABCDEF", "abc-def"]),
        ("PHONE_NUMBER", ["-", "--", "+"]),
        ("US_SSN", ["-", " ", "."]),
    ],
)
def test_several_values(entity: str, forms: list[str]) -> None:
    """A key's case is part of it, and a number without its country may be anywhere."""
    assert len({value_key(entity, form) for form in forms}) == len(forms)
