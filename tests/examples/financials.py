"""Analyze this company's financials and summarize the key risks."""

from __future__ import annotations

from desktop.jobs.plan.samples.model import COMPOSES, PLANS, Rule
from desktop.jobs.plan.samples.writing import plan, step, taken, value
from tests.examples.example import Example

TASK = "Analyze this company's financials and summarize the key risks."
_REPORT = """\
# Sample Kites Ltd (made up), annual report 2025

Sample Kites makes kites and sells them to shops. It has 41 employees.

## Business

Revenue was 6.2 million, 4 % more than in 2024. One customer, Sample Toys, bought 44 % of it;
its contract can be ended with three months' notice.

## Financing

A loan of 1.8 million falls due in June 2026. Its covenant asks for an equity ratio of 20 %; at the
end of the year it was 21.3 %. The rate is variable.

## Supply

All carbon rods come from one supplier abroad, paid in a foreign currency that is not hedged.
"""
_FIGURES = """\
quarter,revenue,cost_of_goods,wages,interest,cash
2025Q1,1310000,640000,410000,21000,420000
2025Q2,1790000,930000,415000,23000,365000
2025Q3,1880000,1010000,420000,26000,298000
2025Q4,1220000,702000,430000,29000,181000
"""
_RISKS = """\
# Key risks of Sample Kites Ltd (made up), 2025

1. **The loan falls due.** 1.8 million in June 2026; cash was 181,000 at the end of the year.
2. **The covenant is close.** The equity ratio is 21.3 %, and 20 % are asked for.
3. **One customer.** Sample Toys buys 44 % and may leave with three months' notice.
4. **Margins fall.** Goods cost 48.9 % of revenue in the first quarter and 57.5 % in the last.
5. **One supplier, unhedged currency.** All carbon rods come from one place abroad.
"""
_CODE = """\
```python
share = (df["cost_of_goods"] / df["revenue"] * 100).round(1)
out.number("cost of goods, share of revenue, first quarter", float(share.iloc[0]), "%")
out.number("cost of goods, share of revenue, last quarter", float(share.iloc[-1]), "%")
out.number("cash at the end", int(df["cash"].iloc[-1]))
out.number("cash lost since the first quarter", int(df["cash"].iloc[0] - df["cash"].iloc[-1]))
```
"""
_COMPUTED = (
    "Goods cost 48.9 % of revenue in the first quarter and 57.5 % in the last. Cash fell by "
    "239,000 to 181,000."
)
_PLAN = plan(
    "Name the key risks in the financials of Sample Kites, with the figures behind them.",
    step(
        "report", "Read the annual report", "files.read",
        value("file", "sample kites annual report.md"), gives={"text": "text"},
    ),
    step(
        "figures", "Compute how the quarters went", "data.analyze",
        value("file", "sample kites quarters.csv"), gives={"text": "text", "numbers": "json"},
        words="How did the kite maker's cost of goods and its cash develop over the quarters?",
    ),
    step(
        "risks", "Find the key risks", "llm.ask",
        taken("text", "report", "text"), taken("text", "figures", "text"),
        gives={"text": "text"},
        words="Name the key risks of the kite maker, the gravest first, each with its figures.",
        criteria=(("nonempty", ""), ("regex", "covenant")),
    ),
    step(
        "page", "Write the summary", "files.write",
        value("file", "sample kites key risks.md"), taken("text", "risks", "text"),
        gives={"file": "file"}, permission="write", criteria=(("file_exists", ""),),
    ),
    assumptions=("“This company” is Sample Kites: its report is the newest in the folder.",),
)  # fmt: skip

FINANCIALS = Example(
    name="financials",
    title="Financials and their risks",
    about="Sample Kites Ltd is made up; so are its report and its figures.",
    task=TASK,
    files={
        "sample kites annual report.md": _REPORT,
        "sample kites quarters.csv": _FIGURES,
    },
    rules=(
        Rule((PLANS, TASK), _PLAN),
        Rule(
            (COMPOSES, TASK),
            "The gravest risk is the loan of 1.8 million that falls due in June 2026 [1], while "
            "cash fell to 181,000 [2]. Its covenant is close: an equity ratio of 21.3 % where 20 % "
            "are asked for [1]. One customer buys 44 % and may leave with three months' notice "
            "[1]. Margins fall: goods cost 48.9 % of revenue in the first quarter and 57.5 % in "
            "the last [2]. All carbon rods come from one supplier, in a currency that is not "
            "hedged [1]. The five risks are written down in the order of their weight [3][4].",
        ),
        Rule(("by writing Python", "the kite maker"), _CODE),
        Rule(("from computed results alone", "the kite maker"), _COMPUTED),
        Rule(("Name the key risks of the kite maker",), _RISKS),
    ),
    answers=(("Plan (", "Go"),),
)
