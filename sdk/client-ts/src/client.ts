// Makes calls: puts a request together, sends it, several times if need be, and reads the answer.

import type { Answer, Arguments, CallOptions, Element, Method, Operation, PagedPath, PathWith, Problem, Rest } from "./api.js";
import { BigTixError, NetworkError, ProblemError, UnreadableError } from "./error.js";
import { heedsKeys, retryAfter, wait } from "./retry.js";
import { tokenOf } from "./session.js";

export interface ClientOptions {
  /** Where the shop is, such as `https://tickets.example.com`; in a page of the shop it may be left out. */
  baseUrl?: string;
  /** The token of a session; without it the client is signed in by a call of sign-up or sign-in. */
  token?: string;
  /** Sends requests instead of the platform's `fetch`. */
  fetch?: typeof fetch;
  /** For how many milliseconds each attempt may last; 30 seconds by default. */
  timeout?: number;
}

/** A call, with the types taken off. */
interface Call extends CallOptions {
  path?: Record<string, string | number> | undefined;
  query?: Record<string, unknown> | undefined;
  body?: unknown;
}

/**
 * A client of one shop, with one session at most.
 *
 * ```ts
 * const shop = new Client({ baseUrl: "http://localhost:8080" });
 * await shop.post("/api/users/signin", { body: { email, password } });
 * const order = await shop.post("/api/orders", { body: { ticketId } });
 * ```
 */
export class Client {
  readonly #baseUrl: string;
  readonly #fetch: typeof fetch;
  readonly #timeout: number;
  #token: string | undefined;

  constructor(options: ClientOptions = {}) {
    this.#baseUrl = (options.baseUrl ?? "").replace(/\/+$/, "");
    // A browser's fetch wants to be called as what it is, and not as a method of something else.
    this.#fetch = options.fetch ?? ((input, init) => fetch(input, init));
    this.#timeout = options.timeout ?? 30_000;
    this.#token = options.token;
  }

  /** The session's token, a secret; undefined when nobody is signed in, and in browsers, which keep the session themselves. */
  get token(): string | undefined {
    return this.#token;
  }

  get<P extends PathWith<"get">>(path: P, ...rest: Rest<Operation<"get", P>>): Promise<Answer<Operation<"get", P>>> {
    return this.#answer("get", path, rest[0]);
  }

  post<P extends PathWith<"post">>(path: P, ...rest: Rest<Operation<"post", P>>): Promise<Answer<Operation<"post", P>>> {
    return this.#answer("post", path, rest[0]);
  }

  put<P extends PathWith<"put">>(path: P, ...rest: Rest<Operation<"put", P>>): Promise<Answer<Operation<"put", P>>> {
    return this.#answer("put", path, rest[0]);
  }

  patch<P extends PathWith<"patch">>(path: P, ...rest: Rest<Operation<"patch", P>>): Promise<Answer<Operation<"patch", P>>> {
    return this.#answer("patch", path, rest[0]);
  }

  delete<P extends PathWith<"delete">>(path: P, ...rest: Rest<Operation<"delete", P>>): Promise<Answer<Operation<"delete", P>>> {
    return this.#answer("delete", path, rest[0]);
  }

  /** Every element of a list, page after page. */
  async *all<P extends PagedPath>(path: P, ...rest: Rest<Operation<"get", P>>): AsyncGenerator<Element<P>, void, undefined> {
    const call: Call = { ...(rest[0] as Call | undefined) };
    for (let cursor: string | null | undefined; cursor !== null; ) {
      const query: Record<string, unknown> = cursor === undefined ? { ...call.query } : { ...call.query, cursor };
      const response = await this.#send("get", path, { ...call, query });
      yield* (await json(response)) as Element<P>[];
      cursor = response.headers.get("x-next-cursor");
    }
  }

  async #answer<O>(method: Method, path: string, call: Arguments<O> | undefined): Promise<Answer<O>> {
    const response = await this.#send(method, path, { ...(call as Call | undefined) });
    return (response.status === 204 ? undefined : await json(response)) as Answer<O>;
  }

  /** Makes the call, several times if need be. What comes back is a success. */
  async #send(method: Method, path: string, call: Call): Promise<Response> {
    const isKeyed = heedsKeys(method, path);
    const key = isKeyed ? (call.idempotencyKey ?? crypto.randomUUID()) : call.idempotencyKey;
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.#attempt(method, path, call, key);
      } catch (failure) {
        if (!(failure instanceof BigTixError) || call.signal?.aborted) {
          throw failure;
        }
        const pause = wait(method === "get" || isKeyed, attempt, failure, Math.random());
        if (pause === undefined) {
          throw failure;
        }
        await sleep(pause, call.signal);
      }
    }
  }

  async #attempt(method: Method, path: string, call: Call, key: string | undefined): Promise<Response> {
    const headers = new Headers({ accept: "application/json" });
    if (this.#token) {
      headers.set("authorization", `Bearer ${this.#token}`);
    }
    if (key !== undefined) {
      headers.set("idempotency-key", key);
    }
    const init: RequestInit = { method: method.toUpperCase(), headers };
    if (call.body !== undefined) {
      headers.set("content-type", "application/json");
      init.body = JSON.stringify(call.body);
    }
    const timeout = AbortSignal.timeout(this.#timeout);
    init.signal = call.signal ? AbortSignal.any([call.signal, timeout]) : timeout;
    let response: Response;
    try {
      response = await this.#fetch(this.#baseUrl + target(path, call), init);
    } catch (cause) {
      throw new NetworkError(cause);
    }
    if (!response.ok) {
      throw await refusal(response);
    }
    const token = tokenOf(response.headers);
    this.#token = token === undefined ? this.#token : token || undefined;
    return response;
  }
}

/** The path with its parameters filled in, and the query. */
export function target(path: string, call: Pick<Call, "path" | "query">): string {
  const filled = path.replace(/\{(\w+)\}/g, (_, name: string) => {
    const value = call.path?.[name];
    if (value === undefined) {
      throw new TypeError(`${path} needs ${name}`);
    }
    return encodeURIComponent(value);
  });
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(call.query ?? {})) {
    if (value !== undefined && value !== null) {
      query.set(name, String(value));
    }
  }
  return query.size > 0 ? `${filled}?${query}` : filled;
}

async function json(response: Response): Promise<unknown> {
  const text = await textOf(response);
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new UnreadableError(response.status, requestId(response), cause);
  }
}

async function refusal(response: Response): Promise<BigTixError> {
  const text = await textOf(response);
  try {
    const problem: unknown = JSON.parse(text);
    if (isProblem(problem)) {
      const after = retryAfter(response.headers.get("retry-after"), Date.now());
      return new ProblemError(response.status, problem, requestId(response), after);
    }
    return new UnreadableError(response.status, requestId(response), new TypeError("the body is no problem"));
  } catch (cause) {
    return new UnreadableError(response.status, requestId(response), cause);
  }
}

/** A body that breaks off says as little about the effect as no answer. */
async function textOf(response: Response): Promise<string> {
  try {
    return await response.text();
  } catch (cause) {
    throw new NetworkError(cause);
  }
}

/** The list of codes may have grown since this client was made, so any word is taken. */
function isProblem(body: unknown): body is Problem {
  const { message, errors, code } = (body ?? {}) as Record<string, unknown>;
  return typeof message === "string" && Array.isArray(errors) && typeof code === "string";
}

function requestId(response: Response): string | undefined {
  return response.headers.get("x-request-id") ?? undefined;
}

function sleep(milliseconds: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    const stop = () => {
      clearTimeout(timer);
      reject(new NetworkError(signal?.reason));
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener("abort", stop);
      resolve();
    }, milliseconds);
    signal?.addEventListener("abort", stop, { once: true });
  });
}
