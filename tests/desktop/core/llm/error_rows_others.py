"""Documented errors of those who speak OpenAI's format: xAI, DeepSeek, Mistral, local servers."""

from __future__ import annotations

from desktop.core.llm.fault import FaultClass as Fault
from tests.desktop.core.llm.error_case import Case, llama, mistral, openai, xai

DEBUGGING = "https://docs.x.ai/developers/debugging"
DEEPSEEK_CODES = "https://api-docs.deepseek.com/quick_start/error_codes"
GLOSSARY = "https://docs.mistral.ai/resources/error-glossary"
LLAMA = "https://github.com/ggml-org/llama.cpp/blob/master/tools/server/README.md"
VLLM_PAGE = "https://docs.vllm.ai/en/latest/serving/openai_compatible_server"
OLLAMA_PAGE = "https://docs.ollama.com/faq"
ISSUES = "https://github.com"

NOT_PERMITTED = "The caller does not have permission to execute the specified operation"
BAD_ARGUMENT = "Client specified an invalid argument"
EXHAUSTED = "Some resource has been exhausted"
CREDITS = (
    "Your team 16f2151a-40f4-4a80-8ad0-cae00c27e8dd has either used all available credits or"
    " reached its monthly spending limit. To continue making API requests, please purchase more"
    " credits or raise your spending limit."
)
TEXT = {"content-type": "text/plain"}
# fmt: off
XAI = (
    Case("xai", 400, "incorrect-key", Fault.AUTH_ERROR,
         f"{DEBUGGING}; {ISSUES}/continuedev/continue/issues/10778",
         xai(BAD_ARGUMENT, "Incorrect API key provided: na***ys. You can obtain an API key from"
                           " https://console.x.ai.")),
    Case("xai", 401, "no-key", Fault.AUTH_ERROR, f"{DEBUGGING} (shape)",
         xai("unauthenticated", "No authorization header was provided.")),
    Case("xai", 403, "no-credits-yet", Fault.QUOTA,
         f"{ISSUES}/griptape-ai/griptape-nodes-engine/issues/1079",
         xai(NOT_PERMITTED, "Your newly created teams doesn't have any credits yet. You can"
                            " purchase credits on https://console.x.ai/team/c853730f.")),
    Case("xai", 429, "credits-used", Fault.QUOTA, f"{ISSUES}/continuedev/continue/issues/10373",
         xai(EXHAUSTED, CREDITS)),
    Case("xai", 403, "credits-used", Fault.QUOTA, f"{ISSUES}/Anantys-oss/koan/issues/2412",
         xai("permission-denied", CREDITS)),
    Case("xai", 403, "denied", Fault.AUTH_ERROR, f"{ISSUES}/decolua/9router/issues/2559",
         xai("permission-denied", "Access to the chat endpoint is denied. Please ensure you're"
                                  " using the correct credentials.")),
    Case("xai", 429, "rate-limit", Fault.RATE_LIMIT, f"{DEBUGGING} (shape)",
         xai(EXHAUSTED, "Too many requests for team x and model grok-4.3. Your team's rate limit"
                        " is 480 requests per minute.")),
    Case("xai", 404, "no-such-model", Fault.BAD_REQUEST, f"{DEBUGGING} (shape)",
         xai("Some requested entity was not found",
             "The model grok-9 does not exist or your team x does not have access to it.")),
    Case("xai", 400, "prompt-length", Fault.CONTEXT_LENGTH, f"{DEBUGGING} (shape)",
         xai(BAD_ARGUMENT, "This model's maximum prompt length is 131072 but the request contains"
                           " 531000 tokens.")),
    Case("xai", 415, "not-json", Fault.BAD_REQUEST, f"{DEBUGGING} (shape)",
         xai("unsupported", "Expected request with `Content-Type: application/json`")),
    Case("xai", 403, "usage-guidelines", Fault.CONTENT_FILTER, f"{DEBUGGING} (shape)",
         xai(NOT_PERMITTED, "Content violates usage guidelines. Team: x, API key ID: y, Model:"
                            " grok-4, Failed check: SAFETY_CHECK_TYPE_BIO")),
)

DEEPSEEK = (
    Case("deepseek", 400, "format", Fault.BAD_REQUEST, f"{DEEPSEEK_CODES} (shape)",
         openai("Failed to deserialize the JSON body into the target type",
                "invalid_request_error")),
    Case("deepseek", 400, "content-risk", Fault.CONTENT_FILTER,
         f"{ISSUES}/deepseek-ai/DeepSeek-V3/issues (shape)",
         openai("Content Exists Risk", "invalid_request_error")),
    Case("deepseek", 400, "context", Fault.CONTEXT_LENGTH, f"{DEEPSEEK_CODES} (shape)",
         openai("This model's maximum context length is 131072 tokens. However, you requested"
                " 140001 tokens (132001 in the messages, 8000 in the completion). Please reduce the"
                " length of the messages or completion.", "invalid_request_error")),
    Case("deepseek", 401, "key", Fault.AUTH_ERROR, f"{DEEPSEEK_CODES} (shape)",
         openai("Authentication Fails, Your api key: ****abcd is invalid", "invalid_request_error",
                "authentication_error")),
    Case("deepseek", 402, "balance", Fault.QUOTA,
         f"{DEEPSEEK_CODES}; {ISSUES}/1Panel-dev/MaxKB/issues/3797",
         openai("Insufficient Balance", "invalid_request_error", "unknown_error")),
    Case("deepseek", 422, "parameters", Fault.BAD_REQUEST, f"{DEEPSEEK_CODES} (shape)",
         openai("Invalid Parameters: max_tokens is out of range", "invalid_request_error")),
    Case("deepseek", 429, "rate", Fault.RATE_LIMIT, f"{DEEPSEEK_CODES} (shape)",
         openai("Rate Limit Reached", "rate_limit_reached_error", "rate_limit_error")),
    Case("deepseek", 500, "server", Fault.SERVER, f"{DEEPSEEK_CODES} (shape)",
         openai("Server Error", None, "server_error")),
    Case("deepseek", 503, "overloaded", Fault.OVERLOADED, f"{DEEPSEEK_CODES} (shape)",
         "Service is too busy. We advise users to temporarily switch to alternative LLM API service"
         " providers.", TEXT),
)

MISTRAL = (
    Case("mistral", 401, "key", Fault.AUTH_ERROR, f"{GLOSSARY} (shape)",
         {"detail": "Unauthorized"}),
    Case("mistral", 402, "payment", Fault.QUOTA, f"{GLOSSARY} (shape)",
         mistral("Payment required", "payment_error")),
    Case("mistral", 403, "tier", Fault.BAD_REQUEST, f"{GLOSSARY} (shape)",
         mistral("This model is not available on your subscription tier.",
                 "invalid_request_error")),
    Case("mistral", 400, "unknown-model", Fault.BAD_REQUEST, GLOSSARY,
         mistral("Invalid model: mistral-huge", "invalid_request_error", "unknown_model")),
    Case("mistral", 400, "too-long", Fault.CONTEXT_LENGTH,
         f"{ISSUES}/mistralai/client-python/issues (shape)",
         mistral("Prompt contains 33093 tokens and 0 draft tokens, too large for model with 32768"
                 " maximum context length", "invalid_request_prompt", "3051")),
    Case("mistral", 422, "validation", Fault.BAD_REQUEST, f"{GLOSSARY} (shape)",
         mistral({"detail": [{"type": "less_than_equal", "loc": ["body", "temperature"],
                              "msg": "Input should be less than or equal to 1.5"}]},
                 "invalid_request_error")),
    Case("mistral", 429, "rate", Fault.RATE_LIMIT, f"{ISSUES}/raycast/extensions/issues/31107",
         {**mistral("Rate limit exceeded", "rate_limited", "1300"), "raw_status_code": 429},
         {"Retry-After": "60"}, 60.0),
    Case("mistral", 429, "bare-rate", Fault.RATE_LIMIT, f"{ISSUES}/dnakov/anon-kode/issues/53",
         {"message": "Requests rate limit exceeded"}),
    Case("mistral", 429, "capacity", Fault.OVERLOADED,
         f"{ISSUES}/continuedev/continue/issues/6185",
         mistral("Service tier capacity exceeded for this model.", "invalid_request_error")),
    Case("mistral", 503, "capacity", Fault.OVERLOADED, f"{ISSUES}/BerriAI/litellm/pull/25078",
         mistral("Service tier capacity exceeded for this model.",
                 "service_tier_capacity_exceeded", "3505")),
    Case("mistral", 504, "gateway-timeout", Fault.TIMEOUT, f"{GLOSSARY} (shape)",
         "upstream request timeout", TEXT),
    Case("mistral", 502, "bad-gateway", Fault.SERVER, f"{GLOSSARY} (shape)", ""),
)

LOCAL = (
    Case("local", 400, "context", Fault.CONTEXT_LENGTH,
         f"{ISSUES}/ggml-org/llama.cpp/pull/15780",
         llama(400, "exceed_context_size_error",
               "the request exceeds the available context size. try increasing the context size or"
               " enable context shift")),
    Case("local", 500, "context-as-it-was", Fault.CONTEXT_LENGTH,
         f"{ISSUES}/ggml-org/llama.cpp/pull/15780",
         llama(500, "server_error",
               "the request exceeds the available context size. try increasing the context size or"
               " enable context shift")),
    Case("local", 503, "loading", Fault.OVERLOADED, LLAMA,
         llama(503, "unavailable_error", "Loading model")),
    Case("local", 401, "key", Fault.AUTH_ERROR, LLAMA,
         llama(401, "authentication_error", "Invalid API Key")),
    Case("local", 400, "body", Fault.BAD_REQUEST, f"{LLAMA} (shape)",
         llama(400, "invalid_request_error", "'messages' is required")),
    Case("vllm", 400, "context", Fault.CONTEXT_LENGTH,
         f"{ISSUES}/harbor-framework/harbor/pull/996",
         llama(400, "BadRequestError",
               "You passed 1015 input tokens and requested 10 output tokens. However, the model's"
               " context length is only 1024 tokens, resulting in a maximum input length of 1014"
               " tokens. Please reduce the length of the input prompt.")),
    Case("vllm", 400, "context-as-it-was", Fault.CONTEXT_LENGTH,
         f"{ISSUES}/FoundationAgents/OpenManus/issues/840",
         {"object": "error", "type": "BadRequestError", "param": None, "code": 400,
          "message": "This model's maximum context length is 10000 tokens. However, you requested"
                     " 10515 tokens (2323 in the messages, 8192 in the completion). Please reduce"
                     " the length of the messages or completion."}),
    Case("vllm", 404, "no-such-model", Fault.BAD_REQUEST, f"{VLLM_PAGE} (shape)",
         {"object": "error", "type": "NotFoundError", "param": None, "code": 404,
          "message": "The model `llama` does not exist."}),
    Case("vllm", 401, "key", Fault.AUTH_ERROR, f"{VLLM_PAGE} (shape)", {"error": "Unauthorized"}),
    Case("ollama", 404, "no-such-model", Fault.BAD_REQUEST,
         f"{ISSUES}/netease-youdao/QAnything/issues/555",
         openai('model "llama3" not found, try pulling it first', None, "api_error")),
    Case("ollama", 503, "busy", Fault.OVERLOADED, f"{OLLAMA_PAGE} (shape)",
         {"error": "server busy, please try again.  maximum pending requests exceeded"}),
    Case("ollama", 500, "out-of-memory", Fault.SERVER, f"{OLLAMA_PAGE} (shape)",
         openai("model requires more system memory (8.4 GiB) than is available (5.6 GiB)", None,
                "api_error")),
)
