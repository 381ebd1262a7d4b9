"""A sample: the quarter of a bakery that nobody owns, and what its numbers warn of."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from desktop.jobs.plan.samples.model import CLARIFIED, COMPOSES, PLANS, Rule
from desktop.jobs.plan.samples.writing import clarify, plan, question, step, taken, value

TASK = "Analyze the quarter of the sample bakery and summarize its key risks."
QUESTION = "Who is going to read the summary?"
ANSWER = "The bank"
ARTIFACT = "bakery risks.md"

FILES: Mapping[str, str] = MappingProxyType(
    {
        "bakery quarter.md": """\
# Sample Bakery (made up), third quarter

Sales were 184,000, which is 6 % more than a year ago. Flour costs 22 % more.

- 58 % of all bread goes to one customer, Sample Hotel. Its contract ends in January.
- The oven is from 2003. It stood still for nine days in August.
- The loan of 60,000 has a variable rate; it rose from 3.1 % to 5.4 %.
""",
        "bakery costs.csv": """\
month,sales,flour,energy,wages
July,62000,9800,5100,24000
August,55000,9600,5900,24000
September,67000,11900,6200,24500
""",
    }
)

_RISKS = """\
1. One customer takes 58 % of the bread, and its contract ends in January.
2. The oven is from 2003; nine days in August were lost to it.
3. The loan's rate rose from 3.1 % to 5.4 %, on 60,000.
4. Flour and energy grow faster than sales: 21 % in a quarter, sales 8 %.
"""
_PLAN = plan(
    "Tell the bank which risks stand in the bakery's quarter.",
    step(
        "report", "Read the report", "files.read", value("file", "bakery quarter.md"),
        gives={"text": "text"},
    ),
    step(
        "costs", "Read the costs", "files.read", value("file", "bakery costs.csv"),
        gives={"text": "text"},
    ),
    step(
        "risks", "Find the risks", "llm.ask",
        taken("text", "report", "text"), taken("text", "costs", "text"),
        gives={"text": "text"},
        words="Which risks does the bakery run? Name each with its figures, the largest first.",
    ),
    step(
        "page", "Write the page", "files.write",
        value("file", ARTIFACT), taken("text", "risks", "text"),
        gives={"file": "file"}, permission="write", criteria=(("file_exists", ""),),
    ),
    assumptions=("The figures of the report are right.",),
)  # fmt: skip

RULES = (
    Rule((PLANS, CLARIFIED), _PLAN),
    Rule(
        (PLANS,),
        clarify(
            "Who reads it decides what has to stand in it.",
            question(QUESTION, ANSWER, "The owners", default="The owners"),
        ),
    ),
    Rule(
        (COMPOSES,),
        "The largest risk is one customer: Sample Hotel takes 58 % of the bread, and its contract "
        "ends in January [1]. The oven of 2003 stood still for nine days [1]. The loan's rate rose "
        "from 3.1 % to 5.4 % [1]. Flour and energy rose by 21 % within the quarter, sales by 8 % "
        "[2]. The page for the bank is written [4].",
    ),
    Rule(("Which risks does the bakery run?",), _RISKS),
)
