"""Starts HAProxy for Ray Serve with settings that Serve has no option for: limits by class and client, loopback.

Ray starts `haproxy.sh` in place of HAProxy. It runs this file, which edits the configuration that Serve generated and
then becomes HAProxy. The edit:

- binds statistics and metrics to loopback. Serve binds them to every address.
- binds the endpoint to the addresses in FOOTBALL_HAPROXY_BIND. Serve itself knows only loopback.
- forwards a request once it is complete, and answers 408 if it is not complete after 10 s. A slow client takes no
  place of a replica, except with a body that is larger than the buffer: such bodies have places of their own.
- deletes an X-Request-ID that is not valid. Serve then generates one; it would send an invalid one back.
- answers unknown methods, paths of no application and what a replica cannot parse with problem documents.
- answers 429 to a client that sends more requests than FOOTBALL_RATE_LIMIT allows: `haproxy_rates.py`.
- gives each class of requests its own places at a replica and its own queue. `/health` and `/ready` never wait.
- answers 503 with Retry-After if a queue is full. To reject a request costs a replica as much as to answer it, so
  HAProxy does it.
- answers 503 with Retry-After within a second if no replica of an application of FOOTBALL_HAPROXY_FROM_ZERO runs.
  Serve's own proxy holds such a request for 30 s and answers 408. It still receives the request for a moment, because
  Serve's autoscaler counts requests that wait at a handle, and so starts a replica. Probes, and requests without the
  key of FOOTBALL_API_KEY or FOOTBALL_API_KEYS, which are answered with 401, start none.

A configuration that differs from what Serve 2.60 writes is an error: HAProxy does not start and `football serve` exits
with the reason. This file imports the standard library only, because every reload runs it.
"""

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from serve.haproxy_problems import (
    KEY_REQUIRED,
    RETRY_AFTER_SECONDS,
    UNKNOWN_METHOD,
    UNKNOWN_PATH,
    UNPARSED_REQUEST,
    incomplete_request,
    problem_directive,
)
from serve.haproxy_rates import PROBES, RateLimit, client_rules, key_variables, rate_limit_of, rate_tables

BINARY = "FOOTBALL_HAPROXY"
BIND = "FOOTBALL_HAPROXY_BIND"  # addresses, separated by `;`
PROBLEM_FILE = "FOOTBALL_HAPROXY_PROBLEM"
FROM_ZERO = "FOOTBALL_HAPROXY_FROM_ZERO"  # applications that scale to zero replicas, separated by `;`

REQUEST_SECONDS = 10  # from the first byte of a request to its last
QUEUE_SECONDS = 5
QUEUE_LENGTH = 32  # requests of one class that wait for a place
START_MILLISECONDS = 1000  # that a request for a replica of an application at zero waits in Serve's own proxy
RETRY_AFTER_START_SECONDS = 30

_EDITED = "# Edited by football serve.\n"
_FRONTEND = "frontend http_frontend"
_NO_APPLICATION = "backend default_backend"
_LOOPBACK_ONLY = ("frontend prometheus", "listen stats")
_SERVER = re.compile(r"server (?P<name>\S+) (?P<address>\S+) check( observe \S+ .*)?(?P<backup> backup)?")

Section = list[str]


class UnexpectedConfiguration(Exception):
    """The generated configuration is not the one that this module edits."""


@dataclass(frozen=True)
class RequestClass:
    """Requests with places and a queue of their own.

    Attributes
    ----------
    suffix
        Of the backend's name.
    places
        Requests that one replica works on at once; None: no limit.
    condition
        HAProxy condition, with `{prefix}` for the route prefix of the application.
    """

    suffix: str
    places: int | None
    condition: str


# In the order in which a request is matched. Forecasts and uploads together are fewer than requests_at_once in
# config.yaml, so a replica itself rejects none of them.
SIDE_CLASSES = (
    RequestClass(
        "-probes", None, "METH_GET {{ path " + " ".join("{prefix}" + path for path in PROBES) + " }}"
    ),
    RequestClass("-uploads", 8, "!{{ var(txn.is_complete) -m found }}"),
    RequestClass("-pages", 16, "METH_GET"),
)
FORECASTS = RequestClass("", 48, "")  # complete POST requests; the backend that Serve generated

# Complete: all of the body that Content-Length announces is in HAProxy's buffer, or there is no body.
_NOT_CHUNKED = "!{ req.hdr(transfer-encoding) -m found }"
_HAS_REQUEST_ID = "{ req.fhdr_cnt(x-request-id) gt 0 }"
_WITHOUT_KEY = "!{ var(txn.client) -m found }"
_RULES = (
    "http-request del-header x-request-id if { req.fhdr_cnt(x-request-id) gt 1 }",
    f"http-request del-header x-request-id if {_HAS_REQUEST_ID} "
    "!{ req.fhdr(x-request-id) -m reg '^[A-Za-z0-9._-]{1,64}$' }",  # as in middleware.py
    "http-request set-var(txn.received) req.body_len",
    "http-request set-var(txn.is_complete) bool(true) if { req.body_size,sub(txn.received) eq 0 } "
    f"{{ req.hdr(content-length) -m found }} {_NOT_CHUNKED}",
    "http-request set-var(txn.is_complete) bool(true) if METH_GET "
    f"!{{ req.hdr(content-length) -m found }} {_NOT_CHUNKED}",
)


def edit(
    text: str,
    addresses: Sequence[str],
    from_zero: Sequence[str] = (),
    *,
    keys: Sequence[str] = (),
    limit: RateLimit | None = None,
) -> str:
    """Edit a configuration that Serve generated.

    Parameters
    ----------
    text
        Content of the file. An edited one is returned unchanged.
    addresses
        What the endpoint listens on, as HAProxy's `bind` takes it.
    from_zero
        Names of the applications that scale to zero replicas.
    keys
        Variables of HAProxy's environment with the keys that requests may send.
    limit
        Requests of each key, and of each address without one.

    Raises
    ------
    UnexpectedConfiguration
        Something that is edited is missing, or is not as Serve 2.60 writes it.
    """
    if text.startswith(_EDITED):
        return text
    sections = _sections(text)
    for name in _LOOPBACK_ONLY:
        number = _index_of_one(sections, name, r"bind \*?:\d+")
        sections[name][number] = re.sub(r"bind \*?:", "bind 127.0.0.1:", sections[name][number])
    paths = (re.fullmatch(r"acl is_\S+ path (\S+)", line.strip()) for line in sections.get(_FRONTEND, []))
    prefixes = [path[1].rstrip("/") for path in paths if path]
    _edit_frontend(sections, addresses, client_rules(prefixes, keys, limit))
    for name, section in sections.items():
        if name not in (*_LOOPBACK_ONLY, _FRONTEND) and any(_words(line)[:1] == ["bind"] for line in section):
            raise UnexpectedConfiguration(f"`{name}` listens on an address of its own")
    for name in [name for name in sections if name.startswith("backend ") and name != _NO_APPLICATION]:
        _edit_application(sections, name.removeprefix("backend "))
    number = _index_of_one(sections, _NO_APPLICATION, r"http-request return status 404 .*")
    sections[_NO_APPLICATION][number : number + 1] = _lines(UNKNOWN_PATH)
    for name in from_zero:
        if f"backend http-{name}" in sections:  # Serve writes it once the application is deployed
            _answer_at_zero(sections, f"http-{name}", bool(keys))
    if limit is not None:
        sections |= {name: _lines(table) for name, table in rate_tables(limit, len(keys)).items()}
    return _EDITED + "".join(line for name, section in sections.items() for line in (f"{name}\n", *section))


def _sections(text: str) -> dict[str, Section]:
    """Split a configuration into the lines of each section, by the section's first line."""
    sections: dict[str, Section] = {}
    section: Section = []
    for line in text.splitlines(keepends=True):
        if line[0].isspace() or line.startswith("#"):
            section.append(line)
            continue
        name = line.strip()
        if name in sections:
            raise UnexpectedConfiguration(f"`{name}` occurs twice")
        section = sections[name] = []
    return sections


def _words(line: str) -> list[str]:
    return line.split("#", 1)[0].split()


def _index_of_one(sections: dict[str, Section], name: str, pattern: str) -> int:
    """Return the index of the one line of a section that matches a pattern as a whole."""
    found = [
        number for number, line in enumerate(sections.get(name, [])) if re.fullmatch(pattern, line.strip())
    ]
    if len(found) != 1:
        raise UnexpectedConfiguration(f"`{name}` has {len(found)} lines like `{pattern}`, not one")
    return found[0]


def _edit_frontend(sections: dict[str, Section], addresses: Sequence[str], rules: Sequence[str]) -> None:
    number = _index_of_one(sections, _FRONTEND, r"bind \S+:\d+")
    sections[_FRONTEND][number : number + 1] = _lines(
        *(f"bind {address}" for address in addresses),
        "option http-buffer-request",
        "option http-ignore-probes",
        f"timeout http-request {REQUEST_SECONDS}s",
        incomplete_request(REQUEST_SECONDS),
        *_RULES,
        *rules,
        UNKNOWN_METHOD,
        "http-response del-header server",  # the name of the software behind it
        UNPARSED_REQUEST,
    )


def _edit_application(sections: dict[str, Section], name: str) -> None:
    """Assign the requests of an application to classes; add a backend with the same servers for each other class."""
    backend, quoted = sections[f"backend {name}"], re.escape(name)
    frontend = sections[_FRONTEND]
    prefix = (
        frontend[_index_of_one(sections, _FRONTEND, rf"acl is_{quoted} path \S+")].split()[-1].rstrip("/")
    )
    route = _index_of_one(sections, _FRONTEND, rf"use_backend {quoted} if is_{quoted}")
    frontend[route:route] = _lines(
        *(
            f"use_backend {name}{one.suffix} if is_{name} {one.condition.format(prefix=prefix)}"
            for one in SIDE_CLASSES
        )
    )
    _index_of_one(sections, f"backend {name}", "http-reuse always")
    numbers = [number for number, line in enumerate(backend) if _words(line)[:1] == ["server"]]
    servers = [_SERVER.fullmatch(backend[number].strip()) for number in numbers]
    for number, server in zip(numbers, servers, strict=True):
        if server is None:
            raise UnexpectedConfiguration(f"`{backend[number].strip()}` is not a server as it is expected")
    replicas = [server for server in servers if server is not None]
    for number, server in zip(numbers, replicas, strict=True):
        if not server["backup"]:
            backend[number] = f"{backend[number].rstrip()} maxconn {FORECASTS.places}\n"
    backend += _lines(*_limits(FORECASTS))
    for one in SIDE_CLASSES:
        sections[f"backend {name}{one.suffix}"] = _lines(
            "log global",
            "http-reuse always",
            *_limits(one),
            *(
                f"server {server['name']} {server['address']} track {name}/{server['name']}"
                + (server["backup"] or (f" maxconn {one.places}" if one.places else ""))
                for server in replicas
            ),
        )


def _answer_at_zero(sections: dict[str, Section], name: str, needs_key: bool) -> None:
    """Answer the requests of an application while none of its replicas runs, and let Serve's proxy see them."""
    frontend = sections[_FRONTEND]
    servers = [found for line in sections[f"backend {name}"] if (found := _SERVER.match(line.strip()))]
    replicas = [server["name"] for server in servers if not server["backup"]]
    proxies = [server for server in servers if server["backup"]]
    first = next(number for number, line in enumerate(frontend) if f" if is_{name} " in line)
    if replicas:
        rules = [f"acl runs_{name} srv_is_up({name}/{server})" for server in replicas]
        condition = f"is_{name} !runs_{name}"
    else:
        rules, condition = [], f"is_{name}"
    prefix = next(
        line.split()[-1].rstrip("/")
        for line in frontend
        if re.match(rf"\s+acl is_{re.escape(name)} path /", line)
    )
    probes = SIDE_CLASSES[0].condition.format(prefix=prefix)
    text = (
        "Service Unavailable",
        f"A replica starts, which takes minutes on a new machine: try again in {RETRY_AFTER_START_SECONDS} s.",
    )
    unavailable, rejection = (
        problem_directive(directive, 503, *text, RETRY_AFTER_START_SECONDS)
        for directive in ("http-error", "http-request return")
    )
    unauthorized = problem_directive("http-request return", 401, "Unauthorized", KEY_REQUIRED)
    frontend[first:first] = _lines(
        *rules,
        f"{rejection} if {condition} {probes}",
        *([f"{unauthorized} if {condition} {_WITHOUT_KEY}"] if needs_key else []),
        f"use_backend {name}-from-zero if {condition}",
    )
    sections[f"backend {name}-from-zero"] = _lines(
        "log global",
        f"timeout server {START_MILLISECONDS}ms",
        f"timeout queue {START_MILLISECONDS}ms",
        *(
            unavailable.replace("http-error status 503", f"http-error status {code}")
            for code in (502, 503, 504)
        ),
        "http-after-response set-status 503 if { status 502 504 408 }",
        f"http-after-response set-header Retry-After {RETRY_AFTER_START_SECONDS} if {{ status 503 }}",
        *(f"server {server['name']} {server['address']} track {name}/{server['name']}" for server in proxies),
    )


def _limits(one: RequestClass) -> tuple[str, ...]:
    rejection = (
        "Service Unavailable",
        f"Try again in {RETRY_AFTER_SECONDS} s: more requests wait than can be answered.",
    )
    errors = (
        problem_directive(
            "http-error", 502, "Bad Gateway", "The replica ended before it answered: try again."
        ),
        problem_directive("http-error", 503, *rejection),
        problem_directive("http-error", 504, "Gateway Timeout", "The replica did not answer in time."),
        f"timeout queue {QUEUE_SECONDS}s",
    )
    if one.places is None:
        return errors
    return (
        *errors,
        f"{problem_directive('http-request return', 503, *rejection)} if {{ queue gt {QUEUE_LENGTH} }}",
    )


def _lines(*texts: str) -> Section:
    return [f"    {text}\n" for text in texts]


def main(arguments: Sequence[str]) -> None:
    """Edit the files named by `-f` in place and become HAProxy with the same arguments.

    Raises
    ------
    SystemExit
        A file is not as expected; the reason is in the file that FOOTBALL_HAPROXY_PROBLEM names.
    """
    addresses = os.environ[BIND].split(";")
    from_zero = [name for name in os.environ.get(FROM_ZERO, "").split(";") if name]
    keys = key_variables(os.environ)
    os.environ |= keys
    limit = rate_limit_of(os.environ)
    for option, value in pairwise(arguments):
        if option == "-f":
            file = Path(value)
            try:
                text = edit(
                    file.read_text(encoding="utf-8"), addresses, from_zero, keys=list(keys), limit=limit
                )
            except (UnexpectedConfiguration, OSError) as error:
                problem = f"HAProxy's {file} cannot be edited: {error}. Install the Ray of constraints.txt."
                Path(os.environ[PROBLEM_FILE]).write_text(problem, encoding="utf-8")
                raise SystemExit(problem) from error
            new = file.with_name(f"{file.name}.edited")
            new.write_text(text, encoding="utf-8")
            new.replace(file)
    binary = os.environ[BINARY]
    os.execv(binary, [binary, *arguments])
