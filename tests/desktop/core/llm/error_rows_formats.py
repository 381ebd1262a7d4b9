"""Documented errors of OpenAI, Anthropic and Google."""

from __future__ import annotations

from desktop.core.llm.fault import FaultClass as Fault
from tests.desktop.core.llm.error_case import (
    Case,
    anthropic,
    error_info,
    google,
    openai,
    quota_failure,
    retry_info,
)

CODES = "https://developers.openai.com/api/docs/guides/error-codes"
LIMITS = "https://developers.openai.com/api/docs/guides/rate-limits"
ANTHROPIC = "https://platform.claude.com/docs/en/api/errors"
ANTHROPIC_LIMITS = "https://platform.claude.com/docs/en/api/rate-limits"
GEMINI = "https://ai.google.dev/gemini-api/docs/troubleshooting"
GEMINI_CODES = "https://ai.google.dev/gemini-api/docs/api-errors"
CLOUDFLARE = "https://developers.cloudflare.com/support/troubleshooting/http-status-codes/"
ISSUES = "https://github.com"

USED_UP = "You exceeded your current quota, please check your plan and billing details."
PAGE = {"content-type": "text/html"}
# fmt: off
OPENAI = (
    Case("openai", 401, "incorrect-key", Fault.AUTH_ERROR, CODES,
         openai("Incorrect API key provided: sk-abc***xyz. You can find your API key at"
                " https://platform.openai.com/account/api-keys.", "invalid_api_key")),
    Case("openai", 401, "no-member", Fault.AUTH_ERROR, f"{CODES} (shape)",
         openai("You must be a member of an organization to use the API")),
    Case("openai", 401, "ip", Fault.AUTH_ERROR, f"{CODES} (shape)",
         openai("IP not authorized", "ip_not_authorized")),
    Case("openai", 403, "country", Fault.AUTH_ERROR, f"{ISSUES}/home-assistant/core/issues/120072",
         openai("Country, region, or territory not supported",
                "unsupported_country_region_territory", "request_forbidden")),
    Case("openai", 429, "requests-a-minute", Fault.RATE_LIMIT, f"{CODES}; {LIMITS}",
         openai("Rate limit reached for gpt-5-mini in organization org-x on requests per min (RPM):"
                " Limit 3, Used 3, Requested 1. Please try again in 20s.",
                "rate_limit_exceeded", "requests"),
         {"retry-after-ms": "1240", "retry-after": "2", "x-should-retry": "true",
          "x-ratelimit-remaining-requests": "0", "x-ratelimit-reset-requests": "6m0s"}, 1.24),
    Case("openai", 429, "tokens-a-minute", Fault.RATE_LIMIT,
         f"{ISSUES}/FoundationAgents/MetaGPT/issues/523",
         openai("Rate limit reached for gpt-4 in organization org-x on tokens per min (TPM): Limit"
                " 10000, Used 8554, Requested 3082. Please try again in 9.816s. Visit"
                " https://platform.openai.com/account/rate-limits to learn more.",
                "rate_limit_exceeded", "tokens"), wait=9.816),
    Case("openai", 429, "reset-headers", Fault.RATE_LIMIT, LIMITS,
         openai("Rate limit reached for requests", "rate_limit_exceeded", "requests"),
         {"x-ratelimit-remaining-requests": "0", "x-ratelimit-reset-requests": "1m2.5s",
          "x-ratelimit-remaining-tokens": "4000", "x-ratelimit-reset-tokens": "6m0s"}, 62.5),
    Case("openai", 429, "never-fits-the-minute", Fault.CONTEXT_LENGTH,
         f"{ISSUES}/DrShushen/climb/issues/13",
         openai("Request too large for gpt-4o in organization org-x on tokens per min (TPM): Limit"
                " 30000, Requested 30601. The input or output tokens must be reduced in order to"
                " run successfully.", "rate_limit_exceeded", "tokens")),
    Case("openai", 429, "slow-down", Fault.RATE_LIMIT, f"{CODES} (shape)",
         openai("Your request rate increased too quickly.", "slow_down", "rate_limit_error"),
         {"retry-after": "15"}, 15.0),
    Case("openai", 503, "slow-down-as-it-was", Fault.RATE_LIMIT, f"{CODES} (shape)",
         openai("Slow down", "slow_down", "service_unavailable_error")),
    Case("openai", 429, "insufficient-quota", Fault.QUOTA, CODES,
         openai(USED_UP, "insufficient_quota", "insufficient_quota"), {"x-should-retry": "false"}),
    *(Case("openai", 429, code.replace("_", "-"), Fault.QUOTA, CODES,
           openai(USED_UP, code, "insufficient_quota"))
      for code in ("credit_balance_exhausted", "organization_spend_limit_exceeded",
                   "project_spend_limit_exceeded", "organization_usage_limit_exceeded")),
    Case("openai", 500, "server", Fault.SERVER, CODES,
         openai("The server had an error while processing your request", None, "server_error")),
    Case("openai", 503, "overloaded", Fault.OVERLOADED, CODES,
         openai("The engine is currently overloaded, please try again later",
                "server_is_overloaded", "service_unavailable_error"), {"retry-after": "30"}, 30.0),
    Case("openai", 400, "context-length", Fault.CONTEXT_LENGTH, CODES,
         openai("This model's maximum context length is 128000 tokens. However, your messages"
                " resulted in 140339 tokens. Please reduce the length of the messages.",
                "context_length_exceeded")),
    Case("openai", 404, "model-not-found", Fault.BAD_REQUEST, CODES,
         openai("The model `gpt-9` does not exist or you do not have access to it.",
                "model_not_found")),
    Case("openai", 403, "model-not-in-the-project", Fault.BAD_REQUEST, f"{CODES} (shape)",
         openai("Project `proj_x` does not have access to model `o3`", "model_not_found")),
    Case("openai", 400, "service-tier", Fault.BAD_REQUEST, CODES,
         openai("Invalid service_tier argument: The requested service tier is not allowed for this"
                " project.")),
    Case("openai", 400, "temperature", Fault.BAD_REQUEST, f"{CODES} (shape)",
         openai("Unsupported value: 'temperature' does not support 0.2 with this model. Only the"
                " default (1) value is supported.", "unsupported_value")),
    Case("openai", 400, "flagged-prompt", Fault.CONTENT_FILTER,
         f"{ISSUES}/alan-turing-institute/t0-1/issues/69",
         openai("Invalid prompt: your prompt was flagged as potentially violating our usage policy."
                " Please try again with a different prompt.", "invalid_prompt")),
    Case("openai", 502, "gateway-page", Fault.SERVER, CLOUDFLARE,
         "<html><head><title>502 Bad Gateway</title></head><body><h1>502 Bad Gateway</h1>"
         "<hr><center>cloudflare</center></body></html>", PAGE),
    Case("openai", 524, "gateway-timeout", Fault.TIMEOUT, CLOUDFLARE,
         "<html><title>524: A timeout occurred</title></html>", PAGE),
)

CLAUDE = (
    Case("anthropic", 401, "key", Fault.AUTH_ERROR, ANTHROPIC,
         anthropic("authentication_error", "invalid x-api-key")),
    Case("anthropic", 403, "permission", Fault.AUTH_ERROR, ANTHROPIC,
         anthropic("permission_error",
                   "Your API key does not have permission to use the specified resource.")),
    Case("anthropic", 402, "billing", Fault.QUOTA, ANTHROPIC,
         anthropic("billing_error", "There is an issue with your billing information.")),
    Case("anthropic", 400, "credit-balance", Fault.QUOTA,
         f"{ISSUES}/anthropics/claude-code/issues/66314",
         anthropic("invalid_request_error",
                   "Your credit balance is too low to access the Anthropic API. Please go to Plans"
                   " & Billing to upgrade or purchase credits.")),
    Case("anthropic", 400, "own-usage-limit", Fault.QUOTA, ANTHROPIC,
         anthropic("invalid_request_error",
                   "You have reached your specified API usage limits. You will regain access on"
                   " 2026-12-01 at 00:00 UTC.")),
    Case("anthropic", 400, "workspace-usage-limit", Fault.QUOTA, ANTHROPIC,
         anthropic("invalid_request_error",
                   "You have reached your specified workspace API usage limits. You will regain"
                   " access on 2026-12-01 at 00:00 UTC.")),
    Case("anthropic", 429, "spend-limit-of-the-tier", Fault.QUOTA,
         f"{ANTHROPIC}; {ANTHROPIC_LIMITS}",
         anthropic("rate_limit_error", "Your organization has reached its monthly limit.",
                   {"error_code": "enforced_spend_limit_reached"})),
    Case("anthropic", 429, "rate-limit", Fault.RATE_LIMIT, ANTHROPIC_LIMITS,
         anthropic("rate_limit_error",
                   "This request would exceed your organization's rate limit of 50 requests per"
                   " minute."),
         {"retry-after": "12", "anthropic-ratelimit-requests-remaining": "0",
          "anthropic-ratelimit-requests-reset": "2026-11-21T12:00:40Z"}, 12.0),
    Case("anthropic", 429, "reset-headers", Fault.RATE_LIMIT, ANTHROPIC_LIMITS,
         anthropic("rate_limit_error",
                   "Number of request tokens has exceeded your per-minute rate limit"),
         {"anthropic-ratelimit-requests-remaining": "49",
          "anthropic-ratelimit-requests-reset": "2026-11-21T12:30:00Z",
          "anthropic-ratelimit-input-tokens-remaining": "0",
          "anthropic-ratelimit-input-tokens-reset": "2026-11-21T12:00:40Z"}, 40.0),
    Case("anthropic", 400, "too-long", Fault.CONTEXT_LENGTH,
         f"{ISSUES}/anthropics/claude-code/issues/11281",
         anthropic("invalid_request_error",
                   "prompt is too long: 201130 tokens > 200000 maximum")),
    Case("anthropic", 400, "too-long-with-the-reply", Fault.CONTEXT_LENGTH,
         "https://platform.claude.com/docs/en/build-with-claude/context-windows (shape)",
         anthropic("invalid_request_error",
                   "input length and `max_tokens` exceed context limit: 190000 + 20000 > 200000,"
                   " decrease input length or `max_tokens` and try again")),
    Case("anthropic", 400, "reply-limit", Fault.BAD_REQUEST, f"{ANTHROPIC} (shape)",
         anthropic("invalid_request_error",
                   "max_tokens: 200000 > 64000, which is the maximum allowed number of output"
                   " tokens for claude-sonnet-5")),
    Case("anthropic", 400, "blocked-content", Fault.CONTENT_FILTER, f"{ANTHROPIC} (shape)",
         anthropic("invalid_request_error", "Output blocked by content filtering policy")),
    Case("anthropic", 404, "no-such-model", Fault.BAD_REQUEST, ANTHROPIC,
         anthropic("not_found_error", "model: claude-3-5-sonnet-20299999")),
    Case("anthropic", 413, "too-many-bytes", Fault.BAD_REQUEST, ANTHROPIC,
         anthropic("request_too_large", "Request exceeds the maximum size")),
    Case("anthropic", 500, "internal", Fault.SERVER, ANTHROPIC,
         anthropic("api_error", "Internal server error")),
    Case("anthropic", 504, "timeout", Fault.TIMEOUT, ANTHROPIC,
         anthropic("timeout_error", "The request timed out while processing.")),
    Case("anthropic", 529, "overloaded", Fault.OVERLOADED, ANTHROPIC,
         anthropic("overloaded_error", "Overloaded"), {"x-should-retry": "true"}),
)

GOOGLE = (
    Case("google", 400, "key-invalid", Fault.AUTH_ERROR, GEMINI_CODES,
         google(400, "INVALID_ARGUMENT", "API key not valid. Please pass a valid API key.",
                error_info("API_KEY_INVALID"))),
    Case("google", 403, "permission", Fault.AUTH_ERROR, GEMINI,
         google(403, "PERMISSION_DENIED", "The caller does not have permission")),
    Case("google", 403, "service-off", Fault.AUTH_ERROR,
         "https://docs.cloud.google.com/apis/docs/troubleshooting (shape)",
         google(403, "PERMISSION_DENIED",
                "Generative Language API has not been used in project 1 before or it is disabled.",
                error_info("SERVICE_DISABLED"))),
    Case("google", 400, "free-tier-abroad", Fault.QUOTA, GEMINI,
         google(400, "FAILED_PRECONDITION",
                "Gemini API free tier is not available in your country. Please enable billing on"
                " your project in Google AI Studio.")),
    Case("google", 400, "location", Fault.AUTH_ERROR, f"{GEMINI} (shape)",
         google(400, "FAILED_PRECONDITION", "User location is not supported for the API use.")),
    Case("google", 402, "out-of-credit", Fault.QUOTA, f"{GEMINI_CODES} (shape)",
         google(402, "RESOURCE_EXHAUSTED", "Your prepaid credits are depleted.")),
    Case("google", 429, "a-minute", Fault.RATE_LIMIT,
         f"{GEMINI}; {ISSUES}/google-gemini/gemini-cli/issues/8437",
         google(429, "RESOURCE_EXHAUSTED", f"{USED_UP} Please retry in 14.2s.",
                quota_failure("GenerateRequestsPerMinutePerProjectPerModel-FreeTier"),
                retry_info("14s")), wait=14.0),
    Case("google", 429, "a-minute-fraction", Fault.RATE_LIMIT,
         f"{GEMINI}; {ISSUES}/google-gemini/gemini-cli/issues/8437",
         google(429, "RESOURCE_EXHAUSTED", USED_UP,
                quota_failure("GenerateContentInputTokensPerModelPerMinute-FreeTier"),
                retry_info("1.5s")), wait=1.5),
    Case("google", 429, "a-day", Fault.QUOTA, f"{ISSUES}/langgenius/dify/issues/19838",
         google(429, "RESOURCE_EXHAUSTED", USED_UP,
                quota_failure("GenerateRequestsPerDayPerProjectPerModel-FreeTier"),
                retry_info("14s"))),
    Case("google", 429, "a-minute-and-a-day", Fault.QUOTA,
         f"{ISSUES}/google-gemini/gemini-cli/issues/8437",
         google(429, "RESOURCE_EXHAUSTED", USED_UP,
                quota_failure("GenerateRequestsPerMinutePerProjectPerModel-FreeTier",
                              "GenerateRequestsPerDayPerProjectPerModel-FreeTier"))),
    Case("google", 429, "without-details", Fault.RATE_LIMIT,
         f"{ISSUES}/googleapis/python-genai/issues/2065",
         google(429, "RESOURCE_EXHAUSTED", "Resource has been exhausted (e.g. check quota).")),
    Case("google", 429, "not-for-free", Fault.QUOTA, f"{GEMINI} (shape)",
         google(429, "RESOURCE_EXHAUSTED",
                f"{USED_UP} * Quota exceeded for metric:"
                " generativelanguage.googleapis.com/generate_content_free_tier_requests, limit: 0,"
                " model: gemini-2.5-pro")),
    Case("google", 400, "token-count", Fault.CONTEXT_LENGTH, f"{GEMINI} (shape)",
         google(400, "INVALID_ARGUMENT",
                "The input token count (1200000) exceeds the maximum number of tokens allowed"
                " (1048576).")),
    Case("google", 400, "argument", Fault.BAD_REQUEST, GEMINI,
         google(400, "INVALID_ARGUMENT", "Request contains an invalid argument.")),
    Case("google", 404, "no-such-model", Fault.BAD_REQUEST, GEMINI,
         google(404, "NOT_FOUND",
                "models/gemini-9 is not found for API version v1beta, or is not supported for"
                " generateContent.")),
    Case("google", 500, "internal", Fault.SERVER, GEMINI,
         google(500, "INTERNAL", "An internal error has occurred. Please retry.")),
    Case("google", 503, "overloaded", Fault.OVERLOADED, GEMINI,
         google(503, "UNAVAILABLE", "The model is overloaded. Please try again later.")),
    Case("google", 503, "capacity", Fault.OVERLOADED,
         f"{ISSUES}/google-gemini/gemini-cli/issues/23520",
         google(503, "UNAVAILABLE", "No capacity available for model on the server",
                error_info("MODEL_CAPACITY_EXHAUSTED"))),
    Case("google", 504, "deadline", Fault.TIMEOUT, GEMINI,
         google(504, "DEADLINE_EXCEEDED", "Deadline expired before operation could complete.")),
)
