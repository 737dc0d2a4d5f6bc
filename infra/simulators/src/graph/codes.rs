//! Meta's error codes with their titles and HTTP statuses.
//!
//! Source: Meta's page `support/error-codes` of the Cloud API.

/// The title of a code, which the answer's `message` and a status webhook's `title` carry.
pub(crate) fn title(code: u32) -> &'static str {
    match code {
        0 => "AuthException",
        1 => "An unknown error has occurred.",
        2 => "Service temporarily unavailable",
        3 => "Application does not have the capability to make this API call.",
        4 => "Application request limit reached",
        10 => "Application does not have permission for this action",
        100 => "Invalid parameter",
        190 => "Error validating access token: The session is invalid or has expired.",
        200..=299 => "Permissions error",
        368 => "Temporarily blocked for policies violations",
        80007 => "Rate limit issues",
        130_429 => "Rate limit hit",
        130_472 => "User's number is part of an experiment",
        130_497 => "Business account is restricted from messaging users in this country.",
        133_010 => "Phone number not registered",
        133_016 => "Account register deregister rate limit exceeded",
        134_101 => "Template is syncing",
        131_000..=131_999 => message_title(code),
        132_000..=132_999 => template_title(code),
        _ => "Something went wrong",
    }
}

fn message_title(code: u32) -> &'static str {
    match code {
        131_005 => "Access denied",
        131_008 => "Required parameter is missing",
        131_009 => "Parameter value is not valid",
        131_016 => "Service unavailable",
        131_021 => "Recipient cannot be sender",
        131_026 => "Message undeliverable",
        131_030 => "Recipient phone number not in allowed list",
        131_031 => "Account has been locked",
        131_037 => "The phone number needs display name approval before a message can be sent.",
        131_042 => "Business eligibility payment issue",
        131_045 => "Message failed to send due to a phone number registration error",
        131_047 => "Re-engagement message",
        131_048 => "Spam rate limit hit",
        131_049 => "This message was not delivered to maintain healthy ecosystem engagement.",
        131_050 => "The recipient has chosen to stop receiving marketing messages from your business",
        131_051 => "Unsupported message type",
        131_052 => "Media download error",
        131_053 => "Media upload error",
        131_056 => "(Business Account, Consumer Account) pair rate limit hit",
        131_057 => "Account in maintenance mode",
        131_062 => "The recipient cannot be reached by a business-scoped user id",
        131_063 => "Marketing templates are disabled on the Cloud API",
        131_064 => "Account messaging limit reached",
        _ => "Something went wrong",
    }
}

fn template_title(code: u32) -> &'static str {
    match code {
        132_000 => "Number of parameters does not match the expected number of params",
        132_001 => "Template name does not exist in the translation",
        132_005 => "Translated text too long",
        132_007 => "Template format character policy violated",
        132_008 | 132_012 => "Parameter format does not match format in the created template",
        132_015 => "Template is paused",
        132_016 => "Template is disabled",
        132_018 => "There was an issue with the parameters in your template",
        132_068 => "Flow is in blocked state",
        132_069 => "Flow is in throttled state",
        _ => "Template error",
    }
}

/// The HTTP status a code is answered with.
pub(crate) fn http_status(code: u32) -> u16 {
    match code {
        4 | 80007 | 130_429 => 429,
        0 | 190 => 401,
        3 | 10 | 200..=299 | 368 | 131_005 | 131_031 => 403,
        1 | 2 | 131_000 | 131_016 | 131_057 | 134_101 => 500,
        _ => 400,
    }
}

/// Whether Meta marks the code as temporary.
pub(crate) fn is_transient(code: u32) -> bool {
    matches!(code, 1 | 2 | 131_000 | 131_016)
}
