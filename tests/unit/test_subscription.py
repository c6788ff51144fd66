"""Where hooks may lead, how long a Subscription lasts, and what a hook says."""

import hashlib
import hmac
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import pytest

from dmp.domain.endpoint import LONGEST, check_endpoint, is_permitted
from dmp.domain.errors import Invalid
from dmp.domain.subscription import MOST_ATTEMPTS, Hook, end_of, event_for, hook_headers, owner_of
from infra.local.template import Template
from tests.requester_factories import requester_professional

NOW = datetime(2027, 6, 1, 12, tzinfo=UTC)
SUBSCRIPTION = f"{'0' * 26}.{'1' * 26}"
HOOK = Hook(SUBSCRIPTION, "e" * 32)


@pytest.mark.parametrize(
    "address",
    [
        "https://logiciel.example/hooks",
        "https://logiciel.example",
        "https://LOGICIEL.example:443/h?a=b",
        "https://a.b-c.example:8443/",
        "https://xn--hpital-xya.example/",
        "https://1.1.1.1/hooks",
        "https://[2606:4700:4700::1111]:8443/hooks",
    ],
)
def test_a_hook_may_lead_to_a_public_host(address: str) -> None:
    check_endpoint(address, may_loop_back=False)


@pytest.mark.parametrize(
    "address",
    [
        *("", "https://", "https:///path", "http://a.example/", "ftp://a.example/", "//a.example/", "a.example"),
        *("https://user@a.example/", "https://a.example/#part", "https://a.example/#"),
        "https://user:pw@a.example/",  # pragma: allowlist secret
        *("https://a.example:80/", "https://a.example:22/", "https://a.example:0/", "https://a.example:99999/"),
        *("https://localhost/", "https://localhost:8443/", "https://x.localhost/", "https://intranet/"),
        *("https://127.0.0.1:8443/", "https://127.1/", "https://2130706433/", "https://0x7f.0x1/", "https://0/"),
        *("https://10.1.2.3/", "https://172.16.0.1/", "https://192.168.1.1/", "https://100.64.0.1/"),
        *("https://169.254.169.254/latest", "https://0.0.0.0/", "https://224.0.0.1/", "https://240.0.0.1/"),
        *("https://[::1]:8443/", "https://[::]/", "https://[fe80::1]/", "https://[fe80::1%25eth0]/"),
        *("https://[fd00::1]/", "https://[::ffff:1.1.1.1]/", "https://[::ffff:10.0.0.1]/"),
        *("https://[64:ff9b::a00:1]/", "https://[2002:a00:1::]/"),
        *("https://[::1/", "https://a.example\\@b.example/", "https://a.example/ x", "https://a.example/\r\nX: y"),
        *("https://a.example/é", "https://-a.example/", "https://a..example/", "https://a.example./", "https://a.9/"),
        *(f"https://a.example/{'x' * LONGEST}", f"https://{'a.' * 130}example/"),
    ],
)
def test_a_hook_leads_nowhere_else(address: str) -> None:
    with pytest.raises(Invalid) as refused:
        check_endpoint(address, may_loop_back=False)

    assert (refused.value.code, refused.value.expression) == ("endpoint-invalid", "Subscription.channel.endpoint")


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "[::1]"])
def test_on_the_local_stack_a_hook_may_come_back(host: str) -> None:
    check_endpoint(f"https://{host}:8443/hooks", may_loop_back=True)

    with pytest.raises(Invalid):
        check_endpoint(f"http://{host}:8443/hooks", may_loop_back=True)


@pytest.mark.parametrize("address", ["10.0.0.1", "169.254.169.254", "fd00::1", "fe80::1%eth0", "::ffff:10.0.0.1"])
def test_no_other_private_address_is_permitted_there_either(address: str) -> None:
    assert not is_permitted(ip_address(address), may_loop_back=True)


def test_a_subscription_lasts_as_asked_and_a_year_at_most() -> None:
    latest = datetime(2028, 6, 1, 12, tzinfo=UTC)

    assert end_of(None, NOW, 12) == latest
    assert end_of(latest, NOW, 12) == latest
    assert end_of(NOW + timedelta(days=1), NOW, 12) == NOW + timedelta(days=1)


@pytest.mark.parametrize(
    ("end", "code"),
    [(NOW, "period-invalid"), (datetime(2028, 6, 1, 12, 0, 0, 1000, tzinfo=UTC), "period-too-long")],
)
def test_an_end_that_is_past_or_too_far_is_refused(end: datetime, code: str) -> None:
    with pytest.raises(Invalid) as refused:
        end_of(end, NOW, 12)

    assert refused.value.code == code


def test_a_hook_is_signed_over_when_what_and_for_whom() -> None:
    headers = hook_headers(HOOK, "a secret", NOW)

    signed = f"{int(NOW.timestamp())}.{HOOK.event}.Subscription/{SUBSCRIPTION}"
    proof = hmac.new(b"a secret", signed.encode(), hashlib.sha256).hexdigest()
    assert headers == {
        "X-DMP-Subscription": f"Subscription/{SUBSCRIPTION}",
        "X-DMP-Event": HOOK.event,
        "X-DMP-Timestamp": str(int(NOW.timestamp())),
        "X-DMP-Signature": f"v1={proof}",
    }


def test_an_event_has_one_name_for_each_subscription() -> None:
    assert event_for(SUBSCRIPTION, "change") == event_for(SUBSCRIPTION, "change")
    assert len({event_for(SUBSCRIPTION, "change"), event_for("other", "change"), event_for(SUBSCRIPTION, "next")}) == 3


def test_of_an_owner_only_what_decides_is_kept() -> None:
    caller = requester_professional(specialties=("SM26",), email="noa@example.org", software="Logiciel 1")

    owner = owner_of(caller)

    assert (owner.identifier, owner.structure, owner.profession, owner.specialties) == (
        caller.identifier,
        caller.structure,
        caller.profession,
        ("SM26",),
    )
    assert {owner.name, owner.email, owner.software, owner.family_name, owner.structure_name} == {""}


def test_the_queue_gives_up_when_the_subscription_does() -> None:
    queues = dict(Template(Path(__file__).parents[2] / "template.yaml").resources("AWS::SQS::Queue"))

    assert queues["HookQueue"]["RedrivePolicy"]["maxReceiveCount"] == MOST_ATTEMPTS
