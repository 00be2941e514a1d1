// What can go wrong with a call.

import type { ErrorCode, Problem } from "./api.js";

/** Why a call has no answer to give. Catch this one to catch all of them. */
export abstract class BigTixError extends Error {}

/** The shop refused, in its own words. */
export class ProblemError extends BigTixError {
  override readonly name = "ProblemError";

  constructor(
    /** The HTTP status. */
    readonly status: number,
    /** What the shop said. */
    readonly problem: Problem,
    /** The id under which the shop's logs know the request. */
    readonly requestId: string | undefined,
    /** After how many milliseconds to try again, if the shop said so. */
    readonly retryAfter: number | undefined,
  ) {
    super(`${status}: ${problem.message}`);
  }

  /** What programs branch on. */
  get code(): ErrorCode {
    return this.problem.code;
  }

  /** The messages about one field of the body or the query. */
  about(field: string): string[] {
    return this.problem.errors.filter((error) => error.field === field).map((error) => error.message);
  }
}

/** Nothing came back: it is not known whether the request took effect. Repeat it with the same key to find out. */
export class NetworkError extends BigTixError {
  override readonly name = "NetworkError";

  constructor(cause: unknown) {
    super(`the shop could not be reached: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
  }
}

/** Something came back that is not what the API promises. */
export class UnreadableError extends BigTixError {
  override readonly name = "UnreadableError";

  constructor(
    /** The HTTP status. */
    readonly status: number,
    /** The id under which the shop's logs know the request. */
    readonly requestId: string | undefined,
    cause: unknown,
  ) {
    super(`an answer with status ${status} could not be read`, { cause });
  }
}
