"""The claims of the study: what a claim is, one claim a file, and the judge."""
