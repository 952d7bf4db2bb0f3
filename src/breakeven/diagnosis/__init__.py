"""Why a variant is fast or not: what each pass of a compiler changes in the graph, and what that is worth."""
