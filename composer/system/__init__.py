"""Device, files, folders, threads and memory."""
