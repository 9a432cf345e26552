"""`python -m invariscope.cli` is the command `invariscope`."""

import sys

from invariscope.cli.main import main

sys.exit(main())
