"""The locality audit: what each synapse must know, found by changing one thing at a time.

This room can be called, since its public function has its name: ``synaptree.audit("dfa")``.
"""

import sys
from types import ModuleType
from typing import Any


class _Room(ModuleType):
    def __call__(self, rule: Any) -> Any:
        """`synaptree.audit.matrix.audit`."""
        from synaptree.audit.matrix import audit

        return audit(rule)


sys.modules[__name__].__class__ = _Room
