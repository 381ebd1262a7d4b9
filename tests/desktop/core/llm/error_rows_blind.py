"""Errors of people's reports, written down before the classifier had met their like.

At first sight 13 of the 17 in `FIRST` had the right class, and 14 would have been tried again, or
not, as they should; then 14 and 15 of the 16 in `SECOND`. The others taught the classifier what it
lacked.
"""

from __future__ import annotations

from desktop.core.llm.fault import FaultClass as Fault
from tests.desktop.core.llm.error_case import Case, anthropic, google, llama, mistral, openai

ISSUES = "https://github.com"

# fmt: off
FIRST = (
    Case("google", 403, "leaked-key", Fault.AUTH_ERROR,
         f"{ISSUES}/continuedev/continue/issues/11541",
         google(403, "PERMISSION_DENIED",
                "Your API key was reported as leaked. Please use another API key.")),
    Case("google", 400, "token-count-in-a-list", Fault.CONTEXT_LENGTH,
         f"{ISSUES}/google-gemini/gemini-cli/issues/12098",
         '[{"error": {"code": 400, "message": "The input token count (314175) exceeds the maximum'
         ' number of tokens allowed (131072).", "errors": [{"message": "x", "domain": "global",'
         ' "reason": "badRequest"}], "status": "INVALID_ARGUMENT"}}]'),
    Case("anthropic", 400, "organization-disabled", Fault.AUTH_ERROR,
         f"{ISSUES}/anthropics/claude-code/issues/72457",
         anthropic("invalid_request_error", "This organization has been disabled.")),
    Case("anthropic", 403, "sign-in-not-allowed", Fault.AUTH_ERROR,
         f"{ISSUES}/anthropics/claude-code/issues/61869",
         anthropic("permission_error",
                   "OAuth authentication is currently not allowed for this organization.")),
    Case("anthropic", 429, "long-context-not-open", Fault.CONTEXT_LENGTH,
         f"{ISSUES}/anthropics/claude-code/issues/50784",
         anthropic("rate_limit_error", "Extra usage is required for long context requests.")),
    Case("anthropic", 429, "through-a-gateway", Fault.RATE_LIMIT,
         f"{ISSUES}/FoundationAgents/OpenManus/issues/746",
         openai("This request would exceed the rate limit for your organization of 20,000 input"
                " tokens per minute. For details, refer to:"
                " https://docs.anthropic.com/en/api/rate-limits. You can see the response headers"
                " for current usage. Please reduce the prompt length or the maximum tokens"
                " requested, or try again later.", "rate_limit_error")),
    Case("openai", 401, "account-deactivated", Fault.AUTH_ERROR,
         f"{ISSUES}/nat/openplayground/issues/143",
         openai("The OpenAI account associated with this API key has been deactivated.",
                "account_deactivated")),
    Case("xai", 422, "body", Fault.BAD_REQUEST, f"{ISSUES}/meangrinch/MangaTranslator/issues/48",
         "Failed to deserialize the JSON body into the target type: input: data did not match any"
         " variant of untagged enum ModelInput at line 1 column 114032",
         {"content-type": "text/plain"}),
    Case("xai", 403, "challenge-page", Fault.AUTH_ERROR, f"{ISSUES}/orzogc/grok3_api/issues/3",
         '<!DOCTYPE html><html lang="en-US"><head><title>Just a moment...</title></head></html>',
         {"content-type": "text/html"}),
    Case("mistral", 422, "extra-field", Fault.BAD_REQUEST,
         f"{ISSUES}/editor-code-assistant/eca/issues/231",
         mistral({"detail": [{"type": "extra_forbidden", "loc": ["body", "max_completion_tokens"],
                              "msg": "Extra inputs are not permitted", "input": 32000}]},
                 "invalid_request_error")),
    Case("vllm", 500, "longer-than-the-model", Fault.CONTEXT_LENGTH,
         f"{ISSUES}/langchain-ai/deepagents/issues/468",
         {"detail": "[address=0.0.0.0:43769, pid=1065] The decoder prompt (length 66501) is longer"
                    " than the maximum model length of 65536. Make sure that `max_model_len` is no"
                    " smaller than the number of text tokens."}),
    Case("local", 500, "context-exceeded", Fault.CONTEXT_LENGTH,
         f"{ISSUES}/ggml-org/llama.cpp/issues/19774",
         llama(500, "server_error", "Context size has been exceeded.")),
    Case("local", 500, "larger-than-the-context", Fault.CONTEXT_LENGTH,
         f"{ISSUES}/ggml-org/llama.cpp/pull/10030",
         llama(500, "server_error", "input is larger than the max context size. skipping")),
    Case("local", 500, "larger-than-the-batch", Fault.CONTEXT_LENGTH,
         f"{ISSUES}/ggml-org/llama.cpp/issues/12295",
         llama(500, "server_error",
               "input is too large to process. increase the physical batch size")),
    Case("ollama", 429, "session-used-up", Fault.QUOTA,
         f"{ISSUES}/continuedev/continue/issues/11444",
         {"error": "you (x) have reached your session usage limit, upgrade for higher limits:"
                   " https://ollama.com/upgrade"}),
    Case("ollama", 403, "model-needs-subscription", Fault.BAD_REQUEST,
         f"{ISSUES}/ollama/ollama/issues/15990",
         anthropic("permission_error", "this model requires a subscription, upgrade for access:"
                                       " https://ollama.com/upgrade")),
    Case("ollama", 400, "no-tools", Fault.BAD_REQUEST, f"{ISSUES}/ollama/ollama/issues/14795",
         {"error": "registry.ollama.ai/library/Qwen3.5:0.8b does not support tools"}),
)

SECOND = (
    Case("openai", 429, "requests-a-day", Fault.RATE_LIMIT,
         f"{ISSUES}/feder-cr/invisible_playwright_mcp/issues/109",
         openai("Rate limit reached for gpt-4o-mini in organization org-x on requests per day"
                " (RPD): Limit 200, Used 200, Requested 1. Please try again in 7m12s. Visit"
                " https://platform.openai.com/account/rate-limits to learn more. You can increase"
                " your rate limit by adding a payment method to your account at"
                " https://platform.openai.com/account/billing.", "rate_limit_exceeded",
                "requests"), wait=432.0),
    Case("openai", 429, "in-milliseconds", Fault.RATE_LIMIT,
         f"{ISSUES}/Huanshere/VideoLingo/issues/34",
         openai("Rate limit reached for gpt-4o in organization org-x on tokens per min (TPM): Limit"
                " 10000, Used 9524, Requested 497. Please try again in 125ms.",
                "rate_limit_exceeded", "tokens"), wait=0.125),
    Case("openai", 429, "none-allowed", Fault.QUOTA,
         f"{ISSUES}/chatboxai/chatbox/issues/1361",
         openai("Rate limit exceeded for images per minute in organization org-x. Limit: 0/1min."
                " Current: 1/1min.", "rate_limit_exceeded", "requests")),
    Case("google", 400, "field", Fault.BAD_REQUEST, f"{ISSUES}/boldsoftware/sketch/issues/68",
         google(400, "INVALID_ARGUMENT",
                "* GenerateContentRequest.contents[33].parts[0].data: required oneof field 'data'"
                " must have one initialized field")),
    Case("google", 400, "body-in-a-message", Fault.BAD_REQUEST,
         f"{ISSUES}/lbjlaq/Antigravity-Manager/issues/1942",
         google(400, "UPSTREAM_ERROR",
                '{"error": {"code": 400, "message": "Request contains an invalid argument.",'
                ' "status": "INVALID_ARGUMENT"}}')),
    Case("google", 400, "location-without-billing", Fault.QUOTA,
         f"{ISSUES}/writingmate/chatlabs/issues/120",
         google(400, "FAILED_PRECONDITION",
                "User location is not supported for the API use without a billing account"
                " linked.")),
    Case("google", 500, "through-a-gateway", Fault.SERVER,
         f"{ISSUES}/snailyp/gemini-balance/issues/348",
         {"error": {"code": "http_error",
                    "message": "Internal server error during gemini_generate_content"}}),
    Case("deepseek", 400, "reply-limit", Fault.BAD_REQUEST,
         f"{ISSUES}/musistudio/claude-code-router/issues/1249",
         openai("Invalid max_tokens value, the valid range of max_tokens is [1, 8192]",
                "invalid_request_error")),
    Case("deepseek", 400, "reply-limit-elsewhere", Fault.BAD_REQUEST,
         f"{ISSUES}/AQBot-Desktop/AQBot/issues/58",
         llama(400, "BadRequestError",
               "max_completion_tokens is too large: 300000.This model supports at most 262144"
               " completion tokens.")),
    Case("deepseek", 400, "reasoning-left-out", Fault.BAD_REQUEST,
         f"{ISSUES}/decolua/9router/issues/773",
         openai("The `reasoning_content` in the thinking mode must be passed back to the API.",
                "invalid_request_error")),
    Case("deepseek", 400, "response-format", Fault.BAD_REQUEST,
         f"{ISSUES}/ItzCrazyKns/Vane/issues/969",
         openai("This response_format type is unavailable now", "invalid_request_error")),
    Case("deepseek", 401, "header", Fault.AUTH_ERROR,
         f"{ISSUES}/linshenkx/prompt-optimizer/issues/170",
         openai("Authentication Fails (auth header format should be Bearer sk-...)",
                "invalid_request_error", "authentication_error")),
    Case("anthropic", 401, "sign-in-expired", Fault.AUTH_ERROR,
         f"{ISSUES}/Piebald-AI/piebald-issues/issues/22",
         anthropic("authentication_error", "OAuth token has expired.")),
    Case("anthropic", 500, "overloaded", Fault.OVERLOADED,
         f"{ISSUES}/anthropics/claude-code/issues/8109", anthropic("api_error", "Overloaded")),
    Case("vllm", 500, "engine-dead", Fault.SERVER, f"{ISSUES}/vllm-project/vllm/issues/42362",
         llama(500, "InternalServerError",
               "EngineCore encountered an issue. See stack trace (above) for the root cause.")),
    Case("ollama", 500, "runner-ended", Fault.SERVER, f"{ISSUES}/ollama/ollama/issues/8770",
         {"error": "llama runner process has terminated: exit status 2"}),
)

BLIND = FIRST + SECOND
