// The session, where no browser keeps cookies.

const NAME = "session=";

/**
 * The token that an answer sets, "" when it ends the session, undefined when it says nothing of one. A browser shows no such header to
 * scripts, and needs no token: it sends the cookie by itself.
 */
export function tokenOf(headers: Headers): string | undefined {
  const cookie = headers.getSetCookie().find((value) => value.startsWith(NAME));
  if (cookie === undefined) {
    return undefined;
  }
  const [value = ""] = cookie.slice(NAME.length).split(";");
  try {
    const body: unknown = JSON.parse(atob(decodeURIComponent(value.replaceAll('"', ""))));
    return isCookieBody(body) ? body.jwt : "";
  } catch {
    return "";
  }
}

function isCookieBody(body: unknown): body is { jwt: string } {
  return typeof body === "object" && body !== null && "jwt" in body && typeof body.jwt === "string";
}
