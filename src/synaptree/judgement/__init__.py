"""Judging a stranger's rule: checked, audited, trained as the committed rules were, beside them."""
