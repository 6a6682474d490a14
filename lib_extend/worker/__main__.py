"""`python -m lib_extend.worker`: the inference process, spoken to over its standard input and output."""

from lib_extend.worker.serving_process import main

raise SystemExit(main())
