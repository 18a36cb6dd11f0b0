// Asks the application that serves this page. Every refusal is a Problem, whatever its cause.

/** An answer that is not a success, as RFC 9457 problem details describe it. */
export class Problem extends Error {
  constructor({ status = 0, title, detail, errors, suggestions, request_id: requestId }) {
    super(`${title}: ${detail}`);
    this.status = status;
    this.title = title;
    this.detail = detail ?? "";
    this.errors = errors ?? [];
    this.suggestions = suggestions ?? [];
    this.requestId = requestId ?? null;
  }

  /** Whether the same request may well succeed later. */
  get passes() {
    return this.status === 0 || this.status === 429 || this.status >= 500;
  }
}

/**
 * The JSON answer to a GET, or to a POST if there is a body. `path` is a list of segments, which are escaped, and
 * parameters without a value are left out. An aborted request rejects with an AbortError, any other failure with a
 * Problem.
 */
export async function ask(path, { parameters = {}, body, signal } = {}) {
  const url = new URL(path.map(encodeURIComponent).join("/"), document.baseURI);
  for (const [name, value] of Object.entries(parameters)) {
    if (value !== "" && value !== null && value !== undefined) url.searchParams.set(name, value);
  }
  const request = body === undefined
    ? { signal }
    : { signal, method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) };
  let response;
  let content;
  try {
    response = await fetch(url, { ...request, headers: { Accept: "application/json", ...request.headers } });
    content = await response.text();
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Problem({ title: "The server does not answer", detail: "It may be starting, or the connection is lost." });
  }
  let answer;
  try {
    answer = JSON.parse(content);
  } catch {
    answer = null;
  }
  if (response.ok && answer !== null) return answer;
  if (answer !== null && typeof answer.title === "string") throw new Problem({ status: response.status, ...answer });
  throw new Problem({
    status: response.status,
    title: `The server answered ${response.status}`,
    detail: content.slice(0, 200) || response.statusText,
  });
}

/** Runs one request at a time: starting another aborts the one before. */
export class Latest {
  #controller = null;

  /** A signal for the next request; the one before is aborted. */
  next() {
    this.abort();
    this.#controller = new AbortController();
    return this.#controller.signal;
  }

  abort() {
    this.#controller?.abort();
    this.#controller = null;
  }
}
