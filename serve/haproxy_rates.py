"""HAProxy's rules for keys and rate limits: how many requests a client may send, counted in stick tables.

A request with a valid key counts for the key, from any address. Any other request counts for its address. A client
without a valid key can therefore neither use up the limit of a client with a key nor evade its own limit by changing
keys. Responses with status 429 do not count, so a client that sends too many requests is served at the rate of the
limit.

This module imports the standard library only, because every reload of HAProxy runs it.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from serve.haproxy_problems import problem_directive

KEY = "FOOTBALL_API_KEY"
FURTHER_KEYS = "FOOTBALL_API_KEYS"  # separated by commas, as in settings.py
RATE = "FOOTBALL_HAPROXY_RATE"  # requests per second and burst, separated by `;`

PROBES = ("/health", "/ready")
SCRAPE = "/metrics"
KEY_TABLE, ADDRESS_TABLE = "rates_by_key", "rates_by_address"
ADDRESSES_KEPT = 100_000  # some 10 MB; HAProxy drops the oldest beyond it
_KEY_VARIABLE = "FOOTBALL_HAPROXY_KEY_"


@dataclass(frozen=True)
class RateLimit:
    """At most `burst` requests within any `burst / per_second` seconds.

    Attributes
    ----------
    per_second
        Average number of requests per second.
    burst
        Number of requests that may be sent at once after a pause.
    """

    per_second: float
    burst: int

    @property
    def period_milliseconds(self) -> int:
        """The time over which requests are counted."""
        return max(1, math.ceil(1000 * self.burst / self.per_second))

    @property
    def retry_after_seconds(self) -> int:
        """After this time without requests the next one is answered, whenever the earlier ones came."""
        return math.ceil(self.period_milliseconds / 1000 + 1 / self.per_second)

    def to_variable(self) -> str:
        """Return the value of FOOTBALL_HAPROXY_RATE."""
        return f"{self.per_second};{self.burst}"


def rate_limit_of(environment: Mapping[str, str]) -> RateLimit | None:
    """Read the limit from FOOTBALL_HAPROXY_RATE; None: there is none."""
    per_second, _, burst = environment.get(RATE, "").partition(";")
    return RateLimit(float(per_second), int(burst)) if burst and float(per_second) else None


def key_variables(environment: Mapping[str, str]) -> dict[str, str]:
    """Return one variable per key that the endpoint accepts; the configuration names these variables.

    The configuration is a file and must not contain the keys themselves.
    """
    further = (key.strip() for key in environment.get(FURTHER_KEYS, "").split(","))
    keys = [environment.get(KEY, ""), *further]
    return {f"{_KEY_VARIABLE}{number}": key for number, key in enumerate(filter(None, keys))}


def client_rules(prefixes: Sequence[str], keys: Sequence[str], limit: RateLimit | None) -> list[str]:
    """Return rules that identify clients by their keys and reject requests of a client beyond its limit.

    They set `txn.client` to the number of the key of a request, sent in any header that `middleware.py` reads.

    Parameters
    ----------
    prefixes
        Route prefixes of the applications, without a slash at the end.
    keys
        Variables of HAProxy's environment with the keys.
    limit
        Limit of each client; None: no limit.
    """
    rules = []
    for number, variable in enumerate(keys):
        rules += [
            f'acl has_key_{number} {sent} -m str -- "${{{variable}}}"'
            for sent in ("req.fhdr(x-api-key)", "http_auth_bearer", "http_auth_pass")
        ]
        rules.append(f"http-request set-var(txn.client) str(key-{number}) if has_key_{number}")
    return rules if limit is None else [*rules, *_rate_rules(prefixes, limit, needs_key=bool(keys))]


def _rate_rules(prefixes: Sequence[str], limit: RateLimit, *, needs_key: bool) -> list[str]:
    """Count requests and reject those beyond the limit.

    Probes do not count, nor do scrapes of Prometheus with the key, if one is required.
    """
    probes = " ".join(f"{prefix}{path}" for prefix in prefixes for path in PROBES)
    scrapes = [f"{prefix}{SCRAPE}" for prefix in prefixes]
    has_key = " { var(txn.client) -m found }" if needs_key else ""
    counted = "!{ var(txn.is_free) -m found }"
    seconds = limit.retry_after_seconds
    text = f"The limit is {limit.per_second:g} requests per second: try again in {seconds} s."
    rejection = problem_directive("http-request return", 429, "Too Many Requests", text, seconds)
    return [
        f"http-request set-var(txn.is_free) bool(true) if METH_GET {{ path /-/healthz /-/routes {probes} }}",
        *(
            f"http-request set-var(txn.is_free) bool(true) if METH_GET {{ path {path} }}{has_key}"
            for path in scrapes
        ),
        f"http-request track-sc0 var(txn.client) table {KEY_TABLE} if {counted} {{ var(txn.client) -m found }}",
        f"http-request track-sc0 src table {ADDRESS_TABLE} if {counted} !{{ var(txn.client) -m found }}",
        f"{rejection} if {counted} {{ sc0_gpc0_rate ge {limit.burst} }}",
        f"http-request sc-inc-gpc0(0) if {counted}",
    ]


def rate_tables(limit: RateLimit, keys: int) -> dict[str, str]:
    """Return the stick table of each section that has one."""
    period = limit.period_milliseconds
    store = f"expire {2 * period + 1000}ms store gpc0,gpc0_rate({period}ms)"
    return {
        f"backend {KEY_TABLE}": f"stick-table type string len 16 size {max(1, keys)} {store}",
        f"backend {ADDRESS_TABLE}": f"stick-table type ipv6 size {ADDRESSES_KEPT} {store}",
    }
