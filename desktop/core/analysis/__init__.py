"""Questions to tables, decided: words for models, what may leave a box, and founded figures."""
