export type {
  Answer,
  Arguments,
  CallOptions,
  Element,
  ErrorCode,
  Event,
  Method,
  Operation,
  Order,
  PagedPath,
  Paths,
  PathWith,
  Payment,
  Problem,
  Ticket,
  User,
} from "./api.js";
export { Client, type ClientOptions } from "./client.js";
export { BigTixError, NetworkError, ProblemError, UnreadableError } from "./error.js";
