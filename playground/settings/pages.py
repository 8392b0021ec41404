"""Pages and their static files: built by Vite into hashed names, served by whitenoise."""

import warnings

from playground.settings.environment import BASE_DIR

BUILD = BASE_DIR / "playground" / "static" / "build"

STATICFILES_DIRS = [BASE_DIR / "playground" / "static"]
DJANGO_VITE = {"default": {"manifest_path": BUILD / "manifest.json", "static_url_prefix": "build"}}

# Vite's names change with their content.
WHITENOISE_IMMUTABLE_FILE_TEST = r"/static/build/assets/.+-[0-9A-Za-z_-]{8}\.[a-z0-9]+$"

# Whitenoise's files are small and read in a thread: nothing to warn of, once per process and in every log.
warnings.filterwarnings("ignore", message="StreamingHttpResponse must consume synchronous iterators", category=Warning)
