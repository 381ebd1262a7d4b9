"""Where pages may be read: an address decides by what it is, not by how it is written."""

from __future__ import annotations

from ipaddress import ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from desktop.core.web.rules import WebRules
from desktop.core.web.url_guard import callable_of, check_host, check_url, join
from shared.errors import AppError
from shared.public_address import is_public, parse_address

RULES = WebRules()
INSIDE = (
    "127.0.0.1", "127.255.255.254", "0.0.0.0", "10.1.2.3", "172.16.0.1", "192.168.1.1",
    "169.254.169.254", "100.64.0.1", "192.0.0.8", "198.18.0.1", "224.0.0.1", "255.255.255.255",
    "[::1]", "[::]", "[fe80::1]", "[fc00::1]", "[fd00:ec2::254]", "[ff02::1]", "[::ffff:127.0.0.1]",
    "[::ffff:169.254.169.254]", "[::ffff:7f00:1]", "[64:ff9b::7f00:1]", "[64:ff9b::a9fe:a9fe]",
    "[2002:7f00:1::]", "[2001:db8::1]", "[::127.0.0.1]", "[100::1]", "[64:ff9b:1::a00:1]",
)  # fmt: skip
ODD = (
    "2130706433", "0x7f000001", "0x7f.1", "127.1", "127.0.1", "0177.0.0.1", "017700000001",
    "0", "0x0", "1.2.3.4.5", "256.256.256.256", "127.0.0.1.", "127。0。0。1", "①②⑦.⓪.⓪.①",
    "１２７.０.０.１", "[::1", "::1", "[::1%25eth0]", "[127.0.0.1]", "localhost:0",
)  # fmt: skip


def refused(url: str, rules: WebRules = RULES) -> str:
    with pytest.raises(AppError) as caught:
        check_url(url, rules)
    return caught.value.code


def is_let_through(url: str) -> bool:
    try:
        check_url(url, RULES)
    except AppError:
        return False
    return True


@pytest.mark.parametrize("host", INSIDE)
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_an_address_that_is_not_public_is_refused_in_any_shape(scheme: str, host: str) -> None:
    assert refused(f"{scheme}://{host}/") == "page_private"
    assert refused(f"{scheme}://{host}:8080/latest/meta-data") == "page_private"


@pytest.mark.parametrize("host", ODD)
def test_an_odd_spelling_of_an_address_is_no_host(host: str) -> None:
    assert refused(f"http://{host}/") in ("url_invalid", "page_private")


@pytest.mark.parametrize(
    "url",
    [
        "file:///etc/passwd", "ftp://example.org/", "gopher://a.org:70/_x", "data:text/html,x",
        "javascript:alert(1)", "chrome://settings", "about:blank", "view-source:http://a.org", "",
        "http://", "http:///path", "https://user:pass@example.org/", "https://example.org@10.0.0.1/",
        "http://example.org\\@10.0.0.1/", "http://exa mple.org/", "http://example.org/\r\nHost: x",
        "http://example.org:99999/", "http://example.org:0/", "http://example.org:-1/",
        "http://ex%61mple.org/", "http://[bad/", "jar:http://a.org!/x", "ws://example.org/",
        "http://..example.org/", "http://-/", "https://" + "a" * 3000 + ".org/",
        "http://example.org/\ud800",
    ],
)  # fmt: skip
def test_what_is_no_address_of_a_page_is_refused(url: str) -> None:
    assert refused(url) == "url_invalid"


@pytest.mark.parametrize("port", [22, 25, 53, 110, 143, 445, 993])
def test_ports_where_no_page_lives_are_refused(port: int) -> None:
    assert refused(f"http://example.org:{port}/") == "url_invalid"


@pytest.mark.parametrize(
    ("told", "url", "host", "port"),
    [
        ("https://Example.ORG", "https://example.org/", "example.org", 443),
        ("http://example.org:80/a b".replace(" ", "%20"), "http://example.org/a%20b",
         "example.org", 80),
        ("https://example.org:8443/x?q=ä#top", "https://example.org:8443/x?q=%C3%A4",
         "example.org", 8443),
        ("https://bücher.example/ü", "https://xn--bcher-kva.example/%C3%BC",
         "xn--bcher-kva.example", 443),
        ("https://[2606:4700::1111]/", "https://[2606:4700::1111]/", "2606:4700::1111", 443),
        ("https://8.8.8.8/", "https://8.8.8.8/", "8.8.8.8", 443),
        ("example.org/page", "https://example.org/page", "example.org", 443),
        ("https://example.org/a%2Fb", "https://example.org/a%2Fb", "example.org", 443),
    ],
)  # fmt: skip
def test_a_public_address_is_written_in_one_way(told: str, url: str, host: str, port: int) -> None:
    target = check_url(told, RULES)
    assert (target.url, target.host, target.port) == (url, host, port)


def test_the_owners_lists_decide_before_anything_else() -> None:
    rules = WebRules(deny_hosts=("*.evil.example", "bad.org"), private_hosts=("bad.org",))
    assert refused("https://evil.example/", rules) == "host_denied"
    assert refused("https://a.b.evil.example/", rules) == "host_denied"
    assert refused("https://bad.org/", rules) == "host_denied"
    assert check_url("https://notevil.example/", rules).url
    only = WebRules(allow_hosts=("*.gov.example",))
    assert check_url("https://laws.gov.example/", only).url
    assert refused("https://example.org/", only) == "host_denied"
    assert refused("https://evilgov.example/", only) == "host_denied"


def test_what_the_owner_allows_inside_is_called_at_any_port_and_nothing_beside_it() -> None:
    rules = WebRules(private_hosts=("wiki.lan", "10.1.0.0/16", "::1"))
    assert check_url("http://wiki.lan:81/", rules).port == 81
    assert check_url("http://10.1.2.3/", rules).url
    assert check_url("http://[::1]:9/", rules).url
    assert refused("http://10.2.0.1/", rules) == "page_private"
    inside = [ip_address("10.9.9.9")]
    assert callable_of("wiki.lan", inside, rules) == inside
    assert callable_of("other.lan", inside, rules) == []
    assert callable_of("other.lan", [ip_address("10.1.9.9")], rules)


def test_of_a_names_addresses_only_public_ones_are_called() -> None:
    found = [ip_address(one) for one in ("10.0.0.1", "93.184.216.34", "::1", "::ffff:10.0.0.1")]
    assert callable_of("example.org", found, RULES) == [ip_address("93.184.216.34")]


@given(st.integers(min_value=0, max_value=2**32 - 1))
def test_no_address_of_version_4_gets_through_unless_it_is_public(number: int) -> None:
    address = ip_address(number)
    low = f"{number >> 16:x}:{number & 65535:x}"
    for host in (str(address), f"[::ffff:{address}]", f"[64:ff9b::{low}]"):
        assert is_let_through(f"http://{host}/") is is_public(address)


@given(st.text(max_size=60))
def test_whatever_is_written_the_host_that_is_checked_is_the_host_that_is_called(text: str) -> None:
    try:
        target = check_url(text, RULES)
    except AppError:
        return
    again = check_url(target.url, RULES)
    assert (again.url, again.host, again.port) == (target.url, target.host, target.port)
    assert target.url.isascii()
    check_host(target.host, target.port, RULES)
    address = parse_address(target.host)
    assert address is None or is_public(address)


@pytest.mark.parametrize(
    ("link", "code"),
    [
        ("http://169.254.169.254/", "page_private"),
        ("//10.0.0.1/", "page_private"),
        ("file:///etc/passwd", "url_invalid"),
        ("http://[bad", "url_invalid"),
    ],
)
def test_a_redirect_is_judged_like_any_address(link: str, code: str) -> None:
    with pytest.raises(AppError) as caught:
        check_url(join("https://example.org/a", link), RULES)
    assert caught.value.code == code
