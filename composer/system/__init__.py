"""Device, files, cache folder, threads and memory."""
