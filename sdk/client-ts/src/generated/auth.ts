// Generated from sdk/openapi; written again by `npm run generate`.

export interface paths {
    "/api/users/currentuser": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Who the session belongs to, from its token alone. */
        get: operations["current_user"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/users/signin": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Signs in. */
        post: operations["sign_in"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/users/signout": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Ends the session in this browser. */
        post: operations["sign_out"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/users/signup": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Makes a user and signs in. */
        post: operations["sign_up"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
}
export type webhooks = Record<string, never>;
export interface components {
    schemas: {
        /** @description An address and a password. */
        Credentials: {
            /**
             * Format: email
             * @description Trimmed and lower-cased.
             */
            email: string;
            /**
             * Format: password
             * @description 8 to 64 characters with a digit, an upper-case and a lower-case letter, unless the shop asks for less.
             */
            password: string;
        };
        /** @description The signed-in user. */
        CurrentUser: {
            /** @description The address. */
            email: string;
            /**
             * Format: int64
             * @description When the session began, in seconds since 1970.
             */
            iat: number;
            /** @description The user. */
            id: components["schemas"]["UserId"];
        };
        /** @description Who the session belongs to. */
        CurrentUserAnswer: {
            currentUser?: components["schemas"]["CurrentUser"] | null;
        };
        /**
         * @description A word of a closed list
         * @enum {string}
         */
        ErrorCode: "validation_failed" | "malformed_json" | "email_in_use" | "invalid_credentials" | "serial_number_taken" | "ticket_reserved" | "ticket_not_for_sale" | "ticket_withdrawn" | "own_ticket" | "tickets_apart" | "sold_out" | "too_many_held" | "total_too_large" | "price_changed" | "version_conflict" | "order_expired" | "order_cancelled" | "order_complete" | "order_not_cancellable" | "order_not_refundable" | "amount_mismatch" | "card_declined" | "invalid_signature" | "not_authorized" | "foreign_origin" | "not_found" | "method_not_allowed" | "payload_too_large" | "unsupported_media_type" | "idempotency_key_reused" | "too_many_requests" | "internal" | "bad_gateway" | "unavailable" | "outcome_unknown";
        /** @description One failed rule. */
        ErrorItem: {
            /** @description The field it is about, such as `title` or `tickets[2].price`. */
            field?: string;
            /** @description What is wrong, in one sentence. */
            message: string;
        };
        /** @description An empty object. */
        Nothing: Record<string, never>;
        /** @description What went wrong, in words for people and in a code for programs. */
        Problem: {
            /** @description A word of the closed list. */
            code: components["schemas"]["ErrorCode"];
            /** @description One entry per failed rule; never empty. */
            errors: components["schemas"]["ErrorItem"][];
            /** @description The first error's message, or "Request validation failed" when the body or query broke validation rules. */
            message: string;
        };
        /** @description Somebody who signed up. */
        User: {
            /** @description Trimmed and lower-cased. */
            email: string;
            /** @description The user. */
            id: components["schemas"]["UserId"];
        };
        /**
         * @description 24 hexadecimal digits
         * @example 64b0c0ffee0000000000beef
         */
        UserId: string;
    };
    responses: never;
    parameters: never;
    requestBodies: never;
    headers: never;
    pathItems: never;
}
export type $defs = Record<string, never>;
export interface operations {
    current_user: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The user, or null for a visitor */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["CurrentUserAnswer"];
                };
            };
            /** @description A fault of ours */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Something that is needed is away; try again */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
        };
    };
    sign_in: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["Credentials"];
            };
        };
        responses: {
            /** @description The user */
            200: {
                headers: {
                    /** @description The session */
                    "set-cookie"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["User"];
                };
            };
            /** @description Unknown email or wrong password, which is not said */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description The request comes from a page of another origin */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is larger than 1 MiB */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is not JSON */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Too many failures, or requests from one address */
            429: {
                headers: {
                    /** @description Seconds */
                    "retry-after"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description A fault of ours */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Something that is needed is away; try again */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
        };
    };
    sign_out: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The cookie is expired */
            200: {
                headers: {
                    /** @description Expires the session */
                    "set-cookie"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Nothing"];
                };
            };
            /** @description The request comes from a page of another origin */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Too many requests from one address */
            429: {
                headers: {
                    /** @description Seconds */
                    "retry-after"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description A fault of ours */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Something that is needed is away; try again */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
        };
    };
    sign_up: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["Credentials"];
            };
        };
        responses: {
            /** @description The new user */
            201: {
                headers: {
                    /** @description The session */
                    "set-cookie"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["User"];
                };
            };
            /** @description A rule is broken, or the email is in use */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description The request comes from a page of another origin */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is larger than 1 MiB */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is not JSON */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Too many requests from one address */
            429: {
                headers: {
                    /** @description Seconds */
                    "retry-after"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description A fault of ours */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description Something that is needed is away; try again */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
        };
    };
}
