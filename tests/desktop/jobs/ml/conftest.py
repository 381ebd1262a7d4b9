"""Before scikit-learn is imported: one thread, because spinning threads stall a busy machine."""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")
