#!/usr/bin/env bash
# The tests of the report page want a browser: Debian's chromium, where it can be had.
set -u
if command -v chromium >/dev/null; then
  exit 0
fi
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
  export DEBIAN_FRONTEND=noninteractive
  if apt-get update -qq >/dev/null && apt-get install -qq -y --no-install-recommends chromium >/dev/null; then
    exit 0
  fi
fi
echo "no chromium here, and none could be installed: the tests of the report page in a browser will be skipped"
