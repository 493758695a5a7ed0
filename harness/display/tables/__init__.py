"""Tables: columns, cells, and how they are written to a terminal, Markdown, LaTeX and CSV."""
