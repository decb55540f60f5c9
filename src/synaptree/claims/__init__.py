"""The claims of the study, one claim a file, each with its thresholds."""
