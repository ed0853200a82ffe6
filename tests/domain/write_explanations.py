"""Write the golden explanations anew: `python -m tests.domain.write_explanations`. Then read the difference."""

from __future__ import annotations

from tests.domain.explained import text
from tests.domain.test_explanations import GOLDENS

if __name__ == "__main__":
    GOLDENS.write_text(text(), encoding="utf-8")
