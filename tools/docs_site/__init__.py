"""What the documentation site has beside its Markdown: see `docs/conf.py`."""
