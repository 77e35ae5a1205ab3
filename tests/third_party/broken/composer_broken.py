"""A plugin whose library is missing on this machine."""

import a_library_that_nobody_has  # noqa: F401
