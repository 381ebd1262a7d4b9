"""Keys: taken apart, compared, never told apart when wrong."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.core.access import (
    SECRET_BYTES,
    Scope,
    digest,
    is_secret,
    make_secret,
    parse_key,
    write_key,
)
from shared.errors import NotAllowed
from shared.redaction import BLOT, redact_text


@given(st.binary(min_size=SECRET_BYTES, max_size=SECRET_BYTES), st.sampled_from(list(Scope)))
def test_a_key_is_read_back_with_and_without_its_scheme(random: bytes, scope: Scope) -> None:
    secret = make_secret(random)
    key = write_key(scope, "018f-a", secret)
    for text in (key, f"Bearer {key}", f"bearer  {key}\n"):
        bearer = parse_key(text)
        assert (bearer.scope, bearer.key_id, bearer.secret) == (scope, "018f-a", secret)
        assert secret not in repr(bearer)
    assert redact_text(f"got {key}") == f"got {BLOT}"


@pytest.mark.parametrize(
    "text",
    ["", "Bearer", "dh_admin_1", "dh_root_1_x", "xx_admin_1_x", "dh_admin_1_" + "x" * 300, "a b c"],
)
def test_what_is_no_key_is_refused_like_any_wrong_key(text: str) -> None:
    with pytest.raises(NotAllowed) as caught:
        parse_key(text)
    assert caught.value.code == "key_invalid"


def test_a_secret_fits_its_own_digest_alone() -> None:
    assert is_secret("right", digest("right"))
    assert not is_secret("wrong", digest("right"))
    assert not is_secret("", digest("right"))
