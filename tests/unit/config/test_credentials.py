"""Settings with credentials are refused, because settings are stored with each result."""

import pytest

from breakeven.config.credentials import require_no_credentials, require_no_credentials_in
from breakeven.core.errors import UserError


def test_a_setting_with_credentials_is_refused_by_its_key_alone() -> None:
    settings = {"families": {"mine": {"model": {"urls": ["a", "https://me:hidden@host/w.pt"], "n": 1}}}}
    with pytest.raises(UserError) as told:
        require_no_credentials(settings)
    assert str(told.value).startswith(
        "families.mine.model.urls[1]=https://***@host/w.pt: it holds credentials"
    )
    assert "~/.netrc" in str(told.value) and "hidden" not in str(told.value)


def test_an_override_with_credentials_is_refused() -> None:
    with pytest.raises(UserError) as told:
        require_no_credentials_in(["seed=1", "+family.model.url=https://hidden@host/x"])
    assert "hidden" not in str(told.value) and "+family.model.url=https://***@host/x" in str(told.value)


def test_settings_without_credentials_pass() -> None:
    require_no_credentials({"a": "https://host/x", "b": ["ssh://git@host/x", 1, None], "c": {"d": True}})
    require_no_credentials_in(["family=cnn", "families@families.cnn=cnn"])
