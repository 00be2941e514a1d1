// The shape of the API as types, made of the generated ones: which methods a path has, what a call takes, and what it answers.

import type { paths as AuthPaths, components as AuthComponents } from "./generated/auth.js";
import type { paths as OrdersPaths, components as OrdersComponents } from "./generated/orders.js";
import type { paths as PaymentsPaths, components as PaymentsComponents } from "./generated/payments.js";
import type { paths as TicketsPaths, components as TicketsComponents } from "./generated/tickets.js";

/** Every path of the API. */
export type Paths = AuthPaths & OrdersPaths & PaymentsPaths & TicketsPaths;

export type Method = "get" | "post" | "put" | "patch" | "delete";

/** The paths that have the method. */
export type PathWith<M extends Method> = {
  [P in keyof Paths]: Paths[P] extends Record<M, { responses: unknown }> ? P : never;
}[keyof Paths] &
  string;

/** The operation behind a method and a path. */
export type Operation<M extends Method, P extends PathWith<M>> = Paths[P] extends Record<M, infer O> ? O : never;

type Given<T> = [T] extends [never] ? undefined : T;
type PathOf<O> = O extends { parameters: { path: infer T } } ? Given<T> : undefined;
type QueryOf<O> = O extends { parameters: { query?: infer T } } ? Exclude<T, undefined> : never;
type QueryIsRequired<O> = O extends { parameters: { query: object } } ? true : false;
type BodyOf<O> = O extends { requestBody: { content: { "application/json": infer T } } } ? T : never;
type OptionalBodyOf<O> = O extends { requestBody?: { content: { "application/json": infer T } } } ? T : never;

type WithPath<O> = PathOf<O> extends object ? { path: PathOf<O> } : { path?: undefined };
type WithQuery<O> = QueryIsRequired<O> extends true ? { query: QueryOf<O> } : { query?: QueryOf<O> };
type WithBody<O> = [BodyOf<O>] extends [never] ? { body?: OptionalBodyOf<O> } : { body: BodyOf<O> };

/** What every call may be told. */
export interface CallOptions {
  /**
   * Makes a POST have its effect once, however often it is made: 1 to 255 printable characters. Without one the client makes one for
   * each call, so that its own retries are safe; give your own when the call may be repeated after a crash.
   */
  idempotencyKey?: string;
  /** Ends the call, and its retries. */
  signal?: AbortSignal;
}

/** What a call of that operation takes. */
export type Arguments<O> = WithPath<O> & WithQuery<O> & WithBody<O> & CallOptions;

/** The argument itself, which may be left out where nothing in it is required. */
export type Rest<O> = Partial<Record<never, never>> extends Arguments<O> ? [Arguments<O>?] : [Arguments<O>];

type Success = 200 | 201 | 204;
type Content<R> = R extends { content: { "application/json": infer T } } ? T : undefined;

/** What a call of that operation answers. */
export type Answer<O> = O extends { responses: infer R } ? Content<R[keyof R & Success]> : never;

/** The paths whose GET answers a list in pages. */
export type PagedPath = {
  [P in PathWith<"get">]: Operation<"get", P> extends { parameters: { query?: { cursor?: string } } }
    ? Answer<Operation<"get", P>> extends readonly unknown[]
      ? P
      : never
    : never;
}[PathWith<"get">];

/** One element of the list that a path answers. */
export type Element<P extends PagedPath> = Answer<Operation<"get", P>> extends readonly (infer T)[] ? T : never;

export type Problem = AuthComponents["schemas"]["Problem"];
/** A word of the closed list that docs/errors explains. */
export type ErrorCode = AuthComponents["schemas"]["ErrorCode"];
export type User = AuthComponents["schemas"]["User"];
export type Order = OrdersComponents["schemas"]["Order"];
export type Payment = PaymentsComponents["schemas"]["Payment"];
export type Ticket = TicketsComponents["schemas"]["Ticket"];
export type Event = TicketsComponents["schemas"]["Event"];
