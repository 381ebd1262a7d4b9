"""Where webhooks may go, as far as it can be said without looking a name up."""

from __future__ import annotations

from ipaddress import ip_address

import pytest

from hub.core.webhook_target import (
    NOWHERE,
    Target,
    callable_of,
    host_of,
    may_call,
    parse_allowed,
    parse_target,
)
from shared.errors import BadInput

AT_HOME = parse_allowed("hooks.lan, 127.0.0.1, 10.1.0.0/16, fd00::/8")


@pytest.mark.parametrize(
    ("url", "target"),
    [
        ("https://example.org", Target("example.org", 443, is_tls=True)),
        ("https://Example.ORG/a/b?c=d", Target("example.org", 443, is_tls=True)),
        ("https://example.org:8443/hook", Target("example.org", 8443, is_tls=True)),
        ("https://8.8.8.8/hook", Target("8.8.8.8", 443, is_tls=True)),
        ("https://[2600::1]/hook", Target("2600::1", 443, is_tls=True)),
        ("https://xn--bcher-kva.example/", Target("xn--bcher-kva.example", 443, is_tls=True)),
    ],
)
def test_out_into_the_internet_over_tls(url: str, target: Target) -> None:
    assert parse_target(url, NOWHERE) == target


@pytest.mark.parametrize(
    ("url", "code"),
    [
        ("http://example.org", "webhook_url_insecure"),
        ("http://127.0.0.1", "webhook_url_insecure"),
        ("https://127.0.0.1/", "webhook_url_private"),
        ("https://[::1]/", "webhook_url_private"),
        ("https://[::ffff:10.0.0.1]/", "webhook_url_private"),
        ("https://169.254.169.254/latest/meta-data", "webhook_url_private"),
        ("https://example.org:22/", "webhook_url_invalid"),
        ("https://example.org:25/", "webhook_url_invalid"),
        ("https://example.org:80/", "webhook_url_invalid"),
        ("https://example.org:0/", "webhook_url_invalid"),
        ("https://example.org:99999/", "webhook_url_invalid"),
        ("https://anna:secret@example.org/", "webhook_url_invalid"),
        ("https://example.org@10.0.0.1/", "webhook_url_invalid"),
        ("https://@example.org/", "webhook_url_invalid"),
        ("https://example.org/#part", "webhook_url_invalid"),
        ("https://2130706433/", "webhook_url_invalid"),
        ("https://0x7f000001/", "webhook_url_invalid"),
        ("https://127.1/", "webhook_url_invalid"),
        ("https://0177.0.0.1/", "webhook_url_invalid"),
        ("https://exa mple.org/", "webhook_url_invalid"),
        ("https://example.org\\@10.0.0.1/", "webhook_url_invalid"),
        ("https://example.org/\r\nHost: x", "webhook_url_invalid"),
        ("https://bücher.example/", "webhook_url_invalid"),
        ("https://exam%70le.org/", "webhook_url_invalid"),
        ("https://a..b/", "webhook_url_invalid"),
        ("https://[fe80::1%25eth0]/", "webhook_url_invalid"),
        ("https://[::1", "webhook_url_invalid"),
        ("https:///path", "webhook_url_invalid"),
        ("ftp://example.org/", "webhook_url_invalid"),
        ("file:///etc/passwd", "webhook_url_invalid"),
        ("example.org", "webhook_url_invalid"),
        ("", "webhook_url_invalid"),
        ("https://example.org/" + "a" * 2000, "webhook_url_invalid"),
    ],
)
def test_no_address_for_a_webhook(url: str, code: str) -> None:
    with pytest.raises(BadInput) as refused:
        parse_target(url, NOWHERE)
    assert refused.value.code == code
    assert refused.value.hint


@pytest.mark.parametrize(
    "url",
    [
        "http://hooks.lan/x",
        "http://HOOKS.lan./x",
        "http://127.0.0.1:8080/x",
        "http://10.1.2.3/x",
        "https://10.1.2.3:22/x",
        "https://[fd00::7]/x",
    ],
)
def test_the_operator_may_allow_it(url: str) -> None:
    parse_target(url, AT_HOME)


@pytest.mark.parametrize("url", ["http://10.2.0.1/", "http://other.lan/", "http://127.0.0.2/"])
def test_what_the_operator_allows_is_that_and_no_more(url: str) -> None:
    with pytest.raises(BadInput):
        parse_target(url, AT_HOME)


@pytest.mark.parametrize("text", ["10.0.0.0/99", "not a host", "a/b", "https://x", "-", "127.1"])
def test_a_list_with_a_slip_is_refused(text: str) -> None:
    with pytest.raises(BadInput) as refused:
        parse_allowed(text)
    assert refused.value.code == "webhook_allow_invalid"


def test_of_the_addresses_of_a_name_only_public_ones_are_called() -> None:
    addresses = [ip_address(text) for text in ("10.0.0.1", "8.8.8.8", "::1", "::ffff:127.0.0.1")]
    assert callable_of("example.org", addresses, NOWHERE) == [ip_address("8.8.8.8")]
    assert callable_of("hooks.lan", addresses, AT_HOME) == addresses


def test_an_address_in_disguise_is_allowed_as_what_it_is() -> None:
    assert may_call("x.example", ip_address("::ffff:10.1.2.3"), AT_HOME)
    assert not may_call("x.example", ip_address("::ffff:10.2.2.3"), AT_HOME)


def test_of_an_address_only_the_host_is_told() -> None:
    assert host_of("https://hooks.example.org:8443/services/T0/B1/secret") == "hooks.example.org"
