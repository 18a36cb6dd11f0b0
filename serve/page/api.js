// Sends requests to the application that serves this page. Every failure is a Problem.

/** A failed request, with the members of an RFC 9457 problem document. */
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

  /** Whether the same request may succeed later. */
  get isTransient() {
    return this.status === 0 || this.status === 429 || this.status >= 500;
  }
}

/**
 * Sends a GET, or a POST if there is a body, and returns the JSON of the response. `path` is a list of segments, which
 * are escaped. Parameters without a value are omitted. An aborted request rejects with an AbortError, any other failure
 * with a Problem.
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
    throw new Problem({ title: "The server does not answer", detail: "It may be starting, or there is no connection." });
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

/** Runs one request at a time: the next one aborts the previous one. */
export class Latest {
  #controller = null;

  /** Aborts the previous request and returns a signal for the next one. */
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
