"""`python -m lib_extend.worker`: the inference process. Its standard input and output carry the protocol."""

from lib_extend.worker.serving_process import main

raise SystemExit(main())
