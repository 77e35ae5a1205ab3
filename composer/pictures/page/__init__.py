"""A web page with sheet music and a piano roll that can be played, which needs nothing but a browser."""
