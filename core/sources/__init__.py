"""Where bytes come from: stream files, pipes, compressed files, captures and the TCP inside them."""
