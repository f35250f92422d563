"""`python -m reactor_nb`: the same as `reactor`."""

import os
import sys

# Python puts the working folder before its own library; a queue.py of somebody's project must not be taken for
# the library's. Discovery puts the folder behind it again.
if sys.path and sys.path[0] in ("", os.getcwd()):
    del sys.path[0]

if __name__ == "__main__":
    from reactor_nb.cli import main

    sys.exit(main())
