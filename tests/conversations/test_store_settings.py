"""The section `store` of a policy file."""

import pytest

from ringfence.conversations.store_settings import StoreSettings
from ringfence.errors import PolicyError
from ringfence.policy_file import load_text


def test_without_a_section_it_is_a_file_beside_the_policy() -> None:
    """Nothing has to be set up or started."""
    settings = load_text("{}", StoreSettings)

    assert settings.where() == "sqlite:///ringfence.sqlite"
    assert settings.keep_days is None


def test_a_url_of_the_environment_wins(monkeypatch: pytest.MonkeyPatch) -> None:
    """A password does not belong into the policy file; while the variable is empty, the file's URL holds."""
    settings = load_text("{url: 'sqlite:///local.sqlite', url_env: DESK_STORE}", StoreSettings)

    monkeypatch.setenv("DESK_STORE", "")
    assert settings.where() == "sqlite:///local.sqlite"
    monkeypatch.setenv("DESK_STORE", "postgresql://desk:secret@db/desk")
    assert settings.where() == "postgresql://desk:secret@db/desk"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("url: mysql://root:hunter2@db/desk", "must begin with sqlite:/// or postgresql://"),
        ("url: ringfence.sqlite", "must begin with sqlite:/// or postgresql://"),
        ("url_env: ''", "must not be empty"),
        ("lease_seconds: 0", "must be more than 0"),
        ("patience_seconds: -1", "must be more than 0"),
        ("keep_days: 0", "must be more than 0"),
    ],
)
def test_a_fault_is_told_with_its_line(text: str, told: str) -> None:
    """And never with the URL."""
    with pytest.raises(PolicyError) as error:
        load_text(text, StoreSettings)

    assert error.value.faults[0].message.startswith(told)
    assert error.value.faults[0].line == 1
    assert "hunter2" not in str(error.value)
