"""The web application, for Granian."""

import gc
import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
application = get_wsgi_application()

# What is loaded stays for good: the collector need not walk it, nor look so often (a request makes many small things).
gc.collect()
gc.freeze()
gc.set_threshold(20_000, 20, 50)
