"""Write tests/course/page_hashes.txt from a copy of the page, which is not kept here.

    PYTHONPATH=tests python tests/tools/hash_page.py PROSE CODE

PROSE holds the page's sentences, CODE its code, each as plain text with blank lines between
paragraphs and blocks. Only hashes are written.
"""

import sys
from pathlib import Path

from support.course_facts import CODE, COURSE, code_symbols, source_hashes, windows


def main(prose_file: str, code_file: str) -> None:
    stored = source_hashes(Path(prose_file).read_text(encoding="utf-8"))
    for block in Path(code_file).read_text(encoding="utf-8").split("\n\n"):
        stored |= set(windows(code_symbols(block), CODE))
    (COURSE / "page_hashes.txt").write_text("\n".join(sorted(stored)) + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
