"""The four examples, and what one model and one site know of all of them."""

from __future__ import annotations

from tests.examples.bills import BILLS
from tests.examples.example import Example
from tests.examples.financials import FINANCIALS
from tests.examples.homework import HOMEWORK
from tests.examples.logging_system import LOGGING

EXAMPLES: tuple[Example, ...] = (FINANCIALS, LOGGING, BILLS, HOMEWORK)
RULES = tuple(rule for example in EXAMPLES for rule in example.rules)
STEPS = LOGGING.steps
PAGES = BILLS.pages
