"""Tables: columns, cells, and output to terminal, Markdown, LaTeX and CSV."""
