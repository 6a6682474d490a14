"""`python -m lib_extend` is `prompt-extend`."""

import sys

from lib_extend.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
