"""A plugin with a missing dependency."""

import a_library_that_nobody_has  # noqa: F401
