"""Documents, decided: names of new files, exact edits, diffs, Markdown as a tree of blocks."""
