"""The output for readers: the report's page, tables, charts, and pages of Markdown."""
